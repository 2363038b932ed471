"""Sharing: nodes that make the same streams from the same streams become one.

Equal blocks on equal inputs make equal outputs, since a block is a function of its input streams. The signal of a
repeat only says how many elements a fiber has, so any stream of one scanner, locate or intersection serves: repeats of
the same data over the same fibers are found to be one, whichever of these streams each happened to be wired to.
"""

from dataclasses import replace

from fuseflow.dataflow.blocks import Block, CrdWriter, Join, Joiner, LevelScanner, Locate, Repeat, Sink, ValWriter
from fuseflow.dataflow.graph import Graph, Node, Port


def share(graph: Graph, kinds: tuple[type, ...] = (object,)) -> Graph:
    """``graph`` with equal nodes merged, those whose block is one of ``kinds``.

    What is read of a merged node is what the first of them makes. Writers and sinks are kept: they have no outputs.
    """
    nodes = {node.name: node for node in graph.nodes}
    moved: dict[str, str] = {}
    known: dict[tuple[Block, tuple[Port, ...]], str] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(Port(moved.get(port.node, port.node), port.name) for port in node.inputs)
        key = (node.block, _canonical(node, inputs, nodes))
        if isinstance(node.block, kinds) and not isinstance(node.block, CrdWriter | ValWriter | Sink):
            first = known.setdefault(key, node.name)
            if first != node.name:
                moved[node.name] = first
                continue
        kept.append(replace(node, inputs=inputs))
    return Graph(graph.name, tuple(kept), graph.outputs)


def _canonical(node: Node, inputs: tuple[Port, ...], nodes: dict[str, Node]) -> tuple[Port, ...]:
    """``inputs``, the signal of a repeat as the first of the streams that would do."""
    if not isinstance(node.block, Repeat):
        return inputs
    return (inputs[0], signal_of(inputs[1], nodes))


def signal_of(port: Port, nodes: dict[str, Node]) -> Port:
    """The first output of the node of ``port`` if all its outputs have equally many tokens, otherwise ``port``."""
    match nodes[port.node].block:
        case LevelScanner() | Locate() | Joiner(join=Join.INTERSECT):
            return Port(port.node, nodes[port.node].block.outputs[0].name)
        case _:
            return port
