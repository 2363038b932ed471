"""Small graphs built by hand, and a way to change one node of a graph."""

from dataclasses import replace

from fuseflow.dataflow import Graph, Node, Output, Part, Port, StreamKind
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    Join,
    Joiner,
    LevelScanner,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp


def node(name: str, block: Block, *inputs: str, part: Part = Part.ITERATION, role: str = "") -> Node:
    """``inputs`` as ``"node.port"``; the node name may hold dots, the port name does not."""
    return Node(name, block, tuple(Port(*wire.rsplit(".", 1)) for wire in inputs), part, role)


def change(graph: Graph, name: str, **fields: object) -> Graph:
    """``graph`` with some fields of node ``name`` replaced."""
    nodes = tuple(replace(each, **fields) if each.name == name else each for each in graph.nodes)
    return replace(graph, nodes=nodes)


def wire(graph: Graph, name: str, number: int, port: str) -> Graph:
    """``graph`` with input ``number`` of node ``name`` reading ``port``."""
    inputs = list(graph.node(name).inputs)
    inputs[number] = Port(*port.rsplit(".", 1))
    return change(graph, name, inputs=tuple(inputs))


def without(graph: Graph, name: str) -> Graph:
    return replace(graph, nodes=tuple(each for each in graph.nodes if each.name != name))


def spmm() -> Graph:
    """``T[i,j] = A[i,k] * X[k,j]`` in order i, k, j: both compressed, rows summed in a sparse accumulator."""
    val = {"part": Part.COMPUTE}
    out = {"part": Part.CONSTRUCTION}
    nodes = (
        node("root_A", Root("A")),
        node("root_X", Root("X")),
        node("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref"),
        node("repeat_X_i", Repeat("i"), "root_X.ref", "scan_A_i.crd"),
        node("scan_A_k", LevelScanner("A", 1, "k"), "scan_A_i.ref"),
        node("scan_X_k", LevelScanner("X", 0, "k"), "repeat_X_i.out"),
        node(
            "intersect_k",
            Joiner(Join.INTERSECT, "k", (StreamKind.REF, StreamKind.REF)),
            "scan_A_k.crd", "scan_A_k.ref", "scan_X_k.crd", "scan_X_k.ref",
            role="the k that both A and X have",
        ),
        node("scan_X_j", LevelScanner("X", 1, "j"), "intersect_k.out1"),
        node("repeat_A_j", Repeat("j"), "intersect_k.out0", "scan_X_j.crd"),
        node("array_A", Array("A"), "repeat_A_j.out", **val),
        node("array_X", Array("X"), "scan_X_j.ref", **val),
        node("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_X.val", **val),
        node("spacc_k", SparseAccumulator("k", ("j",), (4,)), "scan_X_j.crd", "intersect_k.crd", "mul.val", **val),
        node("write_T_i", CrdWriter("T", 0, "i"), "scan_A_i.crd", **out),
        node("write_T_j", CrdWriter("T", 1, "j"), "spacc_k.crd0", **out),
        node("write_T_vals", ValWriter("T"), "spacc_k.val", **out),
    )  # fmt: skip
    return Graph("spmm", nodes, (Output("T", (3, 4), (0, 1), ("i", "j")),))


def total() -> Graph:
    """``s = sum exp(A[i])``: an order-0 result."""
    nodes = (
        node("root_A", Root("A")),
        node("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref"),
        node("array_A", Array("A"), "scan_A_i.ref", part=Part.COMPUTE),
        node("exp", UnaryALU(UnaryOp.EXP), "array_A.val", part=Part.COMPUTE),
        node("sum_i", Reduce(ReduceOp.SUM), "exp.val", part=Part.COMPUTE),
        node("write_s_vals", ValWriter("s"), "sum_i.val", part=Part.CONSTRUCTION),
    )
    return Graph("total", nodes, (Output("s", (), (), ()),))
