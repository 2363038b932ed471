"""Concat: fibers of several streams one behind the other. The rule is ours (docs/simulator.md)."""

from collections.abc import Sequence

from fuseflow.dataflow.tokens import DONE, EMPTY, Token
from fuseflow.sim.blocks.base import Process, Unit, is_payload

ENDS_REMEDY = "the inputs must have the same outer fibers: scan or repeat them below one nest of coordinates"
EXTENT_REMEDY = "the offsets must be the running sums of the extents of the inputs"
ORDER_REMEDY = "sort the coordinates of each fiber, and give offsets where the inputs overlap"


def concat(unit: Unit, moves: Sequence[tuple[int, int]] = ()) -> Process:
    """Of each input in turn all that its fiber has, a token a cycle; then the stops of all in one turn.

    A stop stays at the head of its input until the last input has come to its own. ``moves`` says per input what is
    added to its coordinates and what they stay below; it is empty for references and values.
    """
    (out,) = unit.outputs
    while True:
        ends: list[Token] = []
        before = -1
        for number, channel in enumerate(unit.inputs):
            token = yield from unit.peek(channel)
            while is_payload(token) or token is EMPTY:
                if moves and isinstance(token, (int, float)):
                    offset, limit = moves[number]
                    if token >= limit:
                        unit.misfit(f"coordinate not below {limit}", (channel, token), remedy=EXTENT_REMEDY)
                    if token + offset <= before:
                        what = f"coordinates of a fiber must rise, but {before - offset} comes before"
                        unit.misfit(what, (channel, token), remedy=ORDER_REMEDY)
                    token = before = int(token) + offset
                yield from unit.take(channel)
                yield from unit.send(out, token)
                unit.tick()
                token = yield from unit.peek(channel)
            ends.append(token)
        for channel, end in zip(unit.inputs, ends, strict=True):
            if end != ends[0]:
                first = unit.inputs[0], ends[0]
                unit.misfit("the fibers of the inputs do not end alike", first, (channel, end), remedy=ENDS_REMEDY)
        for channel in unit.inputs:
            yield from unit.take(channel)
        yield from unit.send(out, ends[0])
        if ends[0] is DONE:
            return
        unit.tick()
