"""Which joiners take the fibers of a scanner without the scanner making tokens of them (kernels ``lazy_*``).

An intersect that has a stream on one side and a level scanner on the other, whose tokens no other node reads, only
looks up the coordinates of the stream. The same holds where the other side is the union of a compressed level with a
dense one, both read by nothing else: the lowering makes these for operands that lack rows.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fuseflow.dataflow.blocks import Join, Joiner, LevelScanner
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.machine import Machine
from fuseflow.sim.record_plan import largest_coordinate, moves_one_token_per_cycle


@dataclass(frozen=True, slots=True)
class LazyJoin:
    """``nodes`` in the order of the graph, the joiner last; ``ports`` carry no tokens.

    ``operand`` is the number of the joiner's operand that is a stream. ``scanners`` is the one scanner, or the
    compressed and the dense one of ``union``, whose operand ``sparse_operand`` is the compressed one.
    """

    nodes: tuple[Node, ...]
    ports: frozenset[Port]
    operand: int
    scanners: tuple[Node, ...]
    union: Node | None = None
    sparse_operand: int = 0

    @property
    def joiner(self) -> Node:
        return self.nodes[-1]


def lazy_joins(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine) -> tuple[LazyJoin, ...]:
    """The lazy joins of ``graph``; none on a machine that does not move one token per cycle."""
    if not moves_one_token_per_cycle(machine):
        return ()
    nodes = {node.name: node for node in graph}
    readers = Counter(port for node in graph for port in node.inputs)
    found = [_lazy(node, nodes, readers, tensors) for node in graph]
    return tuple(join for join in found if join is not None)


def _lazy(
    node: Node, nodes: Mapping[str, Node], readers: Mapping[Port, int], tensors: Mapping[str, FiberTree]
) -> LazyJoin | None:
    block = node.block
    if not isinstance(block, Joiner) or block.join is not Join.INTERSECT:
        return None
    operands = list(zip(node.inputs[::2], node.inputs[1::2], strict=True))
    if len(operands) == 2:
        return _with_scanner(node, operands, nodes, readers, tensors)
    if len(operands) == 3:
        return _with_union(node, operands, nodes, readers, tensors)
    return None


def _with_scanner(
    node: Node,
    operands: list[tuple[Port, Port]],
    nodes: Mapping[str, Node],
    readers: Mapping[Port, int],
    tensors: Mapping[str, FiberTree],
) -> LazyJoin | None:
    scanners = [_scanner_of(operand, nodes, readers) for operand in operands]
    lengths = [-1.0 if scanner is None else _mean_length(scanner, tensors) for scanner in scanners]
    chosen = max((0, 1), key=lambda number: lengths[number])
    scanner = scanners[chosen]
    if scanner is None:
        return None
    return LazyJoin((scanner, node), frozenset(operands[chosen]), 1 - chosen, (scanner,))


def _with_union(
    node: Node,
    operands: list[tuple[Port, Port]],
    nodes: Mapping[str, Node],
    readers: Mapping[Port, int],
    tensors: Mapping[str, FiberTree],
) -> LazyJoin | None:
    for stream in range(3):
        (crd, first), (other, second) = (operand for number, operand in enumerate(operands) if number != stream)
        union = nodes[crd.node]
        block = union.block
        if crd != other or not isinstance(block, Joiner) or block.join is not Join.UNION or len(block.payloads) != 2:
            continue
        if (first, second) != (Port(union.name, "out0"), Port(union.name, "out1")):
            continue
        if readers[crd] != 2 or readers[first] != 1 or readers[second] != 1:
            continue
        sides = list(zip(union.inputs[::2], union.inputs[1::2], strict=True))
        scanners = [scanner for side in sides if (scanner := _scanner_of(side, nodes, readers)) is not None]
        if len(scanners) < 2:
            continue
        extents = [_extent(scanners[0]), _extent(scanners[1])]
        sparse = 0 if extents[0] is None else 1
        dense = extents[1 - sparse]
        if extents[sparse] is not None or dense is None or largest_coordinate(scanners[sparse], tensors) >= dense:
            continue
        ports = frozenset((crd, first, second, *sides[0], *sides[1]))
        members = (*scanners, union, node)
        return LazyJoin(members, ports, stream, (scanners[sparse], scanners[1 - sparse]), union, sparse)
    return None


def _extent(scanner: Node) -> int | None:
    assert isinstance(scanner.block, LevelScanner)
    return scanner.block.extent


def _scanner_of(operand: tuple[Port, Port], nodes: Mapping[str, Node], readers: Mapping[Port, int]) -> Node | None:
    """The scanner that makes both streams of ``operand`` for nothing else."""
    crd, payload = operand
    node = nodes[crd.node]
    made = (Port(node.name, "crd"), Port(node.name, "ref"))
    if not isinstance(node.block, LevelScanner) or operand != made or readers[crd] != 1 or readers[payload] != 1:
        return None
    return node


def _mean_length(scanner: Node, tensors: Mapping[str, FiberTree]) -> float:
    block = scanner.block
    assert isinstance(block, LevelScanner)
    if block.extent is not None:
        return float(block.extent)
    tree = tensors.get(block.tensor)
    level = tree.levels[block.level] if tree is not None and block.level < len(tree.levels) else None
    if not isinstance(level, CompressedLevel):
        return -1.0  # refused when the scanner is built
    return len(level.coordinates) / max(len(level.segments) - 1, 1)
