"""Operations that only look at a tensor differently: transposes and copies. They cost nothing."""

from typing import TYPE_CHECKING

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
    return value.permuted(tuple(order))


def reverse(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``x.T``: every dimension in reverse."""
    value = translator.value(node.args[0])
    return value.permuted(tuple(reversed(range(len(value.shape)))))


def permute(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``permute(x, dims)``."""
    value = translator.value(node.args[0])
    dims = node.args[1]
    if not isinstance(dims, list | tuple):
        raise translator.fault(f"expected a list of dimensions, got {dims!r}")
    return value.permuted(tuple(int(str(axis)) % len(value.shape) for axis in dims))


def same(translator: Translator, node: "fx.Node", group: str) -> Value:
    """``contiguous``, ``clone``, ``detach``, ``alias``: the tensor itself."""
    return translator.value(node.args[0])


HANDLERS = {
    "t": transpose,
    "transpose": transpose,
    "numpy_T": reverse,
    "permute": permute,
    "contiguous": same,
    "clone": same,
    "detach": same,
    "alias": same,
}
