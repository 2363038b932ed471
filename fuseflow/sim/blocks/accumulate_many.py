"""Sparse accumulators of order 3 and more: the rule that generalises the reference's order 2 (simulator rule 3.18).

With inputs c_n (outermost, reduced), c_(n-1), ..., c_0 and v, a turn peeks all of them in this order and then:

1. c_n is a coordinate, and so are c_(n-1) ... c_1: take c_0 and v; a pair is added at (c_(n-1), ..., c_0), a stop
   retires c_1.
2. c_n is a coordinate, and c_j is the outermost of c_(n-1) ... c_1 that is a stop: take c_j, which ends the fiber below
   c_(j+1), and retire c_(j+1).
3. c_n is ``Sk``: send everything, sorted, in this one turn, level j ending in ``S(k + n - 1 - j)``, take c_n.
4. c_n is ``D``: take the outermost c_j that is a stop, or, if all are ``D``, send ``D`` and return.

A turn costs a cycle. For n = 2 this is rule 3.18, for n = 1 it is rule 3.17 but for its look-ahead. An empty fiber of
level j takes the stops that stand for it further in with the turn that takes its own.
"""

from dataclasses import dataclass
from typing import Any

from fuseflow.dataflow.tokens import DONE, Stop, Token
from fuseflow.sim.blocks.base import Process, Unit, is_payload
from fuseflow.sim.blocks.tiles import NUMBERS, Fold

REMEDY = "every level of an accumulator's input must come from the same nest of fibers"

Sums = dict[tuple[int, ...], Any]
"""Sums by coordinates, outermost first."""


@dataclass(frozen=True, slots=True)
class Adding:
    """What it takes to add a value: a turn is ``more_cycles`` longer than one that adds none, and counts ``flops``."""

    fold: Fold = NUMBERS
    flops: int = 1
    more_cycles: int = 0

    def add(self, unit: Unit, sums: dict[Any, Any], key: Any, val: Token) -> None:
        """Add ``val`` at ``key``."""
        known = sums.get(key)
        sums[key] = (self.fold.start() if known is None else known) + self.fold.read(val)
        unit.counters.flops += self.flops


PLAIN = Adding()
"""Numbers, one a turn."""


def check_extent(unit: Unit, level: int, coordinate: Token, extents: tuple[int, ...] | None) -> None:
    """SimulationError unless the coordinate at input ``crd<level>`` is below its extent (innermost first), if known."""
    if extents is not None and isinstance(coordinate, (int, float)) and not 0 <= coordinate < extents[level]:
        unit.misfit(
            f"coordinate not below {extents[level]}",
            (unit.inputs[level], coordinate),
            remedy="check the shapes of the operands",
        )


def accumulate_many(
    unit: Unit,
    order: int,
    extents: tuple[int, ...] | None = None,
    flush_cycles: int = 0,
    adding: Adding = PLAIN,
) -> Process:
    """Inputs crd0 (innermost) ... crd<order>, val; outputs crd0 ... crd<order-1>, val."""
    crds, val_in = unit.inputs[:-1], unit.inputs[-1]
    sums: Sums = {}
    fresh = [True] * (order + 1)  # by level: no coordinate yet in its current fiber
    while True:
        heads: list[Token] = [DONE] * (order + 1)
        for level in range(order, -1, -1):
            heads[level] = yield from unit.peek(crds[level])
        val = yield from unit.peek(val_in)
        if is_payload(heads[0]) != is_payload(val) or (not is_payload(heads[0]) and heads[0] != val):
            _misfit(unit, "innermost coordinates and values do not go together")
        outer = heads[order]
        ends = next((level for level in range(order - 1, 0, -1) if not is_payload(heads[level])), 0)
        if is_payload(outer):
            fresh[order] = False
            if ends == 0:
                for level in range(order - 1, -1, -1) if is_payload(heads[0]) else ():
                    check_extent(unit, level, heads[level], extents)
                yield from _innermost(unit, sums, heads, val, adding)
                fresh[1:order] = [False] * (order - 1)
            else:
                stop = heads[ends]
                if not isinstance(stop, Stop):
                    _misfit(unit, "no coordinate on a middle level")
                else:
                    for level in range(ends + 1, order):
                        fresh[level] = False
                    if fresh[ends]:
                        yield from _take_empty(unit, ends, stop, heads)
                yield from unit.take(crds[ends])
                yield from unit.take(crds[ends + 1])
                fresh[ends] = True
        elif isinstance(outer, Stop):
            yield from _flush(unit, sums, outer, order, flush_cycles, adding)
            yield from unit.take(crds[order])
            if fresh[order]:
                yield from _take_empty(unit, order, outer, heads)
            fresh[order] = True
        elif outer is DONE:
            if isinstance(heads[ends], Stop) and ends > 0:
                yield from unit.take(crds[ends])
            elif all(head is DONE for head in heads):
                for out in unit.outputs:
                    yield from unit.send(out, DONE)
                return
            else:
                _misfit(unit, "the outermost level ends before the others")
        else:
            _misfit(unit, "no coordinate on the reduced level")
        unit.tick()


def _innermost(unit: Unit, sums: Sums, heads: list[Token], val: Token, adding: Adding) -> Process:
    """Take the heads of level 0 and the values: add them up, or retire the coordinate of level 1."""
    yield from unit.take(unit.inputs[0])
    yield from unit.take(unit.inputs[-1])
    if isinstance(heads[0], Stop):
        yield from unit.take(unit.inputs[1])
    elif not isinstance(val, (int, float)):
        _misfit(unit, "no coordinate and value to accumulate")
    else:
        key = tuple(int(head) for head in reversed(heads[:-1]))  # type: ignore[arg-type]  # payloads, as checked above
        adding.add(unit, sums, key, val)
        unit.tick(adding.more_cycles)


def _take_empty(unit: Unit, level: int, stop: Stop, heads: list[Token]) -> Process:
    """Take the stops further in that stand for the empty fiber of ``level`` that ``stop`` ends."""
    for inner in range(level - 1, -1, -1):
        if heads[inner] != Stop(stop.level + level - inner):
            text = f"an empty fiber of level {level} that ends in {stop!r} needs S{stop.level + level - inner}"
            _misfit(unit, f"{text} on crd{inner}")
        yield from unit.take(unit.inputs[inner])
    yield from unit.take(unit.inputs[-1])


def _flush(unit: Unit, sums: Sums, outer: Stop, order: int, flush_cycles: int, adding: Adding) -> Process:
    """Send all sums in order of their coordinates and forget them; the stamps are those of one turn."""
    *crds, vals = unit.outputs
    nest: dict[int, Any] = {}
    for key in sorted(sums):
        fiber = nest
        for coordinate in key[:-1]:
            fiber = fiber.setdefault(coordinate, {})
        fiber[key[-1]] = sums[key]
    sums.clear()

    def send_fiber(fiber: dict[int, Any], level: int, closing: Stop) -> Process:
        coordinates = sorted(fiber)
        for number, coordinate in enumerate(coordinates):
            last = number == len(coordinates) - 1
            if level == 0:
                yield from unit.send(vals, adding.fold.send(fiber[coordinate]))
                yield from unit.send(crds[0], coordinate)
                unit.tick(flush_cycles)
            else:
                yield from unit.send(crds[level], coordinate)
                below = Stop(closing.level + 1) if last else Stop(0)
                yield from send_fiber(fiber[coordinate], level - 1, below)
        if not coordinates:
            for inner in range(level):
                yield from unit.send(crds[inner], Stop(closing.level + level - inner))
            yield from unit.send(vals, Stop(closing.level + level))
        elif level == 0:
            yield from unit.send(vals, closing)
        yield from unit.send(crds[level], closing)

    yield from send_fiber(nest, order - 1, outer)


def _misfit(unit: Unit, what: str) -> None:
    heads = [(channel, channel.queue[0][0]) for channel in unit.inputs if channel.queue]
    unit.misfit(what, *heads, remedy=REMEDY)
