"""Intersect of a stream with the union of a compressed and a dense level that nothing else reads.

As ``lazy_intersect``, with three nodes behind the stream's partner: a compressed scanner, a dense scanner and the union
of their fibers (rules 3.1, 3.2, 3.8 and 3.9). Every coordinate of the dense level is in the union, so coordinate ``u``
leaves it at ``early + u``, or from coordinate ``turn`` on, where the compressed fiber has ended, at ``late + u``.
"""

from numpy import int32, int64
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
    FULL,
    GOT,
    HEADS,
    LIMIT,
    MEMORY,
    MISFIT,
    OTHER,
    PHASE,
    PORT,
    STARVED,
    STATUS,
    Words,
)

FIRST = FIRST_TOKEN


@kernel
def intersect_union(
    state: Words,
    crds: Words,
    payloads: Words,
    crd_head: int,
    payload_head: int,
    union: Words,
    sparse: Words,
    sparse_refs: Words,
    full: Words,
    full_refs: Words,
    crd_out: Words,
    payload_out: Words,
    sparse_out: Words,
    full_out: Words,
    segments: NDArray[int64],
    coordinates: NDArray[int32],
    extent: int,
    initial_delay: int,
    sparse_empty: bool,
    shift_crd: int,
) -> None:
    """``sparse``, ``full`` and ``union`` are the states of the scanners and of the union before the joiner's ``state``.

    ``shift_crd`` is 1 where the coordinates of the union pass a broadcast. PHASE 1 is inside a fiber: CURSOR is the
    next coordinate, AUX ``early``, OTHER ``late``, LIMIT the ``turn``, GOT the stop; in ``union``, CURSOR and LIMIT
    are the rest of the compressed fiber, AUX the stamp of the stop and GOT the length; in ``full``, AUX is the
    reference of coordinate 0. Stamps are as the joiner sees them.
    """
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    a_head, p_head = state[crd_head], state[payload_head]
    c_head, d_head = sparse[HEADS], full[HEADS]
    a_tail = min(crds[0], payloads[0] + a_head - p_head)
    c_tail, d_tail = sparse_refs[0], full_refs[0]
    shift = p_head - a_head
    to_crd, to_payload, to_sparse, to_full = crd_out[0], payload_out[0], sparse_out[0], full_out[0]
    room = min(
        min(len(crd_out) - 2 * to_crd, len(payload_out) - 2 * to_payload),
        min(len(sparse_out) - 2 * to_sparse, len(full_out) - 2 * to_full),
    )
    room = (room - FIRST) // 2
    at, early, late, turn, stop = state[CURSOR], state[AUX], state[OTHER], state[LIMIT], state[GOT]
    place, limit, last, length, base = union[CURSOR], union[LIMIT], union[AUX], union[GOT], full[AUX]
    status = STARVED
    while True:
        if phase == 0:
            if c_head == c_tail or d_head == d_tail:
                break
            c, c_stamp = sparse_refs[FIRST + 2 * c_head], sparse_refs[FIRST + 2 * c_head + 1]
            d, d_stamp = full_refs[FIRST + 2 * d_head], full_refs[FIRST + 2 * d_head + 1]
            c_fiber = c >= 0 or (c == EMPTY and sparse_empty)
            d_fiber = d >= 0
            if (c_fiber and c_head + 1 == c_tail) or (d_fiber and d_head + 1 == d_tail):
                break
            if (c == EMPTY and not sparse_empty) or d == EMPTY or c_fiber != d_fiber or c + 1 >= len(segments):
                status = MISFIT
                break
            at, length, place, limit, base = int64(0), int64(0), int64(0), int64(0), int64(0)
            # The compressed scanner.
            c_stop, c_first = int64(-1), int64(0)
            now = max(sparse[CLOCK], c_stamp)
            if c_fiber:
                if c >= 0:
                    place, limit = segments[c], segments[c + 1]
                    if c != sparse[MEMORY]:
                        sparse[EXTRA] += 1
                        sparse[MEMORY] = c
                now += initial_delay
                c_first = now + 1
                now = max(now + limit - place, sparse_refs[FIRST + 2 * c_head + 3])
                sparse[COUNT] += limit - place
                sparse[BUSY] += limit - place + initial_delay
                following = sparse_refs[FIRST + 2 * c_head + 2]
                c_head += 1
                if EMPTY < following < 0:
                    c_head += 1
                    c_stop = following - 1
            else:
                c_head += 1
                c_stop = c if c == DONE else c - 1
            c_last = now + 1
            sparse[CLOCK] = now
            if c_stop != DONE:
                sparse[CLOCK] += 1
                sparse[BUSY] += 1
            # The dense scanner.
            stop, d_first = int64(-1), int64(0)
            now = max(full[CLOCK], d_stamp)
            if d_fiber:
                length, base = int64(extent), d * extent
                d_first = now + 1
                now = max(now + length, full_refs[FIRST + 2 * d_head + 3])
                full[COUNT] += length
                full[BUSY] += length
                following = full_refs[FIRST + 2 * d_head + 2]
                d_head += 1
                if EMPTY < following < 0:
                    d_head += 1
                    stop = following - 1
            else:
                d_head += 1
                stop = d if d == DONE else d - 1
            d_last = now + 1
            full[CLOCK] = now
            if stop != DONE:
                full[CLOCK] += 1
                full[BUSY] += 1
            if stop != c_stop:
                status = MISFIT
                break
            # Their union: one turn per coordinate, then the stop.
            turn = int64(coordinates[limit - 1]) + 1 if limit > place else int64(0)
            now = union[CLOCK]
            if length > 0:
                begun = max(now, d_first)
                if limit > place:
                    begun = max(begun, c_first)
                early = begun + 1 + shift_crd
                late = early
                if turn < length:
                    late = max(early, c_last - turn + 1 + shift_crd)
                now = late - 1 - shift_crd + length
            now = max(now, max(c_last, d_last))
            last = now + 1 + shift_crd
            union[CLOCK] = now
            union[BUSY] += length
            if stop != DONE:
                union[CLOCK] += 1
                union[BUSY] += 1
            phase = 1
        if a_head == a_tail:
            break
        if room == 0:
            status = FULL
            break
        a, p = crds[FIRST + 2 * a_head], payloads[FIRST + 2 * (a_head + shift)]
        stamp = max(crds[FIRST + 2 * a_head + 1], payloads[FIRST + 2 * (a_head + shift) + 1])
        if (p < 0 and p != a and (p != EMPTY or a < 0)) or p >= 0 > a:
            status = MISFIT
            break
        ahead = length
        if a >= 0:
            ahead = min(max(a, at), length)
        elif a <= EMPTY and (at < length or a != stop):
            status = MISFIT
            break
        if ahead > at:
            clock = max(clock, max(stamp, (early if at < turn else late) + at)) + ahead - at
            if ahead > turn:
                clock = max(clock, late + ahead)
            busy += ahead - at
            at = ahead
        if at < length:
            clock = max(clock, max(stamp, (early if at < turn else late) + at))
            if a == at:
                stride = int64(1)
                while place + stride <= limit and coordinates[place + stride - 1] < a:
                    place += stride
                    stride *= 2
                while stride > 1:
                    stride //= 2
                    if place + stride <= limit and coordinates[place + stride - 1] < a:
                        place += stride
                stored = place < limit and coordinates[place] == a
                crd_out[FIRST + 2 * to_crd], crd_out[FIRST + 2 * to_crd + 1] = a, clock + 1
                payload_out[FIRST + 2 * to_payload], payload_out[FIRST + 2 * to_payload + 1] = p, clock + 1
                sparse_out[FIRST + 2 * to_sparse] = place if stored else EMPTY
                sparse_out[FIRST + 2 * to_sparse + 1] = clock + 1
                full_out[FIRST + 2 * to_full], full_out[FIRST + 2 * to_full + 1] = base + at, clock + 1
                to_crd += 1
                to_payload += 1
                to_sparse += 1
                to_full += 1
                room -= 1
                at += 1
        else:
            clock = max(clock, max(stamp, last))
            if a < 0:
                if a != stop:
                    status = MISFIT
                    break
                crd_out[FIRST + 2 * to_crd], crd_out[FIRST + 2 * to_crd + 1] = a, clock + 1
                payload_out[FIRST + 2 * to_payload], payload_out[FIRST + 2 * to_payload + 1] = p, clock + 1
                sparse_out[FIRST + 2 * to_sparse], sparse_out[FIRST + 2 * to_sparse + 1] = a, clock + 1
                full_out[FIRST + 2 * to_full], full_out[FIRST + 2 * to_full + 1] = a, clock + 1
                to_crd += 1
                to_payload += 1
                to_sparse += 1
                to_full += 1
                room -= 1
                phase = 0
                if a == DONE:
                    a_head += 1
                    status = FINISHED
                    break
            elif stop <= EMPTY:
                status = MISFIT
                break
        a_head += 1
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[PHASE], state[STATUS], state[PORT] = clock, busy, phase, status, 0
    state[CURSOR], state[AUX], state[OTHER], state[LIMIT], state[GOT] = at, early, late, turn, stop
    union[CURSOR], union[LIMIT], union[AUX], union[GOT], full[AUX] = place, limit, last, length, base
    state[crd_head], state[payload_head] = a_head, a_head + shift
    sparse[HEADS], full[HEADS] = c_head, d_head
    crd_out[0], payload_out[0], sparse_out[0], full_out[0] = to_crd, to_payload, to_sparse, to_full
