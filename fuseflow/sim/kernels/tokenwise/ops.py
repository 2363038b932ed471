"""Writing operations, and faults."""

from typing import Final

from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.layout import (
    FAULT,
    FAULT_LIMIT,
    FAULT_PORT,
    FAULT_WITH,
    FINISH,
    INS,
    OP_WORDS,
    OUTS,
    PEEK,
    SEND,
    SEND_WITH,
    TAKE,
    TICK,
    TOKENS,
    Memory,
)

MISFIT: Final = -1
CALL: Final = -2


@kernel
def peek(m: Memory, s: int, e: int, port: int) -> int:
    """Read the head of input ``port``."""
    m[e] = PEEK
    m[e + 1] = m[m[s + INS] + port]
    m[e + 2] = m[s + TOKENS] + port
    return e + OP_WORDS


@kernel
def take(m: Memory, s: int, e: int, port: int) -> int:
    """Read the head of input ``port`` and drop it."""
    m[e] = TAKE
    m[e + 1] = m[m[s + INS] + port]
    m[e + 2] = m[s + TOKENS] + port
    return e + OP_WORDS


@kernel
def send(m: Memory, s: int, e: int, port: int, token: int, latency: int) -> int:
    """Send ``token``, stamped ``latency`` after the clock of this operation."""
    channel = m[m[s + OUTS] + port]
    m[e] = SEND
    m[e + 1] = channel
    m[e + 2] = token
    m[e + 3] = latency
    return e + OP_WORDS


@kernel
def send_with(m: Memory, s: int, e: int, port: int, token: int, latency: int) -> int:
    """Send ``token``, stamped ``latency`` after the clock of the last plain send."""
    channel = m[m[s + OUTS] + port]
    m[e] = SEND_WITH
    m[e + 1] = channel
    m[e + 2] = token
    m[e + 3] = latency
    return e + OP_WORDS


@kernel
def tick(m: Memory, e: int, cycles: int) -> int:
    """Advance the clock."""
    m[e] = TICK
    m[e + 1] = cycles
    return e + OP_WORDS


@kernel
def finish(m: Memory, e: int) -> int:
    """Return."""
    m[e] = FINISH
    return e + OP_WORDS


@kernel
def fault(m: Memory, s: int, code: int, port: int, other: int) -> int:
    """The tokens at inputs ``port`` and ``other`` do not fit, as fault ``code`` says; ``other`` is -1 for one alone."""
    m[s + FAULT] = code
    m[s + FAULT_PORT] = port
    m[s + FAULT_WITH] = other
    return MISFIT


@kernel
def fault_beyond(m: Memory, s: int, code: int, port: int, limit: int) -> int:
    """The token at input ``port`` is not below ``limit``."""
    m[s + FAULT_LIMIT] = limit
    return fault(m, s, code, port, -1)
