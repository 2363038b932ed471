"""Element-wise operations on one or two tensors, and constants."""

from collections.abc import Callable
from math import isfinite
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
        _refuse_alpha(translator, node)
        if isinstance(right, int | float):
            return _with_constant(translator, name, op, translator.value(left), float(right), group)
        return translator.binary(name, op, translator.value(left), translator.value(right), group)

    return handle


def _refuse_alpha(translator: Translator, node: "fx.Node") -> None:
    alpha = node.args[2] if len(node.args) > 2 else node.kwargs.get("alpha", 1)
    if alpha != 1:
        raise translator.fault(f"alpha={alpha} is not supported; multiply the operand instead")


def reversed_difference(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``rsub(x, other)``: ``other - x``, which is what ``1 - x`` becomes."""
    operand, other = translator.value(node.args[0]), node.args[1]
    name = node.name.strip("_")
    _refuse_alpha(translator, node)
    if not isinstance(other, int | float):
        return translator.binary(name, BinaryOp.SUB, translator.value(other), operand, group)
    negated = translator.unary(f"{name}_neg", UnaryOp.NEG, operand, group)
    return _with_constant(translator, name, BinaryOp.ADD, negated, float(other), group)


def _with_constant(
    translator: Translator, name: str, op: BinaryOp, operand: Value, constant: float, group: str
) -> Value:
    if not isfinite(constant):
        raise translator.fault(f"{op.value} with the constant {constant}; constants must be finite")
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


def relu_in_place(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``relu_(x)``, as ``nn.ReLU(inplace=True)`` calls it: ``relu`` if nothing reads the old ``x`` later."""
    operand = translator.value(node.args[0])
    if all(statement.name != operand.tensor for statement in translator.statements):
        raise translator.fault(f"changes the input {operand.tensor!r} in place; use relu instead")
    position = {other: number for number, other in enumerate(node.graph.nodes)}
    for other, value in translator.values.items():
        if value.tensor == operand.tensor and any(position[user] > position[node] for user in other.users):
            raise translator.fault(f"changes {other.name!r} in place, which is read again later; use relu instead")
    return unary(UnaryOp.RELU)(translator, node, group)


def dropout(translator: Translator, node: "fx.Node", group: str) -> Value:
    """Dropout outside of training does nothing."""
    if node.args[2] if len(node.args) > 2 else node.kwargs.get("train", True):
        raise translator.fault(
            "dropout in training mode is random; pass training=self.training, which eval() turns off"
        )
    return translator.value(node.args[0])


HANDLERS: dict[str, Handler] = {
    "add": binary(BinaryOp.ADD),
    "sub": binary(BinaryOp.SUB),
    "rsub": reversed_difference,
    "mul": binary(BinaryOp.MUL),
    "div": binary(BinaryOp.DIV),
    "maximum": binary(BinaryOp.MAX),
    "minimum": binary(BinaryOp.MIN),
    "relu": unary(UnaryOp.RELU),
    "relu_": relu_in_place,
    "exp": unary(UnaryOp.EXP),
    "log": unary(UnaryOp.LOG),
    "neg": unary(UnaryOp.NEG),
    "sqrt": unary(UnaryOp.SQRT),
    "rsqrt": unary(UnaryOp.RSQRT),
    "sigmoid": unary(UnaryOp.SIGMOID),
    "tanh": unary(UnaryOp.TANH),
    "dropout": dropout,
    "dropout_": dropout,
}
