"""Repeat on records: one token of data for each fiber of the signal (rules 3.6 and 3.7)."""

from numpy import uint64

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    DONE,
    EMPTY,
    END,
    FINISHED,
    HEADS,
    LENGTH,
    MISFIT,
    PORT,
    SECOND_CLOCK,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST


@kernel
def repeat_records(
    state: Words,
    data: Words,
    shape: Words,
    limit: int,
    signals: Words,
    shift: int,
    out: Words,
    repeated: Words,
    empty_fiber: bool,
    empties: bool,
) -> None:
    """``repeated[r]`` is the token that stands in record ``r`` of the output; it may be ``N`` if ``empties``."""
    clock, generator, busy = state[CLOCK], state[SECOND_CLOCK], state[BUSY]
    head, tail = state[HEADS], data[0]
    record = state[TAKEN]
    status = STARVED
    while record < limit and head < tail:
        current = data[uint64(FIRST + 2 * head)]
        now = max(clock, data[uint64(FIRST + 2 * head + 1)])
        length, end = shape[uint64(4 * record + LENGTH)], shape[uint64(4 * record + END)]
        first, last = signals[uint64(2 * record)] + shift, signals[uint64(2 * record + 1)] + shift
        if end == DONE:
            arrival = max(generator, last) + 1
            clock = max(now, arrival)
            generator = arrival - 1
            out[uint64(2 * record + 1)] = clock + 1
            record += 1
            status = FINISHED
            break
        stop, taken, later = -1, 1, 0
        if current >= 0 or (current == EMPTY and empty_fiber):
            if head + 1 == tail:
                break
            following = data[uint64(FIRST + 2 * head + 2)]
            later = data[uint64(FIRST + 2 * head + 3)]
            if EMPTY < following < 0:
                stop = following - 1
                taken = 2
        elif current > EMPTY:
            stop = current - 1
        if stop != end or (length > 0 and current < 0 and (current != EMPTY or not empties)) or current == DONE:
            status = MISFIT
            break
        if length > 0:
            generator = max(generator, first) + 1
            now = max(now, generator)
            generator += length - 1
            out[uint64(2 * record)] = now + 1
            now += length
        generator = max(generator, last) + 1
        clock = max(now, max(later, generator))
        out[uint64(2 * record + 1)] = clock + 1
        repeated[record] = current
        clock += 1
        busy += length + 1
        head += taken
        record += 1
    state[CLOCK], state[SECOND_CLOCK], state[BUSY] = clock, generator, busy
    state[HEADS], state[TAKEN], state[STATUS], state[PORT] = head, record, status, 0
