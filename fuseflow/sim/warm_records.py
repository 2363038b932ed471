"""A small graph that needs every kernel that works on records, for ``warm``."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    Join,
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
from fuseflow.dataflow.graph import Graph, Node, Output, Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.formats import FiberTree

Matrix = NDArray[np.float32]


def tensors(values: Matrix) -> dict[str, FiberTree]:
    """``T`` and ``D`` are ``values`` with compressed and with dense rows, ``R`` and ``C`` its first row."""
    return {
        "T": FiberTree.from_dense(values, "csr"),
        "D": FiberTree.from_dense(values),
        "R": FiberTree.from_dense(values[0]),
        "C": FiberTree.from_dense(values[0], "c"),
    }


def expected(values: Matrix) -> dict[str, Matrix]:
    """The results of ``graph``, for values without negative numbers."""
    row = values[0]
    total = np.zeros_like(row)
    for factor, terms in zip(row, values, strict=True):
        total += factor * terms
    return {"X": values + row[:, None], "Y": total}


def graph(size: int) -> Graph:
    """X[i,j] = relu(T[i,j] + R[i]) and Y[j] = sum_i T[i,j] * R[i], with every other kernel hung on to them."""
    nodes: list[Node] = []

    def add(name: str, block: Block, *inputs: str) -> None:
        nodes.append(Node(name, block, tuple(Port(*text.split(".")) for text in inputs), Part.COMPUTE))

    for name in "TRC":
        add(f"root_{name}", Root(name))
    add("scan_i", LevelScanner("T", 0, "i", size), "root_T.ref")
    add("locate_R", Locate("R", 0, "i", size), "scan_i.ref", "scan_i.crd")
    add("array_R", Array("R"), "locate_R.located")
    _compressed_rows(add, size)
    _dense_rows(add, size)
    _lookups(add, size)
    add("write_X_i", CrdWriter("X", 0, "i"), "scan_i.crd")
    add("write_X_j", CrdWriter("X", 1, "j"), "scan_j.crd")
    add("write_X", ValWriter("X"), "relu.val")
    add("write_Y_j", CrdWriter("Y", 0, "j"), "sum_scaled.crd0")
    add("write_Y", ValWriter("Y"), "sum_scaled.val")
    outputs = Output("X", (size, size), (0, 1), ("i", "j")), Output("Y", (size,), (0,), ("j",))
    return Graph("warm_records", tuple(nodes), outputs)


class _Add(Protocol):
    """Adds a node."""

    def __call__(self, name: str, block: Block, *inputs: str) -> None: ...


def _compressed_rows(add: _Add, size: int) -> None:
    add("scan_j", LevelScanner("T", 1, "j"), "scan_i.ref")
    add("locate_j", Locate("R", 0, "j", size), "scan_j.ref", "scan_j.crd")
    add("array_T", Array("T"), "locate_j.ref")
    add("array_R_j", Array("R"), "locate_j.located")
    add("repeat_value", Repeat("j", StreamKind.VAL), "array_R.val", "scan_j.crd")
    add("repeat_ref", Repeat("j"), "locate_R.located", "scan_j.crd")
    add("fetch_R", Array("R"), "repeat_ref.out")
    add("add", BinaryALU(BinaryOp.ADD), "array_T.val", "repeat_value.out")
    add("relu", UnaryALU(UnaryOp.RELU), "add.val")
    add("reduce_j", Reduce(ReduceOp.SUM), "relu.val")
    add("mul", BinaryALU(BinaryOp.MUL), "array_T.val", "fetch_R.val")
    add("sum_scaled", SparseAccumulator("i", ("j",), (size,)), "scan_j.crd", "scan_i.crd", "mul.val")
    add("sum_plain", SparseAccumulator("i", ("j",), (size,)), "scan_j.crd", "scan_i.crd", "array_R_j.val")


def _dense_rows(add: _Add, size: int) -> None:
    add("locate_D", Locate("D", 0, "i", size), "scan_i.ref", "scan_i.crd")
    add("scan_k", LevelScanner("D", 1, "k", size), "locate_D.located")
    add("array_D", Array("D"), "scan_k.ref")
    add("sum_D", SparseAccumulator("i", ("k",), (size,)), "scan_k.crd", "scan_i.crd", "array_D.val")


def _lookups(add: _Add, size: int) -> None:
    two = (StreamKind.REF, StreamKind.REF)
    for name in ("once", "twice"):
        add(f"repeat_{name}", Repeat("i"), "root_R.ref", "scan_i.crd")
        add(f"scan_{name}", LevelScanner("R", 0, "j", size), f"repeat_{name}.out")
    add("intersect", Joiner(Join.INTERSECT, "j", two), "scan_j.crd", "scan_j.ref", "scan_once.crd", "scan_once.ref")
    add("repeat_C", Repeat("i"), "root_C.ref", "scan_i.crd")
    add("scan_C", LevelScanner("C", 0, "j"), "repeat_C.out")
    add("union", Joiner(Join.UNION, "j", two), "scan_C.crd", "scan_C.ref", "scan_twice.crd", "scan_twice.ref")
    operands = ("scan_j.crd", "scan_j.ref", "union.crd", "union.out0", "union.crd", "union.out1")
    add("intersect_union", Joiner(Join.INTERSECT, "j", (*two, StreamKind.REF)), *operands)
