"""Whether the writers of a graph write values and coordinates of the same elements.

The verifier knows how deep streams are nested. A coordinate drop keeps that depth and still takes elements away, so a
graph may drop a coordinate whose value is written all the same: a reduction makes an explicit 0 of an empty fiber.
SAM's compiler prints such graphs. Here every level of every stream gets the node that decided which elements it has;
writers of one result have to agree.
"""

from fuseflow.dataflow.blocks import (
    Array,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Repeater,
    SparseAccumulator,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.verify import MAX_DEPTH
from fuseflow.errors import VerifyError

Nest = tuple[str, ...]
"""For every level of a stream, outermost first, the node that decides its elements."""


def check_alignment(graph: Graph) -> None:
    """VerifyError if a result's values, or coordinates of its inner levels, belong to dropped elements."""
    drops = {node.name: node for node in graph if isinstance(node.block, CoordDrop)}
    if not drops:
        return
    nests, dropping = deciders(graph)
    writers: dict[str, dict[int, Node]] = {}
    values: dict[str, Node] = {}
    for node in graph:
        match node.block:
            case CrdWriter(tensor=tensor, level=level):
                writers.setdefault(tensor, {})[level] = node
            case ValWriter(tensor=tensor):
                values[tensor] = node
            case _:
                pass
    for tensor, levels in writers.items():
        innermost = levels[max(levels)]
        kept = nests[innermost.inputs[0]][-1:]
        given = nests[values[tensor].inputs[0]][-1:] if tensor in values else kept
        if kept != given and kept and kept[0] in dropping:
            drop = drops[kept[0]]
            block = drop.block
            assert isinstance(block, CoordDrop)
            raise VerifyError(
                f"graph {graph.name!r}, node {values[tensor].name!r}: input 'val' reads {values[tensor].inputs[0]}, a "
                f"value for every {block.outer}, but {innermost.name!r} writes only those left by {drop.name!r}, which "
                f"drops {block.outer} where no {block.inner} is: a sum over no elements is still written, as 0, so "
                f"values and coordinates get out of step. Take the values from a stream without them, or write "
                f"{block.outer} from before {drop.name!r}"
            )


def deciders(graph: Graph) -> tuple[dict[Port, Nest], set[str]]:
    """Nest of every port, and the drops that may drop something."""
    nests: dict[Port, Nest] = {}
    full: set[Port] = set()
    missing: set[Port] = set()
    dropping: set[str] = set()

    def put(node: Node, name: str, nest: Nest, filled: bool = False) -> None:
        nests[Port(node.name, name)] = nest[-MAX_DEPTH - 2 :]  # deeper ones are refused anyway
        if filled:
            full.add(Port(node.name, name))

    for node in graph:
        seen = [nests.get(port, ()) for port in node.inputs]
        match node.block:
            case LevelScanner(extent=extent):
                filled = bool(extent) and node.inputs[0] not in missing
                for name in ("crd", "ref"):
                    put(node, name, (*seen[0], node.name), filled)
            case Repeat() | Repeater():
                put(node, "out", (*seen[0], *seen[1][-1:]), node.inputs[1] in full)
                if node.inputs[0] in missing:
                    missing.add(Port(node.name, "out"))
            case Joiner(join=join, payloads=payloads):
                parts = [port in full for port in node.inputs[::2]]
                filled = all(parts) if join is Join.INTERSECT else any(parts)
                for name in ("crd", *(f"out{number}" for number in range(len(payloads)))):
                    put(node, name, (*seen[0][:-1], node.name), filled)
                    if join is Join.UNION and name != "crd":
                        missing.add(Port(node.name, name))
            case CoordDrop():
                may_drop = node.inputs[1] not in full
                put(node, "outer", (*seen[0][:-1], node.name) if may_drop else seen[0], node.inputs[0] in full)
                put(node, "inner", seen[1], node.inputs[1] in full)
                if may_drop:
                    dropping.add(node.name)
            case CoordHold():
                put(node, "outer", seen[1])
                put(node, "inner", seen[1])
            case Locate():
                for name in ("located", "ref", "crd"):
                    put(node, name, seen[1], node.inputs[1] in full)
            case Reduce():
                put(node, "val", seen[0][:-1])
            case SparseAccumulator(indices=indices):
                base = seen[0][: len(seen[0]) - len(indices) - 1]
                for number in range(len(indices)):
                    own = tuple(f"{node.name}.{each}" for each in range(len(indices) - number))
                    put(node, f"crd{number}", (*base, *own))
                put(node, "val", (*base, *(f"{node.name}.{each}" for each in range(len(indices)))))
            case CoordMask():
                put(node, "outer", (*seen[0][:-1], node.name))
                for name in ("inner", "ref"):
                    put(node, name, (*seen[0][:-1], node.name, node.name))
            case Array():
                put(node, "val", seen[0])
            case _:
                for spec in node.block.outputs:
                    put(node, spec.name, seen[0] if seen else ())
    return nests, dropping
