"""Locate (rule 3.21, repaired)."""

from numpy import uint64

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    DONE,
    EMPTY,
    FINISHED,
    FIRST_TOKEN,
    FULL,
    GOT,
    HEADS,
    MISFIT,
    MISFIT_CODE,
    OTHER,
    OUT_OF_RANGE,
    PORT,
    STARVED,
    STATUS,
    UNEQUAL,
    UNEXPECTED,
    Words,
)


@kernel
def locate(
    state: Words,
    refs: Words,
    crds: Words,
    parents: Words,
    located_out: Words,
    ref_out: Words,
    crd_out: Words,
    extent: int,
    has_parent: bool,
) -> None:
    """``parents`` is read only with ``has_parent``; the parent is held (not taken) while its fiber lasts."""
    clock, busy = state[CLOCK], state[BUSY]
    ref_head, crd_head, parent_head = state[HEADS], state[HEADS + 1], state[HEADS + 2]
    ref_tail, crd_tail, parent_tail = refs[0], crds[0], parents[0]
    to_located, to_ref, to_crd = located_out[0], ref_out[0], crd_out[0]
    room = (
        min(len(located_out) - 2 * to_located, len(ref_out) - 2 * to_ref, len(crd_out) - 2 * to_crd) - FIRST_TOKEN
    ) // 2
    status, port = STARVED, 0
    while True:
        if ref_head == ref_tail:
            port = 0
            break
        if crd_head == crd_tail:
            port = 1
            break
        if room == 0:
            status = FULL
            break
        ref = refs[uint64(FIRST_TOKEN + 2 * ref_head)]
        crd = crds[uint64(FIRST_TOKEN + 2 * crd_head)]
        stamp = max(refs[uint64(FIRST_TOKEN + 2 * ref_head + 1)], crds[uint64(FIRST_TOKEN + 2 * crd_head + 1)])
        located = crd
        taken = 0
        ref_held, crd_held = ref >= 0 or ref == EMPTY, crd >= 0 or crd == EMPTY
        if ref_held != crd_held or (not crd_held and ref != crd):
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, crd, ref
            status, port = MISFIT, 1
            break
        if crd >= extent:
            state[MISFIT_CODE], state[GOT], state[OTHER] = OUT_OF_RANGE, crd, extent
            status, port = MISFIT, 1
            break
        if has_parent:
            if parent_head == parent_tail:
                port = 2
                break
            parent = parents[uint64(FIRST_TOKEN + 2 * parent_head)]
            stamp = max(stamp, parents[uint64(FIRST_TOKEN + 2 * parent_head + 1)])
            payload = parent >= 0 or parent == EMPTY
            wanted = crd + 1  # the stop one level lower
            if crd >= 0 or crd == EMPTY:
                if not payload:
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEXPECTED, parent, crd
                    status, port = MISFIT, 2
                    break
                if crd >= 0:
                    located = EMPTY if parent == EMPTY else parent * extent + crd
            elif crd == DONE:
                taken = 1
                wanted = DONE
            elif payload:
                taken = 1
                if crd < -1:
                    if parent_head + 1 == parent_tail:
                        port = 2
                        break
                    taken = 2
                    parent = parents[uint64(FIRST_TOKEN + 2 * parent_head + 2)]
                    stamp = max(stamp, parents[uint64(FIRST_TOKEN + 2 * parent_head + 3)])
                else:
                    parent = wanted
            else:
                taken = 1
            if taken > 0 and parent != wanted:
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, parent, crd
                status, port = MISFIT, 2
                clock = max(clock, stamp)
                break
        clock = max(clock, stamp)
        parent_head += taken
        ref_head += 1
        crd_head += 1
        room -= 1
        located_out[uint64(FIRST_TOKEN + 2 * to_located)] = located
        located_out[uint64(FIRST_TOKEN + 2 * to_located + 1)] = clock + 1
        ref_out[uint64(FIRST_TOKEN + 2 * to_ref)] = ref
        ref_out[uint64(FIRST_TOKEN + 2 * to_ref + 1)] = clock + 1
        crd_out[uint64(FIRST_TOKEN + 2 * to_crd)] = crd
        crd_out[uint64(FIRST_TOKEN + 2 * to_crd + 1)] = clock + 1
        to_located += 1
        to_ref += 1
        to_crd += 1
        if ref == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, port
    state[HEADS], state[HEADS + 1], state[HEADS + 2] = ref_head, crd_head, parent_head
    located_out[0], ref_out[0], crd_out[0] = to_located, to_ref, to_crd
