"""Graphs as numbered node lists, to compare a lowered graph with one written down by hand.

One node per line: ``number kind label < inputs``, e.g. ``4 scan X.j < 3``. Labels are what makes a node what it is
(tensor and index of a scanner, index of a joiner or repeat, operator of an ALU). Node order and port names do not count.
"""

import networkx as nx

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node


def label(node: Node) -> str:
    """Kind and label of a node in the notation of the lists."""
    match node.block:
        case Root(tensor):
            return f"root {tensor}"
        case LevelScanner(tensor, _, index, extent):
            return f"scan {tensor}.{index} {'C' if extent is None else 'D'}"
        case Repeat(index):
            return f"repeat {index}"
        case Joiner(join, index, payloads):
            return f"{join.value}{len(payloads)} {index}"
        case Locate(_, _, index):
            return f"locate {index}"
        case Array(tensor):
            return f"val {tensor}"
        case BinaryALU(op) | UnaryALU(op) | Reduce(op):
            return op.value if not isinstance(node.block, Reduce) else f"reduce {op.value}"
        case SparseAccumulator(reduced, indices):
            return f"spacc{len(indices)} {','.join(indices)}|{reduced}"
        case CrdWriter(_, _, index):
            return f"write {index}"
        case ValWriter():
            return "write val"


def from_graph(graph: Graph) -> "nx.MultiDiGraph[str]":
    """The graph with labelled nodes and one edge per distinct (producer, consumer) pair and use."""
    result: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node in graph:
        result.add_node(node.name, label=label(node))
        for name in sorted({port.node for port in node.inputs}):
            result.add_edge(name, node.name)
    return result


def from_list(text: str) -> "nx.MultiDiGraph[str]":
    """The graph that a node list describes."""
    result: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for line in text.strip().splitlines():
        left, _, inputs = line.partition("<")
        number, _, kind = left.strip().partition(" ")
        result.add_node(number, label=kind.strip())
        for name in sorted(set(inputs.split())):
            result.add_edge(name, number)
    return result


def assert_same(graph: Graph, text: str) -> None:
    """Fail with the label counts that differ, or with the fact that the wiring does."""
    found, wanted = from_graph(graph), from_list(text)
    labels = [sorted(data["label"] for _, data in item.nodes(data=True)) for item in (found, wanted)]
    assert labels[0] == labels[1]
    assert nx.is_isomorphic(found, wanted, node_match=lambda a, b: a["label"] == b["label"])
