"""Sparse accumulator of order 1 whose inner fibers are records (rule 3.17, repaired)."""

import numpy as np
from numpy import float32, int32, int64, uint8, uint32, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels._prefetch import AHEAD, FETCHED, LINE_VALUES, prefetch
from fuseflow.sim.kernels.layout import (
    AUX,
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    EMPTY,
    END,
    FINISHED,
    FLAG,
    FULL,
    GOT,
    GROW,
    HEADS,
    LENGTH,
    LIMIT,
    MISFIT,
    PORT,
    SPELL,
    START,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST


@kernel
def accumulate_records(
    state: Words,
    shape: Words,
    limit: int,
    crd_stamps: Words,
    crd_shift: int,
    val_stamps: Words,
    val_shift: int,
    val_step: int,
    outers: Words,
    crd_out: Words,
    val_out: Words,
    storage: NDArray[int32],
    dense: bool,
    factors: NDArray[float32],
    values: NDArray[float32],
    word: int,
    scaled: bool,
    carried: bool,
    later: bool,
    events: Words,
    sums: NDArray[float32],
    marks: NDArray[uint8],
    touched: NDArray[int64],
    direct: bool,
    flushes: Words,
    coordinates: NDArray[int32],
    written: NDArray[uint32],
) -> None:
    """As ``accumulate``; a record and what it lets the accumulator flush happen in one go.

    Values come ``val_step`` cycles apart.

    The values of a record are ``values`` from ``shape[word]`` on, times its factor if ``scaled``; without ``carried``
    they count as 0. Coordinates are those of a dense level, or stand in ``storage``; both are below ``len(sums)``.

    With ``later`` (dense fibers) the values are left to ``sum_columns``, and ``events`` (word 0: how many) tells it of
    every flush: before which record, to which place, how many.

    With ``direct`` only writers read the outputs: a flush becomes a record of ``flushes`` (word 0: how many; then, of
    each, its length, end and stamp) and its tokens go to what the writers write, GOT of them so far. Coordinates have
    no room at all as long as every flush has all of them (SPELL: here is one that has not).
    """
    clock, busy, flops, count = state[CLOCK], state[BUSY], state[COUNT], state[LIMIT]
    outer_head, outer_tail = state[HEADS + 1], outers[0]
    crd_tail, val_tail = crd_out[0], val_out[0]
    room = (min(len(crd_out) - 2 * crd_tail, len(val_out) - 2 * val_tail) - FIRST) // 2
    flushed, sent, told = flushes[0], state[GOT], events[0]
    spelled = len(coordinates) > 0
    if direct:
        room = len(coordinates) - sent if spelled else int64(1) << 62
        if carried:
            room = min(room, len(written) - sent)
    flag, retired = state[FLAG], state[AUX]
    record = state[TAKEN]
    extent = len(sums)
    status, port = STARVED, 0
    others_sum = dense and (later or not carried)
    while record < limit:
        # The common case first, in a loop of its own: its clock goes through one addition and one maximum per record.
        while others_sum and record < limit and outer_head < outer_tail:
            length, end = shape[uint64(4 * record + LENGTH)], shape[uint64(4 * record + END)]
            if outers[uint64(FIRST + 2 * outer_head)] < 0 or length <= 0 or length > extent or end == DONE:
                break
            crd, val = crd_stamps[uint64(2 * record)] + crd_shift, val_stamps[uint64(2 * record)] + val_shift
            last = max(crd_stamps[uint64(2 * record + 1)] + crd_shift, val_stamps[uint64(2 * record + 1)] + val_shift)
            now = max(outers[uint64(FIRST + 2 * outer_head + 1)], max(crd, val)) + length + 1
            now = max(now, max(last + 1, val + (length - 1) * val_step + 2))
            clock = max(clock + length + 1, now)
            flops += length
            busy += length + 1
            count = max(count, length)
            flag = 1
            outer_head += 1
            record += 1
        if record == limit:
            break
        if carried and not later and record + AHEAD < limit:
            row = shape[uint64(4 * (record + AHEAD) + word)]
            for step in range(0, min(shape[uint64(4 * (record + AHEAD) + LENGTH)], FETCHED), LINE_VALUES):
                prefetch(values, row + step)
        if outer_head == outer_tail:
            port = 1
            break
        outer = outers[uint64(FIRST + 2 * outer_head)]
        length, end = shape[uint64(4 * record + LENGTH)], shape[uint64(4 * record + END)]
        now = max(clock, outers[uint64(FIRST + 2 * outer_head + 1)])
        last = max(crd_stamps[uint64(2 * record + 1)] + crd_shift, val_stamps[uint64(2 * record + 1)] + val_shift)
        if length > 0:
            now = max(now, max(crd_stamps[uint64(2 * record)] + crd_shift, val_stamps[uint64(2 * record)] + val_shift))
        else:
            now = max(now, last)
        if outer >= 0:
            if end == DONE or length > extent:
                status = MISFIT
                break
            if length > 0:
                arrived = val_stamps[uint64(2 * record)] + val_shift + (length - 1) * val_step
                now = max(now + length - 1, arrived) + 1
                flops += length
                busy += length
                start, base = shape[uint64(4 * record + START)], shape[uint64(4 * record + word)]
                if dense:
                    count = max(count, length)  # coordinates from 0 on: no need to mark them
                elif count < extent:
                    for step in range(length):
                        key = int64(storage[start + step])
                        if marks[key] == 0:
                            marks[key] = 1
                            touched[count] = key
                            count += 1
                if carried and not later:
                    # Unsigned places: see ``sum_columns``.
                    key_at, value_at = uint64(start), uint64(base)
                    if scaled:
                        factor = factors[record]
                        for place in range(uint64(length)):
                            sums[uint64(storage[key_at + place])] += factor * values[value_at + place]
                    else:
                        for place in range(uint64(length)):
                            sums[uint64(storage[key_at + place])] += values[value_at + place]
            clock = max(now, last) + 1
            busy += 1
            flag = 1
            outer_head += 1
            record += 1
            continue
        if outer == DONE:
            if length > 0:
                status = MISFIT
                break
            if end == DONE and (3 * flushed + 3 >= len(flushes) if direct else room == 0):
                status = FULL
                break
            clock = now
            record += 1
            if end == DONE and direct:
                at = 1 + 3 * flushed
                flushes[at], flushes[at + 1], flushes[at + 2] = 0, DONE, clock + 1
                flushed += 1
                outer_head += 1
                status = FINISHED
                break
            if end == DONE:
                crd_out[uint64(FIRST + 2 * crd_tail)], crd_out[uint64(FIRST + 2 * crd_tail + 1)] = DONE, clock + 1
                val_out[uint64(FIRST + 2 * val_tail)], val_out[uint64(FIRST + 2 * val_tail + 1)] = DONE, clock + 1
                crd_tail += 1
                val_tail += 1
                outer_head += 1
                status = FINISHED
                break
            clock += 1
            busy += 1
            continue
        if outer == EMPTY:
            status = MISFIT
            break
        # An outer stop: flush before the record.
        idle = flag == 0 and retired == 0
        bare = length == 0 and end > EMPTY
        if idle and (not bare or end != outer - 1):
            status = MISFIT
            break
        if not idle and bare and outer_head + 1 == outer_tail:
            port = 1
            break
        if direct and not spelled and 0 < count < extent:
            status = SPELL
            break
        if direct and room < count:
            status = GROW
            break
        if (3 * flushed + 3 >= len(flushes) if direct else room < count + 1) or 3 * told + 3 >= len(events):
            status = FULL
            break
        if later:
            events[uint64(1 + 3 * told)], events[uint64(2 + 3 * told)] = record, sent if direct else val_tail
            events[uint64(3 + 3 * told)] = count
            told += 1
        stamp = now + 1
        if count < extent and count > 0:
            if dense:
                for step in range(count):
                    touched[step] = step
            elif 8 * count >= extent:
                found = 0
                for step in range(extent):
                    if marks[step] != 0:
                        touched[found] = step
                        found += 1
            else:
                touched[:count] = np.sort(touched[:count])
        if direct:
            at = 1 + 3 * flushed
            flushes[at], flushes[at + 1], flushes[at + 2] = count, outer, stamp
            flushed += 1
            if count == extent:
                if spelled:
                    to_crd = uint64(sent)
                    for place in range(uint64(extent)):
                        coordinates[to_crd + place] = int32(place)
                if carried and not later:
                    written[sent : sent + extent] = sums.view(uint32)
                    sums[:] = 0
                if not dense:
                    marks[:] = 0
            else:
                for step in range(count):
                    key = touched[step]
                    coordinates[sent + step] = key
                    if carried and not later:
                        written[sent + step] = float32(sums[key]).view(uint32)
                        sums[key] = 0
                    marks[key] = 0
            sent += count
        elif count == extent:
            bits = sums.view(uint32)
            to_crd, to_val = uint64(FIRST + 2 * crd_tail), uint64(FIRST + 2 * val_tail)
            for place in range(uint64(extent)):
                crd_out[to_crd] = int64(place)
                crd_out[to_crd + uint64(1)] = stamp
                val_out[to_val] = int64(bits[place])
                val_out[to_val + uint64(1)] = stamp
                to_crd += uint64(2)
                to_val += uint64(2)
            if not later:
                sums[:] = 0
            marks[:] = 0
        else:
            for step in range(count):
                key = touched[step]
                crd_out[uint64(FIRST + 2 * (crd_tail + step))] = key
                crd_out[uint64(FIRST + 2 * (crd_tail + step) + 1)] = stamp
                val_out[uint64(FIRST + 2 * (val_tail + step))] = 0 if later else int64(float32(sums[key]).view(uint32))
                val_out[uint64(FIRST + 2 * (val_tail + step) + 1)] = stamp
                if not later:
                    sums[key] = 0
                marks[key] = 0
        if direct:
            room -= count
        else:
            crd_tail += count
            val_tail += count
            crd_out[uint64(FIRST + 2 * crd_tail)], crd_out[uint64(FIRST + 2 * crd_tail + 1)] = outer, stamp
            val_out[uint64(FIRST + 2 * val_tail)], val_out[uint64(FIRST + 2 * val_tail + 1)] = outer, stamp
            crd_tail += 1
            val_tail += 1
            room -= count + 1
        count = 0
        if idle:
            record += 1
        else:
            retired = 0
            if bare:
                following = outers[uint64(FIRST + 2 * outer_head + 2)]
                now = max(now, outers[uint64(FIRST + 2 * outer_head + 3)])
                if EMPTY < following < 0 and end == following - 1:
                    record += 1
                    retired = 1
        outer_head += 1
        flag = 0
        clock = now + 1
        busy += 1
    state[CLOCK], state[BUSY], state[COUNT], state[LIMIT] = clock, busy, flops, count
    state[FLAG], state[AUX], state[TAKEN] = flag, retired, record
    state[HEADS + 1] = outer_head
    state[STATUS], state[PORT] = status, port
    flushes[0], state[GOT], events[0] = flushed, sent, told
    crd_out[0], val_out[0] = crd_tail, val_tail
