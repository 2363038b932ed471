"""Writers (rules 3.4 and 3.5). What they write gathers in a buffer that the host empties."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import NOT_RISING
from fuseflow.sim.kernels.tokenwise.layout import COUNT, DONE, EMPTY, EXTRA, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import CALL, fault_beyond, finish, take, tick


@kernel
def write_crd(m: Memory, s: int, e: int) -> int:
    """P: buffer of coordinates, buffer of ends, their size, cycles of a repeated stop or ``N``; P + 8: coordinates may
    come in any order. R: filled words of the two, ``closed``, the coordinate before. COUNT and EXTRA: coordinates and
    segment entries."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        m[s + R + 3] = -1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if token == DONE:
        return finish(m, e)
    if token >= 0:
        if token <= m[s + R + 3] and m[s + P + 8] == 0:
            return fault_beyond(m, s, NOT_RISING, 0, m[s + R + 3])
        if m[s + R] == m[s + P + 2]:
            return CALL
        m[s + R + 3] = token
        m[m[s + P] + m[s + R]] = token
        m[s + R] += 1
        m[s + COUNT] += 1
        m[s + R + 2] = 0
        e = tick(m, e, 1)
    elif token > EMPTY:
        if m[s + R + 1] == m[s + P + 2]:
            return CALL
        m[s + R + 3] = -1
        m[m[s + P + 1] + m[s + R + 1]] = m[s + COUNT]
        m[s + R + 1] += 1
        if m[s + R + 2] == 0:
            m[s + EXTRA] += 1
            m[s + R + 2] = 1
            e = tick(m, e, 1)
        elif m[s + P + 3] > 0:
            e = tick(m, e, m[s + P + 3])
    elif m[s + P + 3] > 0:
        e = tick(m, e, m[s + P + 3])
    return take(m, s, e, 0)


@kernel
def write_val(m: Memory, s: int, e: int) -> int:
    """P: buffer, -, its size, cycles of a stop or ``N``, cycles of a value. R: filled words."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if token == DONE:
        return finish(m, tick(m, e, 1))
    if token >= 0:
        if m[s + R] == m[s + P + 2]:
            return CALL
        m[m[s + P] + m[s + R]] = token
        m[s + R] += 1
        m[s + COUNT] += 1
        e = tick(m, e, m[s + P + 4])
    elif m[s + P + 3] > 0:
        e = tick(m, e, m[s + P + 3])
    return take(m, s, e, 0)
