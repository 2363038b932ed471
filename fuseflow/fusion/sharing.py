"""Sharing of reductions: when a reduction may run over the very index variable its consumer iterates.

In ``D[m,n] = P[m,n] - M[m]`` with ``M[m] = max[n](P[m,n])`` the maximum has an index variable of its own, and taken
literally ``P`` would be computed twice. If the consumer iterates exactly the elements of ``P`` along ``n``, the maximum
can run over ``n`` itself and ``P`` is shared. If the consumer iterates fewer (a compressed operand filters ``n``
further up), it must not: the maximum is over all of ``P``.

The same question arises for a result of the region that the region itself reads on: if its reader iterates all of it,
the two are one; otherwise the result is computed in a nest of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fuseflow.einsum import Binary, Mask, Product, Program, ReduceOp, Reduction, Unary
from fuseflow.formats import LevelKind
from fuseflow.fusion.constraints import Orders, partial_order
from fuseflow.fusion.inline import Inlined, Merges, inline
from fuseflow.fusion.siblings import same_elements, same_reduction
from fuseflow.fusion.views import Leaf, Operation, View, below, walk_all

Key = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Shared:
    """A region inlined with everything shared that can be: its trees and the merges that were made."""

    inlined: Inlined
    hints: dict[Key, str]
    merges: Merges


def inline_shared(
    program: Program, statements: tuple[str, ...], outputs: tuple[str, ...], orders: Orders, siblings: bool = True
) -> Shared:
    """Inline a region, merge every reduction variable and every result that can be merged.

    A merge that storage orders forbid (the reduction would have to finish before its index is iterated) is not made.
    Without ``siblings`` results share only what one of them reads of another.
    """
    hints: dict[Key, str] = {}
    merges = Merges()
    refused: set[object] = set()

    def build(hints: dict[Key, str], merges: Merges) -> tuple[Inlined, bool]:
        made = inline(program, statements, outputs, hints, merges)
        order = partial_order(made.roots, hints, orders)
        if not order.acyclic and contradictory:
            leaves = {view.key for view in walk_all(made.roots) if isinstance(view, Leaf)}
            order = partial_order(made.roots, hints, orders, leaves)
        return made, order.acyclic

    def proposals(inlined: Inlined) -> Iterator[tuple[object, dict[Key, str], Merges]]:
        result = _repeated_result(inlined, outputs, merges, hints, refused)
        if result is not None:
            places = {(result[0], place): variable for place, variable in enumerate(result[1])}
            yield result, hints, Merges({**merges.results, **places}, merges.reductions)
        candidate = _candidate(inlined, hints, refused)
        if candidate is not None:
            yield candidate, {**hints, candidate[0]: candidate[1]}, merges
        if siblings and len(outputs) > 1:
            twin = same_elements(inlined, refused)
            if twin is not None:
                yield twin, hints, Merges({**merges.results, twin[0]: twin[1]}, merges.reductions)
            reduction = same_reduction(inlined, hints, merges, refused)
            if reduction is not None:
                yield reduction, hints, Merges(merges.results, {**merges.reductions, reduction[0]: reduction[1]})

    # Where storage orders contradict each other from the start, a copy will resolve it; merges must not add to it.
    contradictory = False
    inlined, acyclic = build(hints, merges)
    if not acyclic:
        contradictory = True
        inlined, acyclic = build(hints, merges)
    while True:
        proposal = next(proposals(inlined), None)
        if proposal is None:
            return Shared(inlined, hints, merges)
        made, still = build(proposal[1], proposal[2])
        if still or not acyclic:
            inlined, hints, merges = made, proposal[1], proposal[2]
        else:
            refused.add(proposal[0])


def _repeated_result(
    inlined: Inlined, outputs: tuple[str, ...], merges: Merges, hints: dict[Key, str], refused: set[object]
) -> tuple[str, tuple[str, ...]] | None:
    """A result with a nest of its own that another result's nest computes in full, and the variables it has there."""
    for number, root in enumerate(inlined.roots):
        if (root.name, 0) in merges.results or not root.variables:
            continue
        for view in walk_all(inlined.roots[:number]):
            if view.name != root.name or (root.name, view.variables) in refused:
                continue
            if all(_computed_in_full(inlined, view, variable, hints) for variable in view.variables):
                return root.name, view.variables
    return None


def _computed_in_full(inlined: Inlined, view: View, variable: str, hints: dict[Key, str]) -> bool:
    top = _top(inlined, variable, hints)
    if view is top or view.masked - top.masked:
        return False
    return _carried(top, view, variable) and _unfiltered(top, view, variable)


def _carried(view: View, twin: View, variable: str) -> bool:
    """Whether ``variable`` stands for the same elements from ``view`` down to ``twin``, sums over others aside."""
    if view is twin:
        return True
    if isinstance(view, Leaf):
        return False
    return any(_carried(operand, twin, variable) for operand in view.operands if variable in operand.variables)


def _candidate(inlined: Inlined, hints: dict[Key, str], refused: set[object]) -> tuple[Key, str] | None:
    # Variables are named from the result down. Merging only into earlier ones, first come first served, keeps the
    # names that earlier hints speak of stable when the region is inlined again.
    reductions = {
        variable: (view, index)
        for view in walk_all(inlined.roots)
        if isinstance(view, Operation)
        for index, variable in zip(view.statement.reduced, view.reduced, strict=True)
        if (view.name, view.variables, index) not in hints
    }
    earlier: list[str] = []
    for variable in inlined.extents:
        if variable in reductions:
            view, index = reductions[variable]
            for other in earlier:
                key = (view.name, view.variables, index)
                if (key, other) not in refused and _mergeable(inlined, view, variable, other, hints):
                    return key, other
        earlier.append(variable)
    return None


def _mergeable(inlined: Inlined, reduction: Operation, variable: str, other: str, hints: dict[Key, str]) -> bool:
    """Whether ``reduction`` may reduce over ``other`` instead of its own ``variable``."""
    if other in reduction.variables or other in reduction.reduced:
        return False
    twins: list[View] = []
    for operand in reduction.operands:
        if variable in operand.variables:
            found = _twins(inlined, operand, variable, other)
            if not found:
                return False
            twins += found
    top = _top(inlined, other, hints)
    inside = below(top)
    if reduction is top or not _combined(top, reduction, top) or any(id(twin) not in inside for twin in twins):
        return False
    if any(id(top) in below(operand) for operand in reduction.operands):
        return False
    if not all(_iterated(top, twin, other, top) for twin in twins):
        return False
    match reduction.statement.expression:
        case Reduction(ReduceOp.MAX, _) if not all(other in twin.masked or covers(twin, other) for twin in twins):
            return False  # the maximum also looks at unstored zeros, which its consumer need not iterate
        case _:
            pass
    # Where `other` is produced by an accumulator, everything below must be known before `other` is iterated.
    producers = (view for view in walk_all((top,)) if isinstance(view, Operation) and view is not top and view.reduced)
    if any(other in view.variables and id(reduction) in below(view) for view in producers):
        return False
    return all(_unfiltered(top, twin, other) for twin in twins)


def _twins(inlined: Inlined, operand: View, variable: str, other: str) -> list[View]:
    """The views of ``operand`` along ``other``; none if it is not computed there.

    Where the consumer does not compute it but its operands, as the square under a variance, those: as long as it is
    zero where they are.
    """
    renamed = tuple(other if name == variable else name for name in operand.variables)
    twin = inlined.views.get((operand.name, renamed))
    if twin is not None:
        return [twin]
    if isinstance(operand, Leaf) or operand.reduced:
        return []
    match operand.statement.expression:
        case Product():
            pass
        case Unary(op, _, scalar) if op.preserves_zero(scalar):
            pass
        case _:
            return []
    found: list[View] = []
    for item in operand.operands:
        if variable in item.variables:
            inner = _twins(inlined, item, variable, other)
            if not inner:
                return []
            found += inner
    return found


def _top(inlined: Inlined, variable: str, hints: dict[Key, str]) -> Operation:
    """The operation that binds ``variable`` of its own: the one that reduces it, or a result."""
    for view in walk_all(inlined.roots):
        if isinstance(view, Operation):
            for index, bound in zip(view.statement.reduced, view.reduced, strict=True):
                if bound == variable and (view.name, view.variables, index) not in hints:
                    return view
    return next(root for root in inlined.roots if variable in root.variables)


def _combined(view: View, reduction: Operation, top: View) -> bool:
    """Whether the result of ``reduction`` meets ``top``'s operands element by element, with no reduction in between."""
    if view is reduction:
        return True
    if isinstance(view, Leaf) or (view.reduced and view is not top):
        return False
    return any(_combined(operand, reduction, top) for operand in view.operands)


def _iterated(view: View, twin: View, variable: str, top: View) -> bool:
    """Whether ``twin`` is iterated along ``variable`` together with ``top``, with no reduction in between."""
    if view is twin:
        return True
    if isinstance(view, Leaf) or (view.reduced and view is not top):
        return False
    return any(_iterated(operand, twin, variable, top) for operand in view.operands if variable in operand.variables)


def _unfiltered(top: View, twin: View, variable: str) -> bool:
    """Whether iterating ``variable`` for ``top`` visits every element of ``twin`` along it."""
    if top is twin or id(twin) not in below(top) or not isinstance(top, Operation):
        return True
    carriers = [operand for operand in top.operands if variable in operand.variables]
    filters = isinstance(top.statement.expression, Product | Mask) or (
        isinstance(top.statement.expression, Binary) and variable in top.masked
    )
    for operand in carriers:
        if id(twin) in below(operand):
            if not _unfiltered(operand, twin, variable):
                return False
        elif filters and not covers(operand, variable):
            return False
    return True


def covers(view: View, variable: str) -> bool:
    """Whether the declared formats alone guarantee that ``view`` stores every coordinate of ``variable``."""
    if isinstance(view, Leaf):
        return all(level.kind is LevelKind.DENSE for level in view.tensor.format.levels)
    carriers = [operand for operand in view.operands if variable in operand.variables]
    if view.reduced:
        return all(covers(operand, variable) for operand in view.operands for variable in operand.variables)
    match view.statement.expression:
        case Product() | Mask():
            return all(covers(operand, variable) for operand in carriers)
        case _:
            return any(covers(operand, variable) for operand in carriers)
