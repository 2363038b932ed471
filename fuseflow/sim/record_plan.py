"""Which nodes work on records: a level scanner and all that follows its fibers.

A *fiber group* is a level scanner with the nodes that take its streams in step: repeats that it signals, arrays and
ALUs on those, and at the ends accumulators, reductions and writers. In a group a fiber is one record; where another
node reads a stream of the group, the records are expanded to tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.engine_units import binary_timing
from fuseflow.sim.interpret import summed_products
from fuseflow.sim.machine import BlockTiming, Machine
from fuseflow.sim.memory import MemoryKind


@dataclass(frozen=True, slots=True)
class FiberGroup:
    """``nodes[0]`` is the scanner; the others stand in the order of the graph. ``ports`` carry records."""

    nodes: tuple[Node, ...]
    ports: frozenset[Port]

    @property
    def scanner(self) -> LevelScanner:
        block = self.nodes[0].block
        assert isinstance(block, LevelScanner)
        return block


def fiber_groups(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    apart: frozenset[str] = frozenset(),
    recorded: bool = False,
) -> tuple[FiberGroup, ...]:
    """The groups of ``graph`` without the nodes ``apart``; none on a machine that does not move one token per cycle.

    No node is in two groups. ``recorded`` says that all streams have to be made.
    """
    if not moves_one_token_per_cycle(machine):
        return ()
    found: list[FiberGroup] = []
    taken = set(apart)
    summed = summed_products(graph)
    for node in graph:
        if isinstance(node.block, LevelScanner) and node.name not in taken:
            group = _group(graph, node, taken, tensors, machine, summed, recorded)
            if group is not None:
                found.append(group)
                taken |= {member.name for member in group.nodes}
    return tuple(found)


def moves_one_token_per_cycle(machine: Machine) -> bool:
    """Whether every unit of ``machine`` takes a token each cycle, with nothing in its way.

    Products that are added up may take longer: what adds them up can wait for each.
    """

    def plain(timing: BlockTiming) -> bool:
        return timing.interval_cycles == 1

    scanner = machine.scanner
    return (
        machine.channel_capacity is None
        and machine.memory.kind is MemoryKind.IDEAL
        and all(plain(t) for t in (machine.array, machine.binary, machine.unary, machine.reduce))
        and scanner.sequential_interval_cycles == 1
        and scanner.output_latency_cycles <= 1
        and scanner.miss_latency_cycles == 0
    )


def _group(
    graph: Graph,
    scanner: Node,
    taken: set[str],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    summed: frozenset[str],
    recorded: bool,
) -> FiberGroup | None:
    crd, ref = Port(scanner.name, "crd"), Port(scanner.name, "ref")
    members, ports = [scanner], {crd, ref}
    slow: set[Port] = set()  # products that come several cycles apart
    for node in graph:
        if node.name in taken or not _follows(node, crd, ref, ports, tensors, scanner):
            continue
        if not slow.isdisjoint(node.inputs) and not isinstance(node.block, SparseAccumulator | Reduce):
            continue
        members.append(node)
        if not isinstance(node.block, SparseAccumulator | Reduce):
            ports |= {Port(node.name, spec.name) for spec in node.block.outputs}
        if node.name in summed and binary_timing(machine, True).interval_cycles != 1:
            slow.add(Port(node.name, "val"))
    if len(members) < 3:
        return None  # a scanner whose fibers are expanded for all readers gains nothing
    written: set[str] = set()
    for node in members if not recorded else ():
        writers = flush_writers(graph, node)
        if writers is not None:
            written |= {writer.name for writer in writers}
            ports |= {Port(node.name, spec.name) for spec in node.block.outputs}
    names = written | {member.name for member in members}
    return FiberGroup((scanner, *(node for node in graph if node.name in names - {scanner.name})), frozenset(ports))


def flush_writers(graph: Graph, node: Node) -> tuple[Node, Node] | None:
    """The coordinate writer and the value writer that alone read the accumulator ``node``; None if others do."""
    if not isinstance(node.block, SparseAccumulator):
        return None
    readers = [[reader for reader in graph if Port(node.name, name) in reader.inputs] for name in ("crd0", "val")]
    match readers:
        case [[Node(block=CrdWriter()) as crd], [Node(block=ValWriter()) as val]]:
            return crd, val
    return None


def _follows(
    node: Node, crd: Port, ref: Port, ports: set[Port], tensors: Mapping[str, FiberTree], scanner: Node
) -> bool:
    inside = [port in ports for port in node.inputs]
    match node.block:
        case Repeat():
            return inside == [False, True] and node.inputs[1] in (crd, ref)
        case Array() | BinaryALU() | UnaryALU() | ValWriter():
            return all(inside)
        case Locate(has_parent=False):
            return node.inputs == (ref, crd) and largest_coordinate(scanner, tensors) < node.block.extent
        case CrdWriter():
            return node.inputs == (crd,)
        case Reduce():
            return inside in ([True], [True, False])
        case SparseAccumulator(order=1):
            coordinates = largest_coordinate(scanner, tensors)
            return inside == [True, False, True] and node.inputs[0] == crd and coordinates < node.block.extents[0]
    return False


def largest_coordinate(scanner: Node, tensors: Mapping[str, FiberTree]) -> int:
    """Largest coordinate that ``scanner`` can emit; -1 if there is none."""
    block = scanner.block
    assert isinstance(block, LevelScanner)
    if block.extent is not None:
        return block.extent - 1
    tree = tensors.get(block.tensor)
    if tree is None or block.level >= len(tree.levels):
        return -1  # refused when the scanner is built
    level = tree.levels[block.level]
    return int(level.coordinates.max(initial=-1)) if isinstance(level, CompressedLevel) else -1
