"""Products: matrices, batches of them, ``linear``, ``einsum`` of two tensors, with PyTorch's broadcasting."""

from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, UnaryOp
from fuseflow.frontend.arguments import argument, number
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx


def product(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``mm``, ``bmm``, ``mv``, ``matmul``, dense or sparse."""
    left, right = (translator.value(argument) for argument in node.args[:2])
    return translator.product(node.name.strip("_"), left, right, group)


def linear(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``linear(x, weight, bias=None)``: ``x`` times the transposed weight, then the bias, as two kernels."""
    operand, weight = translator.value(node.args[0]), translator.value(node.args[1]).permuted((1, 0))
    bias = node.args[2] if len(node.args) > 2 else node.kwargs.get("bias")
    name = node.name.strip("_")
    if bias is None:
        return translator.product(name, operand, weight, group)
    made = translator.product(f"{name}_mul", operand, weight, f"{group}.mul")
    return translator.binary(name, BinaryOp.ADD, made, translator.value(bias), f"{group}.bias")


def addmm(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``addmm(bias, left, right, beta, alpha)`` and ``baddbmm``, ``addmv``: product and sum, as two kernels."""
    beta, alpha = (number(translator, argument(node, place, key, 1)) for place, key in ((3, "beta"), (4, "alpha")))
    bias, left, right = (translator.value(item) for item in node.args[:3])
    name = node.name.strip("_")
    made = translator.product(f"{name}_mul", left, right, f"{group}.mul")
    if alpha != 1:
        made = translator.unary(f"{name}_alpha", UnaryOp.MUL_SCALAR, made, f"{group}.mul", alpha)
    if beta == 0:
        return made
    if beta != 1:
        bias = translator.unary(f"{name}_beta", UnaryOp.MUL_SCALAR, bias, f"{group}.bias", beta)
    return translator.binary(name, BinaryOp.ADD, made, bias, f"{group}.bias")


def einsum(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``einsum(equation, x, y)``: two operands, each index once per operand."""
    equation, tensors = str(node.args[0]).replace(" ", ""), node.args[1]
    if "->" not in equation or "." in equation or not isinstance(tensors, list | tuple) or len(tensors) != 2:
        raise translator.fault(
            f'"{equation}" is not supported; write two operands and the result, without "...", as in "ij,jk->ik"'
        )
    operands, out = equation.split("->")
    pair = operands.split(",")
    if any(len(set(letters)) != len(letters) for letters in (*pair, out)):
        raise translator.fault(f'"{equation}" repeats an index within one tensor; take the diagonal first')
    left, right = (translator.value(item) for item in tensors)
    labels = ([ord(letter) for letter in pair[0]], [ord(letter) for letter in pair[1]])
    return translator.contract(node.name, (left, right), labels, [ord(letter) for letter in out], group)


HANDLERS = {
    "mm": product,
    "bmm": product,
    "mv": product,
    "dot": product,
    "matmul": product,
    "_sparse_mm": product,
    "linear": linear,
    "addmm": addmm,
    "_sparse_addmm": addmm,
    "baddbmm": addmm,
    "addmv": addmm,
    "einsum": einsum,
}
