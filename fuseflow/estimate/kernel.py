"""The estimate of one kernel: token counts, counters, cycles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fuseflow.dataflow.blocks import CrdWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.errors import SimulationError
from fuseflow.estimate.costs import NodeCost, node_costs
from fuseflow.estimate.patterns import Pattern, ResultPattern
from fuseflow.estimate.result import KernelEstimate, NodeEstimate
from fuseflow.estimate.statistics import Statistics
from fuseflow.estimate.streams import Stream, trace_streams
from fuseflow.formats import Format
from fuseflow.sim.machine import Machine
from fuseflow.sim.memory import MemoryKind


@dataclass(frozen=True, slots=True)
class Estimated:
    """A kernel's estimate, and the patterns of what it writes."""

    kernel: KernelEstimate
    patterns: Mapping[str, ResultPattern]


def estimate_kernel(
    graph: Graph,
    formats: Mapping[str, Format],
    statistics: Statistics,
    machine: Machine,
    results: Mapping[str, Pattern] | None = None,
) -> Estimated:
    """Estimate ``graph`` on ``machine``.

    ``formats`` says how each of its results is stored; ``results`` are the patterns of results of earlier kernels.
    Raises SimulationError where a tensor has no statistics, or the graph holds a block whose tokens decide.
    """
    counter = statistics.counter
    patterns = {**statistics.patterns, **(results or {})}
    streams = trace_streams(graph, patterns, statistics.rates, counter)
    costs = node_costs(graph, streams, machine, counter)
    starts, clocks = _clocks(graph, costs)
    nodes = tuple(
        NodeEstimate(
            node.name,
            costs[node.name].busy_cycles,
            clocks[node.name],
            costs[node.name].flops,
            costs[node.name].values_read,
            costs[node.name].values_written,
            costs[node.name].coordinates_read,
            costs[node.name].coordinates_written,
            node.role,
        )
        for node in graph
    )
    waiting = _waiting(graph, costs, starts, clocks)
    kernel = KernelEstimate(graph.name, nodes, machine, _memory_cycles(nodes, machine), waiting)
    return Estimated(kernel, _written(graph, streams, formats))


def _clocks(graph: Graph, costs: Mapping[str, NodeCost]) -> tuple[dict[str, float], dict[str, float]]:
    """When every node begins and is done: busy from the first token, and with the last batch after its producers.

    Exact for a pipeline with steady streams; where two stages take turns in being slower, the sum of the waits is more
    than this says.
    """
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    batches: dict[str, float] = {}
    for node in graph:
        cost = costs[node.name]
        begin, end, pieces = 0.0, 0.0, float("inf")
        for port in node.inputs:
            producer = costs[port.node]
            delay = producer.latency_cycles
            if producer.batches is not None:
                delay += producer.busy_cycles / producer.batches
            begin = max(begin, starts[port.node] + delay)
            pieces = min(pieces, producer.batches if producer.batches is not None else batches[port.node])
            end = max(end, ends[port.node] + producer.latency_cycles)
        drain = cost.busy_cycles / pieces if pieces != float("inf") else 0.0
        starts[node.name] = begin
        batches[node.name] = pieces
        ends[node.name] = max(begin + cost.busy_cycles, end + drain)
    return starts, ends


def _waiting(
    graph: Graph, costs: Mapping[str, NodeCost], starts: Mapping[str, float], ends: Mapping[str, float]
) -> float:
    """Tokens that lie in all streams together: those sent before a node begins, at the pace of their producer."""
    total = 0.0
    for node in graph:
        for port in node.inputs:
            producer = costs[port.node]
            early = starts[node.name] - starts[port.node] - producer.latency_cycles
            span = max(ends[port.node] - starts[port.node], 1.0)
            total += min(producer.busy_cycles, max(early, 0.0) * producer.busy_cycles / span)
    return total


def _memory_cycles(nodes: Sequence[NodeEstimate], machine: Machine) -> float:
    """Least cycles that the memory needs for all requests; 0 for an ideal one.

    A channel begins a request of up to eight addresses every ``interval_cycles``.
    """
    if machine.memory.kind is MemoryKind.IDEAL:
        return 0.0
    requests = sum(
        (node.values_read + node.values_written + node.coordinates_read + node.coordinates_written) / 8
        for node in nodes
    )
    return requests * machine.memory.interval_cycles / machine.memory.channels


def _written(graph: Graph, streams: Mapping[Port, Stream], formats: Mapping[str, Format]) -> dict[str, ResultPattern]:
    levels: dict[str, dict[int, Stream]] = {}
    for node in graph:
        if isinstance(node.block, CrdWriter):
            levels.setdefault(node.block.tensor, {})[node.block.level] = streams[node.inputs[0]]
    found: dict[str, ResultPattern] = {}
    for output in graph.outputs:
        by_level = [levels.get(output.tensor, {}).get(level) for level in range(len(output.mode_order))]
        written = [stream for stream in by_level if stream is not None]
        if len(written) != len(by_level):
            raise SimulationError(f"graph {graph.name!r} has no coordinate writer for some level of {output.tensor!r}")
        format = formats[output.tensor]
        path = written[-1].path if written else ()
        found[output.tensor] = ResultPattern.of(output, format, path, [stream.last for stream in written])
    return found
