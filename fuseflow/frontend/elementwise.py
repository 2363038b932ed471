"""Element-wise operations on one or two tensors, and constants."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, UnaryOp
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx

Handler = Callable[[Translator, "fx.Node", str], Value]


def binary(op: BinaryOp) -> Handler:
    """Handler of an operation on two tensors, or on a tensor and a constant."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        left, right = node.args[:2]
        name = node.name.strip("_")
        if node.kwargs.get("alpha", 1) != 1:
            raise translator.fault(f"alpha={node.kwargs['alpha']} is not supported; multiply the operand instead")
        if isinstance(right, int | float):
            return _with_constant(translator, name, op, translator.value(left), float(right), group)
        return translator.binary(name, op, translator.value(left), translator.value(right), group)

    return handle


def _with_constant(
    translator: Translator, name: str, op: BinaryOp, operand: Value, constant: float, group: str
) -> Value:
    match op:
        case BinaryOp.ADD:
            return translator.unary(name, UnaryOp.ADD_SCALAR, operand, group, constant)
        case BinaryOp.SUB:
            return translator.unary(name, UnaryOp.ADD_SCALAR, operand, group, -constant)
        case BinaryOp.MUL:
            return translator.unary(name, UnaryOp.MUL_SCALAR, operand, group, constant)
        case BinaryOp.DIV:
            return translator.unary(name, UnaryOp.DIV_SCALAR, operand, group, constant)
        case _:
            raise translator.fault(f"{op.value} with the constant {constant} is not supported")


def unary(op: UnaryOp) -> Handler:
    """Handler of an operation on one tensor."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        return translator.unary(node.name.strip("_"), op, translator.value(node.args[0]), group)

    return handle


def dropout(translator: Translator, node: "fx.Node", group: str) -> Value:
    """Dropout outside of training does nothing."""
    if len(node.args) > 2 and node.args[2]:
        raise translator.fault("dropout in training mode is random; call module.eval() before tracing")
    return translator.value(node.args[0])


HANDLERS: dict[str, Handler] = {
    "add": binary(BinaryOp.ADD),
    "sub": binary(BinaryOp.SUB),
    "mul": binary(BinaryOp.MUL),
    "div": binary(BinaryOp.DIV),
    "maximum": binary(BinaryOp.MAX),
    "minimum": binary(BinaryOp.MIN),
    "relu": unary(UnaryOp.RELU),
    "relu_": unary(UnaryOp.RELU),
    "exp": unary(UnaryOp.EXP),
    "neg": unary(UnaryOp.NEG),
    "sqrt": unary(UnaryOp.SQRT),
    "sigmoid": unary(UnaryOp.SIGMOID),
    "tanh": unary(UnaryOp.TANH),
    "dropout": dropout,
}
