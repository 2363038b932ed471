"""Repeat from token text: both halves, and what N means to the repeater."""

import pytest

from fuseflow.dataflow.blocks import Missing
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from tests.sim.harness import drive


def repeated(data: str, signal: str, missing: Missing = Missing.EMPTY_FIBER) -> str:
    kinds = (StreamKind.REF, StreamKind.SIGNAL)
    _, (out,) = drive(lambda unit: repeat(unit, missing), [data, signal], 1, kinds)
    return out


def test_signal() -> None:
    unit, (out,) = drive(repeat_signal, ["3@1 N@2 S2@3 D@4"], 1)
    assert out == "R@2 R@3 S0@4 D@5"
    assert unit.clock == 4


def test_scalar_root() -> None:
    assert repeated("0@1 D@2", "R@1 R@2 S@3 D@4") == "0@2 0@3 S0@4 D@5"


def test_stops_merge() -> None:
    assert repeated("7@1 S0@2 8@3 S1@4 D@5", "R@1 S@2 R@3 R@4 S@5 D@6") == "7@2 S1@3 8@4 8@5 S2@6 D@7"


def test_empty_outer_fiber() -> None:
    assert repeated("S0@1 8@2 S1@3 D@4", "S@1 R@2 S@3 D@4") == "S1@2 8@3 S2@4 D@5"


def test_n_is_retired_like_a_payload() -> None:
    assert repeated("N@1 S0@2 D@3", "R@1 S@2 D@3") == "N@2 S1@3 D@4"


def test_n_of_the_reference_takes_no_stop() -> None:
    assert repeated("N@1 S0@2 D@3", "S@1 S@2 D@3", Missing.FORWARD) == "S0@2 S1@3 D@4"


def test_the_rest_of_the_data_may_stay() -> None:
    assert repeated("0@1 1@2 D@3", "D@5") == "D@6"


def test_no_signal() -> None:
    with pytest.raises(SimulationError, match=r"unit, cycle 2: no repeat signal: 4 at unit.in1"):
        drive(lambda unit: repeat(unit, Missing.FORWARD), ["0@1 D@2", "4@2 D@3"], 1)
