"""Locate (simulator rule 3.21, with a parent where the dense level is not outermost)."""

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token
from fuseflow.sim.blocks.base import Process, Read, Unit, is_payload


def locate(unit: Unit, extent: int | None) -> Process:
    """Turn a coordinate into a reference of a dense level of ``extent`` coordinates; ``None`` skips the range check.

    With a third input, one parent reference is held per fiber, and the result is ``parent * extent + crd``; a parent
    ``N`` gives ``N``. Outputs are the reference, then the ``ref`` and the ``crd`` that came in.
    """
    ref_in, crd_in, *parents = unit.inputs
    located_out, ref_out, crd_out = unit.outputs
    while True:
        ref = yield from unit.take(ref_in)
        crd = yield from unit.take(crd_in)
        located = crd
        if (is_payload(crd) or crd is EMPTY) != (is_payload(ref) or ref is EMPTY) or (
            not is_payload(crd) and crd is not EMPTY and crd != ref
        ):
            unit.misfit(
                "ref and crd do not go together", (ref_in, ref), (crd_in, crd), remedy="feed both from one join"
            )
        if isinstance(crd, (int, float)) and extent is not None and not 0 <= crd < extent:
            unit.misfit(f"coordinate not below {extent}", (crd_in, crd), remedy="check the shapes of the operands")
        if parents:
            located = yield from _with_parent(unit, crd, extent or 0)
        yield from unit.send(located_out, located)
        yield from unit.send(ref_out, ref)
        yield from unit.send(crd_out, crd)
        if ref is DONE:
            return
        unit.tick()


def _with_parent(unit: Unit, crd: Token, extent: int) -> Read:
    """The located token for ``crd``; at a stop and at the end the parent stream goes on as ``crd`` does."""
    parent_in = unit.inputs[2]
    parent = yield from unit.peek(parent_in)
    held = is_payload(parent) or parent is EMPTY
    if isinstance(crd, (int, float)) and isinstance(parent, (int, float)):
        return int(parent) * extent + int(crd)
    if held and (crd is EMPTY or is_payload(crd)):
        return EMPTY
    if isinstance(crd, Stop):
        if held:
            yield from unit.take(parent_in)
        if not held or crd.level > 0:
            closing = yield from unit.take(parent_in)
            if not isinstance(closing, Stop) or closing.level != crd.level - 1:
                _misfit(unit, crd, closing)
        return crd
    if crd is not DONE or parent is not DONE:
        _misfit(unit, crd, parent)
    yield from unit.take(parent_in)
    return crd


def _misfit(unit: Unit, crd: Token, parent: Token) -> None:
    unit.misfit(
        "crd and parent do not go together",
        (unit.inputs[1], crd),
        (unit.inputs[2], parent),
        remedy="the parent must be the reference stream one level above the coordinates",
    )
