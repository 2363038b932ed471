"""Sharing between the results of one region: queries, keys and values all reduce the same normalised activations.

Two results that compute the same tensor for elements of their own are given the same index variables where their
dimensions are those of that tensor, and reductions over the same operand the same reduced variable. Then its views are
equal, and it is computed once. Lowering iterates a shared level for all trees together.
"""

from fuseflow.einsum import Product, ReduceOp, Reduction
from fuseflow.fusion.inline import Inlined, Merges
from fuseflow.fusion.views import Operation, View, below, walk

Place = tuple[str, int]
Key = tuple[str, tuple[str, ...], str]


def same_elements(inlined: Inlined, refused: set[object]) -> tuple[Place, str] | None:
    """A dimension of a result and the variable of an earlier tree that iterates the same elements."""
    for number, root in enumerate(inlined.roots):
        for earlier in inlined.roots[:number]:
            if root.masked or earlier.masked or root.name in {view.name for view in walk(earlier)}:
                continue
            for mine, theirs in _shared_operations(root, earlier):
                for own, other in zip(mine.variables, theirs.variables, strict=True):
                    if own == other or own not in root.variables or other not in earlier.variables:
                        continue
                    found = ((root.name, root.variables.index(own)), other)
                    if other not in root.variables and found not in refused:
                        return found
    return None


def _shared_operations(root: Operation, earlier: Operation) -> list[tuple[Operation, Operation]]:
    """Views of the same statement in the two trees that are not the same view."""
    known: dict[str, list[Operation]] = {}
    for view in walk(earlier):
        if isinstance(view, Operation):
            known.setdefault(view.name, []).append(view)
    return [
        (view, twin)
        for view in walk(root)
        if isinstance(view, Operation)
        for twin in known.get(view.name, ())
        if twin is not view
    ]


def same_reduction(
    inlined: Inlined, hints: dict[Key, str], merges: Merges, refused: set[object]
) -> tuple[Key, str] | None:
    """A sum, and the variable over which an unrelated sum already reduces the same operand."""
    sums = [
        (view, index, variable)
        for root in inlined.roots
        for view in walk(root)
        if isinstance(view, Operation) and _is_sum(view)
        for index, variable in zip(view.statement.reduced, view.reduced, strict=True)
        if (view.name, view.variables, index) not in hints
    ]
    for place, (view, index, variable) in enumerate(sums):
        key = (view.name, view.variables, index)
        if key in merges.reductions:
            continue
        for other, _, target in sums[:place]:
            if target == variable or target in view.reduced or (key, target) in refused or _related(view, other):
                continue
            if any(_is_twin(inlined, operand, variable, target, other) for operand in view.operands):
                return key, target
    return None


def _is_sum(view: Operation) -> bool:
    match view.statement.expression:
        case Product() | Reduction(ReduceOp.SUM, _):
            return not view.masked
        case _:
            return False


def _related(view: Operation, other: Operation) -> bool:
    return id(other) in below(view) or id(view) in below(other)


def _is_twin(inlined: Inlined, operand: View, variable: str, target: str, other: Operation) -> bool:
    """Whether ``operand``, an intermediate, or what it is computed from, is along ``target`` part of ``other``."""
    if not isinstance(operand, Operation) or variable not in operand.variables:
        return False
    renamed = tuple(target if name == variable else name for name in operand.variables)
    twin = inlined.views.get((operand.name, renamed))
    if twin is not None and id(twin) in below(other):
        return True
    return any(_is_twin(inlined, item, variable, target, other) for item in operand.operands)
