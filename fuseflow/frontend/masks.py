"""Masks: ``where``, ``masked_fill`` and additive masks, whose condition must be fixed when the model is traced."""

from typing import TYPE_CHECKING

from fuseflow.einsum import BinaryOp
from fuseflow.frontend.arguments import argument, dimension
from fuseflow.frontend.constants import known
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx

MINUS_INFINITY = -1e9
"""A constant at or below this masks an element out: a softmax makes it zero in float32."""


def where(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``where(condition, x, y)``."""
    condition, chosen, other = node.args[:3]
    return _where(translator, node.name, _condition(translator, condition), chosen, other, group)


def masked_fill(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``masked_fill(x, mask, value)``: ``value`` where the mask is true."""
    operand, mask, value = node.args[:3]
    return _where(translator, node.name, ~_condition(translator, mask), operand, value, group)


def _condition(translator: Translator, argument: object) -> "torch.Tensor":
    condition = known(translator, argument)
    if condition is None:
        raise translator.fault(
            "the condition is computed when the program runs; it must be a constant, an input, or a comparison of one"
        )
    return condition.bool()


def _where(translator: Translator, name: str, keep: "torch.Tensor", chosen: object, other: object, group: str) -> Value:
    """``chosen`` where ``keep``, else ``other``."""
    if _hides(translator, other):
        return apply_mask(translator, name, translator.value(chosen), keep, group)
    if _hides(translator, chosen):
        return apply_mask(translator, name, translator.value(other), ~keep, group)
    parts = [
        part
        for number, (item, mask) in enumerate(((chosen, keep), (other, ~keep)))
        if (part := _part(translator, f"{name}_{'yes' if number == 0 else 'no'}", item, mask, group)) is not None
    ]
    if not parts:
        raise translator.fault("both sides are zero; use zeros instead")
    return parts[0] if len(parts) == 1 else translator.binary(name, BinaryOp.ADD, parts[0], parts[1], group)


def _part(translator: Translator, name: str, item: object, mask: "torch.Tensor", group: str) -> Value | None:
    """``item`` times ``mask``; None where it is zero."""
    import torch

    fixed = known(translator, item) if not isinstance(item, int | float) else torch.tensor(float(item))
    if fixed is not None:
        data = torch.where(mask, fixed.float(), 0.0)
        return translator.constant(name, data, "c") if bool(data.any()) else None
    stored = mask_constant(translator, f"{name}_mask", mask)
    return translator.binary(name, BinaryOp.MUL, translator.value(item), stored, group)


def _hides(translator: Translator, item: object) -> bool:
    """Whether ``item`` is minus infinity, or so low that a softmax cannot tell."""
    if isinstance(item, int | float):
        return item <= MINUS_INFINITY
    fixed = known(translator, item)
    return fixed is not None and fixed.is_floating_point() and bool((fixed <= MINUS_INFINITY).all())


def apply_mask(translator: Translator, name: str, operand: Value, keep: "torch.Tensor", group: str) -> Value:
    """``operand`` where ``keep``; elsewhere it is masked out."""
    if bool(keep.all()):
        return operand
    made = translator.mask(name, operand, mask_constant(translator, f"{name}_mask", keep), group)
    before = translator.kept.get(operand.tensor)
    translator.kept[made.tensor] = keep if before is None or not operand.is_plain else keep & before
    return made


def mask_constant(translator: Translator, name: str, keep: "torch.Tensor") -> Value:
    """``keep`` as an input of the program that stores its true elements; made once for equal masks."""
    key = (tuple(keep.shape), keep.contiguous().numpy().tobytes())
    if key not in translator.masks:
        translator.masks[key] = translator.constant(name, keep.float(), "c")
    return translator.masks[key]


def additive(translator: Translator, name: str, operand: Value, mask: "torch.Tensor", group: str) -> Value | None:
    """``operand + mask`` where a constant mask holds minus infinity; None for an ordinary constant."""
    hidden = mask <= MINUS_INFINITY
    if not bool(hidden.any()):
        return None
    made = apply_mask(translator, name, operand, ~hidden, group)
    rest = mask.masked_fill(hidden, 0.0)
    if not bool(rest.any()):
        return made
    return translator.binary(f"{name}_bias", BinaryOp.ADD, made, translator.constant(f"{name}_values", rest), group)


def select_scatter(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x[..., position, ...] = y``, as what it makes of ``x``."""
    import torch

    operand, source = translator.value(node.args[0]), translator.value(node.args[1])
    place = dimension(translator, node.args[2], len(operand.shape))
    position = dimension(translator, node.args[3], operand.shape[place])
    trailing = (1,) * (len(operand.shape) - place - 1)
    there = (torch.arange(operand.shape[place]) == position).reshape(-1, *trailing)
    kept = translator.binary(
        f"{node.name}_kept", BinaryOp.MUL, operand, mask_constant(translator, f"{node.name}_others", ~there), group
    )
    put = translator.binary(
        f"{node.name}_put",
        BinaryOp.MUL,
        source.widened(place),
        mask_constant(translator, f"{node.name}_place", there),
        group,
    )
    return translator.binary(node.name, BinaryOp.ADD, kept, put, group)


def slice_scatter(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x[start:stop:step] = y``, as what it makes of ``x``: a product with a one-hot matrix puts ``y`` into place."""
    import torch

    operand, source = translator.value(node.args[0]), translator.value(node.args[1])
    place = dimension(translator, argument(node, 2, "dim", 0), len(operand.shape))
    bounds = [argument(node, number, name, None) for number, name in ((3, "start"), (4, "end"), (5, "step"))]
    size = operand.shape[place]
    positions = torch.arange(size)[slice(*(None if item is None else int(str(item)) for item in bounds))]
    there = torch.zeros(size, dtype=torch.bool)
    there[positions] = True
    trailing = (1,) * (len(operand.shape) - place - 1)
    others = mask_constant(translator, f"{node.name}_others", ~there.reshape(-1, *trailing))
    kept = translator.binary(f"{node.name}_kept", BinaryOp.MUL, operand, others, group)
    chosen = torch.zeros(size, len(positions))
    chosen[positions, torch.arange(len(positions))] = 1.0
    matrix = translator.constant(f"{node.name}_places", chosen, "c")
    labels = range(len(operand.shape))
    out = [-1 if label == place else label for label in labels]
    put = translator.contract(f"{node.name}_put", (matrix, source), ((-1, place), labels), out, group)
    return translator.binary(node.name, BinaryOp.ADD, kept, put, group)


HANDLERS = {
    "slice_scatter": slice_scatter,
    "where": where,
    "masked_fill": masked_fill,
    "select_scatter": select_scatter,
}
