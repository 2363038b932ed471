"""Writers on records (rules 3.4 and 3.5)."""

from numpy import float32, int32, int64, uint32
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    END,
    EXTRA,
    FINISHED,
    FLAG,
    GROW,
    LENGTH,
    LIMIT,
    PORT,
    START,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)


@kernel
def write_crd_records(
    state: Words,
    shape: Words,
    limit: int,
    stamps: Words,
    shift: int,
    storage: NDArray[int32],
    dense: bool,
    coordinates: NDArray[int32],
    ends: NDArray[int64],
) -> None:
    """As ``write_crd``. Coordinates are those of a dense level, or stand in ``storage``."""
    clock, busy, closed = state[CLOCK], state[BUSY], state[FLAG]
    record, count, stops, counted = state[TAKEN], state[COUNT], state[LIMIT], state[EXTRA]
    status = STARVED
    while record < limit:
        start, length, end = shape[4 * record + START], shape[4 * record + LENGTH], shape[4 * record + END]
        if count + length > len(coordinates) or stops == len(ends):
            status = GROW
            break
        if length > 0:
            clock = max(clock, stamps[2 * record] + shift) + length
            busy += length
            closed = 0
            if dense:
                for step in range(length):
                    coordinates[count + step] = step
            else:
                coordinates[count : count + length] = storage[start : start + length]
            count += length
        clock = max(clock, stamps[2 * record + 1] + shift)
        record += 1
        if end == DONE:
            status = FINISHED
            break
        ends[stops] = count
        stops += 1
        if not closed:
            counted += 1
            closed = 1
            clock += 1
            busy += 1
    state[CLOCK], state[BUSY], state[FLAG], state[STATUS], state[PORT] = clock, busy, closed, status, 0
    state[TAKEN], state[COUNT], state[LIMIT], state[EXTRA] = record, count, stops, counted


@kernel
def write_crd_flushes(state: Words, flushes: Words, first: int, ends: NDArray[int64]) -> None:
    """Clocks of a coordinate writer on flushes of an accumulator (see ``accumulate_records``) from ``first`` on."""
    clock, busy, closed = state[CLOCK], state[BUSY], state[FLAG]
    count, stops, counted = state[COUNT], state[LIMIT], state[EXTRA]
    status = STARVED
    for flush in range(first, flushes[0]):
        at = 1 + 3 * flush
        clock = max(clock, flushes[at + 2]) + flushes[at]
        busy += flushes[at]
        count += flushes[at]
        if flushes[at] > 0:
            closed = 0
        if flushes[at + 1] == DONE:
            status = FINISHED
            break
        ends[stops] = count
        stops += 1
        if not closed:
            counted += 1
            closed = 1
            clock += 1
            busy += 1
    state[CLOCK], state[BUSY], state[FLAG], state[STATUS] = clock, busy, closed, status
    state[COUNT], state[LIMIT], state[EXTRA] = count, stops, counted


@kernel
def write_val_flushes(state: Words, flushes: Words, first: int) -> None:
    """Clocks of a value writer on flushes of an accumulator from ``first`` on."""
    clock, busy, count = state[CLOCK], state[BUSY], state[COUNT]
    status = STARVED
    for flush in range(first, flushes[0]):
        at = 1 + 3 * flush
        clock = max(clock, flushes[at + 2]) + flushes[at]
        busy += flushes[at]
        count += flushes[at]
        if flushes[at + 1] == DONE:
            clock += 1
            busy += 1
            status = FINISHED
            break
    state[CLOCK], state[BUSY], state[COUNT], state[STATUS] = clock, busy, count, status


@kernel
def write_val_records(
    state: Words,
    shape: Words,
    limit: int,
    stamps: Words,
    shift: int,
    values: NDArray[float32],
    word: int,
    carried: bool,
    written: NDArray[uint32],
) -> None:
    """As ``write_val``, of ``values`` from ``shape[word]`` of each record on; without ``carried`` they are 0."""
    bits = values.view(uint32)
    clock, busy = state[CLOCK], state[BUSY]
    record, count = state[TAKEN], state[COUNT]
    status = STARVED
    while record < limit:
        length = shape[4 * record + LENGTH]
        if carried and count + length > len(written):
            status = GROW
            break
        if length > 0:
            clock = max(clock, stamps[2 * record] + shift) + length
            busy += length
            if carried:
                base = shape[4 * record + word]
                written[count : count + length] = bits[base : base + length]
            count += length
        clock = max(clock, stamps[2 * record + 1] + shift)
        record += 1
        if shape[4 * record - 4 + END] == DONE:
            clock += 1
            busy += 1
            status = FINISHED
            break
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, 0
    state[TAKEN], state[COUNT] = record, count
