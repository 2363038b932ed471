"""Array: reference to value (rule 3.11)."""

from numpy import float32, int64, uint32
from numpy.typing import NDArray

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
    OUT_OF_RANGE,
    PORT,
    STARVED,
    STATUS,
    Words,
)


@kernel
def array(state: Words, refs: Words, out: Words, values: NDArray[float32], latency: int, interval: int) -> None:
    """COUNT is the number of values fetched."""
    bits = values.view(uint32)
    clock = state[CLOCK]
    head, out_tail = state[HEADS], out[0]
    available = refs[0] - head
    room = (len(out) - FIRST_TOKEN) // 2 - out_tail
    status = STARVED if available <= room else FULL
    delay = max(latency, 1)
    at = FIRST_TOKEN + 2 * head
    to = FIRST_TOKEN + 2 * out_tail
    fetched = 0
    turns = 0
    for _ in range(min(available, room)):
        token = refs[at]
        clock = max(clock, refs[at + 1])
        if token >= 0:
            if token >= len(bits):
                state[MISFIT_CODE], state[GOT], state[OTHER] = OUT_OF_RANGE, token, len(bits)
                status = MISFIT
                break
            out[to] = int64(bits[token])
            out[to + 1] = clock + delay
            fetched += 1
        else:
            out[to] = 0 if token == EMPTY else token
            out[to + 1] = clock + 1
            if token == DONE:
                status = FINISHED
                at += 2
                to += 2
                break
        clock += interval
        turns += 1
        at += 2
        to += 2
    state[CLOCK] = clock
    state[BUSY] += turns * interval
    state[COUNT] += fetched
    state[HEADS] = (at - FIRST_TOKEN) // 2
    state[STATUS], state[PORT] = status, 0
    out[0] = (to - FIRST_TOKEN) // 2
