"""Element-wise operations on one or two tensors, and constants."""

from collections.abc import Callable
from math import inf, isfinite, log
from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, UnaryOp
from fuseflow.frontend.arguments import argument, number
from fuseflow.frontend.constants import known
from fuseflow.frontend.masks import additive
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx

Handler = Callable[[Translator, "fx.Node", str], Value]


def binary(op: BinaryOp) -> Handler:
    """Handler of an operation on two tensors, or on a tensor and a constant."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        _refuse_alpha(translator, node)
        return combine(translator, node.name.strip("_"), op, node.args[0], node.args[1], group)

    handle.__doc__ = f"``{op.value}`` of two tensors, or of a tensor and a constant."
    return handle


def combine(translator: Translator, name: str, op: BinaryOp, left: object, right: object, group: str) -> Value:
    """``op`` of two arguments, each a tensor or a number."""
    first, second = scalar(translator, left), scalar(translator, right)
    if second is not None:
        return with_constant(translator, name, op, translator.value(left), second, group)
    if first is not None:
        return _constant_first(translator, name, op, first, translator.value(right), group)
    if op is BinaryOp.ADD:
        for mask, operand in ((right, left), (left, right)):
            fixed = known(translator, mask)
            if fixed is not None:
                made = additive(translator, name, translator.value(operand), fixed, group)
                if made is not None:
                    return made
    return translator.binary(name, op, translator.value(left), translator.value(right), group)


def scalar(translator: Translator, item: object) -> float | None:
    """``item`` as a number, if it is one or a known tensor with one element."""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return float(item)
    fixed = known(translator, item)
    if fixed is not None and fixed.numel() == 1 and fixed.dim() <= 1:
        return float(fixed)
    return None


def _refuse_alpha(translator: Translator, node: "fx.Node") -> None:
    alpha = node.args[2] if len(node.args) > 2 else node.kwargs.get("alpha", 1)
    if alpha != 1:
        raise translator.fault(f"alpha={alpha} is not supported; multiply the operand instead")


def reversed_difference(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``rsub(x, other)``: ``other - x``, which is what ``1 - x`` becomes."""
    _refuse_alpha(translator, node)
    return combine(translator, node.name.strip("_"), BinaryOp.SUB, node.args[1], node.args[0], group)


def _constant_first(
    translator: Translator, name: str, op: BinaryOp, constant: float, operand: Value, group: str
) -> Value:
    if op is BinaryOp.SUB:
        negated = translator.unary(f"{name}_neg", UnaryOp.NEG, operand, group)
        return with_constant(translator, name, BinaryOp.ADD, negated, constant, group)
    if op is BinaryOp.DIV:
        inverse = translator.unary(f"{name}_inverse", UnaryOp.RECIPROCAL, operand, group)
        return with_constant(translator, name, BinaryOp.MUL, inverse, constant, group)
    return with_constant(translator, name, op, operand, constant, group)


_WITH_CONSTANT = {
    BinaryOp.ADD: UnaryOp.ADD_SCALAR,
    BinaryOp.SUB: UnaryOp.ADD_SCALAR,
    BinaryOp.MUL: UnaryOp.MUL_SCALAR,
    BinaryOp.DIV: UnaryOp.DIV_SCALAR,
    BinaryOp.MAX: UnaryOp.MAX_SCALAR,
    BinaryOp.MIN: UnaryOp.MIN_SCALAR,
}


def with_constant(
    translator: Translator, name: str, op: BinaryOp, operand: Value, constant: float, group: str
) -> Value:
    """``operand op constant``."""
    if not isfinite(constant):
        raise translator.fault(f"{op.value} with the constant {constant}; constants must be finite")
    signed = -constant if op is BinaryOp.SUB else constant
    return translator.unary(name, _WITH_CONSTANT[op], operand, group, signed)


def unary(op: UnaryOp) -> Handler:
    """Handler of an operation on one tensor."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        return translator.unary(node.name.strip("_"), op, translator.value(node.args[0]), group)

    handle.__doc__ = f"``{op.value}`` of every element."
    return handle


def with_parameter(op: UnaryOp, name: str, default: float) -> Handler:
    """Handler of an activation with one number, argument 1 or ``name``."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        constant = number(translator, argument(node, 1, name, default))
        return translator.unary(node.name.strip("_"), op, translator.value(node.args[0]), group, constant)

    handle.__doc__ = f"``{op.value}`` of every element, with its ``{name}``."
    return handle


def elu(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``elu(x, alpha)``; with the scales of ``selu`` it is refused."""
    if any(number(translator, argument(node, place, "scale", 1)) != 1 for place in (2, 3)):
        raise translator.fault("scale and input_scale other than 1 are not supported; multiply instead")
    return with_parameter(UnaryOp.ELU, "alpha", 1.0)(translator, node, group)


def gelu(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``gelu(x)``: exact, or with ``approximate="tanh"``."""
    op = UnaryOp.GELU_TANH if argument(node, 1, "approximate", "none") == "tanh" else UnaryOp.GELU
    return translator.unary(node.name.strip("_"), op, translator.value(node.args[0]), group)


_POWERS = {2.0: UnaryOp.SQUARE, 0.5: UnaryOp.SQRT, -1.0: UnaryOp.RECIPROCAL, -0.5: UnaryOp.RSQRT}


def power(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``pow(x, number)`` and ``pow(number, x)``."""
    name = node.name.strip("_")
    exponent, base = scalar(translator, node.args[1]), scalar(translator, node.args[0])
    if exponent is not None:
        operand = translator.value(node.args[0])
        if exponent == 1.0:
            return operand
        op = _POWERS.get(exponent, UnaryOp.POW_SCALAR)
        return translator.unary(name, op, operand, group, exponent if op is UnaryOp.POW_SCALAR else 0.0)
    if base is not None and base > 0:
        scaled = translator.unary(f"{name}_log", UnaryOp.MUL_SCALAR, translator.value(node.args[1]), group, log(base))
        return translator.unary(name, UnaryOp.EXP, scaled, group)
    raise translator.fault("a power of two tensors is not supported; for a positive base write exp(y * log(x))")


def clamp(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``clamp(x, min, max)`` and its relatives, with constant bounds."""
    value = translator.value(node.args[0])
    name = node.name.strip("_")
    low, high = argument(node, 1, "min", None), argument(node, 2, "max", None)
    for op, bound, ending in ((UnaryOp.MAX_SCALAR, low, "_low"), (UnaryOp.MIN_SCALAR, high, "_high")):
        if bound is not None:
            limit = number(translator, bound)
            if abs(limit) == inf:
                continue
            value = translator.unary(f"{name}{ending}", op, value, group, limit)
    return value


def clamp_at(op: UnaryOp) -> Handler:
    """Handler of ``clamp_min`` and ``clamp_max``."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        limit = scalar(translator, node.args[1])
        if limit is None:
            by = BinaryOp.MAX if op is UnaryOp.MAX_SCALAR else BinaryOp.MIN
            return combine(translator, node.name, by, node.args[0], node.args[1], group)
        return translator.unary(node.name.strip("_"), op, translator.value(node.args[0]), group, limit)

    handle.__doc__ = "``max`` or ``min`` of every element and a constant."
    return handle


def relu6(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``relu6(x)``, also ``hardtanh(x, 0, 6)``."""
    name = node.name.strip("_")
    low, high = number(translator, argument(node, 1, "min_val", 0)), number(translator, argument(node, 2, "max_val", 6))
    raised = translator.unary(f"{name}_low", UnaryOp.MAX_SCALAR, translator.value(node.args[0]), group, low)
    return translator.unary(name, UnaryOp.MIN_SCALAR, raised, group, high)


def hardswish(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``hardswish(x)``: ``x * relu6(x + 3) / 6``."""
    name = node.name.strip("_")
    operand = translator.value(node.args[0])
    raised = translator.unary(f"{name}_shift", UnaryOp.ADD_SCALAR, operand, group, 3.0)
    low = translator.unary(f"{name}_low", UnaryOp.MAX_SCALAR, raised, group, 0.0)
    gate = translator.unary(f"{name}_high", UnaryOp.MIN_SCALAR, low, group, 6.0)
    scaled = translator.unary(f"{name}_gate", UnaryOp.DIV_SCALAR, gate, group, 6.0)
    return translator.binary(name, BinaryOp.MUL, operand, scaled, group)


def prelu(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``prelu(x, weight)``: ``relu(x) - weight * relu(-x)``, one weight or one per channel."""
    operand, weight = (translator.value(item) for item in node.args[:2])
    name = node.name
    for _ in range(len(operand.shape) - 2 if weight.shape != (1,) else 0):
        weight = weight.widened(len(weight.shape))
    negated = translator.unary(f"{name}_neg", UnaryOp.NEG, operand, group)
    below = translator.unary(f"{name}_below", UnaryOp.RELU, negated, group)
    scaled = translator.binary(f"{name}_scaled", BinaryOp.MUL, below, weight, group)
    above = translator.unary(f"{name}_above", UnaryOp.RELU, operand, group)
    return translator.binary(name, BinaryOp.SUB, above, scaled, group)


def softplus_of(translator: Translator, name: str, operand: Value, group: str) -> Value:
    """``log(1 + exp(x))`` as ``relu(x) + log(1 + exp(-|x|))``, which does not overflow."""
    size = translator.unary(f"{name}_abs", UnaryOp.ABS, operand, group)
    negated = translator.unary(f"{name}_neg", UnaryOp.NEG, size, group)
    small = translator.unary(f"{name}_exp", UnaryOp.EXP, negated, group)
    shifted = translator.unary(f"{name}_one", UnaryOp.ADD_SCALAR, small, group, 1.0)
    logarithm = translator.unary(f"{name}_log", UnaryOp.LOG, shifted, group)
    above = translator.unary(f"{name}_relu", UnaryOp.RELU, operand, group)
    return translator.binary(name, BinaryOp.ADD, above, logarithm, group)


def softplus(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``softplus(x)``: ``log(1 + exp(x))``, with ``beta=1``."""
    if number(translator, argument(node, 1, "beta", 1)) != 1:
        raise translator.fault("beta other than 1 is not supported; write softplus(beta * x) / beta")
    return softplus_of(translator, node.name, translator.value(node.args[0]), group)


def mish(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``mish(x)``: ``x * tanh(softplus(x))``."""
    name = node.name.strip("_")
    operand = translator.value(node.args[0])
    soft = softplus_of(translator, f"{name}_softplus", operand, group)
    gate = translator.unary(f"{name}_tanh", UnaryOp.TANH, soft, group)
    return translator.binary(name, BinaryOp.MUL, operand, gate, group)


def hardtanh(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``hardtanh(x, min_val, max_val)``."""
    name = node.name.strip("_")
    low = number(translator, argument(node, 1, "min_val", -1.0))
    high = number(translator, argument(node, 2, "max_val", 1.0))
    raised = translator.unary(f"{name}_low", UnaryOp.MAX_SCALAR, translator.value(node.args[0]), group, low)
    return translator.unary(name, UnaryOp.MIN_SCALAR, raised, group, high)


def dropout(translator: Translator, node: "fx.Node", group: str) -> Value:
    """Dropout outside of training does nothing."""
    if node.args[2] if len(node.args) > 2 else node.kwargs.get("train", True):
        raise translator.fault(
            "dropout in training mode is random; pass training=self.training, which eval() turns off"
        )
    return translator.value(node.args[0])


def fill(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``fill(x, value)``: a constant of the shape of ``x``."""
    import torch

    constant = scalar(translator, node.args[1])
    if constant is None:
        raise translator.fault(f"fills with {node.args[1]!r}, which is not a constant")
    return translator.constant(node.name, torch.full(translator.shape(node), constant))


HANDLERS: dict[str, Handler] = {
    "add": binary(BinaryOp.ADD),
    "sub": binary(BinaryOp.SUB),
    "rsub": reversed_difference,
    "mul": binary(BinaryOp.MUL),
    "div": binary(BinaryOp.DIV),
    "maximum": binary(BinaryOp.MAX),
    "minimum": binary(BinaryOp.MIN),
    "pow": power,
    "clamp": clamp,
    "clamp_min": clamp_at(UnaryOp.MAX_SCALAR),
    "clamp_max": clamp_at(UnaryOp.MIN_SCALAR),
    "relu": unary(UnaryOp.RELU),
    "relu6": relu6,
    "hardtanh": hardtanh,
    "hardswish": hardswish,
    "prelu": prelu,
    "softplus": softplus,
    "mish": mish,
    "leaky_relu": with_parameter(UnaryOp.LEAKY_RELU, "negative_slope", 0.01),
    "elu": elu,
    "gelu": gelu,
    "silu": unary(UnaryOp.SILU),
    "exp": unary(UnaryOp.EXP),
    "log": unary(UnaryOp.LOG),
    "neg": unary(UnaryOp.NEG),
    "abs": unary(UnaryOp.ABS),
    "square": unary(UnaryOp.SQUARE),
    "sqrt": unary(UnaryOp.SQRT),
    "rsqrt": unary(UnaryOp.RSQRT),
    "reciprocal": unary(UnaryOp.RECIPROCAL),
    "sigmoid": unary(UnaryOp.SIGMOID),
    "tanh": unary(UnaryOp.TANH),
    "sin": unary(UnaryOp.SIN),
    "cos": unary(UnaryOp.COS),
    "fill": fill,
    "dropout": dropout,
    "feature_dropout": dropout,
}
