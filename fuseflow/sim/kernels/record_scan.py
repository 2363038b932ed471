"""Level scanners that make records (rules 3.1 and 3.2 with one cycle per token)."""

from numpy import int64, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    EMPTY,
    END,
    EXTRA,
    FINISHED,
    FULL,
    GROW,
    HEADS,
    LENGTH,
    MEMORY,
    MISFIT,
    OFFSET,
    PORT,
    START,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST


@kernel
def scan_records(
    state: Words,
    refs: Words,
    shape: Words,
    stamps: Words,
    segments: NDArray[int64],
    extent: int,
    initial_delay: int,
    empty_fiber: bool,
    pool: int,
) -> None:
    """Compressed scanner, or a dense one if ``extent`` is not negative (``segments`` is not read then).

    A fiber becomes a record when the token after its reference is there. Ends FULL where the shape is full, GROW where
    the values in the pools would be more than ``pool``, MISFIT at tokens that records cannot hold.
    """
    clock, busy, count = state[CLOCK], state[BUSY], state[COUNT]
    head, tail = state[HEADS], refs[0]
    made, most = state[TAKEN], len(shape) // 4
    offset = int64(0)
    if made > 0:
        offset = shape[uint64(4 * made - 4 + OFFSET)] + shape[uint64(4 * made - 4 + LENGTH)]
    status = STARVED
    while head < tail:
        if made == most:
            status = FULL
            break
        token = refs[uint64(FIRST + 2 * head)]
        stamp = refs[uint64(FIRST + 2 * head + 1)]
        start, length, end = int64(0), int64(0), int64(-1)
        if token >= 0 or (token == EMPTY and empty_fiber):
            if head + 1 == tail:
                break
            if token >= 0:
                if extent >= 0:
                    start, length = token * extent, int64(extent)
                elif token + 1 >= len(segments):
                    status = MISFIT
                    break
                else:
                    start = segments[token]
                    length = segments[token + 1] - start
                if offset + length > pool:
                    status = GROW
                    break
                if token != state[MEMORY]:
                    state[EXTRA] += 1
                    state[MEMORY] = token
            clock = max(clock, stamp) + initial_delay
            busy += initial_delay
            stamps[uint64(2 * made)] = clock + 1
            clock += length
            busy += length
            count += length
            following = refs[uint64(FIRST + 2 * head + 2)]
            clock = max(clock, refs[uint64(FIRST + 2 * head + 3)])
            head += 1
            if EMPTY < following < 0:
                head += 1
                end = following - 1
        elif token == EMPTY:
            status = MISFIT
            break
        else:
            head += 1
            clock = max(clock, stamp)
            end = token if token == DONE else token - 1
        at = 4 * made
        shape[at + START], shape[at + LENGTH], shape[at + END], shape[at + OFFSET] = start, length, end, offset
        stamps[uint64(2 * made + 1)] = clock + 1
        offset += length
        made += 1
        if end == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[COUNT], state[HEADS], state[TAKEN] = clock, busy, count, head, made
    state[STATUS], state[PORT] = status, 0
