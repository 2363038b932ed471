"""Droppers (rule 3.23)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import VAL_AND_CRD
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, PHASE, TOKENS, Memory, R
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, send, send_with, take, tick


@kernel
def stop_drop(m: Memory, s: int, e: int) -> int:
    """R: the token before was a stop, or there was none."""
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        is_stop = EMPTY < token < 0
        if not (is_stop and m[s + R] != 0):
            e = send(m, s, e, 0, token, 1)
        m[s + R] = 1 if is_stop else 0
        if token == DONE:
            return finish(m, e)
        e = tick(m, e, 1)
    else:
        m[s + PHASE] = 1
        m[s + R] = 1
    return take(m, s, e, 0)


@kernel
def value_drop(m: Memory, s: int, e: int) -> int:
    """Inputs and outputs val, crd. Both zeros of float32 are zero."""
    if m[s + PHASE] != 0:
        val, crd = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
        kept = True
        if crd >= 0 and (val >= 0 or val == EMPTY):
            kept = val > 0 and val != 0x80000000
        elif val >= 0 or crd >= 0 or val != crd:
            return fault(m, s, VAL_AND_CRD, 0, 1)
        if kept:
            e = send_with(m, s, send(m, s, e, 0, val, 1), 1, crd, 1)
        if val == DONE:
            return finish(m, e)
        e = tick(m, e, 1)
    else:
        m[s + PHASE] = 1
    return take(m, s, take(m, s, e, 0), 1)
