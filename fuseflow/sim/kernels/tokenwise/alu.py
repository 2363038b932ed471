"""ALUs (rules 3.12 and 3.13)."""

import math
from typing import Final

import numpy as np
from numpy import float32, float64, int64, uint32

from fuseflow.einsum.operators import UnaryOp
from fuseflow.sim.kernels.tokenwise._jit import kernel
from fuseflow.sim.kernels.tokenwise.faults import OPERANDS
from fuseflow.sim.kernels.tokenwise.layout import COUNT, DONE, EMPTY, PHASE, TOKENS, Memory, P
from fuseflow.sim.kernels.tokenwise.ops import fault, finish, send, take, tick

UNARY_CODES: Final = {
    UnaryOp.IDENTITY: 0,
    UnaryOp.NEG: 1,
    UnaryOp.RELU: 2,
    UnaryOp.SQRT: 3,
    UnaryOp.RSQRT: 4,
    UnaryOp.ADD_SCALAR: 5,
    UnaryOp.MUL_SCALAR: 6,
    UnaryOp.DIV_SCALAR: 7,
    UnaryOp.EXP: 8,
    UnaryOp.LOG: 9,
    UnaryOp.SIGMOID: 10,
    UnaryOp.TANH: 11,
    UnaryOp.ABS: 12,
    UnaryOp.SQUARE: 13,
    UnaryOp.RECIPROCAL: 14,
    UnaryOp.GELU: 15,
    UnaryOp.GELU_TANH: 16,
    UnaryOp.SILU: 17,
    UnaryOp.POW_SCALAR: 18,
    UnaryOp.MAX_SCALAR: 19,
    UnaryOp.MIN_SCALAR: 20,
    UnaryOp.LEAKY_RELU: 21,
    UnaryOp.ELU: 22,
    UnaryOp.SIN: 23,
    UnaryOp.COS: 24,
}
SQRT_HALF: Final = 0.5**0.5
SQRT_TWO_OVER_PI: Final = (2.0 / math.pi) ** 0.5


@kernel
def binary_value(code: int, left: int, right: int) -> int:
    """Bits of the result; ``code`` as in ``kernels.alu.BINARY_CODES``."""
    x, y = uint32(left).view(float32), uint32(right).view(float32)
    if code == 0:
        z = x * y
    elif code == 1:
        z = x + y
    elif code == 2:
        z = x - y
    elif code == 3:
        z = x / y
    elif code == 4:
        z = x if x > y or x != x else y
    else:
        z = x if x < y or x != x else y
    return int64(float32(z).view(uint32))  # type: ignore[return-value]  # numba: its integer


@kernel
def unary_value(code: int, word: int, scalar: int) -> int:
    """Bits of the result; ``scalar`` is the bits of the constant. Transcendental functions as in ``apply_unary``."""
    x, c = uint32(word).view(float32), uint32(scalar).view(float32)
    if code == 0:
        z = x
    elif code == 1:
        z = -x
    elif code == 2:
        z = x if x > 0 or x != x else float32(0)
    elif code == 3:
        z = np.sqrt(x)
    elif code == 4:
        z = float32(1) / np.sqrt(x)
    elif code == 5:
        z = x + c
    elif code == 6:
        z = x * c
    elif code == 7:
        z = x / c
    elif code == 8:
        z = float32(math.exp(float64(x)))
    elif code == 9:
        z = float32(math.log(float64(x)))
    elif code == 10:
        z = float32(1.0 / (1.0 + math.exp(-float64(x))))
    elif code == 11:
        z = float32(math.tanh(float64(x)))
    elif code == 12:
        z = abs(x)
    elif code == 13:
        z = x * x
    elif code == 14:
        z = float32(1) / x
    elif code == 15:
        z = float32(float64(x) * 0.5 * (1.0 + math.erf(float64(x) * SQRT_HALF)))
    elif code == 16:
        cubic = float64(x) + 0.044715 * float64(x) * float64(x) * float64(x)
        z = float32(float64(x) * 0.5 * (1.0 + math.tanh(SQRT_TWO_OVER_PI * cubic)))
    elif code == 17:
        z = float32(float64(x) / (1.0 + math.exp(-float64(x))))
    elif code == 18:
        z = float32(float64(x) ** float64(c))
    elif code == 19:
        z = x if x > c or x != x else c
    elif code == 20:
        z = x if x < c or x != x else c
    elif code == 21:
        z = x if x > 0 else x * c
    elif code == 22:
        z = x if x > 0 else float32(float64(c) * math.expm1(float64(x) if x < 0 or x != x else 0.0))
    elif code == 23:
        z = float32(math.sin(float64(x)))
    else:
        z = float32(math.cos(float64(x)))
    return int64(float32(z).view(uint32))  # type: ignore[return-value]  # numba: its integer


@kernel
def binary(m: Memory, s: int, e: int) -> int:
    """P: code, latency, interval, cycles of a stop."""
    if m[s + PHASE] != 0:
        a, b = m[m[s + TOKENS]], m[m[s + TOKENS] + 1]
        if (a >= 0 or a == EMPTY) and (b >= 0 or b == EMPTY):
            e = send(m, s, e, 0, binary_value(m[s + P], max(a, 0), max(b, 0)), m[s + P + 1])
            m[s + COUNT] += 1
            e = tick(m, e, m[s + P + 2])
        elif a == b:
            e = send(m, s, e, 0, a, 1)
            if a == DONE:
                return finish(m, e)
            e = tick(m, e, m[s + P + 3])
        else:
            return fault(m, s, OPERANDS, 0, 1)
    else:
        m[s + PHASE] = 1
    return take(m, s, take(m, s, e, 0), 1)


@kernel
def unary(m: Memory, s: int, e: int) -> int:
    """P: code, latency, interval, bits of the constant, cycles of a stop."""
    if m[s + PHASE] != 0:
        token = m[m[s + TOKENS]]
        if token >= 0 or token == EMPTY:
            e = send(m, s, e, 0, unary_value(m[s + P], max(token, 0), m[s + P + 3]), m[s + P + 1])
            m[s + COUNT] += 1
            e = tick(m, e, m[s + P + 2])
        else:
            e = send(m, s, e, 0, token, 1)
            if token == DONE:
                return finish(m, e)
            e = tick(m, e, m[s + P + 4])
    else:
        m[s + PHASE] = 1
    return take(m, s, e, 0)
