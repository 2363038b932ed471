"""Operations that change a tensor in place, as what they compute: later reads of the tensor see the new value.

PyTorch's views share memory, so a change shows in every view. A change that a view read later would show is refused.
"""

from typing import TYPE_CHECKING

from fuseflow.frontend import layouts, views
from fuseflow.frontend.recording import root
from fuseflow.frontend.translator import Translator
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx

ALIASES = (frozenset({*views.HANDLERS, *layouts.HANDLERS, "dropout", "feature_dropout", "getitem"})) - {
    *views.COPIES, "cat", "stack", "flip", "repeat", "repeat_interleave", "index",
}  # fmt: skip
"""Operations whose result may share memory with their first operand."""


def rebind(translator: Translator, node: "fx.Node", operand: "fx.Node", made: Value, op: str) -> None:
    """Let ``operand``, changed by ``node``, stand for ``made`` from now on; TraceError if that would not be all."""
    memory = root(translator, operand)
    if memory.op == "placeholder":
        raise translator.fault(f"changes the input {translator.label(memory)!r} in place; use {op} instead")
    position = {other: number for number, other in enumerate(node.graph.nodes)}
    for other in (*translator.values, *translator.known):
        shares = other is not operand and other is not node and root(translator, other) is memory
        if shares and any(position[user] > position[node] for user in other.users):
            raise translator.fault(f"changes {other.name!r} in place, which is read again later; use {op} instead")
    translator.values[operand] = made
    translator.known.pop(operand, None)
    translator.storage[node] = operand
