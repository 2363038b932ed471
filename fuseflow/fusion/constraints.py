"""Which index variable must be iterated outside of which: the edges of the partial order graph."""

from collections.abc import Iterator
from itertools import pairwise

from fuseflow.einsum import ReduceOp, Reduction
from fuseflow.fusion.inline import Hints
from fuseflow.fusion.order import Constraint, PartialOrder
from fuseflow.fusion.views import Leaf, Operation, walk


def partial_order(root: Operation, hints: Hints) -> PartialOrder:
    """Partial order of the view tree under ``root``, whose reductions were merged as ``hints`` says."""
    variables: dict[str, None] = {}
    constraints: dict[tuple[str, str], Constraint] = {}
    for view in walk(root):
        if isinstance(view, Leaf):
            variables.update(dict.fromkeys(view.level_variables))
        for constraint in _storage(view) if isinstance(view, Leaf) else _reductions(view, hints):
            constraints.setdefault((constraint.outer, constraint.inner), constraint)
    return PartialOrder(tuple(variables), tuple(constraints.values()))


def _storage(leaf: Leaf) -> Iterator[Constraint]:
    levels = leaf.level_variables
    for outer, inner in pairwise(levels):
        yield Constraint(outer, inner, f"{leaf.name} is stored {outer} before {inner}")


def _reductions(view: Operation, hints: Hints) -> Iterator[Constraint]:
    for index, variable in zip(view.statement.reduced, view.reduced, strict=True):
        match view.statement.expression:
            case Reduction(ReduceOp.MAX, _):
                reason = f"the maximum {view.name} is taken over innermost fibers"
            case _ if (view.name, view.variables, index) in hints:
                reason = f"{view.name} is reduced over the {variable} that its consumer iterates"
            case _:
                continue
        for outer in view.variables:
            yield Constraint(outer, variable, reason)
