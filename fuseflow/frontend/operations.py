"""The op table: every operation of ``aten`` that is translated, by family, and what to do about the others."""

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING

from fuseflow.errors import TraceError
from fuseflow.frontend import attention, elementwise, layouts, lookups, masks, products, reductions, views
from fuseflow.frontend.naming import source_line
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx

FAMILIES: dict[str, dict[str, Callable[[Translator, "fx.Node", str], Value | list[Value]]]] = {
    "Products": dict(products.HANDLERS),
    "Element-wise": dict(elementwise.HANDLERS),
    "Reductions and normalisation": dict(reductions.HANDLERS),
    "Attention": dict(attention.HANDLERS),
    "Masks": dict(masks.HANDLERS),
    "Looking up rows, cumulative sums": dict(lookups.HANDLERS),
    "Views": dict(views.HANDLERS),
    "Moving elements": dict(layouts.HANDLERS),
}
"""Handlers by family and op name (of the ``aten`` namespace); ``docs/ops.md`` describes each."""

HANDLERS = {name: handler for family in FAMILIES.values() for name, handler in family.items()}
"""Op name to its handler: the whole op table."""

IGNORED = frozenset({"_assert_tensor_metadata", "_assert_async", "_assert_scalar", "sym_constrain_range_for_size"})
"""Checks that the exporter adds; they compute nothing."""

_PARTS = "assigning to this part of a tensor is not supported; build the result with where or cat"
HINTS = {
    "copy_": _PARTS,
    "index_put": _PARTS,
    "index_put_": _PARTS,
    "conv1d": "write the convolution as a matrix product (unfold outside of the model)",
    "conv2d": "write the convolution as a matrix product (unfold outside of the model)",
    "conv3d": "write the convolution as a matrix product (unfold outside of the model)",
    "argmax": "it depends on data; return the scores",
    "topk": "it depends on data; return the scores",
    "sort": "it depends on data; return the scores",
    "nonzero": "it depends on data; compute it outside of the model",
    "scatter_add": "multiply by a sparse matrix with one row per target",
    "index_add": "multiply by a sparse matrix with one row per target",
    "gt": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "lt": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "ge": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "le": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "eq": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "ne": "compare inputs or constants only: a mask must be fixed when the model is traced",
    "erf": "gelu is supported",
    "group_norm": "layer_norm and batch_norm are supported",
    "sym_size": "shapes must be fixed: index with positions, not with a mask",
    "roll": "write cat of two slices",
    "pad": "write cat with zeros",
    "constant_pad_nd": "write cat with zeros",
}
"""The nearest thing that works, by op name."""


def unsupported(node: "fx.Node", op: str) -> TraceError:
    """The error for an operation without handler: the user's line, the nearest thing that works, the whole table."""
    hint = HINTS.get(op)
    if hint is None:
        close = difflib.get_close_matches(op.strip("_"), HANDLERS, 2)
        hint = f"nearest are {', '.join(close)}" if close else "write it with supported operations"
    names = ", ".join(sorted(name for name in HANDLERS if not name.startswith("_")))
    return TraceError(
        f"op {node.target} is not supported ({source_line(node) or 'no source line'}); {hint}. Supported are {names}"
    )
