"""Compile the kernels once, so that the first simulation of a user does not wait: ``python -m fuseflow.sim.warm``.

numba keeps the machine code beside the kernels (or in ``NUMBA_CACHE_DIR``) for this version of the sources, of numba
and of the processor; a second call only loads it.
"""

import sys
from time import monotonic

import numpy as np

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
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim import warm_records
from fuseflow.sim.engine import simulate
from fuseflow.sim.engine_limits import Core

SIZE = 24
"""Rows and columns: their product is more than the first hash table of an accumulator of order 2 holds."""

OPERANDS_OF_JOINS = (2, 3, 4)
"""Joins of more operands are compiled at their first use."""


def warm() -> float:
    """Compile or load every kernel; seconds it took."""
    start = monotonic()
    values = np.arange(1, SIZE * SIZE + 1, dtype=np.float32).reshape(SIZE, SIZE)
    tensors = {"T": FiberTree.from_dense(values, "csr"), "V": FiberTree.from_dense(np.ones(1, np.float32))}
    result = simulate(graph(), tensors, records=False)
    by_tokens = simulate(graph(), tensors, core=Core.TOKEN)
    on_records = simulate(warm_records.graph(SIZE), warm_records.tensors(values))
    expected = warm_records.expected(values)
    right = all(np.array_equal(found.output.to_dense(), values) for found in (result, by_tokens))
    if not right or not all(
        np.array_equal(on_records.outputs[name].to_dense(), wanted) for name, wanted in expected.items()
    ):
        raise SimulationError(
            "the compiled kernels give a wrong result; remove stale compiled code (the __pycache__ folders of "
            "fuseflow/sim/kernels, or NUMBA_CACHE_DIR) and run this again"
        )
    return monotonic() - start


def graph() -> Graph:
    """X[i,j] = sum_k V[k] * T[i,j] over the one k, with every other kind of block hung on to it."""
    nodes: list[Node] = []

    def add(name: str, block: Block, *inputs: str) -> None:
        nodes.append(Node(name, block, tuple(Port(*text.split(".")) for text in inputs), Part.COMPUTE))

    add("root_T", Root("T"))
    add("root_V", Root("V"))
    add("scan_k", LevelScanner("V", 0, "k", 1), "root_V.ref")
    add("repeat_k", Repeat("k"), "root_T.ref", "scan_k.crd")
    add("scan_i", LevelScanner("T", 0, "i", SIZE), "repeat_k.out")
    add("scan_j", LevelScanner("T", 1, "j"), "scan_i.ref")
    for count in OPERANDS_OF_JOINS:
        for join in Join:
            block = Joiner(join, "j", (StreamKind.REF,) * count)
            add(f"{join.value}_{count}", block, *["scan_j.crd", "scan_j.ref"] * count)
    add("locate_j", Locate("D", 1, "j", SIZE), "scan_j.ref", "scan_j.crd")
    add("array_T", Array("T"), "scan_j.ref")
    add("add", BinaryALU(BinaryOp.ADD), "array_T.val", "array_T.val")
    add("relu", UnaryALU(UnaryOp.RELU), "array_T.val")
    add("reduce_j", Reduce(ReduceOp.SUM), "array_T.val")
    add("sum_i", SparseAccumulator("i", ("j",), (SIZE,)), "scan_j.crd", "scan_i.crd", "array_T.val")
    crds = ("scan_j.crd", "scan_i.crd", "scan_k.crd")
    add("sum_k", SparseAccumulator("k", ("i", "j"), (SIZE, SIZE)), *crds, "array_T.val")
    add("write_i", CrdWriter("X", 0, "i"), "sum_k.crd1")
    add("write_j", CrdWriter("X", 1, "j"), "sum_k.crd0")
    add("write_val", ValWriter("X"), "sum_k.val")
    return Graph("warm", tuple(nodes), (Output("X", (SIZE, SIZE), (0, 1), ("i", "j")),))


def main() -> None:
    """Entry point of ``python -m fuseflow.sim.warm``: a line before and a word after."""
    sys.stdout.write("compiling the simulator's kernels (once per machine) ... ")
    sys.stdout.flush()
    sys.stdout.write(f"done in {warm():.1f} s\n")


if __name__ == "__main__":
    main()
