"""Cross-expression fusion of one region (paper §5, Algorithm 1)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fuseflow.einsum import Program
from fuseflow.fusion.order import PartialOrder
from fuseflow.fusion.sharing import inline_shared
from fuseflow.fusion.views import Operation, View, walk
from fuseflow.schedule import Region, region_output


@dataclass(frozen=True, slots=True)
class FusedRegion:
    """A region as one fused expression: its views, the size of every index variable and their partial order."""

    name: str
    root: Operation
    extents: dict[str, int]
    partial_order: PartialOrder

    @property
    def views(self) -> tuple[View, ...]:
        """Every view, operands before the operations that use them."""
        return tuple(walk(self.root))

    def orders(self) -> Iterator[tuple[str, ...]]:
        """Legal dataflow orders in lexicographic order."""
        return self.partial_order.orders()

    def __repr__(self) -> str:
        lines = [f"FusedRegion {self.name} -> {self.root.name}[{','.join(self.root.variables)}]"]
        for view in self.views:
            if isinstance(view, Operation):
                uses = ", ".join(f"{item.name}[{','.join(item.variables)}]" for item in view.operands)
                over = f" over {','.join(view.reduced)}" if view.reduced else ""
                lines.append(f"  {view.name}[{','.join(view.variables)}] from {uses}{over}")
        lines += [f"  {item.outer} -> {item.inner}: {item.reason}" for item in self.partial_order.constraints]
        return "\n".join(lines)


def fuse(program: Program, region: Region) -> FusedRegion:
    """Fuse the statements of ``region`` into one expression.

    Raises ScheduleError if the region needs more than one output, FusionError if storage orders contradict each other.
    """
    inlined, partial_order = inline_shared(program, region.statements, region_output(region, program))
    partial_order.require_acyclic()
    return FusedRegion(region.name, inlined.root, inlined.extents, partial_order)
