"""The operators of the einsum program: one table of names, scalar meaning and behaviour at zero."""

from collections.abc import Callable
from enum import Enum
from math import pi

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]


class BinaryOp(Enum):
    """Element-wise operators on two operands."""

    MUL = "mul"
    ADD = "add"
    SUB = "sub"
    DIV = "div"
    MAX = "max"
    MIN = "min"


class UnaryOp(Enum):
    """Element-wise operators on one operand; those that end in ``_SCALAR`` take a constant."""

    IDENTITY = "identity"
    NEG = "neg"
    RELU = "relu"
    EXP = "exp"
    LOG = "log"
    SQRT = "sqrt"
    RSQRT = "rsqrt"
    SIGMOID = "sigmoid"
    TANH = "tanh"
    ABS = "abs"
    SQUARE = "square"
    RECIPROCAL = "reciprocal"
    GELU = "gelu"
    GELU_TANH = "gelu_tanh"
    SILU = "silu"
    ADD_SCALAR = "add_scalar"
    MUL_SCALAR = "mul_scalar"
    DIV_SCALAR = "div_scalar"
    POW_SCALAR = "pow_scalar"
    MAX_SCALAR = "max_scalar"
    MIN_SCALAR = "min_scalar"
    LEAKY_RELU = "leaky_relu"
    ELU = "elu"
    SIN = "sin"
    COS = "cos"

    @property
    def takes_scalar(self) -> bool:
        """Whether it has a constant: the second operand of ``_SCALAR``, the slope of LEAKY_RELU, alpha of ELU."""
        return self.value.endswith("_scalar") or self in (UnaryOp.LEAKY_RELU, UnaryOp.ELU)

    def preserves_zero(self, scalar: float) -> bool:
        """Whether ``op(0) == 0``, so that unstored elements may stay unstored."""
        match self:
            case UnaryOp.EXP | UnaryOp.LOG | UnaryOp.RSQRT | UnaryOp.SIGMOID | UnaryOp.RECIPROCAL | UnaryOp.COS:
                return False
            case UnaryOp.ADD_SCALAR:
                return scalar == 0.0
            case UnaryOp.POW_SCALAR:
                return scalar > 0.0
            case UnaryOp.MAX_SCALAR:
                return scalar <= 0.0
            case UnaryOp.MIN_SCALAR:
                return scalar >= 0.0
            case UnaryOp.DIV_SCALAR:
                return scalar != 0.0
            case _:
                return True


class ReduceOp(Enum):
    """Reductions over one or more index variables."""

    SUM = "sum"
    MAX = "max"


BINARY: dict[BinaryOp, Callable[[Values, Values], Values]] = {
    BinaryOp.MUL: np.multiply,
    BinaryOp.ADD: np.add,
    BinaryOp.SUB: np.subtract,
    BinaryOp.DIV: np.divide,
    BinaryOp.MAX: np.maximum,
    BinaryOp.MIN: np.minimum,
}
"""Meaning of each binary operator on arrays."""


_SQRT_HALF = 0.5**0.5
_SQRT_TWO_OVER_PI = (2.0 / pi) ** 0.5


def apply_unary(op: UnaryOp, values: Values, scalar: float) -> Values:
    """Meaning of each unary operator on arrays, in the precision of ``values``.

    Transcendental functions are computed in double precision and rounded, so that libraries that differ in the last bit
    of a function agree on the result.
    """
    constant = values.dtype.type(scalar)
    double = values.astype(np.float64)
    match op:
        case UnaryOp.IDENTITY:
            return values
        case UnaryOp.NEG:
            return -values
        case UnaryOp.RELU:
            return np.maximum(values, values.dtype.type(0))
        case UnaryOp.EXP:
            return np.exp(double).astype(values.dtype)
        case UnaryOp.LOG:
            return np.log(double).astype(values.dtype)
        case UnaryOp.SQRT:
            return np.sqrt(values)
        case UnaryOp.RSQRT:
            return values.dtype.type(1) / np.sqrt(values)
        case UnaryOp.SIGMOID:
            return (1.0 / (1.0 + np.exp(-double))).astype(values.dtype)
        case UnaryOp.TANH:
            return np.tanh(double).astype(values.dtype)
        case UnaryOp.ABS:
            return np.abs(values)
        case UnaryOp.SQUARE:
            return values * values
        case UnaryOp.RECIPROCAL:
            return values.dtype.type(1) / values
        case UnaryOp.GELU:
            from scipy.special import erf  # loading it takes longer than most programs that never need it

            erfs: Values = erf(double * _SQRT_HALF)
            gelu: Values = (double * 0.5 * (1.0 + erfs)).astype(values.dtype)
            return gelu
        case UnaryOp.GELU_TANH:
            cubic = double + 0.044715 * double * double * double
            tanhs: Values = (double * 0.5 * (1.0 + np.tanh(_SQRT_TWO_OVER_PI * cubic))).astype(values.dtype)
            return tanhs
        case UnaryOp.SILU:
            return (double / (1.0 + np.exp(-double))).astype(values.dtype)
        case UnaryOp.POW_SCALAR:
            return np.power(double, np.float64(constant)).astype(values.dtype)
        case UnaryOp.MAX_SCALAR:
            return np.maximum(values, constant)
        case UnaryOp.MIN_SCALAR:
            return np.minimum(values, constant)
        case UnaryOp.LEAKY_RELU:
            return np.where(values > 0, values, values * constant)
        case UnaryOp.ELU:
            below = (np.float64(constant) * np.expm1(np.minimum(double, 0.0))).astype(values.dtype)
            return np.where(values > 0, values, below)
        case UnaryOp.SIN:
            return np.sin(double).astype(values.dtype)
        case UnaryOp.COS:
            return np.cos(double).astype(values.dtype)
        case UnaryOp.ADD_SCALAR:
            return values + constant
        case UnaryOp.MUL_SCALAR:
            return values * constant
        case UnaryOp.DIV_SCALAR:
            return values / constant
