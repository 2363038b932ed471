"""How large the references and coordinates of a graph may become: every engine counts them in 64 bits."""

from collections.abc import Mapping

from fuseflow.dataflow.attributes import MAX_REFERENCE
from fuseflow.dataflow.blocks import Concat, Flatten, Generator, LevelScanner, Locate, Root
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.formats.check import MAX_DIMENSION


def check_references(graph: Graph, tensors: Mapping[str, FiberTree]) -> None:
    """SimulationError if the sizes of dense levels, multiplied along a path of ``graph``, leave 64 bits.

    What a port carries is below a product of those sizes and of what its generators, or the compressed levels of
    ``tensors``, hold; it has to stay below 2**62.
    """
    below: dict[Port, int] = {}
    for node in graph:
        for spec in node.block.outputs:
            below[Port(node.name, spec.name)] = _below(node, spec.name, below, tensors)
        largest = max((below[Port(node.name, spec.name)] for spec in node.block.outputs), default=0)
        if largest > MAX_REFERENCE:
            factor = node.block.factor if isinstance(node.block, Flatten) else getattr(node.block, "extent", None)
            raise SimulationError(
                f"{node.name} multiplies what it reads by {factor}: its references may reach {largest - 1}, and must "
                "stay below 2**62; the dense levels in front of it are too large together, store one as compressed"
            )


def _below(node: Node, out: str, below: Mapping[Port, int], tensors: Mapping[str, FiberTree]) -> int:
    """What the payloads that leave output ``out`` of ``node`` stay below; values count as 0."""
    read = [below[port] for port in node.inputs]
    match node.block:
        case Root():
            return 1
        case Generator(tokens=tokens):
            return 1 + max((token for token in tokens if isinstance(token, int)), default=0)
        case LevelScanner(extent=None, tensor=tensor, level=level):
            levels = tensors[tensor].levels if tensor in tensors else ()
            stored = levels[level] if level < len(levels) else None
            held = len(stored.coordinates) if isinstance(stored, CompressedLevel) else 0
            return held if out == "ref" else MAX_DIMENSION
        case LevelScanner(extent=int(extent)):
            return read[0] * extent if out == "ref" else extent
        case Locate(extent=extent, has_parent=has_parent) if out == "located":
            return (read[2] if has_parent else 1) * extent
        case Flatten(factor=factor) if out == "crd":
            return read[0] * factor
        case Concat(offsets=offsets) if offsets:
            return MAX_DIMENSION + 1  # others are refused while it runs
        case _:
            return max(read, default=0)
