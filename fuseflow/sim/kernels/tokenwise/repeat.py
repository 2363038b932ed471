"""Repeat signal generator and repeater (rules 3.6 and 3.7)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import NO_SIGNAL
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, PHASE, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, peek, send, take, tick


@kernel
def signal(m: Memory, s: int, e: int) -> int:
    """``R`` (0) for a payload or ``N``, S0 for a stop."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if token == DONE:
        return finish(m, send(m, s, e, 0, DONE, 1))
    e = send(m, s, e, 0, -1 if EMPTY < token < 0 else 0, 1)
    return take(m, s, tick(m, e, 1), 0)


@kernel
def repeater(m: Memory, s: int, e: int) -> int:
    """P: an ``N`` is an empty fiber."""
    held, word = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
    phase = m[s + PHASE]
    if phase != 0:
        stop = -1
        if phase == 2:
            m[s + PHASE] = 1
            if EMPTY < held < 0:
                e = take(m, s, e, 0)
                stop = held - 1
        elif word == DONE:
            return finish(m, send(m, s, e, 0, DONE, 1))
        elif word == 0:
            stop = held
        elif EMPTY < word < 0:
            e = take(m, s, e, 0)
            if held >= 0 or (held == EMPTY and m[s + P] != 0):
                m[s + PHASE] = 2
                return peek(m, s, e, 0)
            if held > EMPTY:
                stop = held - 1
        else:
            return fault(m, s, NO_SIGNAL, 1, -1)
        e = tick(m, send(m, s, e, 0, stop, 1), 1)
    else:
        m[s + PHASE] = 1
    return take(m, s, peek(m, s, e, 0), 1)
