"""Counters of the units of a network, as the statistics of its nodes and channels."""

from fuseflow.dataflow.blocks import Array, BinaryALU, Reduce, SparseAccumulator, UnaryALU, ValWriter
from fuseflow.dataflow.graph import Graph
from fuseflow.sim.counters import Counters, node_stats
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.pace import flops_per_value, words_per_value
from fuseflow.sim.result import ChannelStats, NodeStats
from fuseflow.sim.tokenwise.arena import Arena, Unit
from fuseflow.sim.tokenwise.build import Network

FLOPS = (layout.BINARY, layout.UNARY, layout.REDUCE, layout.SUM_ONE, layout.SUM_MANY)


def counters(arena: Arena, unit: Unit) -> Counters:
    """What ``unit`` counted so far."""
    kind = arena[unit.place + layout.KIND]
    count, extra = arena[unit.place + layout.COUNT], arena[unit.place + layout.EXTRA]
    if kind in FLOPS:
        return Counters(flops=count * _factor(unit))
    if kind in (layout.ARRAY, layout.ARRAY_STORED):
        return Counters(values_read=count * _factor(unit))
    if kind in (layout.WRITE_VAL, layout.WRITE_VAL_STORED):
        return Counters(values_written=count * _factor(unit))
    if kind in (layout.SCAN, layout.SCAN_STORED):
        return Counters(coordinates_read=count + 2 * extra)
    if kind == layout.SCAN_DENSE:
        return Counters(coordinates_scanned=extra)
    if kind in (layout.WRITE_CRD, layout.WRITE_CRD_STORED):
        return Counters(coordinates_written=count, segments_written=extra)
    return Counters()


def _factor(unit: Unit) -> int:
    """Operations, or words of memory, that one value of ``unit`` stands for."""
    match unit.block:
        case Array() | ValWriter():
            return words_per_value(unit.block)
        case BinaryALU() | UnaryALU() | Reduce() | SparseAccumulator():
            return flops_per_value(unit.block)
        case _:
            return 1


def nodes(network: Network, graph: Graph) -> tuple[NodeStats, ...]:
    """Statistics of every node, in the order of the graph."""
    arena = network.arena
    by_node: dict[str, list[tuple[int, int, Counters]]] = {node.name: [] for node in graph}
    for unit in network.units:
        if unit.node is not None:
            words = arena[unit.place + layout.CLOCK], arena[unit.place + layout.BUSY]
            by_node[unit.node].append((*words, counters(arena, unit)))
    return tuple(node_stats(name, units) for name, units in by_node.items())


def channels(network: Network) -> tuple[ChannelStats, ...]:
    """Statistics of every channel with a reader."""
    arena = network.arena
    return tuple(
        ChannelStats(
            channel.source,
            channel.target,
            channel.capacity,
            arena[channel.place + layout.SENT],
            arena[channel.place + layout.FILL],
            arena[channel.place + layout.WAITED],
        )
        for channel in network.channels
        if channel.target is not None
    )


def cycles(network: Network) -> int:
    """Largest clock of any unit."""
    return max((network.arena[unit.place + layout.CLOCK] for unit in network.units), default=0)
