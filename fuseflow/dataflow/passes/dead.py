"""Dead code removal: drops nodes from which no writer can be reached."""

from fuseflow.dataflow.blocks import CrdWriter, ValWriter
from fuseflow.dataflow.graph import Graph


def remove_dead(graph: Graph) -> Graph:
    """``graph`` without nodes that no writer depends on. It changes no stream that is left."""
    live: set[str] = set()
    for node in reversed(graph.nodes):
        if isinstance(node.block, CrdWriter | ValWriter) or node.name in live:
            live.add(node.name)
            live.update(port.node for port in node.inputs)
    return Graph(graph.name, tuple(node for node in graph.nodes if node.name in live), graph.outputs)
