"""Sparse accumulators (rules 3.17 and 3.18, and their generalisation in ``sim/blocks/accumulate_many``)."""

from fuseflow.sim.kernels.tokenwise import table
from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import (
    ACCUMULATED,
    ACCUMULATED_BEYOND,
    ACCUMULATED_EMPTY,
    ACCUMULATED_END,
    ACCUMULATED_MIDDLE,
    ACCUMULATED_PAIR,
    ACCUMULATED_REDUCED,
)
from fuseflow.sim.kernels.tokenwise.layout import DONE, EMPTY, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import CALL, fault, fault_beyond, finish, peek, send, take, tick

BATCH = 8

add, clear, place, sort = table.add, table.clear, table.place, table.sort


@kernel
def sum_one_turn(m: Memory, s: int, e: int) -> int:
    """End of a turn: a cycle, and the heads of the next."""
    m[s + PHASE] = 1
    return peek(m, s, peek(m, s, peek(m, s, tick(m, e, 1), 1), 0), 2)


@kernel
def sum_one(m: Memory, s: int, e: int) -> int:
    """Order 1: inputs crd0, crd1 (reduced), val; outputs crd0, val.

    P: table, size, list, extent, cycles of a value sent at a flush (0 in the reference), more cycles of a
    value taken in (0 for numbers). R: keys, cursor, ``fresh``,
    ``retired``. Phase 1 has the three heads, 2 flushes, 3 has the outer head behind the stop.
    """
    phase = m[s + PHASE]
    tokens = m[s + TOKENS]
    inner, outer, val = m[tokens], m[tokens + 1], m[tokens + 2]
    if phase == 0:
        m[s + R + 2] = 1
        m[s + PHASE] = 1
        return peek(m, s, peek(m, s, peek(m, s, e, 1), 0), 2)
    if phase == 1:
        if (inner >= 0) != (val >= 0) or (inner < 0 and inner != val):
            return fault(m, s, ACCUMULATED, 0, 2)
        if outer >= 0:
            if EMPTY < inner < 0:
                e = take(m, s, e, 1)
            elif inner < 0:
                return fault(m, s, ACCUMULATED_PAIR, 0, 2)
            elif inner >= m[s + P + 3]:
                return fault_beyond(m, s, ACCUMULATED_BEYOND, 0, m[s + P + 3])
            elif not add(m, s, inner, val):
                return CALL
            m[s + R + 2] = 0
            e = take(m, s, take(m, s, e, 0), 2)
            if inner >= 0 and m[s + P + 5] > 0:
                e = tick(m, e, m[s + P + 5])
            return sum_one_turn(m, s, e)
        if outer == DONE:
            if inner == DONE:
                return finish(m, send(m, s, send(m, s, e, 0, DONE, 1), 1, DONE, 1))
            return sum_one_turn(m, s, take(m, s, take(m, s, e, 0), 2))
        if outer == EMPTY:
            return fault(m, s, ACCUMULATED_REDUCED, 1, -1)
        sort(m, s)
        m[s + R + 1] = 0
        m[s + PHASE] = phase = 2
    if phase == 2:
        first = m[s + R + 1]
        last = min(first + BATCH, m[s + R])
        for number in range(first, last):
            key = m[m[s + P + 2] + number]
            e = send(m, s, e, 0, key, 1)
            e = send(m, s, e, 1, m[place(m, m[s + P], m[s + P + 1], key) + 1], 1)
            if m[s + P + 4] > 0:
                e = tick(m, e, m[s + P + 4])
        m[s + R + 1] = last
        if last < m[s + R]:
            return e
        clear(m, s)
        e = send(m, s, e, 1, outer, 1)
        e = take(m, s, send(m, s, e, 0, outer, 1), 1)
        fresh = m[s + R + 2]
        m[s + R + 2] = 1
        if fresh != 0 and m[s + R + 3] == 0:
            if inner != outer - 1:
                return fault(m, s, ACCUMULATED_EMPTY, 1, 0)
            return sum_one_turn(m, s, take(m, s, take(m, s, e, 0), 2))
        m[s + R + 3] = 0
        if EMPTY < inner < 0:
            m[s + PHASE] = 3
            return peek(m, s, e, 1)
        return sum_one_turn(m, s, e)
    if EMPTY < outer < 0 and inner == outer - 1:
        m[s + R + 3] = 1
        e = take(m, s, take(m, s, e, 0), 2)
    return sum_one_turn(m, s, e)


@kernel
def sum_many_turn(m: Memory, s: int, e: int) -> int:
    """The heads of the next turn, outermost first, the value last."""
    m[s + PHASE] = 1
    order = m[s + P + 4]
    for level in range(order, -1, -1):
        e = peek(m, s, e, level)
    return peek(m, s, e, order + 1)


@kernel
def take_empty(m: Memory, s: int, e: int, level: int, stop: int) -> int:
    """Take the stops further in that stand for the empty fiber of ``level`` that ``stop`` ends."""
    for inner in range(level - 1, -1, -1):
        if m[m[s + TOKENS] + inner] != stop - (level - inner):
            return fault(m, s, ACCUMULATED_EMPTY, level, inner)
        e = take(m, s, e, inner)
    return take(m, s, e, m[s + P + 4] + 1)


@kernel
def sum_many(m: Memory, s: int, e: int) -> int:
    """Order n: inputs crd0 ... crd<n> (reduced), val; outputs crd0 ... crd<n-1>, val.

    P: table, size, list, cycles of a value sent at a flush, n, extents by level, ``fresh`` by level, more cycles
    of a value taken in. R: keys, cursor.
    Phase 1 has all heads, 2 flushes.
    """
    phase, order = m[s + PHASE], m[s + P + 4]
    tokens, extents, fresh = m[s + TOKENS], m[s + P + 5], m[s + P + 6]
    if phase == 0:
        for level in range(order + 1):
            m[fresh + level] = 1
        return sum_many_turn(m, s, e)
    val, outer = m[tokens + order + 1], m[tokens + order]
    if phase == 1:
        innermost = m[tokens]
        if (innermost >= 0) != (val >= 0) or (innermost < 0 and innermost != val):
            return fault(m, s, ACCUMULATED, 0, order + 1)
        ends = order - 1
        while ends > 0 and m[tokens + ends] >= 0:
            ends -= 1
        if outer >= 0:
            if ends == 0:
                if innermost >= 0:
                    key = 0
                    for level in range(order - 1, -1, -1):
                        head = m[tokens + level]
                        if head >= m[extents + level]:
                            return fault_beyond(m, s, ACCUMULATED_BEYOND, level, m[extents + level])
                        key = key * m[extents + level] + head
                    if not add(m, s, key, val):
                        return CALL
                elif innermost <= EMPTY:
                    return fault(m, s, ACCUMULATED_PAIR, 0, order + 1)
                e = take(m, s, take(m, s, e, 0), order + 1)
                if innermost < 0:
                    e = take(m, s, e, 1)
                elif m[s + P + 7] > 0:
                    e = tick(m, e, m[s + P + 7])
                for level in range(1, order):
                    m[fresh + level] = 0
            else:
                stop = m[tokens + ends]
                if stop <= EMPTY:
                    return fault(m, s, ACCUMULATED_MIDDLE, ends, -1)
                for level in range(ends + 1, order):
                    m[fresh + level] = 0
                if m[fresh + ends] != 0:
                    e = take_empty(m, s, e, ends, stop)
                    if e < 0:
                        return e
                e = take(m, s, take(m, s, e, ends), ends + 1)
                m[fresh + ends] = 1
            m[fresh + order] = 0
            return sum_many_turn(m, s, tick(m, e, 1))
        if outer == DONE:
            if ends > 0 and EMPTY < m[tokens + ends] < 0:
                return sum_many_turn(m, s, tick(m, take(m, s, e, ends), 1))
            for level in range(order):
                if m[tokens + level] != DONE:
                    return fault(m, s, ACCUMULATED_END, order, level)
            for port in range(order + 1):
                e = send(m, s, e, port, DONE, 1)
            return finish(m, e)
        if outer == EMPTY:
            return fault(m, s, ACCUMULATED_REDUCED, order, -1)
        sort(m, s)
        m[s + R + 1] = 0
        m[s + PHASE] = 2
    count, keys = m[s + R], m[s + P + 2]
    first = m[s + R + 1]
    last = min(first + BATCH, count)
    for number in range(first, last):
        key = m[keys + number]
        before = m[keys + number - 1] if number > 0 else -1
        after = m[keys + number + 1] if number + 1 < count else -1
        stride, shared, closed = 1, 0, 0  # levels whose coordinate is new; levels whose fiber ends here
        for level in range(order):
            if before < 0 or key // stride != before // stride:
                shared = level
            if after < 0 or key // stride != after // stride:
                closed = level
            stride *= m[extents + level]
        for level in range(shared, 0, -1):
            below = 1
            for inner in range(level):
                below *= m[extents + inner]
            e = send(m, s, e, level, (key // below) % m[extents + level], 1)
        e = send(m, s, e, order, m[place(m, m[s + P], m[s + P + 1], key) + 1], 1)
        e = send(m, s, e, 0, key % m[extents], 1)
        if m[s + P + 3] > 0:
            e = tick(m, e, m[s + P + 3])
        if after < 0:
            closing = outer - (order - 1)
            e = send(m, s, send(m, s, e, order, closing, 1), 0, closing, 1)
            for level in range(1, order):
                e = send(m, s, e, level, closing + level, 1)
        elif closed > 0:
            e = send(m, s, send(m, s, e, order, -closed, 1), 0, -closed, 1)
            for level in range(1, closed):
                e = send(m, s, e, level, level - closed, 1)
    m[s + R + 1] = last
    if last < count:
        return e
    if count == 0:
        closing = outer - (order - 1)
        if order == 2:
            e = send(m, s, send(m, s, e, order, closing, 1), 0, closing, 1)
        else:
            for level in range(order - 1):
                e = send(m, s, e, level, closing + level, 1)
            e = send(m, s, e, order, closing, 1)
        e = send(m, s, e, order - 1, outer, 1)
    clear(m, s)
    e = take(m, s, e, order)
    if m[fresh + order] != 0:
        e = take_empty(m, s, e, order, outer)
        if e < 0:
            return e
    m[fresh + order] = 1
    return sum_many_turn(m, s, tick(m, e, 1))
