"""ALUs (rules 3.12 and 3.13)."""

from typing import Final

from numpy import float32, int64, uint32

from fuseflow.einsum.operators import BinaryOp
from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
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

BINARY_CODES: Final = {
    BinaryOp.MUL: 0,
    BinaryOp.ADD: 1,
    BinaryOp.SUB: 2,
    BinaryOp.DIV: 3,
    BinaryOp.MAX: 4,
    BinaryOp.MIN: 5,
}


@kernel
def binary(state: Words, left: Words, right: Words, out: Words, code: int, latency: int, interval: int) -> None:
    """``code`` as in BINARY_CODES; COUNT is the number of results. A NaN operand wins in max and min, as in numpy."""
    clock = state[CLOCK]
    left_head, right_head, out_tail = state[HEADS], state[HEADS + 1], out[0]
    available = min(left[0] - left_head, right[0] - right_head)
    room = (len(out) - FIRST_TOKEN) // 2 - out_tail
    status = STARVED if available <= room else FULL
    delay = max(latency, 1)
    at_left = FIRST_TOKEN + 2 * left_head
    at_right = FIRST_TOKEN + 2 * right_head
    to = FIRST_TOKEN + 2 * out_tail
    results = 0
    done = 0
    for _ in range(min(available, room)):
        a = left[at_left]
        b = right[at_right]
        clock = max(clock, max(left[at_left + 1], right[at_right + 1]))
        if (a >= 0 or a == EMPTY) and (b >= 0 or b == EMPTY):
            x = uint32(max(a, 0)).view(float32)
            y = uint32(max(b, 0)).view(float32)
            if code == 0:
                z = x * y
            elif code == 1:
                z = x + y
            elif code == 2:
                z = x - y
            elif code == 3:
                z = x / y
            elif code == 4:
                z = x if x > y or x != x else y
            else:
                z = x if x < y or x != x else y
            out[to] = int64(float32(z).view(uint32))
            out[to + 1] = clock + delay
            results += 1
        else:
            if a != b:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, b, a
                status = MISFIT
                break
            out[to] = a
            out[to + 1] = clock + 1
            if a == DONE:
                status = FINISHED
                done = 1
                break
        clock += interval
        at_left += 2
        at_right += 2
        to += 2
    turns = (to - FIRST_TOKEN) // 2 - out_tail
    state[CLOCK] = clock
    state[BUSY] += turns * interval
    state[COUNT] += results
    state[HEADS] = left_head + turns + done
    state[HEADS + 1] = right_head + turns + done
    state[STATUS] = status
    if status == MISFIT:
        state[PORT] = 1
    else:
        state[PORT] = 0 if state[HEADS] == left[0] else 1
    out[0] = out_tail + turns + done


@kernel
def unary(state: Words, values: Words, out: Words, latency: int, interval: int) -> None:
    """Stamps only: passes every value on as it is (``N`` as 0); the engine then applies the operator to the chunk."""
    clock = state[CLOCK]
    head, out_tail = state[HEADS], out[0]
    available = values[0] - head
    room = (len(out) - FIRST_TOKEN) // 2 - out_tail
    status = STARVED if available <= room else FULL
    delay = max(latency, 1)
    at = FIRST_TOKEN + 2 * head
    to = FIRST_TOKEN + 2 * out_tail
    results = 0
    done = 0
    for _ in range(min(available, room)):
        token = values[at]
        clock = max(clock, values[at + 1])
        if token >= 0 or token == EMPTY:
            out[to] = max(token, 0)
            out[to + 1] = clock + delay
            results += 1
        else:
            out[to] = token
            out[to + 1] = clock + 1
            if token == DONE:
                status = FINISHED
                done = 1
                break
        clock += interval
        at += 2
        to += 2
    turns = (to - FIRST_TOKEN) // 2 - out_tail
    state[CLOCK] = clock
    state[BUSY] += turns * interval
    state[COUNT] += results
    state[HEADS] = head + turns + done
    state[STATUS], state[PORT] = status, 0
    out[0] = out_tail + turns + done
