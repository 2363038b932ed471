"""Reduce (rules 3.15 and 3.16, guarded and unguarded)."""

from numpy import float32, int64, uint32

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import GUARD
from fuseflow.sim.kernels.tokenwise.layout import COUNT, DONE, EMPTY, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, send, send_with, take, tick


@kernel
def stop_turn(m: Memory, s: int, e: int, token: int, started: bool) -> int:
    """The rest of a turn on a stop: the stop one level up, its cycles, the next read."""
    m[s + R], m[s + R + 1] = m[s + P + 1], 0
    m[s + PHASE] = 1
    if token < -1:
        e = send_with(m, s, e, 0, token + 1, 1) if started else send(m, s, e, 0, token + 1, 1)
    return take(m, s, tick(m, e, m[s + P + 6]), 0)


@kernel
def reduce(m: Memory, s: int, e: int) -> int:
    """P: maximum, bits of the identity, latency, interval, guarded, cycles of a skipped ``N``, cycles of a stop.
    R: bits of the result, the fiber has a value.

    Phase 1 has a value, 2 the guard of a stop or of the end, 3 the guard's own stop.
    """
    phase, guarded = m[s + PHASE], m[s + P + 4] != 0
    if phase == 0:
        m[s + PHASE] = 1
        m[s + R] = m[s + P + 1]
        return take(m, s, e, 0)
    token, guard = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
    if phase == 1:
        if token >= 0:
            value, total = uint32(token).view(float32), uint32(m[s + R]).view(float32)
            if m[s + P] == 0:
                total = float32(total + value)
            elif not value < total:
                total = value
            m[s + R] = int64(float32(total).view(uint32))
            m[s + R + 1] = 1
            m[s + COUNT] += 1
            return take(m, s, tick(m, e, m[s + P + 3]), 0)
        if token == EMPTY:
            if m[s + P + 5] > 0:
                e = tick(m, e, m[s + P + 5])
            return take(m, s, e, 0)
        if guarded:
            m[s + PHASE] = 2
            return take(m, s, e, 1)
    elif phase == 2:
        if token == DONE and guard != DONE:
            return fault(m, s, GUARD, 0, 1)
        if token != DONE and guard < 0:
            if token == -1 or guard != token + 1 or m[s + R + 1] != 0:
                return fault(m, s, GUARD, 0, 1)
            return stop_turn(m, s, e, token, False)
    elif guard != token + 1:
        return fault(m, s, GUARD, 0, 1)
    else:
        return stop_turn(m, s, e, token, True)
    if token == DONE:
        return finish(m, send(m, s, e, 0, DONE, 1))
    e = send(m, s, e, 0, m[s + R], m[s + P + 2])
    if guarded and token < -1:
        m[s + PHASE] = 3
        return take(m, s, e, 1)
    return stop_turn(m, s, e, token, True)
