"""Drop, hold, mask and flatten from token text."""

import pytest

from fuseflow.dataflow.blocks import Comparison
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.coordinates import coord_drop, coord_hold, coord_mask, flatten
from tests.sim.harness import drive


def test_drop_takes_a_fiber_per_turn_at_the_rate_it_arrives() -> None:
    unit, (outer, inner) = drive(coord_drop, ["0 1 S0 D", "1 S0 S1 D"], 2)
    assert outer == "0@3 S0@5 D@6"
    assert inner == "1@2 S0@3 S1@4 D@6"
    assert unit.clock == 5


def test_drop_in_an_empty_outer_fiber() -> None:
    _, (outer, inner) = drive(coord_drop, ["S0 4 S1 D", "S1 7 S2 D"], 2)
    assert outer == "S0@2 4@4 S1@5 D@6"
    assert inner == "S1@2 7@3 S2@4 D@6"


def test_hold() -> None:
    unit, (outer, inner) = drive(coord_hold, ["0 1 2 S0 D", "0 2 S0 S0 2 S1 D"], 2)
    assert outer == "0@2 0@3 S0@4 S0@5 2@6 S1@7 D@8"
    assert inner == "0@2 2@3 S0@4 S0@5 2@6 S1@7 D@8"
    assert unit.clock == 7


def test_hold_over_empty_outer_fibers() -> None:
    _, (outer, _) = drive(coord_hold, ["S0 3 S0 S0 4 S1 D", "S1 1 S1 S1 5 6 S2 D"], 2)
    assert outer == "S1@2 3@3 S1@4 S1@5 4@6 4@7 S2@8 D@9"


def masked(rule: Comparison, outer: str, inner: str) -> list[str]:
    """Tokens of outer, inner and ref; a reference is the coordinate."""
    _, outs = drive(lambda unit: coord_mask(unit, rule), [outer, inner, inner], 3)
    return [" ".join(word.partition("@")[0] for word in out.split()) for out in outs]


def test_mask_stamps() -> None:
    streams = ["0 1 S0 D", "0 1 S0 0 1 S1 D", "5 6 S0 7 8 S1 D"]
    unit, (outer, inner, ref) = drive(lambda unit: coord_mask(unit, Comparison.LESS), streams, 3)
    assert outer == "0@4 1@7 S0@8 D@8"
    assert inner == "0@2 S0@5 0@5 1@6 S1@7 D@8"
    assert ref == "5@2 S0@5 7@5 8@6 S1@7 D@8"
    assert unit.clock == 7


def test_mask_merges_the_stops_of_what_it_drops() -> None:
    assert masked(Comparison.EQUAL, "0 1 2 S0 D", "0 1 S0 1 S0 2 S1 D") == ["0 S0 D", "1 S1 D", "1 S1 D"]
    assert masked(Comparison.GREATER_EQUAL, "0 9 S0 1 S1 D", "4 S0 4 S1 0 S2 D") == [
        "0 S0 S1 D",
        "4 S1 S2 D",
        "4 S1 S2 D",
    ]
    assert masked(Comparison.LESS_EQUAL, "S0 1 S1 D", "S1 0 1 S2 D") == ["S0 1 S1 D", "S1 0 S2 D", "S1 0 S2 D"]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (Comparison.LESS, [0, 1]), (Comparison.LESS_EQUAL, [0]), (Comparison.EQUAL, [0, 2]),
        (Comparison.NOT_EQUAL, [1]), (Comparison.GREATER_EQUAL, [2]), (Comparison.GREATER, [1, 2]),
    ],
)  # fmt: skip
def test_comparisons(rule: Comparison, kept: list[int]) -> None:
    _, inner, _ = masked(rule, "1 S0 D", "0 1 2 S1 D")
    assert inner == " ".join([*map(str, kept), "S1", "D"])


def test_flatten() -> None:
    unit, (out,) = drive(lambda unit: flatten(unit, 10), ["0 2 S0 S0 3 S1 D", "1 S0 4 5 S1 S1 S2 D"], 1)
    assert out == "1@2 24@4 25@5 S0@6 S0@7 S1@8 D@9"
    assert unit.clock == 8


def test_misfits() -> None:
    with pytest.raises(SimulationError, match=r"outer and inner coordinates do not go together: D at .*, 1 at"):
        drive(coord_drop, ["D", "1 S0 D"], 2)
    with pytest.raises(SimulationError, match=r"cycle 2: outer and inner coordinates do not go together: S0 at"):
        drive(coord_hold, ["S0 S0 D", "1 S1 D"], 2)
    with pytest.raises(SimulationError, match=r"no coordinate: N at unit.in0"):
        drive(coord_drop, ["N S0 D", "1 S1 D"], 2)
    with pytest.raises(SimulationError, match=r"inner and ref do not go together"):
        drive(lambda unit: coord_mask(unit, Comparison.LESS), ["0 S0 D", "1 S1 D", "S1 D"], 3)
    with pytest.raises(SimulationError, match=r"outer and inner coordinates do not go together"):
        drive(lambda unit: coord_mask(unit, Comparison.LESS), ["S0 D", "S0 D", "S0 D"], 3)
    with pytest.raises(
        SimulationError, match=r"coordinate not below 3: 3 at unit.in1 .token 0 of the stream.; check the factor"
    ):
        drive(lambda unit: flatten(unit, 3), ["0 S0 D", "3 S1 D"], 1)
    with pytest.raises(SimulationError, match=r"outer and inner coordinates do not go together: S0 at"):
        drive(lambda unit: flatten(unit, 3), ["0 S0 D", "2 S2 D"], 1)
