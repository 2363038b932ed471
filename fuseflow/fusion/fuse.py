"""Cross-expression fusion of one region (paper §5, Algorithm 1)."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from math import prod

from fuseflow.einsum import Program
from fuseflow.errors import ScheduleError
from fuseflow.fusion.constraints import partial_order, result_constraints
from fuseflow.fusion.count import OrderCount, count_orders, published_order
from fuseflow.fusion.iterate_globally import globally_iterated
from fuseflow.fusion.order import PartialOrder
from fuseflow.fusion.sharing import Shared, inline_shared
from fuseflow.fusion.views import Leaf, LeafKey, Operation, View, walk_all
from fuseflow.schedule import Iteration, Region, region_outputs


@dataclass(frozen=True, slots=True)
class FusedRegion:
    """A region as fused expressions: its views, the size of every index variable and their partial order.

    ``roots`` are the views of its results, consumers before what they read. ``program`` is the program that was
    fused; with global iteration, its statements differ from the ones of the user.
    """

    region: Region
    program: Program
    shared: Shared
    partial_order: PartialOrder

    @property
    def name(self) -> str:
        return self.region.name

    @property
    def roots(self) -> tuple[Operation, ...]:
        return self.shared.inlined.roots

    @property
    def extents(self) -> dict[str, int]:
        return self.shared.inlined.extents

    @property
    def views(self) -> tuple[View, ...]:
        """Every view, operands before the operations that use them."""
        return tuple(walk_all(self.roots))

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every use of a stored tensor."""
        return tuple(view for view in self.views if isinstance(view, Leaf))

    def orders(self) -> Iterator[tuple[str, ...]]:
        """Legal dataflow orders in lexicographic order."""
        return self.partial_order.orders()

    def count_orders(self, duplicates: bool = False, constrained: bool = True) -> OrderCount:
        """Number of legal dataflow orders.

        With ``duplicates`` as the published compiler counts: storage orders alone constrain, and every use of an
        intermediate has reduced variables of its own, which makes most of its orders equal in effect. Not
        ``constrained``: all orders of these variables (paper Table 4, first column).
        """
        order = self.partial_order
        if duplicates:
            order = published_order(self.roots, frozenset(self.shared.hints))
        return count_orders(order if constrained else PartialOrder(order.variables, ()))

    def relaxed(self, free: Set[LeafKey]) -> PartialOrder:
        """The partial order that is left if the views in ``free`` are stored as the dataflow order wants them."""
        return partial_order(self.roots, self.shared.hints, dict(self.region.orders), free)

    def storing(self, order: PartialOrder) -> PartialOrder:
        """``order`` with the storage orders of the results added."""
        wanted = [
            constraint
            for root in self.roots
            for constraint in result_constraints(root, self.program.tensor(root.name).format.mode_order)
        ]
        return PartialOrder(order.variables, (*order.constraints, *wanted))

    def __repr__(self) -> str:
        roots = ", ".join(f"{root.name}[{','.join(root.variables)}]" for root in self.roots)
        lines = [f"FusedRegion {self.name} -> {roots}"]
        for view in self.views:
            if isinstance(view, Operation):
                uses = ", ".join(f"{item.name}[{','.join(item.variables)}]" for item in view.operands)
                over = f" over {','.join(view.reduced)}" if view.reduced else ""
                lines.append(f"  {view.name}[{','.join(view.variables)}] from {uses}{over}")
        lines += [f"  {item.outer} -> {item.inner}: {item.reason}" for item in self.partial_order.constraints]
        return "\n".join(lines)


def fuse(program: Program, region: Region, siblings: bool = True) -> FusedRegion:
    """Fuse the statements of ``region`` into one expression per result; with ``siblings`` results share what they can.

    The partial order may be cyclic, where storage orders contradict each other: lowering then copies a tensor. Raises
    ScheduleError for statements or index variables that do not exist.
    """
    _check_orders(program, region)
    chosen = globally_iterated(program, region) if region.iteration is Iteration.GLOBAL else program
    orders = dict(region.orders)
    shared = inline_shared(chosen, region.statements, region_outputs(region, program), orders, siblings)
    order = partial_order(shared.inlined.roots, shared.hints, orders)
    return FusedRegion(region, chosen, shared, order)


def copy_candidates(region: FusedRegion, stored: Mapping[str, int]) -> tuple[LeafKey, ...]:
    """Views whose storage order matters, the cheapest to copy first.

    ``stored`` gives the number of stored elements of a tensor where it is known; otherwise its dense size counts.
    """
    found = {leaf.key: leaf for leaf in region.leaves if leaf.tensor.order > 1}
    return tuple(sorted(found, key=lambda key: (stored.get(key[0], prod(found[key].tensor.shape)), key)))


def _check_orders(program: Program, region: Region) -> None:
    for name, order in region.orders:
        if name not in region.statements:
            raise ScheduleError(
                f"region {region.name!r} gives an order for {name!r}, which it does not hold; it holds "
                f"{', '.join(region.statements)}"
            )
        indices = program.statement(name).indices
        if sorted(order) != sorted(indices):
            raise ScheduleError(
                f"region {region.name!r}: order {' '.join(order)} of {name} must name every index variable of the "
                f"statement once: {' '.join(indices)}"
            )
