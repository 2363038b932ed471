"""Which index variable must be iterated outside of which: the edges of the partial order graph."""

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise

from fuseflow.einsum import ReduceOp, Reduction
from fuseflow.fusion.inline import Hints
from fuseflow.fusion.order import Constraint, PartialOrder
from fuseflow.fusion.views import Leaf, LeafKey, Operation, walk_all

Orders = Mapping[str, tuple[str, ...]]
"""Dataflow order of single statements, in their own index variables, by the tensor that the statement defines."""


def partial_order(
    roots: Sequence[Operation], hints: Hints, orders: Orders | None = None, free: Set[LeafKey] = frozenset()
) -> PartialOrder:
    """Partial order of the view trees under ``roots``, whose reductions were merged as ``hints`` says.

    ``orders`` adds what the user asks of single statements. Views in ``free`` may be stored in any order, so their
    storage order constrains nothing.
    """
    variables: dict[str, None] = {}
    constraints: dict[tuple[str, str], Constraint] = {}
    for view in walk_all(roots):
        if isinstance(view, Leaf):
            variables.update(dict.fromkeys(view.level_variables))
            found = iter(()) if view.key in free else _storage(view)
        else:
            found = _of_operation(view, hints, orders or {})
        for constraint in found:
            constraints.setdefault((constraint.outer, constraint.inner), constraint)
    return PartialOrder(tuple(variables), tuple(constraints.values()))


def result_constraints(root: Operation, mode_order: tuple[int, ...]) -> Iterator[Constraint]:
    """What makes a result come out in its storage order ``mode_order``."""
    for outer, inner in pairwise(root.variables[dimension] for dimension in mode_order):
        yield Constraint(outer, inner, f"{root.name} is stored {outer} before {inner}")


def _storage(leaf: Leaf) -> Iterator[Constraint]:
    for outer, inner in pairwise(leaf.level_variables):
        yield Constraint(outer, inner, f"{leaf.name} is stored {outer} before {inner}")


def _of_operation(view: Operation, hints: Hints, orders: Orders) -> Iterator[Constraint]:
    if view.name in orders:
        asked = orders[view.name]
        bound = dict(zip(view.statement.output.indices, view.variables, strict=True))
        bound |= dict(zip(view.statement.reduced, view.reduced, strict=True))
        for outer, inner in pairwise(bound[index] for index in asked):
            yield Constraint(outer, inner, f"the order of {view.name} is to be {' '.join(asked)}")
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
