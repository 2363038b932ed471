"""Level scanners (rules 3.1 and 3.2)."""

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import OUT_OF_FIBERS
from fuseflow.sim.kernels.tokenwise.layout import COUNT, DONE, EMPTY, EXTRA, PHASE, TOKENS, Memory, P, R
from fuseflow.sim.kernels.tokenwise.ops import fault_beyond, finish, peek, send, send_with, take, tick

BATCH = 8


@kernel
def closing(m: Memory, s: int, e: int, token: int, latency: int) -> int:
    """The turn of a control token on both outputs, and the next read."""
    e = send(m, s, e, 0, token, latency)
    e = send_with(m, s, e, 1, token, latency)
    if token == DONE:
        return finish(m, e)
    e = tick(m, e, 1)
    m[s + PHASE] = 1
    return take(m, s, e, 0)


@kernel
def scan(m: Memory, s: int, e: int) -> int:
    """P: segments, fibers, coordinates, initial delay, output latency, interval, miss latency, row size, empty fiber,
    cycles before the first token. R: next position, end, reference before, ``hit``, ``fresh``."""
    phase, latency = m[s + PHASE], m[s + P + 4]
    if phase == 0:
        m[s + PHASE] = 1
        m[s + R + 2] = -1
        return take(m, s, tick(m, e, m[s + P + 9]), 0)
    token = m[m[s + TOKENS]]
    if phase == 1:
        if token >= 0:
            if token >= m[s + P + 1]:
                return fault_beyond(m, s, OUT_OF_FIBERS, 0, m[s + P + 1])
            delay = m[s + P + 3]
            row_start = token if m[s + R + 3] else 0
            m[s + R + 3] = 0
            if token - row_start >= m[s + P + 7]:
                m[s + R + 3] = 1
                delay += m[s + P + 6]
            e = tick(m, e, delay)
            if token != m[s + R + 2]:
                m[s + EXTRA] += 1
                m[s + R + 2] = token
            m[s + R], m[s + R + 1], m[s + R + 4] = m[m[s + P] + token], m[m[s + P] + token + 1], 1
            m[s + PHASE] = phase = 2
        elif token == EMPTY and m[s + P + 8] != 0:
            m[s + PHASE] = 3
            return peek(m, s, tick(m, e, m[s + P + 3]), 0)
        else:
            return closing(m, s, e, token - 1 if token > EMPTY else token, latency)
    if phase == 2:
        first = m[s + R]
        last = min(first + BATCH, m[s + R + 1])
        coordinates, interval = m[s + P + 2], m[s + P + 5]
        for position in range(first, last):
            row_start = position if m[s + R + 4] else 0
            m[s + R + 4] = 1 if position - row_start >= m[s + P + 7] else 0
            offset = m[s + P + 6] if m[s + R + 4] else latency
            e = send(m, s, e, 0, m[coordinates + position], offset)
            e = send_with(m, s, e, 1, position, offset)
            e = tick(m, e, interval)
        m[s + COUNT] += last - first
        m[s + R] = last
        if last == m[s + R + 1]:
            m[s + PHASE] = 3
            e = peek(m, s, e, 0)
        return e
    if EMPTY < token < 0:
        return closing(m, s, take(m, s, e, 0), token - 1, latency)
    return closing(m, s, e, -1, latency)


@kernel
def scan_dense(m: Memory, s: int, e: int) -> int:
    """P: extent, empty fiber. R: next coordinate, reference of coordinate 0, reference before."""
    phase = m[s + PHASE]
    if phase == 0:
        m[s + PHASE] = 1
        m[s + R + 2] = -1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if phase == 1:
        if token >= 0:
            m[s + R], m[s + R + 1] = 0, token * m[s + P]
            if token != m[s + R + 2]:
                m[s + EXTRA] += m[s + P]
                m[s + R + 2] = token
            m[s + PHASE] = phase = 2
        elif token == EMPTY and m[s + P + 1] != 0:
            m[s + PHASE] = 3
            return peek(m, s, e, 0)
        else:
            return closing(m, s, e, token - 1 if token > EMPTY else token, 1)
    if phase == 2:
        first = m[s + R]
        last = min(first + BATCH, m[s + P])
        for coordinate in range(first, last):
            e = send(m, s, e, 0, coordinate, 1)
            e = send_with(m, s, e, 1, m[s + R + 1] + coordinate, 1)
            e = tick(m, e, 1)
        m[s + COUNT] += last - first
        m[s + R] = last
        if last == m[s + P]:
            m[s + PHASE] = 3
            e = peek(m, s, e, 0)
        return e
    if EMPTY < token < 0:
        return closing(m, s, take(m, s, e, 0), token - 1, 1)
    return closing(m, s, e, -1, 1)
