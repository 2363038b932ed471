"""Writers (rules 3.4 and 3.5)."""

from numpy import int32, int64, uint32, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    EMPTY,
    EXTRA,
    FINISHED,
    FIRST_TOKEN,
    FLAG,
    GROW,
    HEADS,
    LIMIT,
    PORT,
    STARVED,
    STATUS,
    Words,
)


@kernel
def write_crd(state: Words, crds: Words, coordinates: NDArray[int32], ends: NDArray[int64]) -> None:
    """COUNT coordinates and LIMIT ends are recorded; EXTRA counts the stops that cost a cycle, FLAG says ``closed``."""
    clock, busy, closed = state[CLOCK], state[BUSY], state[FLAG]
    head, tail = state[HEADS], crds[0]
    count, stops, counted = state[COUNT], state[LIMIT], state[EXTRA]
    status = STARVED
    while head < tail:
        token = crds[uint64(FIRST_TOKEN + 2 * head)]
        if count == len(coordinates) or stops == len(ends):
            status = GROW
            break
        head += 1
        clock = max(clock, crds[uint64(FIRST_TOKEN + 2 * head - 1)])
        if token >= 0:
            coordinates[count] = token
            count += 1
            closed = 0
        elif token > EMPTY:
            ends[stops] = count
            stops += 1
            if closed:
                continue
            counted += 1
            closed = 1
        elif token == EMPTY:
            continue
        else:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[FLAG], state[STATUS], state[PORT] = clock, busy, closed, status, 0
    state[COUNT], state[LIMIT], state[EXTRA] = count, stops, counted
    state[HEADS] = head


@kernel
def write_val(state: Words, vals: Words, values: NDArray[uint32]) -> None:
    """COUNT values are recorded, as their bits."""
    clock, busy = state[CLOCK], state[BUSY]
    head, tail = state[HEADS], vals[0]
    count = state[COUNT]
    status = STARVED
    while head < tail:
        if count == len(values):
            status = GROW
            break
        token = vals[uint64(FIRST_TOKEN + 2 * head)]
        clock = max(clock, vals[uint64(FIRST_TOKEN + 2 * head + 1)])
        head += 1
        if token >= 0:
            values[count] = token
            count += 1
            clock += 1
            busy += 1
        elif token == DONE:
            clock += 1
            busy += 1
            status = FINISHED
            break
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, 0
    state[COUNT] = count
    state[HEADS] = head
