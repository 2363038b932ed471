"""The operators of the einsum program: one table of names, scalar meaning and behaviour at zero."""

from collections.abc import Callable
from enum import Enum

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
    ADD_SCALAR = "add_scalar"
    MUL_SCALAR = "mul_scalar"
    DIV_SCALAR = "div_scalar"

    @property
    def takes_scalar(self) -> bool:
        return self in (UnaryOp.ADD_SCALAR, UnaryOp.MUL_SCALAR, UnaryOp.DIV_SCALAR)

    def preserves_zero(self, scalar: float) -> bool:
        """Whether ``op(0) == 0``, so that unstored elements may stay unstored."""
        match self:
            case UnaryOp.EXP | UnaryOp.LOG | UnaryOp.RSQRT | UnaryOp.SIGMOID:
                return False
            case UnaryOp.ADD_SCALAR:
                return scalar == 0.0
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
        case UnaryOp.ADD_SCALAR:
            return values + constant
        case UnaryOp.MUL_SCALAR:
            return values * constant
        case UnaryOp.DIV_SCALAR:
            return values / constant
