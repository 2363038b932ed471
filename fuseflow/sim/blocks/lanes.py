"""Fork and gather (simulator rule 3.22). One token a cycle."""

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


def gather_guarded(unit: Unit) -> Process:
    """A fiber per coordinate of the last input, the guard, from each lane in turn; levels come from the guard.

    Turns and stamps are those of :func:`gather`; the stop of a fiber waits for the guard's next token, and where the
    guard's fiber ends the stops of lanes that had no part in it are taken in the same turn.
    """
    (out,) = unit.outputs
    *lanes, guard = unit.inputs
    turn = 0
    ended: set[int] = set()  # lanes whose last stop already ends the guard's fiber
    while True:
        head = yield from unit.take(guard)
        if is_payload(head):
            lane = lanes[turn]
            token = yield from unit.take(lane)
            while is_payload(token) or token is EMPTY:
                yield from unit.send(out, token)
                unit.tick()
                token = yield from unit.take(lane)
            if not isinstance(token, Stop) or turn in ended:
                _misfit(unit, lane, token, head)
            elif token.level > 0:
                ended.add(turn)
            following = yield from unit.peek(guard)
            turn = (turn + 1) % len(lanes)
            if isinstance(following, Stop):
                yield from unit.take(guard)
                if token != Stop(following.level + 1):
                    _misfit(unit, lane, token, following)
                yield from _close(unit, lanes, following, ended)
            else:
                yield from unit.send(out, Stop(0))
        elif isinstance(head, Stop):
            yield from _close(unit, lanes, head, ended)
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


def _close(unit: Unit, lanes: list[Channel], head: Stop, ended: set[int]) -> Process:
    """End the guard's fiber: take the stops of the lanes left, send one stop, a level above ``head``."""
    closing = Stop(head.level + 1)
    for number, lane in enumerate(lanes):
        if number not in ended:
            token = yield from unit.take(lane)
            if token != closing:
                _misfit(unit, lane, token, head)
    ended.clear()
    yield from unit.send(unit.outputs[0], closing)


def _misfit(unit: Unit, lane: Channel, token: Token, head: Token) -> None:
    unit.misfit("lane and guard do not go together", (lane, token), (unit.inputs[-1], head), remedy=REMEDY)
