"""Repeat: signal generator and repeater in one pass (rules 3.6 and 3.7)."""

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    DONE,
    EMPTY,
    FINISHED,
    FIRST_TOKEN,
    FULL,
    HEADS,
    PORT,
    SECOND_CLOCK,
    STARVED,
    STATUS,
    Words,
)


@kernel
def repeat(state: Words, data: Words, signals: Words, out: Words, empty_fiber: bool) -> None:
    """CLOCK is the repeater's, SECOND_CLOCK the signal generator's; both are busy one cycle per signal."""
    clock, generator, busy = state[CLOCK], state[SECOND_CLOCK], state[BUSY]
    data_head, data_tail = state[HEADS], data[0]
    head, tail = state[HEADS + 1], signals[0]
    out_tail = out[0]
    capacity = (len(out) - FIRST_TOKEN) // 2
    status, port = STARVED, 0
    while data_head < data_tail:
        current = data[FIRST_TOKEN + 2 * data_head]
        clock = max(clock, data[FIRST_TOKEN + 2 * data_head + 1])
        last = min(tail, head + capacity - out_tail)
        while head < last:
            signal = signals[FIRST_TOKEN + 2 * head]
            if signal < 0 and signal != EMPTY:
                break
            generator = max(generator, signals[FIRST_TOKEN + 2 * head + 1]) + 1
            clock = max(clock, generator)
            out[FIRST_TOKEN + 2 * out_tail] = current
            out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
            clock += 1
            busy += 1
            head += 1
            out_tail += 1
        if head == tail:
            port = 1
            break
        if out_tail == capacity:
            status = FULL
            break
        signal = signals[FIRST_TOKEN + 2 * head]
        arrival = max(generator, signals[FIRST_TOKEN + 2 * head + 1]) + 1
        if signal == DONE:
            clock = max(clock, arrival)
            generator = arrival - 1
            head += 1
            out[FIRST_TOKEN + 2 * out_tail] = DONE
            out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
            out_tail += 1
            status = FINISHED
            break
        stop = -1
        if current >= 0 or (current == EMPTY and empty_fiber):
            if data_head + 1 == data_tail:
                break
            following = data[FIRST_TOKEN + 2 * data_head + 2]
            clock = max(clock, data[FIRST_TOKEN + 2 * data_head + 3])
            if EMPTY < following < 0:
                stop = following - 1
                data_head += 1
        elif current > EMPTY:
            stop = current - 1
        data_head += 1
        generator = arrival
        clock = max(clock, arrival)
        out[FIRST_TOKEN + 2 * out_tail] = stop
        out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
        clock += 1
        busy += 1
        head += 1
        out_tail += 1
    state[CLOCK], state[SECOND_CLOCK], state[BUSY] = clock, generator, busy
    state[HEADS], state[HEADS + 1] = data_head, head
    state[STATUS], state[PORT] = status, port
    out[0] = out_tail
