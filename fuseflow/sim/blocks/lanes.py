"""Fork and gather (simulator rule 3.22). One token a cycle."""

from bisect import bisect_right
from collections.abc import Sequence

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token
from fuseflow.sim.blocks.base import Process, Unit, is_payload
from fuseflow.sim.channel import Channel

REMEDY = "the lanes must come from one fork, and the guard must be the coordinate stream that was forked"


def fork(unit: Unit) -> Process:
    """Deal payloads (and ``N``) out in turn, across stops; copy stops and ``D`` to all outputs."""
    (source,) = unit.inputs
    turn = 0
    while True:
        token = yield from unit.take(source)
        if is_payload(token) or token is EMPTY:
            yield from unit.send(unit.outputs[turn], token)
            turn = (turn + 1) % len(unit.outputs)
        else:
            start = unit.clock
            for out in unit.outputs:
                yield from unit.send(out, token, start=start)
        unit.tick()
        if token is DONE:
            return


def lane_of(crd: float, boundaries: Sequence[int], owners: Sequence[int]) -> int:
    """The lane that coordinate ``crd`` is dealt to by ranges."""
    part = bisect_right(boundaries, crd)
    return owners[part] if owners else part


def fork_ranges(unit: Unit, boundaries: Sequence[int], owners: Sequence[int] = ()) -> Process:
    """Deal payloads (and ``N``) out by the range that their coordinate falls into; copy stops and ``D`` to all."""
    source, guide = unit.inputs
    while True:
        token = yield from unit.take(source)
        crd = yield from unit.take(guide)
        if isinstance(crd, (int, float)) and (is_payload(token) or token is EMPTY):
            yield from unit.send(unit.outputs[lane_of(crd, boundaries, owners)], token)
        elif token == crd:
            start = unit.clock
            for out in unit.outputs:
                yield from unit.send(out, token, start=start)
        else:
            unit.misfit(
                "payloads and coordinates do not go together",
                (source, token),
                (guide, crd),
                remedy="guide the fork with the coordinates of the level that it deals out",
            )
        unit.tick()
        if token is DONE:
            return


def gather(unit: Unit) -> Process:
    """A fiber from each lane in turn; only the stop of the last lane keeps its level (rule 3.22, join).

    The reference ends with the last lane's ``D`` and fails if another lane has yet to send its own; here the rest of a
    lane may be its ``D`` and no more.
    """
    (out,) = unit.outputs
    lanes = unit.inputs
    turn = 0
    while True:
        token = yield from unit.take(lanes[turn])
        last = turn == len(lanes) - 1
        if isinstance(token, Stop):
            yield from unit.send(out, token if last else Stop(0))
            turn = (turn + 1) % len(lanes)
        elif token is DONE:
            if last:
                yield from unit.send(out, DONE)
                return
            turn += 1
        else:
            yield from unit.send(out, token)
        unit.tick()


def gather_guarded(unit: Unit, depth: int = 1, boundaries: Sequence[int] = (), owners: Sequence[int] = ()) -> Process:
    """What a lane made of each coordinate of the last input, the guard; levels come from the guard.

    Turns and stamps are those of :func:`gather`; the stop of a fiber waits for the guard's next token, and where the
    guard's fiber ends the stops of lanes that had no part in it are taken in the same turn.
    """
    (out,) = unit.outputs
    *lanes, guard = unit.inputs
    turn = 0
    ended: set[int] = set()  # lanes whose last stop already ends the guard's fiber
    while True:
        head = yield from unit.take(guard)
        if isinstance(head, (int, float)) and is_payload(head):
            number = lane_of(head, boundaries, owners) if boundaries else turn
            lane = lanes[number]
            turn = (turn + 1) % len(lanes)
            token = yield from unit.take(lane)
            if depth == 0:
                if not is_payload(token) and token is not EMPTY:
                    _misfit(unit, lane, token, head)
                yield from unit.send(out, token)
                unit.tick()
                continue
            while is_payload(token) or token is EMPTY or (isinstance(token, Stop) and token.level < depth - 1):
                yield from unit.send(out, token)
                unit.tick()
                token = yield from unit.take(lane)
            if not isinstance(token, Stop) or number in ended:
                _misfit(unit, lane, token, head)
            elif token.level > depth - 1:
                ended.add(number)
            following = yield from unit.peek(guard)
            if isinstance(following, Stop):
                yield from unit.take(guard)
                if token != Stop(following.level + depth):
                    _misfit(unit, lane, token, following)
                yield from _close(unit, lanes, following, ended, depth)
            else:
                yield from unit.send(out, Stop(depth - 1))
        elif isinstance(head, Stop):
            yield from _close(unit, lanes, head, ended, depth)
        elif head is DONE:
            for number, lane in enumerate(lanes):
                token = yield from unit.take(lane)
                if token is not DONE:
                    _misfit(unit, lane, token, head)
                if number < len(lanes) - 1:
                    unit.tick()
            yield from unit.send(out, DONE)
            return
        else:
            unit.misfit("no coordinate", (guard, head), remedy=REMEDY)
        unit.tick()


def _close(unit: Unit, lanes: list[Channel], head: Stop, ended: set[int], depth: int) -> Process:
    """End the guard's fiber: take the stops of the lanes left, send one stop, ``depth`` levels above ``head``."""
    closing = Stop(head.level + depth)
    for number, lane in enumerate(lanes):
        if number not in ended:
            token = yield from unit.take(lane)
            if token != closing:
                _misfit(unit, lane, token, head)
    ended.clear()
    yield from unit.send(unit.outputs[0], closing)


def _misfit(unit: Unit, lane: Channel, token: Token, head: Token) -> None:
    unit.misfit("lane and guard do not go together", (lane, token), (unit.inputs[-1], head), remedy=REMEDY)
