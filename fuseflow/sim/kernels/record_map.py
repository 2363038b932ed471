"""Blocks on records that send one token for each they take: arrays, ALUs, locate (rules 3.11 to 3.13, 3.21)."""

from numpy import float32, uint32, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    AUX,
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    EMPTY,
    END,
    FINISHED,
    LENGTH,
    MISFIT,
    START,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)


@kernel
def map_records(
    state: Words,
    shape: Words,
    limit: int,
    left: Words,
    left_shift: int,
    right: Words,
    right_shift: int,
    out: Words,
    size: int,
    latency: int,
    interval: int,
) -> None:
    """Clocks and stamps of the records before ``limit``. The shifts are 1 where a broadcast stands before the input.

    References must be below ``size``. A block with one input is given it twice. COUNT is the number of payloads, AUX
    the stamp of the last. The payloads that leave are ``interval`` cycles apart, those that come one.
    """
    delay = max(latency, 1)
    clock, busy, count = state[CLOCK], state[BUSY], state[COUNT]
    record = state[TAKEN]
    status = STARVED
    while record < limit:
        length = shape[uint64(4 * record + LENGTH)]
        if length > 0:
            if shape[uint64(4 * record + START)] + length > size:
                status = MISFIT
                break
            clock = max(clock, max(left[uint64(2 * record)] + left_shift, right[uint64(2 * record)] + right_shift))
            out[uint64(2 * record)] = clock + delay
            clock += length * interval
            state[AUX] = clock + delay - interval
        clock = max(clock, max(left[uint64(2 * record + 1)] + left_shift, right[uint64(2 * record + 1)] + right_shift))
        out[uint64(2 * record + 1)] = clock + 1
        busy += length * interval
        count += length
        record += 1
        if shape[uint64(4 * record - 4 + END)] == DONE:
            status = FINISHED
            break
        clock += interval
        busy += interval
    state[CLOCK], state[BUSY], state[COUNT], state[TAKEN], state[STATUS] = clock, busy, count, record, status


@kernel
def fetch_records(
    shape: Words, first: int, limit: int, refs: Words, values: NDArray[float32], out: NDArray[float32]
) -> int:
    """Values of repeated references; how many of the payloads are ``N``, or -1 if a reference is out of range."""
    missing = 0
    for record in range(first, limit):
        length = shape[uint64(4 * record + LENGTH)]
        if length > 0:
            ref = refs[record]
            if ref == EMPTY:
                out[record] = 0
                missing += length
            elif ref >= len(values):
                return -1
            else:
                out[record] = values[ref]
    return missing


@kernel
def unpack_records(shape: Words, first: int, limit: int, tokens: Words, out: NDArray[float32]) -> None:
    """Repeated values as numbers, ``N`` as 0."""
    for record in range(first, limit):
        if shape[uint64(4 * record + LENGTH)] > 0:
            out[record] = uint32(max(tokens[record], 0)).view(float32)
