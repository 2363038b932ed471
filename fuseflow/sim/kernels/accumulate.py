"""Sparse accumulator of order 1 (rule 3.17, repaired). Order 2: ``accumulate_pairs``."""

from numpy import float32, int64, uint8, uint32
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
    FINISHED,
    FIRST_TOKEN,
    FLAG,
    FULL,
    GOT,
    HEADS,
    LIMIT,
    MISFIT,
    MISFIT_CODE,
    OTHER,
    OUT_OF_RANGE,
    PHASE,
    PORT,
    STARVED,
    STATUS,
    UNEQUAL,
    UNEXPECTED,
    Words,
)
from fuseflow.sim.kernels.sorting import sort


@kernel
def accumulate(
    state: Words,
    inners: Words,
    outers: Words,
    values: Words,
    crd_out: Words,
    val_out: Words,
    sums: NDArray[float32],
    marks: NDArray[uint8],
    touched: NDArray[int64],
) -> None:
    """Accumulate in the dense workspace ``sums``; LIMIT entries of ``touched`` are the marked coordinates.

    Phase 0 accumulates, phase 1 flushes ``touched[CURSOR:LIMIT]`` (sorted by then), phase 2 has flushed and looks at
    the outer token after the stop. FLAG: an outer value came since the last outer stop; AUX: the inner stop of the
    next, empty, outer fiber is already taken.
    """
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    inner_head, outer_head, val_head = state[HEADS], state[HEADS + 1], state[HEADS + 2]
    inner_tail, outer_tail, val_tail = inners[0], outers[0], values[0]
    crd_tail, out_tail = crd_out[0], val_out[0]
    room = (min(len(crd_out) - 2 * crd_tail, len(val_out) - 2 * out_tail) - FIRST_TOKEN) // 2
    count, flops = state[LIMIT], 0
    status, port = STARVED, 0
    while True:
        if inner_head == inner_tail:
            port = 0
            break
        if outer_head == outer_tail:
            port = 1
            break
        if val_head == val_tail:
            port = 2
            break
        outer = outers[FIRST_TOKEN + 2 * outer_head]
        inner = inners[FIRST_TOKEN + 2 * inner_head]
        val = values[FIRST_TOKEN + 2 * val_head]
        clock = max(
            clock,
            max(
                outers[FIRST_TOKEN + 2 * outer_head + 1],
                max(inners[FIRST_TOKEN + 2 * inner_head + 1], values[FIRST_TOKEN + 2 * val_head + 1]),
            ),
        )
        if phase == 0 and outer >= 0:
            # The hot path: the outer coordinate stays while its inner fiber lasts.
            last = inner_head + min(inner_tail - inner_head, val_tail - val_head)
            shift = 2 * (val_head - inner_head)
            first = inner_head
            while inner_head < last:
                at = FIRST_TOKEN + 2 * inner_head
                inner = inners[at]
                val = values[at + shift]
                if inner < 0 or val < 0:
                    break
                clock = max(clock, max(inners[at + 1], values[at + shift + 1])) + 1
                if inner >= len(sums):
                    state[MISFIT_CODE], state[GOT], state[OTHER] = OUT_OF_RANGE, inner, len(sums)
                    status, port = MISFIT, 0
                    break
                sums[inner] += uint32(val).view(float32)
                if marks[inner] == 0:
                    marks[inner] = 1
                    touched[count] = inner
                    count += 1
                inner_head += 1
            val_head += inner_head - first
            flops += inner_head - first
            busy += inner_head - first
            if inner_head > first:
                state[FLAG] = 1
            if status == MISFIT:
                break
            if inner_head == last:
                continue
            clock = max(clock, max(inners[FIRST_TOKEN + 2 * inner_head + 1], values[FIRST_TOKEN + 2 * val_head + 1]))
            if inner != val or inner <= EMPTY:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, val, inner
                status, port = MISFIT, 2
                break
            inner_head += 1
            outer_head += 1
            val_head += 1
            state[FLAG] = 1
        elif outer > EMPTY:
            if phase == 0:
                if (inner >= 0) != (val >= 0) or (inner < 0 and inner != val):
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, val, inner
                    status, port = MISFIT, 2
                    break
                phase = 1
                state[CURSOR] = 0
                if 8 * count >= len(marks):
                    found = 0
                    for key in range(len(marks)):
                        if marks[key] != 0:
                            touched[found] = key
                            found += 1
                else:
                    sort(touched, count)
            if phase == 1:
                start = state[CURSOR]
                steps = min(count - start, room)
                for step in range(steps):
                    key = touched[start + step]
                    crd_out[FIRST_TOKEN + 2 * (crd_tail + step)] = key
                    crd_out[FIRST_TOKEN + 2 * (crd_tail + step) + 1] = clock + 1
                    val_out[FIRST_TOKEN + 2 * (out_tail + step)] = int64(float32(sums[key]).view(uint32))
                    val_out[FIRST_TOKEN + 2 * (out_tail + step) + 1] = clock + 1
                    sums[key] = 0
                    marks[key] = 0
                crd_tail += steps
                out_tail += steps
                room -= steps
                state[CURSOR] = start + steps
                if room == 0:
                    status = FULL
                    break
                count = 0
                crd_out[FIRST_TOKEN + 2 * crd_tail] = outer
                crd_out[FIRST_TOKEN + 2 * crd_tail + 1] = clock + 1
                val_out[FIRST_TOKEN + 2 * out_tail] = outer
                val_out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
                crd_tail += 1
                out_tail += 1
                room -= 1
                phase = 2
            if state[FLAG] == 0 and state[AUX] == 0:
                if inner != outer - 1:
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, inner, outer
                    status, port = MISFIT, 0
                    break
                inner_head += 1
                val_head += 1
            else:
                retired = 0
                if EMPTY < inner < 0:
                    if outer_head + 1 == outer_tail:
                        port = 1
                        break
                    following = outers[FIRST_TOKEN + 2 * outer_head + 2]
                    clock = max(clock, outers[FIRST_TOKEN + 2 * outer_head + 3])
                    if EMPTY < following < 0 and inner == following - 1:
                        inner_head += 1
                        val_head += 1
                        retired = 1
                state[AUX] = retired
            outer_head += 1
            state[FLAG] = 0
            phase = 0
        elif outer == DONE:
            if (inner >= 0) != (val >= 0) or (inner < 0 and inner != val):
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, val, inner
                status, port = MISFIT, 2
                break
            if inner == DONE:
                if room == 0:
                    status = FULL
                    break
                crd_out[FIRST_TOKEN + 2 * crd_tail] = DONE
                crd_out[FIRST_TOKEN + 2 * crd_tail + 1] = clock + 1
                val_out[FIRST_TOKEN + 2 * out_tail] = DONE
                val_out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
                crd_tail += 1
                out_tail += 1
                inner_head += 1
                outer_head += 1
                val_head += 1
                status = FINISHED
                break
            inner_head += 1
            val_head += 1
        else:
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEXPECTED, outer, inner
            status, port = MISFIT, 1
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[PHASE], state[STATUS], state[PORT] = clock, busy, phase, status, port
    state[COUNT] += flops
    state[LIMIT] = count
    state[HEADS], state[HEADS + 1], state[HEADS + 2] = inner_head, outer_head, val_head
    crd_out[0], val_out[0] = crd_tail, out_tail
