"""Reduce (rules 3.15 and 3.16, guarded and unguarded)."""

from numpy import float32, int64, uint32

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    BUSY,
    CLOCK,
    COUNT,
    DONE,
    EMPTY,
    FINISHED,
    FIRST_TOKEN,
    FLAG,
    FULL,
    GOT,
    HEADS,
    MEMORY,
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
def reduce(
    state: Words,
    values: Words,
    guards: Words,
    out: Words,
    guarded: bool,
    largest: bool,
    identity: float32,
    latency: int,
    interval: int,
) -> None:
    """Sum, or maximum if ``largest``. MEMORY has the bits of the result so far; ``guards`` is read if ``guarded``."""
    clock, busy = state[CLOCK], state[BUSY]
    head, tail = state[HEADS], values[0]
    guard_head, guard_tail = state[HEADS + 1], guards[0]
    out_tail = out[0]
    capacity = (len(out) - FIRST_TOKEN) // 2
    total = uint32(state[MEMORY]).view(float32)
    held = state[FLAG]  # the fiber has a value
    delay = max(latency, 1)
    flops = 0
    status, port = STARVED, 0
    while head < tail:
        token = values[FIRST_TOKEN + 2 * head]
        stamp = values[FIRST_TOKEN + 2 * head + 1]
        if token >= 0:
            value = uint32(token).view(float32)
            if not largest:
                total = float32(total + value)
            elif not value < total:
                total = value
            clock = max(clock, stamp) + interval
            busy += interval
            flops += 1
            head += 1
            held = 1
            continue
        if token == EMPTY:
            clock = max(clock, stamp)
            head += 1
            continue
        if capacity - out_tail < 2:
            status = FULL
            break
        emits = token != DONE
        taken = 0
        result_stamp = stamp  # the result leaves before the stop of the guard is taken
        if guarded:
            if guard_head == guard_tail:
                port = 1
                break
            guard = guards[FIRST_TOKEN + 2 * guard_head]
            stamp = max(stamp, guards[FIRST_TOKEN + 2 * guard_head + 1])
            taken = 1
            result_stamp = stamp
            if emits and guard >= 0:
                if token < -1:
                    if guard_head + 1 == guard_tail:
                        port = 1
                        break
                    guard = guards[FIRST_TOKEN + 2 * guard_head + 2]
                    stamp = max(stamp, guards[FIRST_TOKEN + 2 * guard_head + 3])
                    taken = 2
                else:
                    guard = token + 1
            else:
                emits = False
            lone = token != DONE and not emits
            if guard != (DONE if token == DONE else token + 1) or (lone and held):
                state[MISFIT_CODE], state[GOT], state[OTHER] = UNEQUAL, guard, token
                status, port = MISFIT, 1
                clock = max(clock, stamp)
                break
        result_clock = max(clock, result_stamp)
        clock = max(clock, stamp)
        guard_head += taken
        head += 1
        if emits:
            out[FIRST_TOKEN + 2 * out_tail] = int64(float32(total).view(uint32))
            out[FIRST_TOKEN + 2 * out_tail + 1] = result_clock + delay
            out_tail += 1
        total = identity
        held = 0
        if token != -1:
            out[FIRST_TOKEN + 2 * out_tail] = DONE if token == DONE else token + 1
            out[FIRST_TOKEN + 2 * out_tail + 1] = clock + 1
            out_tail += 1
        if token == DONE:
            status = FINISHED
            break
        clock += interval
        busy += interval
    state[CLOCK], state[BUSY], state[STATUS], state[PORT] = clock, busy, status, port
    state[COUNT] += flops
    state[FLAG] = held
    state[MEMORY] = int64(float32(total).view(uint32))
    state[HEADS], state[HEADS + 1] = head, guard_head
    out[0] = out_tail
