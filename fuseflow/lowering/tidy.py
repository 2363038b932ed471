"""The optional graph passes of a region, applied as its schedule asks (paper §7)."""

from collections.abc import Callable
from dataclasses import replace

from fuseflow.dataflow.blocks import Joiner, Locate, Repeat
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.passes import drop_joins, hoist, remove_dead, share
from fuseflow.dataflow.verify import verify
from fuseflow.lowering.lower import Lowered
from fuseflow.lowering.table import FusionTable
from fuseflow.schedule import GraphPass

PASSES: dict[GraphPass, Callable[[Graph], Graph]] = {
    GraphPass.LOCATES: lambda graph: share(graph, (Locate,)),
    GraphPass.JOINS: lambda graph: share(drop_joins(graph), (Joiner,)),
    GraphPass.REPEATS: lambda graph: share(graph, (Repeat,)),
    GraphPass.COMMON: share,
    GraphPass.HOIST: hoist,
    GraphPass.DEAD: lambda graph: graph,  # every pass leaves its dead streams to the one below
}


def tidy(lowered: Lowered) -> Lowered:
    """``lowered`` with the passes of its region done in their order; dead streams go after each.

    The fusion table keeps the cells; nodes that are gone leave it.
    """
    graph = lowered.graph
    for choice in lowered.region.region.passes:
        graph = remove_dead(PASSES[choice](graph))
    if graph is lowered.graph:
        return lowered
    verify(graph)
    live = {node.name for node in graph.nodes}
    cells = {
        place: replace(cell, nodes=tuple(name for name in cell.nodes if name in live))
        for place, cell in lowered.table.cells.items()
    }
    return replace(lowered, graph=graph, table=FusionTable(lowered.table.rows, lowered.table.columns, cells))
