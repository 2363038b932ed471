"""Sparse accumulators (simulator rules 3.17 and 3.18). Values are float32, accumulated in arrival order.

Three repairs, all where the reference aborts or loses its place: an empty outer fiber takes the inner stops that belong
to it; an inner stop before an outer value stays, whatever its level, as it ends that value's empty inner fiber; an
order-2 accumulator that flushes nothing still closes its inner streams.
"""

from collections.abc import Sequence
from typing import Any

from fuseflow.dataflow.tokens import DONE, Stop, Token
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.accumulate_many import PLAIN, Adding, accumulate_many, check_extent
from fuseflow.sim.blocks.base import Process, Unit, is_payload

REMEDY = "every level of an accumulator's input must come from the same nest of fibers"


def accumulate(
    unit: Unit,
    order: int,
    extents: Sequence[int] | None = None,
    flush_cycles: int = 0,
    adding: Adding = PLAIN,
) -> Process:
    """The process for ``order``; SimulationError below 1.

    ``extents`` (outermost first) bounds the coordinates if given; a value sent at a flush costs ``flush_cycles``.
    """
    inwards = None if extents is None else tuple(reversed(extents))
    if order == 1:
        return accumulate_1(unit, inwards, flush_cycles, adding)
    if order == 2:
        return accumulate_2(unit, inwards, flush_cycles, adding)
    if order > 2:
        return accumulate_many(unit, order, inwards, flush_cycles, adding)
    raise SimulationError(f"{unit.name} is a sparse accumulator of order {order}; give it 1 index or more, or reduce")


def accumulate_1(
    unit: Unit, extents: tuple[int, ...] | None = None, flush_cycles: int = 0, adding: Adding = PLAIN
) -> Process:
    """Order 1: inputs crd0 (inner), crd1 (outer), val; outputs crd0, val. A flush takes one turn whatever its size."""
    inner_in, outer_in, val_in = unit.inputs
    crd_out, val_out = unit.outputs
    sums: dict[int, Any] = {}
    fresh, retired = True, False  # no outer value yet in this outer fiber; the stop of an empty one is already taken
    while True:
        outer = yield from unit.peek(outer_in)
        inner = yield from unit.peek(inner_in)
        val = yield from unit.peek(val_in)
        _check_aligned(unit, inner, val)
        if is_payload(outer):
            if isinstance(inner, Stop):
                yield from unit.take(outer_in)
            else:
                check_extent(unit, 0, inner, extents)
                _add(unit, sums, inner, val, adding)
            yield from unit.take(inner_in)
            yield from unit.take(val_in)
            if not isinstance(inner, Stop):
                unit.tick(adding.more_cycles)
            fresh = False
        elif isinstance(outer, Stop):
            for key in sorted(sums):
                yield from unit.send(crd_out, key)
                yield from unit.send(val_out, adding.fold.send(sums[key]))
                unit.tick(flush_cycles)
            yield from unit.send(val_out, outer)
            yield from unit.send(crd_out, outer)
            sums.clear()
            yield from unit.take(outer_in)
            if fresh and not retired:
                _check_stop(unit, inner, outer.level + 1, outer)
                yield from unit.take(inner_in)
                yield from unit.take(val_in)
            else:
                retired = False
                if isinstance(inner, Stop):
                    following = yield from unit.peek(outer_in)
                    if isinstance(following, Stop) and inner.level == following.level + 1:
                        yield from unit.take(inner_in)
                        yield from unit.take(val_in)
                        retired = True
            fresh = True
        elif outer is DONE:
            if inner is DONE:
                yield from unit.send(crd_out, DONE)
                yield from unit.send(val_out, DONE)
                return
            yield from unit.take(inner_in)
            yield from unit.take(val_in)
        else:
            _misfit(unit, "no coordinate on the reduced level")
        unit.tick()


def accumulate_2(
    unit: Unit, extents: tuple[int, ...] | None = None, flush_cycles: int = 0, adding: Adding = PLAIN
) -> Process:
    """Order 2: inputs crd0, crd1, crd2 (outermost), val; outputs crd0, crd1, val."""
    inner_in, middle_in, outer_in, val_in = unit.inputs
    inner_out, middle_out, val_out = unit.outputs
    sums: dict[int, dict[int, Any]] = {}
    outer_fresh, middle_fresh = True, True
    while True:
        outer = yield from unit.peek(outer_in)
        middle = yield from unit.peek(middle_in)
        inner = yield from unit.peek(inner_in)
        val = yield from unit.peek(val_in)
        _check_aligned(unit, inner, val)
        if is_payload(outer):
            outer_fresh = False
            if isinstance(middle, (int, float)):
                if is_payload(inner):
                    check_extent(unit, 1, middle, extents)
                    check_extent(unit, 0, inner, extents)
                yield from unit.take(inner_in)
                yield from unit.take(val_in)
                if isinstance(inner, Stop):
                    yield from unit.take(middle_in)
                else:
                    _add(unit, sums.setdefault(int(middle), {}), inner, val, adding)
                    unit.tick(adding.more_cycles)
                middle_fresh = False
            elif isinstance(middle, Stop):
                if middle_fresh:
                    _check_stop(unit, inner, middle.level + 1, middle)
                    yield from unit.take(inner_in)
                    yield from unit.take(val_in)
                yield from unit.take(middle_in)
                yield from unit.take(outer_in)
                middle_fresh = True
            else:
                _misfit(unit, "no coordinate on the middle level")
        elif isinstance(outer, Stop):
            keys = sorted(sums)
            for number, key in enumerate(keys):
                yield from unit.send(middle_out, key)
                for inner_key in sorted(sums[key]):
                    yield from unit.send(val_out, adding.fold.send(sums[key][inner_key]))
                    yield from unit.send(inner_out, inner_key)
                    unit.tick(flush_cycles)
                closing = Stop(outer.level + 1) if number == len(keys) - 1 else Stop(0)
                yield from unit.send(val_out, closing)
                yield from unit.send(inner_out, closing)
            if not keys:
                yield from unit.send(val_out, Stop(outer.level + 1))
                yield from unit.send(inner_out, Stop(outer.level + 1))
            yield from unit.send(middle_out, outer)
            sums.clear()
            yield from unit.take(outer_in)
            if outer_fresh:
                _check_stop(unit, middle, outer.level + 1, outer)
                _check_stop(unit, inner, outer.level + 2, outer)
                yield from unit.take(middle_in)
                yield from unit.take(inner_in)
                yield from unit.take(val_in)
            outer_fresh = True
        elif outer is DONE:
            if isinstance(middle, Stop):
                yield from unit.take(middle_in)
            elif middle is DONE and inner is DONE:
                for out in (inner_out, middle_out, val_out):
                    yield from unit.send(out, DONE)
                return
            else:
                _misfit(unit, "the outermost level ends before the others")
        else:
            _misfit(unit, "no coordinate on the reduced level")
        unit.tick()


def _add(unit: Unit, sums: dict[int, Any], inner: Token, val: Token, adding: Adding) -> None:
    if not isinstance(inner, (int, float)) or not isinstance(val, (int, float)):
        _misfit(unit, "no coordinate and value to accumulate")
    else:
        adding.add(unit, sums, int(inner), val)


def _check_aligned(unit: Unit, inner: Token, val: Token) -> None:
    if is_payload(inner) != is_payload(val) or (not is_payload(inner) and inner != val):
        _misfit(unit, "innermost coordinates and values do not go together")


def _check_stop(unit: Unit, token: Token, level: int, outer: Stop) -> None:
    if token != Stop(level):
        _misfit(unit, f"an empty fiber that ends in {outer!r} needs S{level} one level further in")


def _misfit(unit: Unit, what: str) -> None:
    heads = [(channel, channel.queue[0][0]) for channel in unit.inputs if channel.queue]
    unit.misfit(what, *heads, remedy=REMEDY)
