"""Small graphs wired by hand, as the lowering would make them."""

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
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node, Output, Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp

REFS = (StreamKind.REF, StreamKind.REF)


class Builder:
    """Collects nodes; ``add(name, block, "node.port", ...)`` returns the name."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, name: str, block: Block, *inputs: str) -> str:
        ports = tuple(Port(*text.split(".")) for text in inputs)
        self.nodes.append(Node(name, block, ports, Part.ITERATION))
        return name

    def graph(self, name: str, shape: tuple[int, ...], indices: str) -> Graph:
        return Graph(name, tuple(self.nodes), (Output("X", shape, tuple(range(len(shape))), tuple(indices)),))


def spmv(shape: tuple[int, int], guarded: bool) -> Graph:
    """X[i] = A[i,k] * B[k], all levels compressed."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("root_B", Root("B"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_A_k", LevelScanner("A", 1, "k"), "scan_A_i.ref")
    b.add("repeat_B_i", Repeat("i"), "root_B.ref", "scan_A_i.crd")
    b.add("scan_B_k", LevelScanner("B", 0, "k"), "repeat_B_i.out")
    b.add(
        "intersect_k",
        Joiner(Join.INTERSECT, "k", REFS),
        "scan_A_k.crd",
        "scan_A_k.ref",
        "scan_B_k.crd",
        "scan_B_k.ref",
    )
    b.add("array_A", Array("A"), "intersect_k.out0")
    b.add("array_B", Array("B"), "intersect_k.out1")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
    guard = ("scan_A_i.crd",) if guarded else ()
    b.add("reduce_k", Reduce(ReduceOp.SUM, guarded), "mul.val", *guard)
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_val", ValWriter("X"), "reduce_k.val")
    return b.graph("spmv", shape[:1], "i")


def gustavson(shape: tuple[int, int]) -> Graph:
    """X[i,j] = A[i,k] * B[k,j] in order i, k, j, with an accumulator."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("root_B", Root("B"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_A_k", LevelScanner("A", 1, "k"), "scan_A_i.ref")
    b.add("repeat_B_i", Repeat("i"), "root_B.ref", "scan_A_i.crd")
    b.add("scan_B_k", LevelScanner("B", 0, "k"), "repeat_B_i.out")
    b.add(
        "intersect_k",
        Joiner(Join.INTERSECT, "k", REFS),
        "scan_A_k.crd",
        "scan_A_k.ref",
        "scan_B_k.crd",
        "scan_B_k.ref",
    )
    b.add("scan_B_j", LevelScanner("B", 1, "j"), "intersect_k.out1")
    b.add("repeat_A_j", Repeat("j"), "intersect_k.out0", "scan_B_j.crd")
    b.add("array_A", Array("A"), "repeat_A_j.out")
    b.add("array_B", Array("B"), "scan_B_j.ref")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
    b.add("sum_k", SparseAccumulator("k", ("j",), (shape[1],)), "scan_B_j.crd", "intersect_k.crd", "mul.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "sum_k.crd0")
    b.add("write_val", ValWriter("X"), "sum_k.val")
    return b.graph("spmm_ikj", shape, "ij")


def outer_product(shape: tuple[int, int]) -> Graph:
    """X[i,j] = A[i,k] * B[k,j] in order k, i, j, with an accumulator of order 2; A is stored k first."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("root_B", Root("B"))
    b.add("scan_A_k", LevelScanner("A", 0, "k"), "root_A.ref")
    b.add("scan_B_k", LevelScanner("B", 0, "k"), "root_B.ref")
    b.add(
        "intersect_k",
        Joiner(Join.INTERSECT, "k", REFS),
        "scan_A_k.crd",
        "scan_A_k.ref",
        "scan_B_k.crd",
        "scan_B_k.ref",
    )
    b.add("scan_A_i", LevelScanner("A", 1, "i"), "intersect_k.out0")
    b.add("repeat_B_i", Repeat("i"), "intersect_k.out1", "scan_A_i.crd")
    b.add("scan_B_j", LevelScanner("B", 1, "j"), "repeat_B_i.out")
    b.add("repeat_A_j", Repeat("j"), "scan_A_i.ref", "scan_B_j.crd")
    b.add("array_A", Array("A"), "repeat_A_j.out")
    b.add("array_B", Array("B"), "scan_B_j.ref")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
    crds = ("scan_B_j.crd", "scan_A_i.crd", "intersect_k.crd")
    b.add("sum_k", SparseAccumulator("k", ("i", "j"), shape), *crds, "mul.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "sum_k.crd1")
    b.add("write_j", CrdWriter("X", 1, "j"), "sum_k.crd0")
    b.add("write_val", ValWriter("X"), "sum_k.val")
    return b.graph("spmm_kij", shape, "ij")


def inner_product(shape: tuple[int, int], guarded: bool) -> Graph:
    """X[i,j] = A[i,k] * B[k,j] in order i, j, k, with a reduce; B is stored j first."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("root_B", Root("B"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("repeat_B_i", Repeat("i"), "root_B.ref", "scan_A_i.crd")
    b.add("scan_B_j", LevelScanner("B", 0, "j"), "repeat_B_i.out")
    b.add("repeat_A_j", Repeat("j"), "scan_A_i.ref", "scan_B_j.crd")
    b.add("scan_A_k", LevelScanner("A", 1, "k"), "repeat_A_j.out")
    b.add("scan_B_k", LevelScanner("B", 1, "k"), "scan_B_j.ref")
    b.add(
        "intersect_k",
        Joiner(Join.INTERSECT, "k", REFS),
        "scan_A_k.crd",
        "scan_A_k.ref",
        "scan_B_k.crd",
        "scan_B_k.ref",
    )
    b.add("array_A", Array("A"), "intersect_k.out0")
    b.add("array_B", Array("B"), "intersect_k.out1")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
    guard = ("scan_B_j.crd",) if guarded else ()
    b.add("reduce_k", Reduce(ReduceOp.SUM, guarded), "mul.val", *guard)
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "scan_B_j.crd")
    b.add("write_val", ValWriter("X"), "reduce_k.val")
    return b.graph("spmm_ijk", shape, "ij")


def elementwise(shape: tuple[int, int], join: Join, op: BinaryOp, dense_rows: bool = False) -> Graph:
    """X[i,j] = A[i,j] op B[i,j]; both levels joined."""
    b = Builder()
    extent = shape[0] if dense_rows else None
    for name in "AB":
        b.add(f"root_{name}", Root(name))
        b.add(f"scan_{name}_i", LevelScanner(name, 0, "i", extent), f"root_{name}.ref")
    b.add("join_i", Joiner(join, "i", REFS), "scan_A_i.crd", "scan_A_i.ref", "scan_B_i.crd", "scan_B_i.ref")
    b.add("scan_A_j", LevelScanner("A", 1, "j"), "join_i.out0")
    b.add("scan_B_j", LevelScanner("B", 1, "j"), "join_i.out1")
    b.add("join_j", Joiner(join, "j", REFS), "scan_A_j.crd", "scan_A_j.ref", "scan_B_j.crd", "scan_B_j.ref")
    b.add("array_A", Array("A"), "join_j.out0")
    b.add("array_B", Array("B"), "join_j.out1")
    b.add("alu", BinaryALU(op), "array_A.val", "array_B.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "join_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "join_j.crd")
    b.add("write_val", ValWriter("X"), "alu.val")
    return b.graph("elementwise", shape, "ij")


def located(shape: tuple[int, int]) -> Graph:
    """X[i,j] = A[i,j] * B[i,j] with B dense and located, level by level."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("locate_B_i", Locate("B", 0, "i", shape[0]), "scan_A_i.ref", "scan_A_i.crd")
    b.add("scan_A_j", LevelScanner("A", 1, "j"), "locate_B_i.ref")
    b.add("locate_B_j", Locate("B", 1, "j", shape[1], True), "scan_A_j.ref", "scan_A_j.crd", "locate_B_i.located")
    b.add("array_A", Array("A"), "locate_B_j.ref")
    b.add("array_B", Array("B"), "locate_B_j.located")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "locate_B_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "locate_B_j.crd")
    b.add("write_val", ValWriter("X"), "mul.val")
    return b.graph("located", shape, "ij")


def below_maximum(shape: tuple[int, int]) -> Graph:
    """X[i,j] = A[i,j] - max_j A[i,j] over what is stored: a value stream that waits for its own reduction."""
    b = Builder()
    b.add("root_A", Root("A"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_A_j", LevelScanner("A", 1, "j"), "scan_A_i.ref")
    b.add("array_A", Array("A"), "scan_A_j.ref")
    b.add("max_j", Reduce(ReduceOp.MAX, True), "array_A.val", "scan_A_i.crd")
    b.add("repeat_max_j", Repeat("j", StreamKind.VAL), "max_j.val", "scan_A_j.crd")
    b.add("sub", BinaryALU(BinaryOp.SUB), "array_A.val", "repeat_max_j.out")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "scan_A_j.crd")
    b.add("write_val", ValWriter("X"), "sub.val")
    return b.graph("below_maximum", shape, "ij")
