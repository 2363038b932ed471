"""Fork and gather (rule 3.22)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import FORK_AND_GUIDE, LANE_AND_GUARD, NO_GUARD
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, INPUTS, OUTPUTS, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, peek, send, send_with, take, tick


@kernel
def range_of(m: Memory, boundaries: int, count: int, coordinate: int) -> int:
    """How many of the ``count`` ascending boundaries are at or below ``coordinate``."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if m[boundaries + middle] <= coordinate:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def fork(m: Memory, s: int, e: int) -> int:
    """P: place and number of boundaries (none: in turn), place of the lanes of the ranges (0: in order).

    R: the lane whose turn it is.
    """
    guided = m[s + P + 1] != 0
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        if token >= 0 or token == EMPTY:
            lane = m[s + R]
            if guided:
                crd = m[m[s + TOKENS] + 1]
                if crd < 0:
                    return fault(m, s, FORK_AND_GUIDE, 0, 1)
                lane = range_of(m, m[s + P], m[s + P + 1], crd)
                if m[s + P + 2] != 0:
                    lane = m[m[s + P + 2] + lane]
            e = send(m, s, e, lane, token, 1)
            m[s + R] = (m[s + R] + 1) % m[s + OUTPUTS]
        elif guided and m[m[s + TOKENS] + 1] != token:
            return fault(m, s, FORK_AND_GUIDE, 0, 1)
        else:
            e = send(m, s, e, 0, token, 1)
            for lane in range(1, m[s + OUTPUTS]):
                e = send_with(m, s, e, lane, token, 1)
        e = tick(m, e, 1)
        if token == DONE:
            return finish(m, e)
    else:
        m[s + PHASE] = 1
    e = take(m, s, e, 0)
    return take(m, s, e, 1) if guided else e


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
    """The guard is the last input. P: place of a word per lane that says that its stop already ends the guard's fiber;
    depth of the lanes' streams below the guard; place and number of boundaries (none: in turn), and place of the
    lanes of the ranges (0: in order).

    R: lane of the last coordinate, level token of the stop to send, next lane to close, lane of the next coordinate.
    Phase 1 has the guard, 2 a token of the lane whose turn it is, 3 the guard behind its fiber, 4 the stop of a lane
    left (or is before the first), 5 the D of a lane.
    """
    phase, lanes, depth = m[s + PHASE], m[s + INPUTS] - 1, m[s + P + 1]
    tokens, ended = m[s + TOKENS], m[s + P]
    head = m[tokens + lanes]
    turn = m[s + R]
    if phase == 0:
        m[s + PHASE] = 1
        return take(m, s, e, lanes)
    if phase == 1:
        if head >= 0:
            turn = m[s + R + 3]
            if m[s + P + 3] != 0:
                turn = range_of(m, m[s + P + 2], m[s + P + 3], head)
                if m[s + P + 4] != 0:
                    turn = m[m[s + P + 4] + turn]
            m[s + R], m[s + R + 3] = turn, (turn + 1) % lanes
            m[s + PHASE] = 2
            return take(m, s, e, turn)
        if head == EMPTY:
            return fault(m, s, NO_GUARD, lanes, -1)
        m[s + R + 2] = 0
        if head == DONE:
            m[s + PHASE] = 5
            return take(m, s, e, 0)
        m[s + R + 1] = head - depth
        m[s + PHASE] = phase = 4
    elif phase == 2:
        token = m[tokens + turn]
        held = token >= 0 or token == EMPTY
        if depth == 0:
            if not held:
                return fault(m, s, LANE_AND_GUARD, turn, lanes)
            m[s + PHASE] = 1
            return take(m, s, tick(m, send(m, s, e, 0, token, 1), 1), lanes)
        if held or -depth < token < 0:
            return take(m, s, tick(m, send(m, s, e, 0, token, 1), 1), turn)
        if token == DONE or m[ended + turn] != 0:
            return fault(m, s, LANE_AND_GUARD, turn, lanes)
        if token < -depth:
            m[ended + turn] = 1
        m[s + PHASE] = 3
        return peek(m, s, e, lanes)
    elif phase == 3:
        token = m[tokens + turn]
        if EMPTY < head < 0:
            if token != head - depth:
                return fault(m, s, LANE_AND_GUARD, turn, lanes)
            e = take(m, s, e, lanes)
            m[s + R + 1], m[s + R + 2] = head - depth, 0
            m[s + PHASE] = phase = 4
        else:
            e = tick(m, send(m, s, e, 0, -depth, 1), 1)
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
