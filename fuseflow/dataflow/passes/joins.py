"""Joins that join nothing: an intersection of dense levels of equal extent keeps every coordinate of each.

Not touched: an operand whose references may be missing (behind a union), since its fibers are empty then.
"""

from dataclasses import replace

from fuseflow.dataflow.blocks import Join, Joiner, LevelScanner, Locate, Repeat, Root
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.paths import stream_paths


def drop_joins(graph: Graph) -> Graph:
    """``graph`` without intersections of dense scanners of one extent, and of a stream with itself."""
    nodes = {node.name: node for node in graph.nodes}
    paths = stream_paths(graph)
    moved: dict[Port, Port] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(moved.get(port, port) for port in node.inputs)
        if isinstance(node.block, Joiner) and node.block.join is Join.INTERSECT:
            crds, refs = inputs[::2], inputs[1::2]
            scanners = [nodes[port.node] for port in crds]
            parents = {paths[scanner.inputs[0]] for scanner in scanners if isinstance(scanner.block, LevelScanner)}
            paired = all(crd.node == ref.node for crd, ref in zip(crds, refs, strict=True))
            alike = len(set(crds)) == 1 or len({_extent(scanner, nodes) for scanner in scanners} - {None}) == 1
            whole = len(set(crds)) == 1 or all(_extent(scanner, nodes) is not None for scanner in scanners)
            if paired and alike and whole and len(parents) == 1:
                moved[Port(node.name, "crd")] = crds[0]
                moved |= {Port(node.name, f"out{number}"): ref for number, ref in enumerate(refs)}
                continue
        kept.append(replace(node, inputs=inputs))
    return Graph(graph.name, tuple(kept), graph.outputs)


def _extent(node: Node, nodes: dict[str, Node]) -> int | None:
    """How many coordinates every fiber of a scanner has; None where this is not known."""
    if not isinstance(node.block, LevelScanner) or not _present(node.inputs[0], nodes):
        return None
    return node.block.extent


def _present(port: Port, nodes: dict[str, Node]) -> bool:
    """Whether no reference of the stream is missing."""
    node = nodes[port.node]
    match node.block:
        case Root():
            return True
        case LevelScanner():
            return _present(node.inputs[0], nodes)
        case Repeat():
            return _present(node.inputs[0], nodes)
        case Locate():
            return all(_present(port, nodes) for port in node.inputs if port.name != "crd")
        case Joiner(join=Join.INTERSECT):
            return all(_present(port, nodes) for port in node.inputs[1::2])
        case _:
            return False
