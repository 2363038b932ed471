"""Intersect of a stream with the fibers of a level scanner that nothing else reads (rules 3.1, 3.2 and 3.8).

The scanner's tokens are not made one by one: those that the joiner drops between two coordinates of the stream cost a
search, so the work follows the stream and not the scanned fibers. Two nodes, two clocks, one cycle per token.
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
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST


@kernel
def intersect_scan(
    state: Words,
    crds: Words,
    payloads: Words,
    crd_head: int,
    payload_head: int,
    scanner: Words,
    refs: Words,
    crd_out: Words,
    payload_out: Words,
    ref_out: Words,
    segments: NDArray[int64],
    coordinates: NDArray[int32],
    extent: int,
    initial_delay: int,
    empty_fiber: bool,
) -> None:
    """``state`` is the joiner's, ``scanner`` the scanner's (dense if ``extent`` is not negative).

    The heads of the stream are in the words ``crd_head`` and ``payload_head`` of ``state``. PHASE 1 is inside a fiber:
    CURSOR is its next place and LIMIT the place after its last, all in the storage (for a dense
    level, coordinates); AUX is the stamp that place 0 would have, GOT its stop, OTHER the stamp of that, and the
    scanner's AUX the reference of place 0. MISFIT at whatever needs the rules of single tokens.
    """
    clock, busy, phase = state[CLOCK], state[BUSY], state[PHASE]
    a_head, p_head, r_head = state[crd_head], state[payload_head], scanner[HEADS]
    a_tail = min(crds[0], payloads[0] + a_head - p_head)
    r_tail = refs[0]
    shift = p_head - a_head
    to_crd, to_payload, to_ref = crd_out[0], payload_out[0], ref_out[0]
    room = (
        min(len(crd_out) - 2 * to_crd, min(len(payload_out) - 2 * to_payload, len(ref_out) - 2 * to_ref)) - FIRST
    ) // 2
    dense = extent >= 0
    place, limit, origin, stop, last = state[CURSOR], state[LIMIT], state[AUX], state[GOT], state[OTHER]
    base = scanner[AUX]
    scan_clock, scan_busy = scanner[CLOCK], scanner[BUSY]
    status = STARVED
    while True:
        if phase == 0:
            if r_head == r_tail:
                break
            token, stamp = refs[FIRST + 2 * r_head], refs[FIRST + 2 * r_head + 1]
            place, limit, base, stop = int64(0), int64(0), int64(0), int64(-1)
            if token >= 0 or (token == EMPTY and empty_fiber):
                if r_head + 1 == r_tail:
                    break
                if token >= 0:
                    if dense:
                        limit, base = int64(extent), token * extent
                    elif token + 1 >= len(segments):
                        status = MISFIT
                        break
                    else:
                        place, limit = segments[token], segments[token + 1]
                    if token != scanner[MEMORY]:
                        scanner[EXTRA] += 1
                        scanner[MEMORY] = token
                scan_clock = max(scan_clock, stamp) + initial_delay
                origin = scan_clock + 1 - place
                length = limit - place
                scan_clock += length
                scan_busy += length + initial_delay
                scanner[COUNT] += length
                following = refs[FIRST + 2 * r_head + 2]
                scan_clock = max(scan_clock, refs[FIRST + 2 * r_head + 3])
                r_head += 1
                if EMPTY < following < 0:
                    r_head += 1
                    stop = following - 1
            elif token == EMPTY:
                status = MISFIT
                break
            else:
                r_head += 1
                scan_clock = max(scan_clock, stamp)
                stop = token if token == DONE else token - 1
            last = scan_clock + 1
            if stop != DONE:
                scan_clock += 1
                scan_busy += 1
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
        # Drop what is smaller.
        ahead = limit
        if a >= 0:
            if dense:
                ahead = min(max(a, place), limit)
            else:
                ahead = place
                stride = int64(1)
                while ahead + stride <= limit and coordinates[ahead + stride - 1] < a:
                    ahead += stride
                    stride *= 2
                while stride > 1:
                    stride //= 2
                    if ahead + stride <= limit and coordinates[ahead + stride - 1] < a:
                        ahead += stride
        elif a <= EMPTY and (ahead > place or a != stop):
            status = MISFIT
            break
        if ahead > place:
            clock = max(clock, max(stamp, origin + place)) + ahead - place
            busy += ahead - place
            place = ahead
        if place < limit:
            clock = max(clock, max(stamp, origin + place))
            if a == (place if dense else int64(coordinates[place])):
                crd_out[FIRST + 2 * to_crd], crd_out[FIRST + 2 * to_crd + 1] = a, clock + 1
                payload_out[FIRST + 2 * to_payload], payload_out[FIRST + 2 * to_payload + 1] = p, clock + 1
                ref_out[FIRST + 2 * to_ref], ref_out[FIRST + 2 * to_ref + 1] = base + place, clock + 1
                to_crd += 1
                to_payload += 1
                to_ref += 1
                room -= 1
                place += 1
        else:
            clock = max(clock, max(stamp, last))
            if a < 0:
                if a != stop:
                    status = MISFIT
                    break
                crd_out[FIRST + 2 * to_crd], crd_out[FIRST + 2 * to_crd + 1] = a, clock + 1
                payload_out[FIRST + 2 * to_payload], payload_out[FIRST + 2 * to_payload + 1] = p, clock + 1
                ref_out[FIRST + 2 * to_ref], ref_out[FIRST + 2 * to_ref + 1] = stop, clock + 1
                to_crd += 1
                to_payload += 1
                to_ref += 1
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
    state[CURSOR], state[LIMIT], state[AUX], state[GOT], state[OTHER] = place, limit, origin, stop, last
    state[crd_head], state[payload_head] = a_head, a_head + shift
    scanner[CLOCK], scanner[BUSY], scanner[HEADS], scanner[AUX] = scan_clock, scan_busy, r_head, base
    crd_out[0], payload_out[0], ref_out[0] = to_crd, to_payload, to_ref
