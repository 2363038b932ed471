"""Sparse accumulators: token text, and random nests with empty fibers at every level against plain sums."""

import random
from typing import Any

import pytest

from fuseflow.dataflow.tokens import DONE, Stop, StreamKind, Token, show_tokens
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.accumulate_many import accumulate_many
from fuseflow.sim.blocks.base import Unit
from tests.sim.harness import drive

ONE = (StreamKind.CRD, StreamKind.CRD, StreamKind.VAL)
TWO = (StreamKind.CRD, StreamKind.CRD, StreamKind.CRD, StreamKind.VAL)


def sums_1(inner: str, outer: str, val: str) -> tuple[str, str]:
    _, (crd, out) = drive(lambda unit: accumulate(unit, 1), [inner, outer, val], 2, ONE)
    return crd, out


def tokens(text: str) -> str:
    return " ".join(word.partition("@")[0] for word in text.split())


def test_a_flush_takes_one_turn_after_it_has_seen_what_follows() -> None:
    crd, val = sums_1("0 2 S0 2 3 S1 D", "5 6 S0 D", "1 2 S0 10 20 S1 D")
    assert crd == "0@8 2@8 3@8 S0@8 D@9"
    assert val == "1@8 12@8 20@8 S0@8 D@9"


def test_an_empty_outer_fiber_first() -> None:
    crd, val = sums_1("S1 0 S2 D", "S0 1 S1 D", "S1 7 S2 D")
    assert crd == "S0@2 0@5 S1@5 D@6"
    assert val == "S0@2 7@5 S1@5 D@6"


def test_the_last_inner_fiber_of_a_coming_value_is_empty() -> None:
    crd, _ = sums_1("0 S1 S2 D", "1 S0 1 S1 D", "7 S1 S2 D")
    assert tokens(crd) == "0 S0 S1 D"


def test_order_2_flushes_level_by_level() -> None:
    streams = ["0 S0 1 S2 D", "3 4 S1 D", "0 S0 D", "5 S0 6 S2 D"]
    unit, (inner, middle, val) = drive(lambda unit: accumulate(unit, 2), streams, 3, TWO)
    assert middle == "3@7 4@7 S0@7 D@8"
    assert inner == "0@7 S0@7 1@7 S1@7 D@8"
    assert val == "5@7 S0@7 6@7 S1@7 D@8"
    assert unit.counters.flops == 2


def test_order_2_that_sums_nothing_closes_its_inner_streams() -> None:
    _, outs = drive(lambda unit: accumulate(unit, 2), ["S2 D", "S1 D", "S0 D", "S2 D"], 3, TWO)
    assert [tokens(out) for out in outs] == ["S1 D", "S0 D", "S1 D"]


def nest(rng: random.Random, depth: int) -> Any:
    """A random nest: ``depth`` levels of (coordinate, child), children of the last level are values; often empty."""
    if depth == 0:
        return float(rng.randint(1, 9))
    chosen = sorted(rng.sample(range(4), rng.choice([0, 0, 1, 2, 3])))
    return [(coordinate, nest(rng, depth - 1)) for coordinate in chosen]


def encode(fiber: Any, depth: int, values: bool = False) -> list[Token]:
    """Coordinates of level ``depth - 1`` of a nest (or its values) as a stream without its ``D``."""
    if depth == 1:
        return [*(child if values else coordinate for coordinate, child in fiber), Stop(0)]
    stream: list[Token] = []
    for _, child in fiber:
        stream += encode(child, depth - 1, values)
    if not fiber:
        return [Stop(depth - 1)]
    return [*stream[:-1], Stop(depth - 1)]


def text(fiber: Any, depth: int, values: bool = False) -> str:
    return show_tokens([*encode(fiber, depth, values), DONE])


def summed(fibers: Any, order: int) -> Any:
    """Sum over the outermost level of each nest in ``fibers`` (the reduced level)."""
    total: dict[int, Any] = {}

    def add(into: dict[int, Any], fiber: Any, depth: int) -> None:
        for coordinate, child in fiber:
            if depth == 1:
                into[coordinate] = into.get(coordinate, 0.0) + child
            elif child:
                add(into.setdefault(coordinate, {}), child, depth - 1)

    def listed(fiber: dict[int, Any], depth: int) -> Any:
        below = {key: fiber[key] if depth == 1 else listed(fiber[key], depth - 1) for key in sorted(fiber)}
        return [(key, child) for key, child in below.items() if depth == 1 or child]

    for _, child in fibers:
        add(total, child, order)
    return listed(total, order)


def kinds_of(order: int) -> tuple[StreamKind, ...]:
    return (*[StreamKind.CRD] * (order + 1), StreamKind.VAL)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_random_nests(order: int) -> None:
    rng = random.Random(order)
    for _ in range(300):
        above = 2  # levels outside the reduced one
        tree = nest(rng, above + 1 + order)
        result = [(a, [(b, summed(fibers, order)) for b, fibers in group]) for a, group in tree]
        depth = above + 1 + order
        crds = [text(tree, depth - level) for level in range(order + 1)]
        streams = [*crds, text(tree, depth, values=True)]
        _, outs = drive(lambda unit: accumulate(unit, order), streams, order + 1, kinds_of(order))
        wanted = [text(result, above + order - level) for level in range(order)]
        assert [tokens(out) for out in outs] == [*wanted, text(result, above + order, values=True)], streams


def test_order_2_is_the_general_rule_for_two() -> None:
    rng = random.Random(7)
    for _ in range(100):
        tree = nest(rng, 5)
        streams = [text(tree, 5), text(tree, 4), text(tree, 3), text(tree, 5, values=True)]
        _, special = drive(lambda unit: accumulate(unit, 2), streams, 3, TWO)
        _, general = drive(lambda unit: accumulate_many(unit, 2), streams, 3, TWO)
        assert special == general, streams


def test_order_3_by_hand() -> None:
    inner, middle, first, outer = "0 S0 1 S1 2 S3 D", "3 4 S0 5 S2 D", "6 7 S1 D", "0 S0 D"
    unit, outs = drive(
        lambda unit: accumulate(unit, 3), [inner, middle, first, outer, "1 S0 2 S1 3 S3 D"], 4, kinds_of(3)
    )
    assert outs[2] == "6@11 7@11 S0@11 D@12"
    assert outs[1] == "3@11 4@11 S0@11 5@11 S1@11 D@12"
    assert outs[0] == "0@11 S0@11 1@11 S1@11 2@11 S2@11 D@12"
    assert outs[3] == "1@11 S0@11 2@11 S1@11 3@11 S2@11 D@12"
    assert unit.counters.flops == 3


def test_order_0() -> None:
    with pytest.raises(SimulationError, match=r"unit is a sparse accumulator of order 0; give it 1 index or more"):
        accumulate(Unit("unit", [], []), 0)


@pytest.mark.parametrize(
    "streams,what",
    [
        (("0 S1 D", "1 S0 D", "S1 D"), "innermost coordinates and values do not go together: 0 at unit.in0"),
        (("S0 D", "1 S0 D", "S1 D"), "innermost coordinates and values do not go together: S0 at unit.in0"),
        (("S0 D", "S0 D", "S0 D"), "an empty fiber that ends in S0 needs S1 one level further in"),
        (("S1 D", "N S0 D", "S1 D"), "no coordinate on the reduced level"),
        (("N S1 D", "1 S0 D", "N S1 D"), "no coordinate and value to accumulate"),
    ],
)
def test_misfits_of_order_1(streams: tuple[str, str, str], what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        sums_1(*streams)


@pytest.mark.parametrize(
    "streams,what",
    [
        (("S2 D", "N S1 D", "1 S0 D", "S2 D"), "no coordinate on the middle level"),
        (("S2 D", "S1 D", "N S0 D", "S2 D"), "no coordinate on the reduced level"),
        (("0 S2 D", "1 S1 D", "D", "0 S2 D"), "the outermost level ends before the others"),
        (("S1 D", "S1 D", "1 S0 D", "S1 D"), "an empty fiber that ends in S1 needs S2"),
    ],
)
def test_misfits_of_order_2(streams: tuple[str, ...], what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        drive(lambda unit: accumulate(unit, 2), streams, 3, TWO)
