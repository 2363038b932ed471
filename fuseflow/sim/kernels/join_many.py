"""Joiners of any number of operands (rules 3.8 and 3.9), a little slower than those of two."""

import numpy as np

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
    PORT,
    STARVED,
    STATUS,
    UNEQUAL,
    Words,
)


@kernel
def join_many(
    state: Words, crds: tuple[Words, ...], payloads: tuple[Words, ...], crd: Words, outs: tuple[Words, ...], union: bool
) -> None:
    """Intersect or union of ``len(crds)`` operands, as ``intersect2`` and ``union2``."""
    count = len(crds)
    clock, busy = state[CLOCK], state[BUSY]
    heads = np.empty(count, np.int64)  # words of the next coordinate and payload, and of the free place, per operand
    seats = np.empty(count, np.int64)
    tails = np.empty(count, np.int64)
    ends = np.empty(count, np.int64)
    to_crd = FIRST_TOKEN + 2 * crd[0]
    spare = len(crd) - to_crd
    for k in range(count):
        heads[k] = FIRST_TOKEN + 2 * state[HEADS + 2 * k]
        seats[k] = FIRST_TOKEN + 2 * state[HEADS + 2 * k + 1]
        tails[k] = FIRST_TOKEN + 2 * outs[k][0]
        ends[k] = heads[k] + 2 * min(crds[k][0] - state[HEADS + 2 * k], payloads[k][0] - state[HEADS + 2 * k + 1])
        spare = min(spare, len(outs[k]) - tails[k])
    status, port = 0, 0
    while status == 0:
        # Smallest token unless a value is among them: then the smallest value.
        first, least, stop = np.int64(0), np.int64(DONE), np.int64(0)
        equal = True
        for k in range(count):
            if heads[k] == ends[k]:
                port = 2 * k if heads[k] == FIRST_TOKEN + 2 * crds[k][0] else 2 * k + 1
                status = STARVED
                break
            token = crds[k][heads[k]]
            clock = max(clock, max(crds[k][heads[k] + 1], payloads[k][seats[k] + 1]))
            if k == 0:
                first, least = token, token
            equal = equal and token == first
            if token >= 0 and (least < 0 or token < least):
                least = token
            if token < 0:
                if stop == 0:
                    stop = token
                # Stops that differ, and N or D beside anything else.
                elif stop != token:
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, token, stop
                    status, port = MISFIT, 2 * k
                    break
        if status != 0:
            break
        if (not equal and stop <= EMPTY) or (union and equal and first == EMPTY):
            for k in range(count):
                if crds[k][heads[k]] == stop:
                    port = 2 * k
            state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, stop, least
            status = MISFIT
            break
        if equal or union:
            if spare == 0:
                status = FULL
                break
            for k in range(count):
                rider = payloads[k][seats[k]]
                if equal and (rider != EMPTY if first >= 0 > rider else first < 0 and rider != first):
                    state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, rider, first
                    status, port = MISFIT, 2 * k + 1
                    break
            if status != 0:
                break
            crd[to_crd] = least
            crd[to_crd + 1] = clock + 1
            to_crd += 2
            spare -= 2
            for k in range(count):
                outs[k][tails[k]] = payloads[k][seats[k]] if crds[k][heads[k]] == least else EMPTY
                outs[k][tails[k] + 1] = clock + 1
                tails[k] += 2
        for k in range(count):
            if crds[k][heads[k]] == least:
                heads[k] += 2
                seats[k] += 2
        if least == DONE:
            status = FINISHED
            break
        clock += 1
        busy += 1
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, port
    crd[0] = (to_crd - FIRST_TOKEN) // 2
    for k in range(count):
        state[HEADS + 2 * k] = (heads[k] - FIRST_TOKEN) // 2
        state[HEADS + 2 * k + 1] = (seats[k] - FIRST_TOKEN) // 2
        outs[k][0] = (tails[k] - FIRST_TOKEN) // 2
