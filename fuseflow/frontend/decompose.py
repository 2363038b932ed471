"""Operations without a handler, taken apart by PyTorch's own decompositions where that leaves only such with one."""

from typing import TYPE_CHECKING

from fuseflow.frontend.constants import COMPARISONS, FACTORIES
from fuseflow.frontend.operations import HANDLERS, IGNORED

if TYPE_CHECKING:
    import torch
    from torch import fx


def decomposed(exported: "torch.export.ExportedProgram") -> "torch.export.ExportedProgram":
    """``exported`` as it is if every operation has a handler, else with the others taken apart.

    If some part then has no handler either, the original comes back, so that the message names the user's operation.
    """
    from torch._decomp import core_aten_decompositions

    missing = _without_handler(exported)
    if not missing:
        return exported
    known = core_aten_decompositions()
    table = {node.target: known[node.target] for node in missing if node.target in known}
    apart = exported.run_decompositions(table)
    # A decomposition may consist of others: twice is enough for all that lead to operations with handlers.
    again = {node.target: known[node.target] for node in _without_handler(apart) if node.target in known}
    if again:
        apart = apart.run_decompositions(again)
    return exported if _without_handler(apart) else apart


def _without_handler(exported: "torch.export.ExportedProgram") -> list["fx.Node"]:
    """Calls of an operation that has no handler, except those on constants, which are computed while tracing."""
    from torch.export.graph_signature import InputKind

    inputs = {
        spec.arg.name
        for spec in exported.graph_signature.input_specs
        if spec.kind is InputKind.USER_INPUT and hasattr(spec.arg, "name")
    }
    running: set[fx.Node] = set()
    found = []
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            value = node.meta.get("val")
            if node.name in inputs and value is not None and value.dtype.is_floating_point:
                running.add(node)
        elif node.op == "call_function" and any(other in running for other in node.all_input_nodes):
            op = getattr(node.target, "_opname", None) or "getitem"
            if op in FACTORIES or (op in COMPARISONS and all(_is_input(other) for other in node.all_input_nodes)):
                continue
            running.add(node)
            in_place = op.endswith("_") and op[:-1] in HANDLERS
            base = op[:-1] if in_place else op
            of_a_part = in_place and getattr(node.all_input_nodes[0].target, "_opname", "") in PARTS
            if of_a_part or (base not in HANDLERS and base not in IGNORED and base != "getitem"):
                found.append(node)
    return found


PARTS = frozenset({"select", "slice", "narrow", "diagonal"})
"""Views of a part: changing one in place changes the whole. Taken apart, PyTorch writes that as a scatter."""


def _is_input(node: "fx.Node") -> bool:
    """Whether ``node`` is an input or a view of one."""
    while node.op == "call_function" and len(node.all_input_nodes) == 1:
        node = node.all_input_nodes[0]
    return node.op == "placeholder"
