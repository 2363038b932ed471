"""The operators of the einsum program: one table of names, scalar meaning and behaviour at zero."""

from collections.abc import Callable
from enum import Enum
from math import pi

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

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

    @property
    def takes_scalar(self) -> bool:
        """Whether it has a constant: the second operand of ``_SCALAR``, the slope of LEAKY_RELU, alpha of ELU."""
        return self.value.endswith("_scalar") or self in (UnaryOp.LEAKY_RELU, UnaryOp.ELU)

    def preserves_zero(self, scalar: float) -> bool:
        """Whether ``op(0) == 0``, so that unstored elements may stay unstored."""
        match self:
            case UnaryOp.EXP | UnaryOp.LOG | UnaryOp.RSQRT | UnaryOp.SIGMOID | UnaryOp.RECIPROCAL:
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
    """Meaning of each unary operator on arrays, in the precision of ``values``."""
    constant = values.dtype.type(scalar)
    match op:
        case UnaryOp.IDENTITY:
            return values
        case UnaryOp.NEG:
            return -values
        case UnaryOp.RELU:
            return np.maximum(values, values.dtype.type(0))
        case UnaryOp.EXP:
            return np.exp(values)
        case UnaryOp.LOG:
            return np.log(values)
        case UnaryOp.SQRT:
            return np.sqrt(values)
        case UnaryOp.RSQRT:
            return values.dtype.type(1) / np.sqrt(values)
        case UnaryOp.SIGMOID:
            return values.dtype.type(1) / (values.dtype.type(1) + np.exp(-values))
        case UnaryOp.TANH:
            return np.tanh(values)
        case UnaryOp.ABS:
            return np.abs(values)
        case UnaryOp.SQUARE:
            return values * values
        case UnaryOp.RECIPROCAL:
            return values.dtype.type(1) / values
        case UnaryOp.GELU:
            erfs: Values = erf(values * values.dtype.type(_SQRT_HALF))
            return values * values.dtype.type(0.5) * (values.dtype.type(1) + erfs)
        case UnaryOp.GELU_TANH:
            cubic = values + values.dtype.type(0.044715) * values * values * values
            tanhs = np.tanh(values.dtype.type(_SQRT_TWO_OVER_PI) * cubic)
            return values * values.dtype.type(0.5) * (values.dtype.type(1) + tanhs)
        case UnaryOp.SILU:
            return values / (values.dtype.type(1) + np.exp(-values))
        case UnaryOp.POW_SCALAR:
            return np.power(values, constant)
        case UnaryOp.MAX_SCALAR:
            return np.maximum(values, constant)
        case UnaryOp.MIN_SCALAR:
            return np.minimum(values, constant)
        case UnaryOp.LEAKY_RELU:
            return np.where(values > 0, values, values * constant)
        case UnaryOp.ELU:
            return np.where(values > 0, values, constant * np.expm1(np.minimum(values, values.dtype.type(0))))
        case UnaryOp.ADD_SCALAR:
            return values + constant
        case UnaryOp.MUL_SCALAR:
            return values * constant
        case UnaryOp.DIV_SCALAR:
            return values / constant
