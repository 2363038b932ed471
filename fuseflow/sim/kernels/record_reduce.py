"""Reduce on records (rules 3.15 and 3.16, guarded and unguarded)."""

from numpy import float32, int64, uint32
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    END,
    FINISHED,
    FULL,
    HEADS,
    LENGTH,
    MEMORY,
    MISFIT,
    PORT,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST


@kernel
def reduce_records(
    state: Words,
    shape: Words,
    limit: int,
    stamps: Words,
    shift: int,
    pace: int,
    guards: Words,
    out: Words,
    factors: NDArray[float32],
    values: NDArray[float32],
    word: int,
    scaled: bool,
    carried: bool,
    guarded: bool,
    largest: bool,
    identity: float32,
    latency: int,
) -> None:
    """Sum or maximum of ``values`` from ``shape[word]`` of each record on, times its factor if ``scaled``.

    Values come ``pace`` cycles apart.

    MEMORY has the bits of the result so far. Without ``carried`` the results are 0 and only their stamps are right.
    """
    clock, busy, flops = state[CLOCK], state[BUSY], state[COUNT]
    head, tail = state[HEADS + 1], guards[0]
    to, capacity = out[0], (len(out) - FIRST) // 2
    record = state[TAKEN]
    delay = max(latency, 1)
    total = uint32(state[MEMORY]).view(float32)
    status, port = STARVED, 0
    while record < limit:
        if capacity - to < 2:
            status = FULL
            break
        length, end = shape[4 * record + LENGTH], shape[4 * record + END]
        now = clock
        if length > 0:
            first = stamps[2 * record] + shift
            now = max(max(now, first) + length - 1, first + (length - 1) * pace) + 1
        stamp = stamps[2 * record + 1] + shift
        emits = end != DONE
        taken = 0
        result_stamp = stamp
        if guarded:
            if head == tail:
                port = 1
                break
            guard = guards[FIRST + 2 * head]
            stamp = max(stamp, guards[FIRST + 2 * head + 1])
            taken = 1
            result_stamp = stamp
            if emits and guard >= 0:
                if end < -1:
                    if head + 1 == tail:
                        port = 1
                        break
                    guard = guards[FIRST + 2 * head + 2]
                    stamp = max(stamp, guards[FIRST + 2 * head + 3])
                    taken = 2
                else:
                    guard = end + 1
            else:
                emits = False
            if guard != (DONE if end == DONE else end + 1):
                status, port = MISFIT, 1
                break
        if carried:
            base = shape[4 * record + word]
            for place in range(base, base + length):
                value = values[place]
                if scaled:
                    value = value * factors[record]
                if not largest:
                    total = total + value
                elif not value < total:
                    total = value
        flops += length
        busy += length
        result_clock = max(now, result_stamp)
        clock = max(now, stamp)
        head += taken
        record += 1
        if emits:
            out[FIRST + 2 * to] = int64(float32(total).view(uint32)) if carried else 0
            out[FIRST + 2 * to + 1] = result_clock + delay
            to += 1
        total = identity
        if end != -1:
            out[FIRST + 2 * to] = DONE if end == DONE else end + 1
            out[FIRST + 2 * to + 1] = clock + 1
            to += 1
        if end == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[COUNT], state[TAKEN] = clock, busy, flops, record
    state[STATUS], state[PORT] = status, port
    state[MEMORY] = int64(float32(total).view(uint32))
    state[HEADS + 1] = head
    out[0] = to
