"""Hoisting: what does not depend on an index is done once, before it is repeated over that index.

A value that is fetched, or computed by one operand, from a repeated stream is fetched or computed before, and the value
is repeated. So is an operation of two streams that were repeated over the same fibers. Not handled: scanners and joins
below a repeat, which would need their whole fibers to be kept.
"""

from dataclasses import replace

from fuseflow.dataflow.blocks import Array, BinaryALU, Missing, Repeat, UnaryALU
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.passes.names import fresh
from fuseflow.dataflow.passes.share import signal_of
from fuseflow.dataflow.tokens import StreamKind


def hoist(graph: Graph) -> Graph:
    """``graph`` with fetches and arithmetic before the repeats that they follow, as far up as they go.

    A repeat that this leaves without readers stays; :func:`fuseflow.dataflow.passes.dead.remove_dead` takes it.
    """
    while True:
        found = _once(graph)
        if found is graph:
            return graph
        graph = found


def _once(graph: Graph) -> Graph:
    nodes = {node.name: node for node in graph.nodes}
    moved: dict[Port, Port] = {}
    names = set(nodes)
    kept: list[Node] = []
    for node in graph.nodes:
        node = replace(node, inputs=tuple(moved.get(port, port) for port in node.inputs))
        repeats = [nodes[port.node] for port in node.inputs if port.node in nodes]
        if not isinstance(node.block, Array | UnaryALU | BinaryALU) or not _together(node, repeats, nodes):
            kept.append(node)
            continue
        first = repeats[0]
        assert isinstance(first.block, Repeat)  # _together
        above = tuple(moved.get(repeat.inputs[0], repeat.inputs[0]) for repeat in repeats)
        kept.append(replace(node, inputs=above))
        name = fresh(f"{first.name}_values", names)
        names.add(name)
        signal = moved.get(first.inputs[1], first.inputs[1])
        out = Port(node.name, node.block.outputs[0].name)
        kept.append(Node(name, replace(first.block, payload=StreamKind.VAL), (out, signal), first.part, first.role))
        moved[out] = Port(name, "out")
    return Graph(graph.name, tuple(kept), graph.outputs) if moved else graph


def _together(node: Node, repeats: list[Node], nodes: dict[str, Node]) -> bool:
    """Whether all inputs of ``node`` were repeated over the same fibers, and missing data leave no mark."""
    if len(repeats) != len(node.inputs) or not repeats:
        return False
    signals = set()
    for repeat in repeats:
        if not isinstance(repeat.block, Repeat) or repeat.block.missing is not Missing.EMPTY_FIBER:
            return False
        signals.add(signal_of(repeat.inputs[1], nodes) if repeat.inputs[1].node in nodes else repeat.inputs[1])
    return len(signals) == 1
