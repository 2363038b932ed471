"""Softmax and log-softmax, each one kernel of five or six statements."""

from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, ReduceOp, UnaryOp
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx


def softmax(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``exp(x - max) / sum(exp(x - max))`` along one dimension."""
    name = node.name.strip("_")
    exponential, total = _parts(translator, node, group)[1:]
    return translator.along(name, BinaryOp.DIV, exponential, total, group)


def log_softmax(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x - max - log(sum(exp(x - max)))`` along one dimension."""
    name = node.name.strip("_")
    shifted, _, total = _parts(translator, node, group)
    logarithm = translator.unary(f"{name}_log", UnaryOp.LOG, total, group)
    return translator.along(name, BinaryOp.SUB, shifted, logarithm, group)


def _parts(translator: Translator, node: "fx.Node", group: str) -> tuple[Value, Value, Value]:
    """Shifted values, their exponentials, and the sum of those."""
    name = node.name.strip("_")
    operand = translator.value(node.args[0])
    dimension = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    if not isinstance(dimension, int) or not -len(operand.shape) <= dimension < len(operand.shape):
        raise translator.fault(f"dim={dimension!r} is no dimension of shape {operand.shape}")
    extra = [value for value in (*node.args[2:], node.kwargs.get("dtype")) if value]
    if extra:
        raise translator.fault(f"dtype={extra[0]} is not supported; convert the data instead")
    dimension %= len(operand.shape)
    largest = translator.reduction(f"{name}_max", ReduceOp.MAX, operand, dimension, group)
    shifted = translator.along(f"{name}_shift", BinaryOp.SUB, operand, largest, group)
    exponential = translator.unary(f"{name}_exp", UnaryOp.EXP, shifted, group)
    total = translator.reduction(f"{name}_sum", ReduceOp.SUM, exponential, dimension, group)
    return shifted, exponential, total


HANDLERS = {"softmax": softmax, "_softmax": softmax, "log_softmax": log_softmax, "_log_softmax": log_softmax}
