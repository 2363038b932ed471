"""Concat (a rule of ours, docs/simulator.md)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import CONCAT_ENDS, CONCAT_EXTENT, CONCAT_ORDER
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, INPUTS, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault, fault_beyond, finish, peek, send, take, tick


@kernel
def concat(m: Memory, s: int, e: int) -> int:
    """P: place of what is added to the coordinates of each input (0: no coordinates), place of what they stay below.

    R: the input whose turn it is, the coordinate sent before in this fiber. Phase 1 has the head of that input, and
    behind it the stop of every input before.
    """
    tokens, number = m[s + TOKENS], m[s + R]
    if m[s + PHASE] != 0:
        token = m[tokens + number]
        if token >= 0 or token == EMPTY:
            if m[s + P] != 0 and token >= 0:
                offset, limit = m[m[s + P] + number], m[m[s + P + 1] + number]
                if token >= limit:
                    return fault_beyond(m, s, CONCAT_EXTENT, number, limit)
                token += offset
                if token <= m[s + R + 1]:
                    return fault_beyond(m, s, CONCAT_ORDER, number, m[s + R + 1] - offset)
                m[s + R + 1] = token
            e = send(m, s, take(m, s, e, number), 0, token, 1)
            return peek(m, s, tick(m, e, 1), number)
        if number + 1 < m[s + INPUTS]:
            m[s + R] = number + 1
            return peek(m, s, e, number + 1)
        for other in range(m[s + INPUTS]):
            if m[tokens + other] != m[tokens]:
                return fault(m, s, CONCAT_ENDS, 0, other)
        for other in range(m[s + INPUTS]):
            e = take(m, s, e, other)
        e = send(m, s, e, 0, token, 1)
        if token == DONE:
            return finish(m, e)
        e = tick(m, e, 1)
    m[s + PHASE] = 1
    m[s + R], m[s + R + 1] = 0, -1
    return peek(m, s, e, 0)
