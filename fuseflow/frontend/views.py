"""Operations that only look at a tensor differently: transposes, new dimensions, broadcasts, copies.

They cost nothing and can be fused across.
"""

from typing import TYPE_CHECKING

from fuseflow.frontend.arguments import argument, dimension
from fuseflow.frontend.constants import known
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx


def transpose(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``t(x)`` and ``transpose(x, a, b)``."""
    value = translator.value(node.args[0])
    order = list(range(len(value.shape)))
    first, second = (int(str(axis)) for axis in node.args[1:3]) if len(node.args) > 2 else (0, 1)
    if len(order) > 1:
        order[first], order[second] = order[second], order[first]
    return value.permuted(order)


def reverse(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x.T``: every dimension in reverse."""
    value = translator.value(node.args[0])
    return value.permuted(tuple(reversed(range(len(value.shape)))))


def swap_last(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x.mT``: the last two dimensions swapped."""
    value = translator.value(node.args[0])
    order = list(range(len(value.shape)))
    return value.permuted((*order[:-2], order[-1], order[-2]))


def permute(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``permute(x, dims)``."""
    value = translator.value(node.args[0])
    dims = node.args[1]
    if not isinstance(dims, list | tuple):
        raise translator.fault(f"expected a list of dimensions, got {dims!r}")
    return value.permuted([int(str(axis)) % len(value.shape) for axis in dims])


def unsqueeze(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``unsqueeze(x, dim)``: a dimension that the tensor need not have."""
    value = translator.value(node.args[0])
    return value.widened(dimension(translator, argument(node, 1, "dim"), len(value.shape) + 1))


def squeeze(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``squeeze(x)``, ``squeeze(x, dim)``: free where the tensor lacks the dimension, else a barrier."""
    value = translator.value(node.args[0])
    given = argument(node, 1, "dim", list(range(len(value.shape))))
    chosen = given if isinstance(given, list | tuple) else [given]
    for place in sorted({dimension(translator, item, len(value.shape)) for item in chosen}, reverse=True):
        if value.shape[place] == 1:
            value = translator.dropped(value, place)
    return value


def expand(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``expand(x, sizes)``, ``broadcast_to``, ``expand_as``: sizes are read off the exported graph."""
    return _expanded(translator, translator.value(node.args[0]), translator.shape(node))


def copied(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``copy(x, y)``: ``y`` in the shape of ``x``."""
    return _expanded(translator, translator.value(node.args[1]), translator.shape(node))


def _expanded(translator: Translator, value: Value, shape: tuple[int, ...]) -> Value:
    while len(value.shape) < len(shape):
        value = value.widened(0)
    for place, size in enumerate(shape):
        if value.shape[place] != size:
            if value.axes[place] is not None:
                value = translator.dropped(value, place).widened(place)
            value = value.resized(place, size)
    return value


def same(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``contiguous``, ``clone``, ``detach``, ``to_dense``...: the tensor itself."""
    return translator.value(node.args[0])


def made_sparse(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``to_sparse`` and its kin: a constant is stored compressed, a result as its format says."""
    fixed = known(translator, node.args[0])
    if fixed is None:
        return translator.value(node.args[0])
    return translator.constant(node.name, fixed, "csr" if "csr" in str(node.target) else "c")


def converted(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``to``, ``float``, ``double``...: the tensor itself, if the new type holds what float32 holds."""
    import torch

    result = node.meta["val"].dtype
    if result not in (torch.float32, torch.float64):
        raise translator.fault(f"converts to {result}; graphs compute in float32. Leave the conversion out")
    return translator.value(node.args[0])


HANDLERS = {
    "t": transpose,
    "transpose": transpose,
    "swapaxes": transpose,
    "numpy_T": reverse,
    "mT": swap_last,
    "permute": permute,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    "expand": expand,
    "expand_as": expand,
    "broadcast_to": expand,
    "copy": copied,
    "contiguous": same,
    "clone": same,
    "detach": same,
    "alias": same,
    "lift_fresh_copy": same,
    "to_dense": same,
    "_to_dense": same,
    "to_sparse": made_sparse,
    "_to_sparse": made_sparse,
    "to_sparse_csr": made_sparse,
    "_to_sparse_csr": made_sparse,
    "to": converted,
    "_to_copy": converted,
    "type_as": converted,
}

COPIES = frozenset({"clone", "copy", "to_dense", "_to_dense", "_to_copy", "lift_fresh_copy"})
"""Those whose result has memory of its own: changing it in place does not change the operand."""
