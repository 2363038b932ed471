"""Drop, hold, mask and flatten (simulator rules 3.19, 3.20 and 3.23). Inputs are the outer level, then the inner one.

Repairs: an empty outer fiber takes the inner stop that stands for it, also where coordinates are held; the mask and
flatten as their blocks say.
"""

from fuseflow.dataflow.blocks import Comparison
from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token
from fuseflow.sim.blocks.base import Process, Unit, is_payload

REMEDY = "feed the coordinates of two neighbouring levels of one nest of fibers"


def coord_drop(unit: Unit, pass_cycles: int = 0) -> Process:
    """Pass the inner stream; send the outer coordinates whose inner fiber had a coordinate (rule 3.19).

    A whole inner fiber passes in one turn, at the rate at which it arrives, or ``pass_cycles`` per token.
    """
    outer_in, inner_in = unit.inputs
    outer_out, inner_out = unit.outputs
    fresh = True  # no coordinate yet in this outer fiber
    while True:
        outer = yield from unit.peek(outer_in)
        if is_payload(outer):
            fresh = kept = False
            while True:
                inner = yield from unit.take(inner_in)
                if not isinstance(inner, Stop) and not is_payload(inner):
                    _misfit(unit, outer, inner)
                yield from unit.send(inner_out, inner)
                unit.tick(pass_cycles)
                if isinstance(inner, Stop):
                    break
                kept = True
            if kept:
                yield from unit.send(outer_out, outer)
            yield from unit.take(outer_in)
        elif isinstance(outer, Stop):
            if fresh:
                inner = yield from unit.take(inner_in)
                _check_empty(unit, outer, inner)
                yield from unit.send(inner_out, inner)
            yield from unit.send(outer_out, outer)
            yield from unit.take(outer_in)
            fresh = True
        elif outer is DONE:
            inner = yield from unit.take(inner_in)
            if inner is not DONE:
                _misfit(unit, outer, inner)
            yield from unit.send(inner_out, DONE)
            yield from unit.send(outer_out, DONE)
            return
        else:
            unit.misfit("no coordinate", (outer_in, outer), remedy=REMEDY)
        unit.tick()


def coord_hold(unit: Unit) -> Process:
    """Pass the inner stream, and send the outer coordinate that each token of it belongs to (rule 3.20).

    The last stops of the outer stream stay unread. Repaired: the stop of an outer fiber that is still to be taken is
    taken before an empty inner fiber, too; the reference then takes it in place of the coordinate.
    """
    outer_in, inner_in = unit.inputs
    outer_out, inner_out = unit.outputs
    unit.may_abandon = (outer_in,)
    passed = False  # the outer fiber has ended, but its stop is still to be taken
    while True:
        outer = yield from unit.peek(outer_in)
        inner = yield from unit.take(inner_in)
        yield from unit.send(inner_out, inner)
        if isinstance(outer, Stop) and (is_payload(inner) or (passed and isinstance(inner, Stop))):
            yield from unit.take(outer_in)
            outer = yield from unit.peek(outer_in)
        if is_payload(inner):
            if not is_payload(outer):
                _misfit(unit, outer, inner)
            yield from unit.send(outer_out, outer)
            passed = False
        elif isinstance(inner, Stop):
            if outer is DONE or (isinstance(outer, Stop) and inner != Stop(outer.level + 1)):
                _misfit(unit, outer, inner)
            yield from unit.send(outer_out, inner)
            if is_payload(outer):
                yield from unit.take(outer_in)
            passed = isinstance(outer, Stop) or inner.level > 0
        elif inner is DONE and not is_payload(outer):
            yield from unit.send(outer_out, DONE)
            return
        else:
            _misfit(unit, outer, inner)
        unit.tick()


def coord_mask(unit: Unit, masked: Comparison) -> Process:
    """Drop what ``masked`` says; inputs are outer, inner, ref (rule 3.23, CrdMask, repaired).

    The ``S0`` of a kept fiber waits for the next kept coordinate of the outer fiber, or is merged into its end: only
    then is its level known. All else leaves in the turn that the rule says.
    """
    outer_in, inner_in, ref_in = unit.inputs
    outer_out, inner_out, ref_out = unit.outputs
    fresh, kept, held = True, False, False
    while True:
        outer = yield from unit.peek(outer_in)
        inner = yield from unit.take(inner_in)
        ref = yield from unit.take(ref_in)
        if not (is_payload(ref) or ref is EMPTY if is_payload(inner) else ref == inner):
            unit.misfit("inner and ref do not go together", (inner_in, inner), (ref_in, ref), remedy=REMEDY)
        if isinstance(outer, Stop) and not fresh:
            yield from unit.send(outer_out, outer)
            yield from unit.take(outer_in)
            outer = yield from unit.peek(outer_in)
            fresh = True
        if isinstance(inner, (int, float)) and isinstance(outer, (int, float)):
            fresh = False
            if not masked.holds(int(outer), int(inner)):
                if held:
                    yield from unit.send(inner_out, Stop(0))
                    yield from unit.send(ref_out, Stop(0))
                    held = False
                yield from unit.send(inner_out, inner)
                yield from unit.send(ref_out, ref)
                kept = True
        elif isinstance(inner, Stop) and (is_payload(outer) or isinstance(outer, Stop)):
            if isinstance(outer, Stop):
                _check_empty(unit, outer, inner)
            if kept or isinstance(outer, Stop):
                yield from unit.send(outer_out, outer)
            if inner.level > 0:
                yield from unit.send(inner_out, inner)
                yield from unit.send(ref_out, inner)
                held = False
            elif kept:
                held = True
            yield from unit.take(outer_in)
            fresh, kept = isinstance(outer, Stop), False
        elif inner is DONE and outer is DONE:
            for out in (inner_out, ref_out, outer_out):
                yield from unit.send(out, DONE)
            return
        else:
            _misfit(unit, outer, inner)
        unit.tick()


def flatten(unit: Unit, factor: int) -> Process:
    """Send ``outer * factor + inner`` (rule 3.23, repaired); an inner stop costs a cycle whether or not one is sent."""
    outer_in, inner_in = unit.inputs
    (out,) = unit.outputs
    while True:
        outer = yield from unit.peek(outer_in)
        inner = yield from unit.take(inner_in)
        if isinstance(inner, (int, float)) and isinstance(outer, (int, float)):
            if not 0 <= inner < factor:
                unit.misfit(f"coordinate not below {factor}", (inner_in, inner), remedy="check the factor")
            yield from unit.send(out, int(outer) * factor + int(inner))
        elif isinstance(inner, Stop) and (is_payload(outer) or isinstance(outer, Stop)):
            closing = yield from unit.take(outer_in)
            if is_payload(outer) and inner.level > 0:
                closing = yield from unit.take(outer_in)
            if isinstance(closing, Stop):
                _check_empty(unit, closing, inner)
                yield from unit.send(out, closing)
        elif inner is DONE and outer is DONE:
            yield from unit.take(outer_in)
            yield from unit.send(out, DONE)
            return
        else:
            _misfit(unit, outer, inner)
        unit.tick()


def _check_empty(unit: Unit, outer: Stop, inner: Token) -> None:
    """``inner`` ends the inner level where ``outer`` ends the outer one."""
    if inner != Stop(outer.level + 1):
        _misfit(unit, outer, inner)


def _misfit(unit: Unit, outer: Token, inner: Token) -> None:
    unit.misfit(
        "outer and inner coordinates do not go together",
        (unit.inputs[0], outer),
        (unit.inputs[1], inner),
        remedy=REMEDY,
    )
