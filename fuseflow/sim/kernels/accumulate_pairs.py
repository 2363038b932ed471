"""Sparse accumulator of order 2 (rule 3.18, repaired): a hash table from coordinate pair to sum, sorted at a flush."""

from numpy import float32, int64, uint32
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
    GROW,
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
from fuseflow.sim.kernels.sorting import sort_places


@kernel
def accumulate_pairs(
    state: Words,
    inners: Words,
    middles: Words,
    outers: Words,
    values: Words,
    inner_out: Words,
    middle_out: Words,
    val_out: Words,
    keys: NDArray[int64],
    sums: NDArray[float32],
    slots: NDArray[int64],
    extent: int,
) -> None:
    """``keys[slot]`` is ``middle * extent + inner`` or -1 and ``sums[slot]`` its sum; ``len(keys)`` is a power of two.

    LIMIT entries of ``slots`` are in use; at half load the kernel asks for a larger table (GROW). Phase 0 accumulates;
    phase 1 flushes, with CURSOR at the next of the ``slots``, by then in the order of their keys; phase 2 has sent the
    middle coordinate of that slot. FLAG: an outer value came since the last outer stop; AUX: a middle value came since
    the last middle stop.
    """
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    inner_head, middle_head, outer_head, val_head = (
        state[HEADS],
        state[HEADS + 1],
        state[HEADS + 2],
        state[HEADS + 3],
    )
    inner_tail, middle_tail, outer_tail, val_tail = inners[0], middles[0], outers[0], values[0]
    to_inner, to_middle, to_val = inner_out[0], middle_out[0], val_out[0]
    inner_room = (len(inner_out) - FIRST_TOKEN) // 2
    middle_room = (len(middle_out) - FIRST_TOKEN) // 2
    val_room = (len(val_out) - FIRST_TOKEN) // 2
    mask = len(keys) - 1
    count, flops = state[LIMIT], 0
    status, port = STARVED, 0
    while True:
        if inner_head == inner_tail:
            port = 0
            break
        if middle_head == middle_tail:
            port = 1
            break
        if outer_head == outer_tail:
            port = 2
            break
        if val_head == val_tail:
            port = 3
            break
        inner = inners[FIRST_TOKEN + 2 * inner_head]
        middle = middles[FIRST_TOKEN + 2 * middle_head]
        outer = outers[FIRST_TOKEN + 2 * outer_head]
        val = values[FIRST_TOKEN + 2 * val_head]
        clock = max(
            clock,
            max(
                max(inners[FIRST_TOKEN + 2 * inner_head + 1], middles[FIRST_TOKEN + 2 * middle_head + 1]),
                max(outers[FIRST_TOKEN + 2 * outer_head + 1], values[FIRST_TOKEN + 2 * val_head + 1]),
            ),
        )
        if phase == 0 and ((inner >= 0) != (val >= 0) or (inner < 0 and inner != val)):
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, val, inner
            status, port = MISFIT, 3
            break
        if outer >= 0:
            if middle >= 0 and inner >= 0:
                if inner >= extent:
                    state[MISFIT_CODE], state[GOT], state[OTHER] = OUT_OF_RANGE, inner, extent
                    status, port = MISFIT, 0
                    break
                key = middle * extent + inner
                # Fibonacci hashing: neighbouring keys land far apart.
                slot = ((key * 0x1E3779B97F4A7C15) >> 20) & mask
                while keys[slot] != key and keys[slot] != -1:
                    slot = (slot + 1) & mask
                if keys[slot] == -1:
                    if 2 * (count + 1) > len(keys):
                        status = GROW
                        break
                    keys[slot] = key
                    slots[count] = slot
                    count += 1
                sums[slot] += uint32(val).view(float32)
                flops += 1
                inner_head += 1
                val_head += 1
                state[AUX] = 1
            elif middle >= 0 and inner > EMPTY:
                inner_head += 1
                val_head += 1
                middle_head += 1
                state[AUX] = 1
            elif EMPTY < middle < 0:
                if state[AUX] == 0:
                    if inner != middle - 1:
                        state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, inner, middle
                        status, port = MISFIT, 0
                        break
                    inner_head += 1
                    val_head += 1
                middle_head += 1
                outer_head += 1
                state[AUX] = 0
            else:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEXPECTED, middle, inner
                status, port = MISFIT, 1
                break
            state[FLAG] = 1
        elif outer > EMPTY:
            if phase == 0:
                if state[FLAG] == 0 and (middle != outer - 1 or inner != outer - 2):
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, inner, outer
                    status, port = MISFIT, 0
                    break
                sort_places(slots, count, keys)
                phase = 1
                state[CURSOR] = 0
            cursor = state[CURSOR]
            while cursor < count:
                slot = slots[cursor]
                if phase == 1:
                    if to_middle == middle_room:
                        break
                    middle_out[FIRST_TOKEN + 2 * to_middle] = keys[slot] // extent
                    middle_out[FIRST_TOKEN + 2 * to_middle + 1] = clock + 1
                    to_middle += 1
                    phase = 2
                if min(inner_room - to_inner, val_room - to_val) < 2:
                    break
                inner_out[FIRST_TOKEN + 2 * to_inner] = keys[slot] % extent
                inner_out[FIRST_TOKEN + 2 * to_inner + 1] = clock + 1
                val_out[FIRST_TOKEN + 2 * to_val] = int64(float32(sums[slot]).view(uint32))
                val_out[FIRST_TOKEN + 2 * to_val + 1] = clock + 1
                to_inner += 1
                to_val += 1
                cursor += 1
                if cursor == count or keys[slots[cursor]] // extent != keys[slot] // extent:
                    stop = outer - 1 if cursor == count else -1
                    inner_out[FIRST_TOKEN + 2 * to_inner] = stop
                    inner_out[FIRST_TOKEN + 2 * to_inner + 1] = clock + 1
                    val_out[FIRST_TOKEN + 2 * to_val] = stop
                    val_out[FIRST_TOKEN + 2 * to_val + 1] = clock + 1
                    to_inner += 1
                    to_val += 1
                    phase = 1
            state[CURSOR] = cursor
            if cursor < count or to_middle == middle_room or to_inner == inner_room or to_val == val_room:
                status = FULL
                break
            if count == 0:
                inner_out[FIRST_TOKEN + 2 * to_inner] = outer - 1
                inner_out[FIRST_TOKEN + 2 * to_inner + 1] = clock + 1
                val_out[FIRST_TOKEN + 2 * to_val] = outer - 1
                val_out[FIRST_TOKEN + 2 * to_val + 1] = clock + 1
                to_inner += 1
                to_val += 1
            middle_out[FIRST_TOKEN + 2 * to_middle] = outer
            middle_out[FIRST_TOKEN + 2 * to_middle + 1] = clock + 1
            to_middle += 1
            for number in range(count):
                keys[slots[number]] = -1
                sums[slots[number]] = 0
            count = 0
            outer_head += 1
            if state[FLAG] == 0:
                middle_head += 1
                inner_head += 1
                val_head += 1
            state[FLAG] = 0
            phase = 0
        elif outer == DONE and EMPTY < middle < 0:
            middle_head += 1
        elif outer == DONE and middle == DONE and inner == DONE:
            if to_middle == middle_room or to_inner == inner_room or to_val == val_room:
                status = FULL
                break
            inner_out[FIRST_TOKEN + 2 * to_inner] = DONE
            inner_out[FIRST_TOKEN + 2 * to_inner + 1] = clock + 1
            middle_out[FIRST_TOKEN + 2 * to_middle] = DONE
            middle_out[FIRST_TOKEN + 2 * to_middle + 1] = clock + 1
            val_out[FIRST_TOKEN + 2 * to_val] = DONE
            val_out[FIRST_TOKEN + 2 * to_val + 1] = clock + 1
            to_inner += 1
            to_middle += 1
            to_val += 1
            inner_head += 1
            middle_head += 1
            outer_head += 1
            val_head += 1
            status = FINISHED
            break
        else:
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEXPECTED, outer, middle
            status, port = MISFIT, 2
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[PHASE], state[STATUS], state[PORT] = clock, busy, phase, status, port
    state[COUNT] += flops
    state[LIMIT] = count
    state[HEADS], state[HEADS + 1], state[HEADS + 2], state[HEADS + 3] = inner_head, middle_head, outer_head, val_head
    inner_out[0], middle_out[0], val_out[0] = to_inner, to_middle, to_val


@kernel
def rehash(
    keys: NDArray[int64],
    sums: NDArray[float32],
    slots: NDArray[int64],
    count: int,
    new_keys: NDArray[int64],
    new_sums: NDArray[float32],
    new_slots: NDArray[int64],
) -> None:
    """Move ``count`` entries to a larger, empty table, in the order of ``slots``."""
    mask = len(new_keys) - 1
    for number in range(count):
        key = keys[slots[number]]
        slot = ((key * 0x1E3779B97F4A7C15) >> 20) & mask
        while new_keys[slot] != -1:
            slot = (slot + 1) & mask
        new_keys[slot] = key
        new_sums[slot] = sums[slots[number]]
        new_slots[number] = slot
