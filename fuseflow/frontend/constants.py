"""What is computed while tracing: masks, positions, and whatever else follows from constants alone.

Known are parameters and buffers, constants of the module, and inputs of whole numbers or truth values, whose data the
model carries. An operation on known tensors only is not translated but computed. One exception: what looks up rows of
a parameter by an input is left to run, as it is the model's work.
"""

from typing import TYPE_CHECKING, Any

from fuseflow.frontend.recording import root
from fuseflow.frontend.translator import Translator

if TYPE_CHECKING:
    import torch
    from torch import fx

COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "isinf", "isnan", "logical_not"})
"""Operations that may look at the data of a float input: they make a mask, which is fixed when the model is traced."""

FACTORIES = frozenset({"ones_like", "zeros_like", "full_like", "new_ones", "new_zeros", "new_full"})
"""Operations that make a constant of the shape of a tensor, whatever it holds."""

LOOKUPS = frozenset({"embedding", "embedding_bag", "index_select"})


def fold(translator: Translator, node: "fx.Node", op: str) -> bool:
    """Compute ``node`` if everything it reads is known; whether it was computed."""
    import torch
    from torch import fx

    if op in FACTORIES:
        return _remember(translator, node, _filled(translator, node, op))
    reads = node.all_input_nodes
    data = translator.known if op not in COMPARISONS else {**translator.given, **translator.known}
    if op == "getitem" and reads[0] in translator.known_lists:
        translator.known[node] = translator.known_lists[reads[0]][int(str(node.args[1]))]
        return True
    if any(other not in data for other in reads):
        return False
    mixed = {other in translator.from_data for other in reads}
    if op in LOOKUPS and True in mixed:
        return False
    tags = getattr(node.target, "tags", ())
    if torch.Tag.nondeterministic_seeded in tags and op not in ("dropout", "dropout_"):
        raise translator.fault("is random; a program has fixed data. Pass the random numbers as an input")
    if op.endswith("_") and reads and root(translator, reads[0]).op == "placeholder":
        raise translator.fault(f"changes {translator.label(reads[0])!r} in place; use {op.rstrip('_')} on it instead")

    def lookup(item: Any) -> Any:
        return data[item] if isinstance(item, fx.Node) else item

    try:
        with torch.no_grad():
            # fx types a target as a name or a callable; a call_function node has a callable.
            result = node.target(*fx.map_arg(node.args, lookup), **fx.map_arg(node.kwargs, lookup))  # type: ignore[operator]
    except (RuntimeError, NotImplementedError):
        return False  # a sparse layout, for which PyTorch lacks this operation
    if not _remember(translator, node, result):
        return False
    if True in mixed or any(other in translator.given for other in reads):
        translator.from_data.add(node)
    return True


def follow(translator: Translator, node: "fx.Node") -> None:
    """Note what a view of a float input holds, since a comparison may look at that as well."""
    import torch

    (source,) = node.all_input_nodes if len(node.all_input_nodes) == 1 else (None,)
    if source not in translator.given:
        return
    data = translator.given[source]
    if data.layout is not torch.strided and not _is_compared(node):
        return  # it would be made dense for nothing
    with torch.no_grad():
        inputs = (data if item is source else item for item in node.args)
        result = node.target(*inputs, **node.kwargs)  # type: ignore[operator]  # as in fold
    if isinstance(result, torch.Tensor):
        translator.given[node] = result


def _is_compared(node: "fx.Node") -> bool:
    names = (getattr(user.target, "_opname", str(user.target)) for user in node.users)
    return any(name in COMPARISONS for name in names)


def _filled(translator: Translator, node: "fx.Node", op: str) -> "torch.Tensor":
    """``ones_like(x)`` and its relatives, which look at nothing of ``x`` but its shape."""
    import torch

    shape = translator.shape(node)
    if op.endswith(("full_like", "full")):
        value: Any = node.args[-1]
        if not isinstance(value, int | float):
            raise translator.fault(f"fills with {value!r}, which is not a constant")
        return torch.full(shape, value, dtype=node.meta["val"].dtype)
    make = torch.ones if "ones" in op else torch.zeros
    return make(shape, dtype=node.meta["val"].dtype)


def _remember(translator: Translator, node: "fx.Node", result: object) -> bool:
    """Note that ``node`` is ``result``; whether that is dense tensors only."""
    import torch

    items = [
        item
        for item in (result if isinstance(result, list | tuple) else [result])
        if isinstance(item, torch.Tensor) and item.layout is torch.strided
    ]
    if not items or (isinstance(result, list | tuple) and len(items) != len(result)):
        return False
    if isinstance(result, torch.Tensor):
        translator.known[node] = result.detach()
    else:
        translator.known_lists[node] = [item.detach() for item in items]
    return True


def known(translator: Translator, argument: object) -> "torch.Tensor | None":
    """The tensor that ``argument`` is known to be; None if it is computed when the program runs."""
    from torch import fx

    return translator.known.get(argument) if isinstance(argument, fx.Node) else None
