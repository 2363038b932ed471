"""Joiners from token text."""

import pytest

from fuseflow.dataflow.blocks import Join
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.join import join
from tests.sim.harness import drive


def joined(kind: Join, *streams: str) -> tuple[str, ...]:
    _, outs = drive(lambda unit: join(unit, kind), streams, 1 + len(streams) // 2)
    return tuple(outs)


A, RA = "0@1 2@2 3@3 S0@4 D@5", "10@1 12@2 13@3 S0@4 D@5"
B, RB = "2@1 S0@2 D@3", "22@1 S0@2 D@3"


def test_intersect() -> None:
    crd, a, b = joined(Join.INTERSECT, A, RA, B, RB)
    assert crd == "2@3 S0@5 D@6"
    assert a == "12@3 S0@5 D@6"
    assert b == "22@3 S0@5 D@6"


def test_union() -> None:
    crd, a, b = joined(Join.UNION, A, RA, B, RB)
    assert crd == "0@2 2@3 3@4 S0@5 D@6"
    assert a == "10@2 12@3 13@4 S0@5 D@6"
    assert b == "N@2 22@3 N@4 S0@5 D@6"


def test_three_ways() -> None:
    crd, *outs = joined(Join.UNION, "0 S0 D", "1 S0 D", "1 S0 D", "2 S0 D", "0 S0 D", "3 S0 D")
    assert crd == "0@2 1@3 S0@4 D@5"
    assert outs == ["1@2 N@3 S0@4 D@5", "N@2 2@3 S0@4 D@5", "3@2 N@3 S0@4 D@5"]


def test_intersect_drops_all_that_equal_the_least() -> None:
    crd, *_ = joined(Join.INTERSECT, "0 5 S0 D", "0 1 S0 D", "0 5 S0 D", "0 1 S0 D", "5 S0 D", "0 S0 D")
    assert crd == "5@3 S0@4 D@5"


def test_stop_levels_that_differ() -> None:
    with pytest.raises(SimulationError, match=r"unit, cycle 1: stop levels differ: S0 at unit.in0, S1 at unit.in2"):
        joined(Join.UNION, "S0 D", "S0 D", "S1 D", "S1 D")


@pytest.mark.parametrize("kind", list(Join))
def test_n_on_a_coordinate_stream(kind: Join) -> None:
    with pytest.raises(SimulationError, match=r"N on a coordinate stream: N at unit.in0, 1 at unit.in2"):
        joined(kind, "N S0 D", "N S0 D", "1 S0 D", "1 S0 D")


def test_n_on_every_coordinate_stream() -> None:
    crd, *_ = joined(Join.INTERSECT, "N S0 D", "N S0 D", "N S0 D", "N S0 D")
    assert crd == "N@2 S0@3 D@4"
    with pytest.raises(SimulationError, match=r"N on every coordinate stream"):
        joined(Join.UNION, "N S0 D", "N S0 D", "N S0 D", "N S0 D")


def test_a_stream_that_ends_first() -> None:
    with pytest.raises(
        SimulationError, match=r"one coordinate stream ends before another: D at unit.in0, 1 at unit.in2"
    ):
        joined(Join.INTERSECT, "D", "D", "1 S0 D", "1 S0 D")


def test_payload_that_does_not_follow() -> None:
    with pytest.raises(
        SimulationError, match=r"coordinate and payload do not go together: 1 at unit.in0, S0 at unit.in1"
    ):
        joined(Join.INTERSECT, "1 S0 D", "S0 D", "1 S0 D", "1 S0 D")
