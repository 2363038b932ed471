"""Locate from token text, with and without a parent."""

import pytest

from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.locate import locate
from tests.sim.harness import drive


def located(*streams: str) -> str:
    _, (out, _, _) = drive(lambda unit: locate(unit, 10), streams, 3)
    return out


def test_outermost_level() -> None:
    unit, (out, ref, crd) = drive(lambda unit: locate(unit, 10), ["5@1 6@2 S0@3 D@4", "2@1 4@3 S0@4 D@5"], 3)
    assert out == "2@2 4@4 S0@5 D@6"
    assert ref == "5@2 6@4 S0@5 D@6"
    assert crd == "2@2 4@4 S0@5 D@6"
    assert unit.clock == 5


def test_parent_is_held_for_a_fiber() -> None:
    assert located("0 1 S0 2 S1 D", "2 4 S0 3 S1 D", "1@1 2@2 S0@3 D@4") == "12@2 14@3 S0@4 23@5 S1@6 D@7"


def test_parent_of_empty_fibers() -> None:
    inner, parent = "S0@1 S2@2 1@3 S0@4 S1@5 S3@6 D@7", "1@1 2@2 S1@3 3@4 4@5 S0@6 S2@7 D@8"
    assert located(inner, inner, parent) == "S0@2 S2@4 31@5 S0@6 S1@7 S3@8 D@9"


def test_missing_parent() -> None:
    assert located("0 S1 D", "2 S1 D", "N S0 D") == "N@2 S1@3 D@4"


def test_parent_stream_of_another_nest() -> None:
    with pytest.raises(SimulationError, match=r"crd and parent do not go together: S1 at unit.in1, S1 at unit.in2"):
        located("0 S1 D", "2 S1 D", "1 S1 D")
    with pytest.raises(SimulationError, match=r"crd and parent do not go together: 2 at unit.in1, S0 at unit.in2"):
        located("0 S1 D", "2 S1 D", "S0 D")


def test_coordinate_out_of_range() -> None:
    with pytest.raises(SimulationError, match=r"coordinate not below 10: 10 at unit.in1"):
        located("0 S0 D", "10 S0 D")


def test_ref_that_does_not_follow() -> None:
    with pytest.raises(SimulationError, match=r"ref and crd do not go together: S0 at unit.in0, 1 at unit.in1"):
        located("S0 D", "1 S0 D")
