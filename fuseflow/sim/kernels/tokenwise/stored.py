"""Scanner, array and writers whose data lie in a modelled memory (rule 4.4)."""

from typing import Final

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import NOT_RISING, OUT_OF_FIBERS, OUT_OF_VALUES
from fuseflow.sim.kernels.tokenwise.layout import (
    ANSWER,
    ASK,
    COUNT,
    DONE,
    EMPTY,
    EXTRA,
    OP_WORDS,
    PHASE,
    PORT_ADDRESSES,
    TOKENS,
    Memory,
    P,
    R,
)
from fuseflow.sim.kernels.tokenwise.ops import CALL, fault_beyond, finish, peek, send, send_with, take, tick
from fuseflow.sim.kernels.tokenwise.scan import closing

BATCH: Final = 8
WORD_BYTES: Final = 4


@kernel
def access(m: Memory, e: int, port: int, addresses: int) -> int:
    """Ask memory port ``port`` for the ``addresses`` that stand there, and wait for the answers."""
    m[e] = ASK
    m[e + 1] = port
    m[e + 2] = addresses
    m[e + OP_WORDS] = ANSWER
    m[e + OP_WORDS + 1] = port
    return e + 2 * OP_WORDS


@kernel
def access_range(m: Memory, e: int, port: int, address: int, addresses: int) -> int:
    """As :func:`access`, for neighbouring words from byte ``address`` on."""
    for number in range(addresses):
        m[port + PORT_ADDRESSES + number] = address + WORD_BYTES * number
    return access(m, e, port, addresses)


@kernel
def scan_stored(m: Memory, s: int, e: int) -> int:
    """P: segments, fibers, coordinates, -, output latency, segment port, its base address, coordinate port, empty
    fiber, base address of the coordinates. R: next position, end, reference before."""
    phase, latency = m[s + PHASE], m[s + P + 4]
    if phase == 0:
        m[s + PHASE] = 1
        m[s + R + 2] = -1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if phase == 1:
        if token >= 0:
            if token >= m[s + P + 1]:
                return fault_beyond(m, s, OUT_OF_FIBERS, 0, m[s + P + 1])
            e = access_range(m, e, m[s + P + 5], m[s + P + 6] + WORD_BYTES * token, 2)
            if token != m[s + R + 2]:
                m[s + EXTRA] += 1
                m[s + R + 2] = token
            m[s + R], m[s + R + 1] = m[m[s + P] + token], m[m[s + P] + token + 1]
            if m[s + R] < m[s + R + 1]:
                m[s + PHASE] = 2
                return e
        elif token != EMPTY or m[s + P + 8] == 0:
            return closing(m, s, e, token - 1 if token > EMPTY else token, latency)
        m[s + PHASE] = 3
        return peek(m, s, e, 0)
    if phase == 2:
        first = m[s + R]
        last = min(first + BATCH, m[s + R + 1])
        e = access_range(m, e, m[s + P + 7], m[s + P + 9] + WORD_BYTES * first, last - first)
        e = send(m, s, e, 0, m[m[s + P + 2] + first], latency)
        e = send_with(m, s, e, 1, first, latency)
        for position in range(first + 1, last):
            e = send_with(m, s, e, 0, m[m[s + P + 2] + position], latency)
            e = send_with(m, s, e, 1, position, latency)
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
def array_stored(m: Memory, s: int, e: int) -> int:
    """P: values, their number, latency, interval, port, base address, place of the pending values. R: pending ones."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    pending = m[s + R]
    if token >= 0:
        if token >= m[s + P + 1]:
            return fault_beyond(m, s, OUT_OF_VALUES, 0, m[s + P + 1])
        m[m[s + P + 6] + pending] = m[m[s + P] + token]
        m[m[s + P + 4] + PORT_ADDRESSES + pending] = m[s + P + 5] + WORD_BYTES * token
        pending += 1
        m[s + COUNT] += 1
    latency = m[s + P + 2] if token >= 0 else 1
    if pending == BATCH or (token < 0 and pending > 0):
        e = access(m, e, m[s + P + 4], pending)
        for number in range(pending):
            e = send(m, s, e, 0, m[m[s + P + 6] + number], latency)
        pending = 0
    m[s + R] = pending
    if token < 0:
        e = send(m, s, e, 0, 0 if token == EMPTY else token, 1)
        if token == DONE:
            return finish(m, e)
    return take(m, s, tick(m, e, m[s + P + 3]), 0)


@kernel
def write_crd_stored(m: Memory, s: int, e: int) -> int:
    """P: buffer of coordinates, buffer of ends, their size, cycles of a repeated stop or ``N``, coordinate port,
    segment port, their base addresses, coordinates may come in any order. R: filled words of the two, ``closed``, what
    is still to be written of both, the coordinate before.
    """
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        m[s + R + 5] = -1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    flushes = token in (DONE, EMPTY)
    if token >= 0:
        if token <= m[s + R + 5] and m[s + P + 8] == 0:
            return fault_beyond(m, s, NOT_RISING, 0, m[s + R + 5])
        if m[s + R] == m[s + P + 2]:
            return CALL
        m[s + R + 5] = token
        m[m[s + P] + m[s + R]] = token
        m[s + R] += 1
        m[s + COUNT] += 1
        m[s + R + 2] = 0
        m[s + R + 3] += 1
        if m[s + R + 3] == BATCH:
            e = access_range(m, e, m[s + P + 4], m[s + P + 6] + WORD_BYTES * (m[s + COUNT] - BATCH), BATCH)
            m[s + R + 3] = 0
        return take(m, s, tick(m, e, 1), 0)
    if token > EMPTY:
        if m[s + R + 1] == m[s + P + 2]:
            return CALL
        m[s + R + 5] = -1
        m[m[s + P + 1] + m[s + R + 1]] = m[s + COUNT]
        m[s + R + 1] += 1
        if m[s + R + 2] == 0:
            m[s + R + 2] = 1
            m[s + EXTRA] += 1
            m[s + R + 4] += 1
            if m[s + R + 4] == BATCH:
                e = access_range(m, e, m[s + P + 5], m[s + P + 7] + WORD_BYTES * (m[s + EXTRA] - BATCH), BATCH)
                m[s + R + 4] = 0
            return take(m, s, tick(m, e, 1), 0)
        flushes = True
    if flushes:
        if m[s + R + 3] > 0:
            first = m[s + COUNT] - m[s + R + 3]
            e = access_range(m, e, m[s + P + 4], m[s + P + 6] + WORD_BYTES * first, m[s + R + 3])
            m[s + R + 3] = 0
        if m[s + R + 4] > 0:
            first = m[s + EXTRA] - m[s + R + 4]
            e = access_range(m, e, m[s + P + 5], m[s + P + 7] + WORD_BYTES * first, m[s + R + 4])
            m[s + R + 4] = 0
    if token == DONE:
        return finish(m, e)
    if m[s + P + 3] > 0:
        e = tick(m, e, m[s + P + 3])
    return take(m, s, e, 0)


@kernel
def write_val_stored(m: Memory, s: int, e: int) -> int:
    """P: buffer, -, its size, cycles of a stop or ``N``, port, base address. R: filled words."""
    if m[s + PHASE] == 0:
        m[s + PHASE] = 1
        return take(m, s, e, 0)
    token = m[m[s + TOKENS]]
    if token == DONE:
        return finish(m, tick(m, e, 1))
    if token >= 0:
        if m[s + R] == m[s + P + 2]:
            return CALL
        m[m[s + P] + m[s + R]] = token
        m[s + R] += 1
        e = access_range(m, e, m[s + P + 4], m[s + P + 5] + WORD_BYTES * m[s + COUNT], 1)
        m[s + COUNT] += 1
        e = tick(m, e, 1)
    elif m[s + P + 3] > 0:
        e = tick(m, e, m[s + P + 3])
    return take(m, s, e, 0)
