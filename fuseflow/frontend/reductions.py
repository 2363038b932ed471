"""Sums, means, maxima, and what is made of them: softmax and normalisations, each one kernel of several statements."""

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp, ReduceOp, UnaryOp
from fuseflow.frontend.arguments import argument, dimension, dimensions, number
from fuseflow.frontend.constants import known
from fuseflow.frontend.hidden import require_something_left
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx

Handler = Callable[[Translator, "fx.Node", str], "Value | list[Value]"]


def _over(translator: Translator, node: "fx.Node", value: Value) -> tuple[tuple[int, ...], bool]:
    """Dimensions of a reduction and whether they stay with size 1."""
    over = dimensions(translator, argument(node, 1, "dim", None), len(value.shape))
    return over, bool(argument(node, 2, "keepdim", False))


def total(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``sum(x)``, ``sum(x, dims, keepdim)``."""
    value = translator.value(node.args[0])
    over, keep = _over(translator, node, value)
    return translator.reduction(node.name, ReduceOp.SUM, value, over, group, keep)


def mean(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``mean(x)``, ``mean(x, dims, keepdim)``."""
    value = translator.value(node.args[0])
    over, keep = _over(translator, node, value)
    return _mean(translator, node.name, value, over, group, keep)


def _mean(translator: Translator, name: str, value: Value, over: tuple[int, ...], group: str, keep: bool) -> Value:
    summed = translator.reduction(f"{name}_sum", ReduceOp.SUM, value, over, group, keep)
    count = prod(value.shape[place] for place in over)
    if count == 0:
        raise translator.fault("the mean of nothing is not defined")
    return translator.unary(name, UnaryOp.DIV_SCALAR, summed, group, float(count))


def largest(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``amax(x, dims, keepdim)`` and ``max(x)``."""
    value = translator.value(node.args[0])
    over, keep = _over(translator, node, value)
    return translator.reduction(node.name, ReduceOp.MAX, value, over, group, keep)


def smallest(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``amin(x, dims, keepdim)`` and ``min(x)``: the maximum of the negated."""
    value = translator.value(node.args[0])
    over, keep = _over(translator, node, value)
    negated = translator.unary(f"{node.name}_neg", UnaryOp.NEG, value, group)
    found = translator.reduction(f"{node.name}_max", ReduceOp.MAX, negated, over, group, keep)
    return translator.unary(node.name, UnaryOp.NEG, found, group)


def extreme(of: Callable[[Translator, "fx.Node", str], Value], op: BinaryOp) -> Handler:
    """Handler of ``max`` and ``min``: over everything, over one dimension (values only), or of two tensors."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value | list[Value]:
        from torch import fx

        if len(node.args) > 1 and isinstance(node.args[1], fx.Node):
            left, right = (translator.value(item) for item in node.args[:2])
            return translator.binary(node.name, op, left, right, group)
        made = of(translator, node, group)
        return [made] if len(node.args) > 1 or "dim" in node.kwargs else made

    handle.__doc__ = (
        f"``{op.value}`` over everything, over one dimension (its values, not its positions), or of two tensors."
    )
    return handle


def variance(root: bool) -> Handler:
    """Handler of ``var`` and ``std``."""

    def handle(translator: Translator, node: "fx.Node", group: str) -> Value:
        value = translator.value(node.args[0])
        by_flag = len(node.args) > 1 and isinstance(node.args[1], bool)
        over = dimensions(translator, None if by_flag else argument(node, 1, "dim", None), len(value.shape))
        given = node.args[1] if by_flag else node.kwargs.get("correction", argument(node, 2, "unbiased", True))
        correction = int(given) if isinstance(given, bool | int | float) else 1
        keep = bool(argument(node, 3, "keepdim", False))
        name = node.name
        centre = _mean(translator, f"{name}_mean", value, over, group, keep=True)
        centred = translator.binary(f"{name}_centred", BinaryOp.SUB, value, centre, group)
        square = translator.binary(f"{name}_square", BinaryOp.MUL, centred, centred, group)
        summed = translator.reduction(f"{name}_sum", ReduceOp.SUM, square, over, group, keep)
        count = prod(value.shape[place] for place in over) - correction
        if count < 1:
            raise translator.fault("the variance of so few elements is not defined")
        made = translator.unary(f"{name}_of" if root else name, UnaryOp.DIV_SCALAR, summed, group, float(count))
        return translator.unary(name, UnaryOp.SQRT, made, group) if root else made

    handle.__doc__ = "Mean square of the centred elements" + (", its root." if root else ".")
    return handle


def logsumexp(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``logsumexp(x, dims, keepdim)``: the maximum plus the logarithm of the sum of ``exp(x - max)``."""
    value = translator.value(node.args[0])
    over, keep = _over(translator, node, value)
    name = node.name
    highest = translator.reduction(f"{name}_max", ReduceOp.MAX, value, over, group, keep=True)
    shifted = translator.binary(f"{name}_shift", BinaryOp.SUB, value, highest, group)
    exponential = translator.unary(f"{name}_exp", UnaryOp.EXP, shifted, group)
    summed = translator.reduction(f"{name}_sum", ReduceOp.SUM, exponential, over, group, keep=True)
    logarithm = translator.unary(f"{name}_log", UnaryOp.LOG, summed, group)
    made = translator.binary(name, BinaryOp.ADD, logarithm, highest, group)
    for place in () if keep else sorted(over, reverse=True):
        made = made.without(place)
    return made


def norm(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``linalg.vector_norm(x, 2, dims, keepdim)``."""
    value = translator.value(node.args[0])
    if argument(node, 1, "ord", 2) != 2:
        raise translator.fault("only the norm of order 2 is supported; write it with abs, sum and max")
    over = dimensions(translator, argument(node, 2, "dim", None), len(value.shape))
    squared = translator.unary(f"{node.name}_square", UnaryOp.SQUARE, value, group)
    keep = bool(argument(node, 3, "keepdim", False))
    summed = translator.reduction(f"{node.name}_sum", ReduceOp.SUM, squared, over, group, keep)
    return translator.unary(node.name, UnaryOp.SQRT, summed, group)


def softmax(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``exp(x - max) / sum(exp(x - max))`` along one dimension."""
    value, place = _softmax_arguments(translator, node)
    return softmax_of(translator, node.name.strip("_"), value, place, group)


def softmax_of(translator: Translator, name: str, value: Value, place: int, group: str) -> Value:
    """Softmax of ``value`` along dimension ``place``, as one kernel."""
    exponential, summed = _parts(translator, name, value, place, group)[1:]
    return translator.binary(name, BinaryOp.DIV, exponential, summed, group)


def log_softmax(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x - max - log(sum(exp(x - max)))`` along one dimension."""
    name = node.name.strip("_")
    value, place = _softmax_arguments(translator, node)
    shifted, _, summed = _parts(translator, name, value, place, group)
    logarithm = translator.unary(f"{name}_log", UnaryOp.LOG, summed, group)
    return translator.binary(name, BinaryOp.SUB, shifted, logarithm, group)


def _softmax_arguments(translator: Translator, node: "fx.Node") -> tuple[Value, int]:
    value = translator.value(node.args[0])
    place = dimension(translator, argument(node, 1, "dim", None), len(value.shape))
    extra = [item for item in (*node.args[2:], node.kwargs.get("dtype")) if item]
    if extra:
        raise translator.fault(f"dtype={extra[0]} is not supported; convert the data instead")
    return value, place


def _parts(translator: Translator, name: str, value: Value, place: int, group: str) -> tuple[Value, Value, Value]:
    """Shifted values, their exponentials, and the sum of those."""
    require_something_left(translator, value, place)
    highest = translator.reduction(f"{name}_max", ReduceOp.MAX, value, (place,), group, keep=True)
    shifted = translator.binary(f"{name}_shift", BinaryOp.SUB, value, highest, group)
    exponential = translator.unary(f"{name}_exp", UnaryOp.EXP, shifted, group)
    summed = translator.reduction(f"{name}_sum", ReduceOp.SUM, exponential, (place,), group, keep=True)
    return shifted, exponential, summed


def layer_norm(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``layer_norm(x, shape, weight, bias, eps)`` over the last dimensions, with or without scale and shift."""
    value = translator.value(node.args[0])
    shape = node.args[1]
    over = tuple(range(len(value.shape) - len(shape if isinstance(shape, list | tuple) else []), len(value.shape)))
    epsilon = number(translator, argument(node, 4, "eps", 1e-5))
    name = node.name
    centre = _mean(translator, f"{name}_mean", value, over, group, keep=True)
    centred = translator.binary(f"{name}_centred", BinaryOp.SUB, value, centre, group)
    scale = _inverse_root(translator, name, centred, over, epsilon, group)
    weight, bias = argument(node, 2, "weight", None), argument(node, 3, "bias", None)
    plain = f"{name}_scaled" if weight is not None or bias is not None else name
    made = translator.binary(plain, BinaryOp.MUL, centred, scale, group)
    if weight is not None:
        made = translator.binary(f"{name}_affine", BinaryOp.MUL, made, translator.value(weight), group)
    if bias is not None:
        made = translator.binary(name, BinaryOp.ADD, made, translator.value(bias), group)
    return made


def rms_norm(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``rms_norm(x, shape, weight, eps)`` over the last dimensions."""
    value = translator.value(node.args[0])
    shape = node.args[1]
    over = tuple(range(len(value.shape) - len(shape if isinstance(shape, list | tuple) else []), len(value.shape)))
    given = argument(node, 3, "eps", None)
    scale = _inverse_root(
        translator,
        node.name,
        value,
        over,
        1.1920928955078125e-07 if given is None else number(translator, given),
        group,
    )
    made = translator.binary(f"{node.name}_scaled", BinaryOp.MUL, value, scale, group)
    weight = argument(node, 2, "weight", None)
    if weight is None:
        return made
    return translator.binary(node.name, BinaryOp.MUL, made, translator.value(weight), group)


def _inverse_root(
    translator: Translator, name: str, value: Value, over: tuple[int, ...], epsilon: float, group: str
) -> Value:
    """One over the root of the mean square plus ``epsilon``."""
    square = translator.binary(f"{name}_square", BinaryOp.MUL, value, value, group)
    variance = _mean(translator, f"{name}_variance", square, over, group, keep=True)
    shifted = translator.unary(f"{name}_epsilon", UnaryOp.ADD_SCALAR, variance, group, epsilon)
    return translator.unary(f"{name}_rsqrt", UnaryOp.RSQRT, shifted, group)


def batch_norm(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``batch_norm`` outside of training: its statistics are constants, so it is a product and a sum per channel."""
    weight, bias, centre, spread = (known(translator, item) for item in node.args[1:5])
    if centre is None or spread is None or argument(node, 5, "training", False):
        raise translator.fault("batch norm needs its running statistics; call eval() and keep track_running_stats")
    epsilon = number(translator, argument(node, 7, "eps", 1e-5))
    return _batch_norm(translator, node, weight, bias, centre, spread, epsilon, group)


def _batch_norm(
    translator: Translator,
    node: "fx.Node",
    weight: "torch.Tensor | None",
    bias: "torch.Tensor | None",
    centre: "torch.Tensor",
    spread: "torch.Tensor",
    epsilon: float,
    group: str,
) -> Value:
    scale = (spread + epsilon).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -centre * scale if bias is None else bias - centre * scale
    value = translator.value(node.args[0])
    trailing = (1,) * (len(value.shape) - 2)
    factors = translator.constant(f"{node.name}_scale", scale.reshape(-1, *trailing))
    offsets = translator.constant(f"{node.name}_shift", shift.reshape(-1, *trailing))
    scaled = translator.binary(f"{node.name}_scaled", BinaryOp.MUL, value, factors, group)
    return translator.binary(node.name, BinaryOp.ADD, scaled, offsets, group)


def batch_norm_plain(translator: Translator, node: "fx.Node", group: str) -> list[Value]:
    """The decomposed form of ``batch_norm`` outside of training."""
    weight, bias, centre, spread = (known(translator, item) for item in node.args[1:5])
    if centre is None or spread is None:
        raise translator.fault("batch norm needs its running statistics; call eval() and keep track_running_stats")
    return [_batch_norm(translator, node, weight, bias, centre, spread, number(translator, node.args[6]), group)]


HANDLERS: dict[str, Handler] = {
    "sum": total,
    "mean": mean,
    "amax": largest,
    "amin": smallest,
    "max": extreme(largest, BinaryOp.MAX),
    "min": extreme(smallest, BinaryOp.MIN),
    "linalg_vector_norm": norm,
    "var": variance(root=False),
    "std": variance(root=True),
    "logsumexp": logsumexp,
    "softmax": softmax,
    "_softmax": softmax,
    "log_softmax": log_softmax,
    "_log_softmax": log_softmax,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "batch_norm": batch_norm,
    "_native_batch_norm_legit_no_training": batch_norm_plain,
}
