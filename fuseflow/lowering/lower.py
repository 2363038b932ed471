"""Lowering of a fused region: dataflow order, graph, graph passes and fusion table (paper §6, Algorithm 2)."""

from dataclasses import dataclass
from itertools import islice

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.passes import insert_locate, remove_dead
from fuseflow.dataflow.verify import verify
from fuseflow.errors import FusionError
from fuseflow.fusion import FusedRegion
from fuseflow.lowering.columns import Column, build_columns
from fuseflow.lowering.fill_table import fill_table
from fuseflow.lowering.generate import Fills, Lowering
from fuseflow.lowering.table import FusionTable

ORDERS_TRIED = 256


@dataclass(frozen=True, slots=True)
class Lowered:
    """A region lowered in one dataflow order: its graph, its fusion table, and the nest of every operation."""

    region: FusedRegion
    order: tuple[str, ...]
    graph: Graph
    table: FusionTable
    root: Column


def lower(region: FusedRegion, order: tuple[str, ...] | None = None, fills: Fills | None = None) -> Lowered:
    """Lower ``region`` in dataflow order ``order``, or in the first legal one that can be lowered.

    ``fills`` says how full the levels of stored tensors are; what it promises must hold for the data of every run.
    Raises ScheduleError for an order that is not legal and FusionError for one that cannot be lowered.
    """
    known = fills or {}
    if order is not None:
        region.partial_order.check(order)
        return _lower_order(region, order, known)
    faults: list[FusionError] = []
    for candidate in islice(region.orders(), ORDERS_TRIED):
        try:
            return _lower_order(region, candidate, known)
        except FusionError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    raise FusionError(
        f"region {region.name!r}: none of the first {len(faults)} legal dataflow orders can be lowered. The first "
        f"fails because {faults[0]}"
    )


def _lower_order(region: FusedRegion, order: tuple[str, ...], fills: Fills) -> Lowered:
    root = build_columns(region, order)
    lowering = Lowering(region, fills)
    pulled = lowering.finish(root)
    located, moved = insert_locate(pulled)
    graph = remove_dead(located)
    verify(graph)
    renamed = {old.node: new.node for old, new in moved.items()}
    live = {node.name for node in graph.nodes}
    table = fill_table(
        lowering, root, order, lambda name: renamed.get(name, name) if renamed.get(name, name) in live else None
    )
    return Lowered(region, order, graph, table, root)
