"""Joiners of two operands (rules 3.8 and 3.9). More operands: ``join_many``.

All outputs get exactly one token in the turns that send anything. Coordinate streams carry no ``N`` against anything
but ``N``: the reference aborts or spins for ever there, here it is a misfit.
"""

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    DONE,
    EMPTY,
    FINISHED,
    FIRST_TOKEN,
    FULL,
    GOT,
    HEADS,
    MISFIT,
    MISFIT_CODE,
    OTHER,
    PORT,
    STARVED,
    STATUS,
    UNEQUAL,
    Words,
)


@kernel
def intersect2(
    state: Words, crd0: Words, in0: Words, crd1: Words, in1: Words, crd: Words, out0: Words, out1: Words
) -> None:
    """Intersect: one cycle per comparison; unmatched coordinates are dropped."""
    clock, busy = state[CLOCK], state[BUSY]
    a_head, p_head, b_head, q_head = state[HEADS], state[HEADS + 1], state[HEADS + 2], state[HEADS + 3]
    first_a, first_b = a_head, b_head
    a_last = min(crd0[0], in0[0] + a_head - p_head)
    b_last = min(crd1[0], in1[0] + b_head - q_head)
    tail, tail0, tail1 = crd[0], out0[0], out1[0]
    first_tail = tail
    last = tail + (min(len(crd) - 2 * tail, len(out0) - 2 * tail0, len(out1) - 2 * tail1) - FIRST_TOKEN) // 2
    p_shift, q_shift = 2 * (p_head - a_head), 2 * (q_head - b_head)
    shift0, shift1 = 2 * (tail0 - tail), 2 * (tail1 - tail)
    status, port = STARVED, 0
    while a_head < a_last and b_head < b_last:
        at_a = FIRST_TOKEN + 2 * a_head
        at_b = FIRST_TOKEN + 2 * b_head
        a = crd0[at_a]
        b = crd1[at_b]
        p = in0[at_a + p_shift]
        q = in1[at_b + q_shift]
        clock = max(
            clock, max(max(crd0[at_a + 1], crd1[at_b + 1]), max(in0[at_a + p_shift + 1], in1[at_b + q_shift + 1]))
        )
        if a == b:
            if (p < 0 and p != a and (p != EMPTY or a < 0)) or p >= 0 > a:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, p, a
                status, port = MISFIT, 1
                break
            if (q < 0 and q != b and (q != EMPTY or b < 0)) or q >= 0 > b:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, q, b
                status, port = MISFIT, 3
                break
            if tail == last:
                status = FULL
                break
            a_head += 1
            b_head += 1
            to = FIRST_TOKEN + 2 * tail
            crd[to] = a
            crd[to + 1] = clock + 1
            out0[to + shift0] = p
            out0[to + shift0 + 1] = clock + 1
            out1[to + shift1] = q
            out1[to + shift1 + 1] = clock + 1
            tail += 1
            if a == DONE:
                status = FINISHED
                break
        elif (a < 0 and b < 0) or a <= EMPTY or b <= EMPTY:
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, b, a
            status, port = MISFIT, 2
            break
        elif b < 0 or 0 <= a < b:
            a_head += 1
        else:
            b_head += 1
        clock += 1
        busy += 1
    if status == STARVED:
        port = int(a_head != crd0[0]) if a_head == a_last else 2 + int(b_head != crd1[0])
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, port
    state[HEADS], state[HEADS + 1] = a_head, p_head + a_head - first_a
    state[HEADS + 2], state[HEADS + 3] = b_head, q_head + b_head - first_b
    crd[0], out0[0], out1[0] = tail, tail0 + tail - first_tail, tail1 + tail - first_tail


@kernel
def union2(
    state: Words, crd0: Words, in0: Words, crd1: Words, in1: Words, crd: Words, out0: Words, out1: Words
) -> None:
    """Union: one cycle per merged coordinate; the side that lacks it sends ``N``."""
    clock, busy = state[CLOCK], state[BUSY]
    a_head, p_head, b_head, q_head = state[HEADS], state[HEADS + 1], state[HEADS + 2], state[HEADS + 3]
    first_a, first_b = a_head, b_head
    a_last = min(crd0[0], in0[0] + a_head - p_head)
    b_last = min(crd1[0], in1[0] + b_head - q_head)
    tail, tail0, tail1 = crd[0], out0[0], out1[0]
    first_tail = tail
    last = tail + (min(len(crd) - 2 * tail, len(out0) - 2 * tail0, len(out1) - 2 * tail1) - FIRST_TOKEN) // 2
    p_shift, q_shift = 2 * (p_head - a_head), 2 * (q_head - b_head)
    shift0, shift1 = 2 * (tail0 - tail), 2 * (tail1 - tail)
    status, port = STARVED, 0
    while a_head < a_last and b_head < b_last:
        if tail == last:
            status = FULL
            break
        at_a = FIRST_TOKEN + 2 * a_head
        at_b = FIRST_TOKEN + 2 * b_head
        a = crd0[at_a]
        b = crd1[at_b]
        p = in0[at_a + p_shift]
        q = in1[at_b + q_shift]
        clock = max(
            clock, max(max(crd0[at_a + 1], crd1[at_b + 1]), max(in0[at_a + p_shift + 1], in1[at_b + q_shift + 1]))
        )
        if a == b and a != EMPTY:
            if (p < 0 and p != a and (p != EMPTY or a < 0)) or p >= 0 > a:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, p, a
                status, port = MISFIT, 1
                break
            if (q < 0 and q != b and (q != EMPTY or b < 0)) or q >= 0 > b:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, q, b
                status, port = MISFIT, 3
                break
            a_head += 1
            b_head += 1
        elif (a < 0 and b < 0) or a <= EMPTY or b <= EMPTY:
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, b, a
            status, port = MISFIT, 2
            break
        elif b < 0 or 0 <= a < b:
            a_head += 1
            q = EMPTY
        else:
            b_head += 1
            a, p = b, EMPTY
        to = FIRST_TOKEN + 2 * tail
        crd[to] = a
        crd[to + 1] = clock + 1
        out0[to + shift0] = p
        out0[to + shift0 + 1] = clock + 1
        out1[to + shift1] = q
        out1[to + shift1 + 1] = clock + 1
        tail += 1
        if a == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    if status == STARVED:
        port = int(a_head != crd0[0]) if a_head == a_last else 2 + int(b_head != crd1[0])
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, port
    state[HEADS], state[HEADS + 1] = a_head, p_head + a_head - first_a
    state[HEADS + 2], state[HEADS + 3] = b_head, q_head + b_head - first_b
    crd[0], out0[0], out1[0] = tail, tail0 + tail - first_tail, tail1 + tail - first_tail
