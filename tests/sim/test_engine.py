"""The compiled engine against the plain interpreter: outputs, streams with stamps, clocks and counters are equal."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    Join,
    Joiner,
    LevelScanner,
    Reduce,
    Repeat,
    Root,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.formats import FiberTree, Format
from fuseflow.sim.engine import simulate
from fuseflow.sim.interpret import interpret
from fuseflow.sim.machine import BlockTiming, Machine, ScannerTiming
from tests.sim import graphs

CHUNKS = [1, 2, 7, 64, 8192]
SLOW = Machine(
    name="slow",
    scanner=ScannerTiming(
        startup_delay_cycles=3,
        data_load_factor=0.3,
        initial_delay_cycles=2,
        output_latency_cycles=4,
        sequential_interval_cycles=2,
        miss_latency_cycles=9,
        row_size=2,
    ),
    array=BlockTiming(5, 2),
    binary=BlockTiming(16, 4),
    unary=BlockTiming(7, 3),
    reduce=BlockTiming(9, 2),
)
MACHINES = [Machine(), SLOW]


def matrix(seed: int, shape: tuple[int, ...], density: float) -> NDArray[np.float32]:
    """Random values that round when summed, so that the order of sums shows; some rows are emptied."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(shape) * (generator.random(shape) < density)
    if len(shape) == 2:
        values[generator.random(shape[0]) < 0.25] = 0
    return values.astype(np.float32)


def tree(array: NDArray[np.float32], text: str) -> FiberTree:
    return FiberTree.from_dense(array, Format.parse(text, array.ndim))


def compare(graph: Graph, tensors: dict[str, FiberTree], machines: list[Machine] = MACHINES) -> None:
    """Engine == interpreter for every size of chunk."""
    for machine in machines:
        expected = interpret(graph, tensors, machine, record=True)
        assert expected.streams is not None
        for chunk in CHUNKS:
            found = simulate(graph, tensors, machine, record=True, chunk_tokens=chunk)
            assert found.streams is not None
            assert found.streams.keys() == expected.streams.keys()
            for port, stream in expected.streams.items():
                assert found.streams[port] == stream, f"{port} with chunks of {chunk}"
            assert found.nodes == expected.nodes
            assert found.cycles == expected.cycles
            assert found.output.to_dense().tobytes() == expected.output.to_dense().tobytes()
            plain = simulate(graph, tensors, machine, chunk_tokens=chunk)
            assert (plain.nodes, plain.cycles, plain.streams) == (expected.nodes, expected.cycles, None)


@pytest.mark.parametrize("density", [0.0, 0.2, 0.6, 1.0])
def test_matrix_products(density: float) -> None:
    for seed in range(3):
        a, b = matrix(seed, (6, 5), density), matrix(seed + 50, (5, 7), 0.5)
        compressed = {"A": tree(a, "cc"), "B": tree(b, "cc")}
        compare(graphs.gustavson((6, 7)), compressed)
        compare(graphs.outer_product((6, 7)), {"A": tree(a, "cc:1,0"), "B": tree(b, "cc")})
        for guarded in (True, False) if density == 1.0 and seed == 0 else (True,):
            full = matrix(9, (5, 7), 2.0) if guarded else np.ones((5, 7), np.float32)
            left = a if guarded else np.ones((6, 5), np.float32)
            compare(graphs.inner_product((6, 7), guarded), {"A": tree(left, "cc"), "B": tree(full, "cc:1,0")})


@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_matrix_times_vector(density: float) -> None:
    for seed in range(3):
        a, b = matrix(seed, (8, 9), density), matrix(seed + 50, (9,), 0.6)
        compare(graphs.spmv((8, 9), guarded=True), {"A": tree(a, "cc"), "B": tree(b, "c")})


@pytest.mark.parametrize("join", list(Join))
def test_elementwise_with_missing_rows(join: Join) -> None:
    for seed in range(4):
        a, b = matrix(seed, (7, 6), 0.4), matrix(seed + 50, (7, 6), 0.5)
        for op in BinaryOp if seed == 0 else (BinaryOp.ADD, BinaryOp.MUL):
            both = (op is BinaryOp.DIV) and join is Join.UNION
            compare(
                graphs.elementwise((7, 6), Join.INTERSECT if both else join, op),
                {"A": tree(a, "cc"), "B": tree(b, "cc")},
            )


def test_elementwise_over_dense_rows() -> None:
    a, b = matrix(1, (7, 6), 0.4), matrix(2, (7, 6), 0.5)
    compare(graphs.elementwise((7, 6), Join.UNION, BinaryOp.SUB, True), {"A": tree(a, "dc"), "B": tree(b, "dc")})


def test_located_operand() -> None:
    for seed in range(3):
        a, b = matrix(seed, (5, 6), 0.5), matrix(seed + 50, (5, 6), 1.0)
        compare(graphs.located((5, 6)), {"A": tree(a, "cc"), "B": tree(b, "dd")})


def test_value_that_waits_for_its_own_reduction() -> None:
    """The skew is a whole row, so tiny chunks have to grow."""
    for seed in range(3):
        compare(graphs.below_maximum((5, 40)), {"A": tree(matrix(seed, (5, 40), 0.7), "cc")})


def many_operands(count: int, join: Join, shape: tuple[int, int]) -> Graph:
    """X[i,j] = T0[i,j] + T1[i,j] + ..., or their product, in one joiner per level."""
    b = graphs.Builder()
    names = [f"T{number}" for number in range(count)]
    payloads = (StreamKind.REF,) * count
    for name in names:
        b.add(f"root_{name}", Root(name))
        b.add(f"scan_{name}_i", LevelScanner(name, 0, "i"), f"root_{name}.ref")
    level_i = [f"scan_{name}_i.{port}" for name in names for port in ("crd", "ref")]
    b.add("join_i", Joiner(join, "i", payloads), *level_i)
    for number, name in enumerate(names):
        b.add(f"scan_{name}_j", LevelScanner(name, 1, "j"), f"join_i.out{number}")
    level_j = [f"scan_{name}_j.{port}" for name in names for port in ("crd", "ref")]
    b.add("join_j", Joiner(join, "j", payloads), *level_j)
    for number, name in enumerate(names):
        b.add(f"array_{name}", Array(name), f"join_j.out{number}")
    total = "array_T0"
    op = BinaryOp.ADD if join is Join.UNION else BinaryOp.MUL
    for name in names[1:]:
        total = b.add(f"alu_{name}", BinaryALU(op), f"{total}.val", f"array_{name}.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "join_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "join_j.crd")
    b.add("write_val", ValWriter("X"), f"{total}.val")
    return b.graph("many", shape, "ij")


@pytest.mark.parametrize("join", list(Join))
@pytest.mark.parametrize("count", [3, 4])
def test_joins_of_many_operands(count: int, join: Join) -> None:
    for seed in range(3):
        tensors = {f"T{k}": tree(matrix(10 * seed + k, (6, 8), 0.6), "cc") for k in range(count)}
        compare(many_operands(count, join, (6, 8)), tensors, [Machine()])


def softmax(shape: tuple[int, int]) -> Graph:
    """X[i,j] = exp(A[i,j] - m[i]) / sum_j exp(A[i,j] - m[i]) over what is stored."""
    b = graphs.Builder()
    b.add("root_A", Root("A"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_A_j", LevelScanner("A", 1, "j"), "scan_A_i.ref")
    b.add("array_A", Array("A"), "scan_A_j.ref")
    b.add("max_j", Reduce(ReduceOp.MAX, True), "array_A.val", "scan_A_i.crd")
    b.add("repeat_max", Repeat("j", StreamKind.VAL), "max_j.val", "scan_A_j.crd")
    b.add("sub", BinaryALU(BinaryOp.SUB), "array_A.val", "repeat_max.out")
    b.add("exp", UnaryALU(UnaryOp.EXP), "sub.val")
    b.add("sum_j", Reduce(ReduceOp.SUM, True), "exp.val", "scan_A_i.crd")
    b.add("repeat_sum", Repeat("j", StreamKind.VAL), "sum_j.val", "scan_A_j.crd")
    b.add("div", BinaryALU(BinaryOp.DIV), "exp.val", "repeat_sum.out")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "scan_A_j.crd")
    b.add("write_val", ValWriter("X"), "div.val")
    return b.graph("softmax", shape, "ij")


def test_softmax_of_rows() -> None:
    for seed in range(3):
        a = matrix(seed, (5, 12), 0.8)
        compare(softmax((5, 12)), {"A": tree(a, "cc")})


@pytest.mark.parametrize("op", list(UnaryOp))
def test_unary_operators(op: UnaryOp) -> None:
    b = graphs.Builder()
    b.add("root_A", Root("A"))
    b.add("scan_A_i", LevelScanner("A", 0, "i", 9), "root_A.ref")
    b.add("array_A", Array("A"), "scan_A_i.ref")
    b.add("alu", UnaryALU(op, 0.7), "array_A.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_A_i.crd")
    b.add("write_val", ValWriter("X"), "alu.val")
    values = np.abs(matrix(3, (9,), 2.0)) + np.float32(0.1)
    compare(b.graph("unary", (9,), "i"), {"A": tree(values, "d")})


def test_order_0_result() -> None:
    b = graphs.Builder()
    b.add("root_A", Root("A"))
    b.add("scan_A_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("array_A", Array("A"), "scan_A_i.ref")
    b.add("sum", Reduce(ReduceOp.SUM), "array_A.val")
    b.add("write_val", ValWriter("X"), "sum.val")
    compare(b.graph("total", (), ""), {"A": tree(matrix(4, (20,), 0.5), "c")})


def test_products_larger_than_a_chunk() -> None:
    """Streams of several chunks at the size that is used in earnest."""
    a, b = matrix(0, (60, 50), 0.4), matrix(1, (50, 70), 0.4)
    graph, tensors = graphs.gustavson((60, 70)), {"A": tree(a, "cc"), "B": tree(b, "cc")}
    expected = interpret(graph, tensors)
    for chunk in (5, 1000, 8192):
        found = simulate(graph, tensors, chunk_tokens=chunk)
        assert (found.cycles, found.nodes) == (expected.cycles, expected.nodes)
        assert found.output.to_dense().tobytes() == expected.output.to_dense().tobytes()
    sums = graphs.outer_product((60, 70))
    by_column = {"A": tree(a, "cc:1,0"), "B": tree(b, "cc")}  # more pairs than the first hash table holds
    assert simulate(sums, by_column, chunk_tokens=1000).nodes == interpret(sums, by_column).nodes
