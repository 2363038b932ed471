"""Fork and gather (rule 3.22)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import LANE_AND_GUARD, NO_GUARD
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, INPUTS, OUTPUTS, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, peek, send, send_with, take, tick


@kernel
def fork(m: Memory, s: int, e: int) -> int:
    """R: the lane whose turn it is."""
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        if token >= 0 or token == EMPTY:
            e = send(m, s, e, m[s + R], token, 1)
            m[s + R] = (m[s + R] + 1) % m[s + OUTPUTS]
        else:
            e = send(m, s, e, 0, token, 1)
            for lane in range(1, m[s + OUTPUTS]):
                e = send_with(m, s, e, lane, token, 1)
        e = tick(m, e, 1)
        if token == DONE:
            return finish(m, e)
    else:
        m[s + PHASE] = 1
    return take(m, s, e, 0)


@kernel
def gather(m: Memory, s: int, e: int) -> int:
    """R: the lane whose turn it is."""
    if m[s + PHASE] != 0:
        turn = m[s + R]
        token = m[m[s + TOKENS] + turn]
        last = turn == m[s + INPUTS] - 1
        if EMPTY < token < 0:
            e = send(m, s, e, 0, token if last else -1, 1)
            m[s + R] = (turn + 1) % m[s + INPUTS]
        elif token == DONE:
            if last:
                return finish(m, send(m, s, e, 0, DONE, 1))
            m[s + R] = turn + 1
        else:
            e = send(m, s, e, 0, token, 1)
        e = tick(m, e, 1)
    else:
        m[s + PHASE] = 1
    return take(m, s, e, m[s + R])


@kernel
def gather_guarded(m: Memory, s: int, e: int) -> int:
    """The guard is the last input. P: place of a word per lane that says that its stop already ends the guard's fiber.

    R: turn, level token of the stop to send, next lane to close. Phase 1 has the guard, 2 a token of the lane whose
    turn it is, 3 the guard behind its fiber, 4 the stop of a lane left (or is before the first), 5 the D of a lane.
    """
    phase, lanes = m[s + PHASE], m[s + INPUTS] - 1
    tokens, ended = m[s + TOKENS], m[s + P]
    head = m[tokens + lanes]
    turn = m[s + R]
    if phase == 0:
        m[s + PHASE] = 1
        return take(m, s, e, lanes)
    if phase == 1:
        if head >= 0:
            m[s + PHASE] = 2
            return take(m, s, e, turn)
        if head == EMPTY:
            return fault(m, s, NO_GUARD, lanes, -1)
        m[s + R + 2] = 0
        if head == DONE:
            m[s + PHASE] = 5
            return take(m, s, e, 0)
        m[s + R + 1] = head - 1
        m[s + PHASE] = phase = 4
    elif phase == 2:
        token = m[tokens + turn]
        if token >= 0 or token == EMPTY:
            return take(m, s, tick(m, send(m, s, e, 0, token, 1), 1), turn)
        if token == DONE or m[ended + turn] != 0:
            return fault(m, s, LANE_AND_GUARD, turn, lanes)
        if token < -1:
            m[ended + turn] = 1
        m[s + PHASE] = 3
        return peek(m, s, e, lanes)
    elif phase == 3:
        token = m[tokens + turn]
        m[s + R] = (turn + 1) % lanes
        if EMPTY < head < 0:
            if token != head - 1:
                return fault(m, s, LANE_AND_GUARD, turn, lanes)
            e = take(m, s, e, lanes)
            m[s + R + 1], m[s + R + 2] = head - 1, 0
            m[s + PHASE] = phase = 4
        else:
            e = tick(m, send(m, s, e, 0, -1, 1), 1)
            m[s + PHASE] = 1
            return take(m, s, e, lanes)
    elif phase == 4:
        lane = m[s + R + 2]
        if m[tokens + lane] != m[s + R + 1]:
            return fault(m, s, LANE_AND_GUARD, lane, lanes)
        m[s + R + 2] = lane + 1
    else:
        lane = m[s + R + 2]
        if m[tokens + lane] != DONE:
            return fault(m, s, LANE_AND_GUARD, lane, lanes)
        if lane == lanes - 1:
            return finish(m, send(m, s, e, 0, DONE, 1))
        m[s + R + 2] = lane + 1
        return take(m, s, tick(m, e, 1), lane + 1)
    lane = m[s + R + 2]
    while lane < lanes and m[ended + lane] != 0:
        lane += 1
    m[s + R + 2] = lane
    if lane < lanes:
        return take(m, s, e, lane)
    for lane in range(lanes):
        m[ended + lane] = 0
    m[s + PHASE] = 1
    return take(m, s, tick(m, send(m, s, e, 0, m[s + R + 1], 1), 1), lanes)
