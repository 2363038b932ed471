"""Level scanners from token text; the first case is the worked example of simulator Appendix A."""

import numpy as np
import pytest

from fuseflow.dataflow.blocks import Missing
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.machine import ScannerTiming
from tests.sim.harness import drive

SEGMENTS, COORDINATES = np.array([0, 3, 6]), np.array([0, 2, 3, 4, 5, 6])


DEFAULT = ScannerTiming()


def compressed(text: str, missing: Missing, timing: ScannerTiming = DEFAULT) -> tuple[Unit, list[str]]:
    def make(unit: Unit) -> Process:
        return scan_compressed(unit, SEGMENTS, COORDINATES, timing, missing)

    return drive(make, [text], 2)


def dense(text: str, extent: int, missing: Missing) -> tuple[Unit, list[str]]:
    return drive(lambda unit: scan_dense(unit, extent, missing), [text], 2)


def test_worked_example() -> None:
    unit, (crd, ref) = compressed("0@1 N@2 S0@3 D@4", Missing.FORWARD)
    assert crd == "0@2 2@3 3@4 S0@5 N@6 S1@7 D@8"
    assert ref == "0@2 1@3 2@4 S0@5 N@6 S1@7 D@8"
    assert unit.clock == 7


def test_n_is_an_empty_fiber() -> None:
    unit, (crd, ref) = compressed("0@1 N@2 S0@3 D@4", Missing.EMPTY_FIBER)
    assert crd == "0@2 2@3 3@4 S0@5 S1@6 D@7"
    assert ref == "0@2 1@3 2@4 S0@5 S1@6 D@7"
    assert unit.counters.coordinates_read == 5


def test_n_waits_for_the_token_after_it() -> None:
    _, (crd, _) = compressed("N@1 0@9 S0@10 D@11", Missing.EMPTY_FIBER)
    assert crd == "S0@10 0@11 2@12 3@13 S1@14 D@15"


def test_a_stop_without_a_reference_is_an_empty_outer_fiber() -> None:
    _, (crd, _) = compressed("S0@1 1@2 S1@3 D@4", Missing.EMPTY_FIBER)
    assert crd == "S1@2 4@3 5@4 6@5 S2@6 D@7"


def test_repeated_references_read_their_segment_once() -> None:
    unit, _ = compressed("0 0 S0 1 S1 D", Missing.FORWARD)
    assert unit.counters.coordinates_read == 9 + 4


def test_timing_knobs() -> None:
    timing = ScannerTiming(
        startup_delay_cycles=7, data_load_factor=0.5, initial_delay_cycles=3, output_latency_cycles=5
    )
    unit, (crd, _) = compressed("0@1 D@2", Missing.FORWARD, timing)
    assert crd == "0@20 2@21 3@22 S0@23 D@24"
    assert (unit.clock, unit.busy) == (19, 19)


def test_miss_latency_takes_the_place_of_the_output_latency() -> None:
    timing = ScannerTiming(output_latency_cycles=2, sequential_interval_cycles=4, miss_latency_cycles=9, row_size=2)
    _, (crd, _) = compressed("0@1 D@2", Missing.FORWARD, timing)
    assert crd == "0@3 2@7 3@18 S0@15 D@16"


def test_dense_level() -> None:
    unit, (crd, ref) = dense("0@1 2@2 S0@3 N@4 D@5", 2, Missing.FORWARD)
    assert crd == "0@2 1@3 S0@4 0@5 1@6 S1@7 N@8 D@9"
    assert ref == "0@2 1@3 S0@4 4@5 5@6 S1@7 N@8 D@9"
    assert unit.counters.coordinates_read == 0
    assert unit.counters.coordinates_scanned == 4


def test_dense_level_with_a_missing_operand() -> None:
    _, (crd, _) = dense("N@1 0@2 S0@3 D@4", 1, Missing.EMPTY_FIBER)
    assert crd == "S0@3 0@4 S1@5 D@6"


def test_empty_dense_level() -> None:
    _, (crd, _) = dense("0@1 D@2", 0, Missing.FORWARD)
    assert crd == "S0@3 D@4"


def test_reference_out_of_range() -> None:
    with pytest.raises(
        SimulationError, match=r"unit, cycle 3: reference outside the 2 fibers of the level: 2 at unit.in0"
    ):
        compressed("2@3 D@4", Missing.FORWARD)


def test_stream_that_ends_early() -> None:
    with pytest.raises(SimulationError, match=r"unit reads unit.in0 at cycle 6 but test.out0 has ended"):
        compressed("0@3", Missing.FORWARD)
