"""Fork and gather from token text, and the two together on random nests."""

import random

import pytest

from fuseflow.dataflow.tokens import Stop, show_tokens
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.lanes import fork, gather, gather_guarded
from tests.sim.harness import drive


def test_fork_deals_across_stops_and_copies_them() -> None:
    unit, outs = drive(fork, ["0 S0 0 1 N S1 D"], 2)
    assert outs == ["0@2 S0@3 1@5 S1@7 D@8", "S0@3 0@4 N@6 S1@7 D@8"]
    assert unit.clock == 8  # the end costs a cycle, too


def test_gather_keeps_the_level_of_the_last_lane() -> None:
    unit, (out,) = drive(gather, ["0 S0 1 S1 D", "S0 0 2 S1 D"], 1)
    assert out == "0@2 S0@3 S0@4 1@5 S0@6 0@7 2@8 S1@9 D@11"
    assert unit.clock == 10


def test_gather_does_not_depend_on_who_ends_first() -> None:
    _, (out,) = drive(gather, ["0 S0 1 S1 D", "5 S1 D"], 1)
    assert out == "0@2 S0@3 5@4 S1@5 1@6 S0@7 D@8"  # the levels are the reference's; a guard makes them right


def test_guarded_gather_has_the_stamps_of_gather() -> None:
    unit, (out,) = drive(gather_guarded, ["0 S0 1 S1 D", "S0 0 2 S1 D", "0@1 1@1 2@1 3@1 S0@1 D@1"], 1)
    assert out == "0@2 S0@3 S0@4 1@5 S0@6 0@7 2@8 S1@9 D@11"
    assert unit.clock == 10


def test_guarded_gather_of_any_count() -> None:
    _, (out,) = drive(gather_guarded, ["0 S0 1 S1 D", "5 S1 D", "0 1 2 S0 D"], 1)
    assert " ".join(word.partition("@")[0] for word in out.split()) == "0 S0 5 S0 1 S1 D"


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_fork_scan_gather_is_scan(lanes: int) -> None:
    rng = random.Random(lanes)
    for _ in range(200):
        nest = [
            [[rng.randrange(9) for _ in range(rng.randrange(3))] for _ in range(rng.randrange(4))] for _ in range(3)
        ]
        dealt: list[list[list[list[int]]]] = [[] for _ in range(lanes)]
        turn = 0
        for fibers in nest:
            for lane in dealt:
                lane.append([])
            for fiber in fibers:
                dealt[turn][-1].append(fiber)
                turn = (turn + 1) % lanes
        guard = " ".join(
            [*(show_tokens([*range(len(fibers)), Stop(0 if each < 2 else 1)]) for each, fibers in enumerate(nest)), "D"]
        )
        streams = [stream(lane) for lane in dealt]
        _, (out,) = drive(gather_guarded, [*streams, guard], 1)
        assert " ".join(word.partition("@")[0] for word in out.split()) == stream(nest), (streams, guard)


def stream(nest: list[list[list[int]]]) -> str:
    words: list[str] = []
    for place, fibers in enumerate(nest):
        for number, fiber in enumerate(fibers or [[]]):
            last = number == max(len(fibers), 1) - 1
            level = 0 if not last else 1 if place < len(nest) - 1 else 2
            words += [*map(str, fiber), f"S{level}"]
    return " ".join([*words, "D"])


@pytest.mark.parametrize(
    "streams",
    [
        ("1 S0 D", "2 S1 D", "0 1 S0 D"),
        ("1 S1 D", "2 S0 D", "0 1 S0 D"),
        ("1 S1 2 S1 D", "3 S1 D", "0 1 2 S0 D"),
        ("S1 2 S1 D", "S1 D", "S0 D"),
    ],
)
def test_lanes_that_do_not_fit_the_guard(streams: tuple[str, ...]) -> None:
    with pytest.raises(SimulationError, match=r"lane and guard do not go together: .* at unit.in\d, .* at unit.in2"):
        drive(gather_guarded, streams, 1)


def test_guard_of_another_kind() -> None:
    with pytest.raises(SimulationError, match=r"no coordinate: N at unit.in1"):
        drive(gather_guarded, ["1 S1 D", "N S0 D"], 1)
