"""What every node of a graph costs: the counters of simulator §5 and the cycles a node is busy, from token counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    Gather,
    Join,
    Joiner,
    LevelScanner,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.einsum.operators import BinaryOp
from fuseflow.estimate.query import Counter, either, simplify
from fuseflow.estimate.streams import Stream
from fuseflow.sim.machine import BlockTiming, Machine
from fuseflow.sim.pace import flops_per_value, pace, words_per_value


@dataclass(frozen=True, slots=True)
class NodeCost:
    """Counters as in :class:`fuseflow.sim.NodeStats`, expected instead of counted.

    ``batches`` is in how many pieces the node hands on its results: an accumulator keeps all until a fiber ends.
    """

    busy_cycles: float = 0.0
    latency_cycles: float = 1.0
    flops: float = 0.0
    values_read: float = 0.0
    values_written: float = 0.0
    coordinates_read: float = 0.0
    coordinates_written: float = 0.0
    batches: float | None = None


def node_costs(graph: Graph, streams: Mapping[Port, Stream], machine: Machine, counter: Counter) -> dict[str, NodeCost]:
    """Cost of every node on ``machine``."""
    summed = _summed_products(graph)
    return {
        node.name: _cost(node, [streams[port] for port in node.inputs], streams, machine, counter, summed)
        for node in graph
    }


def _cost(
    node: Node,
    inputs: list[Stream],
    streams: Mapping[Port, Stream],
    machine: Machine,
    counter: Counter,
    summed: frozenset[str],
) -> NodeCost:
    match node.block:
        case Root():
            return NodeCost(2.0)
        case LevelScanner(extent=extent):
            return _scanner(inputs[0], streams[Port(node.name, "crd")], extent is None, machine, counter)
        case Repeat():
            return NodeCost(_tokens(inputs[1], counter), 2.0)
        case Joiner(join):
            return _joiner(join, inputs[::2], counter)
        case Array():
            read = inputs[0].tokens(counter, present=True) * words_per_value(node.block)
            return _paced(inputs[0], pace(node.block, machine), counter, values_read=read)
        case BinaryALU(op):
            timing = pace(node.block, machine, op is BinaryOp.MUL and node.name in summed)
            return _paced(inputs[0], timing, counter, flops=inputs[0].tokens(counter) * flops_per_value(node.block))
        case UnaryALU():
            flops = inputs[0].tokens(counter) * flops_per_value(node.block)
            return _paced(inputs[0], pace(node.block, machine), counter, flops=flops)
        case Reduce():
            timing = pace(node.block, machine)
            added = inputs[0].tokens(counter, present=True)
            stops = inputs[0].stops(counter)
            cycles = added * timing.interval_cycles + stops * timing.control_cycles
            flops = added * flops_per_value(node.block)
            return NodeCost(cycles, timing.latency_cycles, flops=flops, batches=max(stops, 1.0))
        case SparseAccumulator():
            return _accumulator(inputs, counter, pace(node.block, machine).interval_cycles, flops_per_value(node.block))
        case CrdWriter():
            written = inputs[0].tokens(counter)
            # A first fiber that is empty leaves a segment entry too; of several fibers, the estimate ignores it.
            segments = max(inputs[0].filled_fibers(counter, len(inputs[0].path)), 1.0)
            return NodeCost(written + segments, coordinates_written=written + segments)
        case ValWriter():
            values = inputs[0].tokens(counter, present=True)
            cycles = values * pace(node.block, machine).interval_cycles + 1
            return NodeCost(cycles, values_written=values * words_per_value(node.block))
        case Gather():
            # A turn per token of all lanes, of which it passes on one at a time.
            return NodeCost(_tokens(streams[Port(node.name, node.block.outputs[0].name)], counter))
        case _:
            return NodeCost(max((_tokens(stream, counter) for stream in inputs), default=0.0))


def _tokens(stream: Stream, counter: Counter) -> float:
    return stream.tokens(counter) + stream.stops(counter)


def _paced(stream: Stream, timing: BlockTiming, counter: Counter, **counted: float) -> NodeCost:
    cycles = stream.tokens(counter) * timing.interval_cycles + stream.stops(counter) * timing.control_cycles
    return NodeCost(cycles, timing.latency_cycles, **counted)


def _scanner(source: Stream, crd: Stream, compressed: bool, machine: Machine, counter: Counter) -> NodeCost:
    coordinates, stops = crd.tokens(counter), crd.stops(counter)
    if not compressed:
        return NodeCost(coordinates + stops)
    timing = machine.scanner
    references = source.tokens(counter, present=True)
    cycles = coordinates * timing.sequential_interval_cycles + stops + references * timing.initial_delay_cycles
    read = coordinates + 2 * _runs(source, counter)
    return NodeCost(cycles + timing.startup_delay_cycles, timing.output_latency_cycles, coordinates_read=read)


def _runs(source: Stream, counter: Counter) -> float:
    """References that differ from the one before: they change with the innermost variable that they depend on.

    Only those count that are asked for: an empty fiber of the levels below takes its reference with it.
    """
    depth = max((source.path.index(variable) + 1 for variable in source.bound if variable[1] > 1), default=0)
    condition = counter.exists(simplify(source.last | source.present), source.path[depth:])
    return counter.count(condition, source.path[:depth])


def _joiner(join: Join, crds: list[Stream], counter: Counter) -> NodeCost:
    """A turn per distinct coordinate of all operands, and one per stop."""
    common = frozenset.intersection(*(crd.last for crd in crds))
    union = common | either([crd.last for crd in crds], common)
    turns = counter.count(union, crds[0].path)
    return NodeCost(turns + max(crd.stops(counter) for crd in crds))


def _accumulator(inputs: list[Stream], counter: Counter, interval: int, flops: int) -> NodeCost:
    """A turn of ``interval`` cycles per value, one per stop of every level; the stops of an empty fiber go in one."""
    *crds, _ = inputs
    added = crds[0].tokens(counter)
    flushes = crds[-1].stops(counter)
    ends = flushes + sum(crd.tokens(counter) for crd in crds[1:])
    return NodeCost(added * interval + ends, flops=added * flops, batches=max(flushes, 1.0))


def _summed_products(graph: Graph) -> frozenset[str]:
    """Products whose first reader adds them up (simulator rule 3.12)."""
    first: dict[str, Node] = {}
    for node in graph:
        for port in node.inputs:
            first.setdefault(port.node, node)
    return frozenset(name for name, reader in first.items() if isinstance(reader.block, Reduce | SparseAccumulator))
