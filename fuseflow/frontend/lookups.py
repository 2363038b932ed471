"""Looking up rows by number, as products with sparse one-hot matrices; cumulative sums, with a triangular one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fuseflow.frontend.arguments import argument, dimension
from fuseflow.frontend.constants import known
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx


def embedding(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``embedding(weight, indices)``: one-hot rows times the table."""
    table, indices = translator.value(node.args[0]), _numbers(translator, node.args[1])
    chosen = one_hot(translator, node.args[1], indices, table.shape[0])
    return translator.product(node.name, chosen, table, group)


def index_select(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``index_select(x, dim, indices)``: one-hot rows times ``x`` along that dimension."""
    value = translator.value(node.args[0])
    place = dimension(translator, node.args[1], len(value.shape))
    indices = _numbers(translator, node.args[2]).reshape(-1)
    chosen = one_hot(translator, node.args[2], indices, value.shape[place])
    labels = range(len(value.shape))
    out = [-1 if label == place else label for label in labels]
    return translator.contract(node.name, (chosen, value), ((-1, place), labels), out, group)


def cumulative_sum(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``cumsum(x, dim)``: a triangular matrix of ones times ``x`` along that dimension."""
    import torch

    value = translator.value(node.args[0])
    place = dimension(translator, argument(node, 1, "dim"), len(value.shape))
    size = value.shape[place]
    ones = translator.constant(f"{node.name}_ones", torch.ones(size, size).tril(), "csr")
    labels = range(len(value.shape))
    out = [-1 if label == place else label for label in labels]
    return translator.contract(node.name, (ones, value), ((-1, place), labels), out, group)


def embedding_bag(translator: Translator, node: "fx.Node", group: str) -> list[Value]:
    """``embedding_bag(weight, indices, offsets, mode)``: how often each row is in a bag, times the table."""
    import torch

    table, indices = translator.value(node.args[0]), _numbers(translator, node.args[1])
    offsets = _numbers(translator, node.args[2])
    mode = argument(node, 4, "mode", 0)
    if mode not in (0, 1):
        raise translator.fault('mode="max" is not supported; use "sum" or "mean"')
    last = int(bool(argument(node, 7, "include_last_offset", False)))
    weights = argument(node, 6, "per_sample_weights", None)
    given = known(translator, weights) if weights is not None else torch.ones(indices.numel())
    if given is None:
        raise translator.fault("per_sample_weights are computed; they must be constants or an input of whole numbers")
    padded = argument(node, 8, "padding_idx", None)
    padding = padded if isinstance(padded, int) else -1
    counts = torch.zeros(offsets.numel() - last, table.shape[0])
    ends = [*offsets.tolist()[1:], *([] if last else [indices.numel()])]
    for bag, (first, end) in enumerate(zip(offsets.tolist(), ends, strict=False)):
        members = indices[first:end]
        counted = torch.ne(members, padding)
        factors = given[first:end] * counted
        share = factors if mode == 0 else factors / max(int(counted.sum()), 1)
        counts[bag].index_add_(0, members, share)
    chosen = translator.constant(f"{_label(translator, node.args[1])}_bags", counts, "csr")
    return [translator.product(node.name, chosen, table, group)]


def _numbers(translator: Translator, item: object) -> "torch.Tensor":
    indices = known(translator, item)
    if indices is None:
        raise translator.fault("looks up rows by numbers that are computed; they must be constants or an input")
    return indices.long()


def _label(translator: Translator, item: object) -> str:
    from torch import fx

    return translator.label(item) if isinstance(item, fx.Node) else "indices"


def one_hot(translator: Translator, item: object, indices: "torch.Tensor", rows: int) -> Value:
    """One-hot rows as an input of the program, stored dense but for the last level."""
    import torch

    wrapped = torch.where(indices < 0, indices + rows, indices)
    data = torch.nn.functional.one_hot(wrapped, rows).float()
    return translator.constant(f"{_label(translator, item)}_one_hot", data, "csr")


HANDLERS: dict[str, Callable[[Translator, "fx.Node", str], Value | list[Value]]] = {
    "embedding": embedding,
    "index_select": index_select,
    "cumsum": cumulative_sum,
    "embedding_bag": embedding_bag,
    "_embedding_bag": embedding_bag,
    "_embedding_bag_forward_only": embedding_bag,
}
