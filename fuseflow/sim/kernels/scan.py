"""Level scanners (rules 3.1 and 3.2)."""

from numpy import int32, int64, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    AUX,
    BUSY,
    CLOCK,
    COUNT,
    CURSOR,
    DONE,
    EMPTY,
    EXTRA,
    FINISHED,
    FIRST_TOKEN,
    FLAG,
    FULL,
    GOT,
    HEADS,
    LIMIT,
    MEMORY,
    MISFIT,
    MISFIT_CODE,
    OTHER,
    OUT_OF_RANGE,
    PHASE,
    PORT,
    STARVED,
    STATUS,
    Words,
)


@kernel
def scan_compressed(
    state: Words,
    refs: Words,
    crd_out: Words,
    ref_out: Words,
    segments: NDArray[int64],
    coordinates: NDArray[int32],
    initial_delay: int,
    latency: int,
    interval: int,
    miss_latency: int,
    row_size: int,
    empty_fiber: bool,
) -> None:
    """Compressed scanner. CURSOR..LIMIT is what is left of the fiber, MEMORY the reference before, FLAG and AUX the
    ``hit`` and ``fresh`` of the row checks; phase 1 is inside a fiber, phase 2 waits for what follows it."""
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    head, tail = state[HEADS], refs[0]
    crd_tail, ref_tail = crd_out[0], ref_out[0]
    size = (min(len(crd_out) - 2 * crd_tail, len(ref_out) - 2 * ref_tail) - FIRST_TOKEN) // 2
    room = size
    status = STARVED
    plain = max(latency, 1)
    missed = max(miss_latency, 1)
    while True:
        if phase == 1:
            start, limit = state[CURSOR], state[LIMIT]
            steps = min(limit - start, room)
            at_crd = FIRST_TOKEN + 2 * crd_tail
            at_ref = FIRST_TOKEN + 2 * ref_tail
            if plain == missed:
                for step in range(steps):
                    stamp = clock + step * interval + plain
                    crd_out[uint64(at_crd + 2 * step)] = coordinates[start + step]
                    crd_out[uint64(at_crd + 2 * step + 1)] = stamp
                    ref_out[uint64(at_ref + 2 * step)] = start + step
                    ref_out[uint64(at_ref + 2 * step + 1)] = stamp
            else:
                fresh = state[AUX]
                for step in range(steps):
                    row_start = 0
                    if fresh:
                        row_start = start + step
                        fresh = 0
                    stamp = clock + step * interval + plain
                    if start + step - row_start >= row_size:
                        fresh = 1
                        stamp = clock + step * interval + missed
                    crd_out[uint64(at_crd + 2 * step)] = coordinates[start + step]
                    crd_out[uint64(at_crd + 2 * step + 1)] = stamp
                    ref_out[uint64(at_ref + 2 * step)] = start + step
                    ref_out[uint64(at_ref + 2 * step + 1)] = stamp
                state[AUX] = fresh
            clock += steps * interval
            busy += steps * interval
            crd_tail += steps
            ref_tail += steps
            room -= steps
            state[COUNT] += steps
            state[CURSOR] = start + steps
            if start + steps < limit:
                status = FULL
                break
            phase = 2
        if head == tail:
            break
        if room == 0:
            status = FULL
            break
        token = refs[uint64(FIRST_TOKEN + 2 * head)]
        clock = max(clock, refs[uint64(FIRST_TOKEN + 2 * head + 1)])
        if phase == 2:
            phase = 0
            stop = -1
            if EMPTY < token < 0:
                head += 1
                stop = token - 1
        elif token >= 0:
            if token + 1 >= len(segments):
                state[MISFIT_CODE], state[PORT], state[GOT], state[OTHER] = OUT_OF_RANGE, 0, token, len(segments) - 1
                status = MISFIT
                break
            head += 1
            clock += initial_delay
            busy += initial_delay
            row_start = 0
            if state[FLAG]:
                row_start = token
                state[FLAG] = 0
            if token - row_start >= row_size:
                state[FLAG] = 1
                clock += miss_latency
                busy += miss_latency
            if token != state[MEMORY]:
                state[EXTRA] += 1
                state[MEMORY] = token
            state[CURSOR], state[LIMIT], state[AUX] = segments[token], segments[token + 1], 1
            phase = 1
            continue
        elif token == EMPTY and empty_fiber:
            head += 1
            clock += initial_delay
            busy += initial_delay
            phase = 2
            continue
        else:
            head += 1
            stop = token - 1 if token > EMPTY else token
        crd_out[uint64(FIRST_TOKEN + 2 * crd_tail)] = stop
        crd_out[uint64(FIRST_TOKEN + 2 * crd_tail + 1)] = clock + plain
        ref_out[uint64(FIRST_TOKEN + 2 * ref_tail)] = stop
        ref_out[uint64(FIRST_TOKEN + 2 * ref_tail + 1)] = clock + plain
        crd_tail += 1
        ref_tail += 1
        room -= 1
        if stop == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[PHASE], state[HEADS] = clock, busy, phase, head
    if status == STARVED:
        state[PORT] = 0
    state[STATUS] = status
    crd_out[0], ref_out[0] = crd_tail, ref_tail


@kernel
def scan_dense(state: Words, refs: Words, crd_out: Words, ref_out: Words, extent: int, empty_fiber: bool) -> None:
    """Dense scanner. CURSOR is the next coordinate of the fiber, MEMORY the reference of its coordinate 0."""
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    head, tail = state[HEADS], refs[0]
    crd_tail, ref_tail = crd_out[0], ref_out[0]
    room = (min(len(crd_out) - 2 * crd_tail, len(ref_out) - 2 * ref_tail) - FIRST_TOKEN) // 2
    status = STARVED
    while True:
        if phase == 1:
            start, base = state[CURSOR], state[MEMORY]
            steps = min(extent - start, room)
            at_crd = FIRST_TOKEN + 2 * crd_tail
            at_ref = FIRST_TOKEN + 2 * ref_tail
            for step in range(steps):
                stamp = clock + step + 1
                crd_out[uint64(at_crd + 2 * step)] = start + step
                crd_out[uint64(at_crd + 2 * step + 1)] = stamp
                ref_out[uint64(at_ref + 2 * step)] = base + start + step
                ref_out[uint64(at_ref + 2 * step + 1)] = stamp
            clock += steps
            busy += steps
            crd_tail += steps
            ref_tail += steps
            room -= steps
            state[COUNT] += steps
            state[CURSOR] = start + steps
            if start + steps < extent:
                status = FULL
                break
            phase = 2
        if head == tail:
            break
        if room == 0:
            status = FULL
            break
        token = refs[uint64(FIRST_TOKEN + 2 * head)]
        clock = max(clock, refs[uint64(FIRST_TOKEN + 2 * head + 1)])
        if phase == 2:
            phase = 0
            stop = -1
            if EMPTY < token < 0:
                head += 1
                stop = token - 1
        elif token >= 0:
            head += 1
            state[CURSOR], state[MEMORY] = 0, token * extent
            phase = 1
            continue
        elif token == EMPTY and empty_fiber:
            head += 1
            phase = 2
            continue
        else:
            head += 1
            stop = token - 1 if token > EMPTY else token
        crd_out[uint64(FIRST_TOKEN + 2 * crd_tail)] = stop
        crd_out[uint64(FIRST_TOKEN + 2 * crd_tail + 1)] = clock + 1
        ref_out[uint64(FIRST_TOKEN + 2 * ref_tail)] = stop
        ref_out[uint64(FIRST_TOKEN + 2 * ref_tail + 1)] = clock + 1
        crd_tail += 1
        ref_tail += 1
        room -= 1
        if stop == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[PHASE], state[HEADS] = clock, busy, phase, head
    if status == STARVED:
        state[PORT] = 0
    state[STATUS] = status
    crd_out[0], ref_out[0] = crd_tail, ref_tail
