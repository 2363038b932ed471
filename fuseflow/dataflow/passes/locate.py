"""Locate: replaces the intersection of a compressed and a dense level by going straight to the dense one.

The pass of compiler notes §3.9, repaired: the located reference takes the parent's position into account, and the
pass does nothing where the compressed side is not a level scanner or the dense scanner serves others too. Joiners of
three and more operands are left alone, as in the reference.
"""

from collections import Counter
from dataclasses import replace

from fuseflow.dataflow.blocks import Join, Joiner, LevelScanner, Locate
from fuseflow.dataflow.graph import Graph, Node, Part, Port
from fuseflow.dataflow.passes.names import fresh


def insert_locate(graph: Graph) -> tuple[Graph, dict[Port, Port]]:
    """``graph`` with locates, and where the replaced joiners' output ports went.

    Scanners that this leaves without readers stay; :func:`fuseflow.dataflow.passes.dead.remove_dead` takes them.
    """
    nodes = {node.name: node for node in graph.nodes}
    readers = Counter(name for node in graph.nodes for name in {port.node for port in node.inputs})
    moved: dict[Port, Port] = {}
    result: list[Node] = []
    names = set(nodes)
    for node in graph.nodes:
        rewired = replace(node, inputs=tuple(moved.get(port, port) for port in node.inputs))
        match rewired.block:
            case Joiner(Join.INTERSECT, _, payloads) if len(payloads) == 2:
                located = _locate(rewired, nodes, readers, names, moved)
            case _:
                located = None
        if located is None:
            result.append(rewired)
            continue
        made, dense_side = located
        names.add(made.name)
        result.append(made)
        moved[Port(node.name, "crd")] = Port(made.name, "crd")
        moved[Port(node.name, f"out{dense_side}")] = Port(made.name, "located")
        moved[Port(node.name, f"out{1 - dense_side}")] = Port(made.name, "ref")
    return Graph(graph.name, tuple(result), graph.outputs), moved


def _locate(
    node: Node, nodes: dict[str, Node], readers: Counter[str], names: set[str], moved: dict[Port, Port]
) -> tuple[Node, int] | None:
    scanners = [nodes.get(node.inputs[2 * side].node) for side in (0, 1)]
    blocks = [scanner.block if scanner is not None else None for scanner in scanners]
    for dense_side in (0, 1):
        dense, sparse = blocks[dense_side], blocks[1 - dense_side]
        if not isinstance(dense, LevelScanner) or not isinstance(sparse, LevelScanner):
            return None
        scanner = scanners[dense_side]
        if dense.extent is None or sparse.extent is not None or scanner is None or readers[scanner.name] != 1:
            continue
        # Below the outermost level a position counts from its parent's; the outermost level has the one parent 0.
        has_parent = dense.level > 0
        block = Locate(dense.tensor, dense.level, dense.index, dense.extent, has_parent)
        parent = tuple(moved.get(port, port) for port in scanner.inputs) if has_parent else ()
        sparse_crd, sparse_ref = node.inputs[2 * (1 - dense_side)], node.inputs[2 * (1 - dense_side) + 1]
        role = f"goes to index {dense.index} of dense {dense.tensor} at the coordinates of {sparse.tensor}"
        name = fresh(f"locate_{dense.tensor}_{dense.index}", names)
        return Node(name, block, (sparse_ref, sparse_crd, *parent), Part.ITERATION, role), dense_side
    return None
