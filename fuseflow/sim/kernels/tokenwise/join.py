"""Joiners of any number of operands (rules 3.8 and 3.9)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import (
    EMPTY_COORDINATE,
    ENDS_BEFORE,
    NOT_RISING,
    RIDER,
    STOP_LEVELS,
    UNION_OF_EMPTY,
)
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, INPUTS, PHASE, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import fault, fault_beyond, finish, peek, send, take, tick


@kernel
def join(m: Memory, s: int, e: int) -> int:
    """P: union, place of the coordinate before for each operand. Inputs crd0, in0, crd1, ...; outputs crd, out0, ..."""
    count = m[s + INPUTS] // 2
    if m[s + PHASE] != 0:
        tokens, union = m[s + TOKENS], m[s + P] != 0
        first = m[tokens]
        equal, empty, ended, levels = True, -1, -1, -1
        least, stop = 1 << 62, 0
        for k in range(count):
            head = m[tokens + 2 * k]
            equal = equal and head == first
            if head >= 0:
                least = min(least, head)
            elif head == EMPTY:
                empty = k
            elif head == DONE:
                ended = k
            elif stop == 0:
                stop = head
            elif head != stop:
                levels = k
        if equal:
            for k in range(count):
                if 0 <= first <= m[m[s + P + 1] + k]:
                    return fault_beyond(m, s, NOT_RISING, 2 * k, m[m[s + P + 1] + k])
                m[m[s + P + 1] + k] = first if first >= 0 else -1
                rider = m[tokens + 2 * k + 1]
                if (rider < 0 and rider != EMPTY) if first >= 0 else rider != first:
                    return fault(m, s, RIDER, 2 * k, 2 * k + 1)
            if first == EMPTY and union:
                return fault(m, s, UNION_OF_EMPTY, 0, 2)
            e = send(m, s, e, 0, first, 1)
            for k in range(count):
                e = send(m, s, e, k + 1, m[tokens + 2 * k + 1], 1)
                e = take(m, s, take(m, s, e, 2 * k), 2 * k + 1)
            if first == DONE:
                return finish(m, e)
        else:
            if empty >= 0:
                return fault(m, s, EMPTY_COORDINATE, 2 * empty, 0 if empty > 0 else 2)
            if ended >= 0:
                return fault(m, s, ENDS_BEFORE, 2 * ended, 0 if ended > 0 else 2)
            if levels >= 0:
                return fault(m, s, STOP_LEVELS, 0, 2 * levels)
            sent = False
            for k in range(count):
                if m[tokens + 2 * k] == least:
                    if least <= m[m[s + P + 1] + k]:
                        return fault_beyond(m, s, NOT_RISING, 2 * k, m[m[s + P + 1] + k])
                    m[m[s + P + 1] + k] = least
                    if union:
                        if not sent:
                            e = send(m, s, e, 0, least, 1)
                            sent = True
                        e = send(m, s, e, k + 1, m[tokens + 2 * k + 1], 1)
                    e = take(m, s, take(m, s, e, 2 * k), 2 * k + 1)
                elif union:
                    e = send(m, s, e, k + 1, EMPTY, 1)
        e = tick(m, e, 1)
    else:
        m[s + PHASE] = 1
    for k in range(count):
        e = peek(m, s, e, 2 * k)
    for k in range(count):
        e = peek(m, s, e, 2 * k + 1)
    return e
