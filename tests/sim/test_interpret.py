"""Whole graphs against numpy: empty rows, empty columns, nothing at all; and the two kinds of failed runs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Join
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import show_tokens
from fuseflow.einsum.operators import BINARY, BinaryOp
from fuseflow.errors import DeadlockError, SimulationError, VerifyError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import BlockTiming, Machine, Result, ScannerTiming, interpret
from tests.sim import graphs

Matrix = NDArray[np.float32]
DENSITIES = [0.0, 0.1, 0.3, 0.7, 1.0]


def matrix(seed: int, shape: tuple[int, ...], density: float) -> Matrix:
    """Random small integers, exact in float32 however they are summed; some rows are emptied."""
    generator = np.random.default_rng(seed)
    values = generator.integers(1, 9, shape) * (generator.random(shape) < density)
    if len(shape) == 2 and density < 1.0:
        values[generator.random(shape[0]) < 0.3] = 0
    return values.astype(np.float32)


def tree(array: Matrix, text: str) -> FiberTree:
    return FiberTree.from_dense(array, Format.parse(text, array.ndim))


def check(graph: Graph, tensors: dict[str, FiberTree], expected: Matrix, machine: Machine = Machine()) -> Result:
    result = interpret(graph, tensors, machine)
    np.testing.assert_array_equal(result.output.to_dense(), expected)
    return result


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("other", DENSITIES)
def test_products_in_every_order(density: float, other: float) -> None:
    for seed in range(3):
        a, b = matrix(seed, (6, 5), density), matrix(seed + 50, (5, 7), other)
        compressed = {"A": tree(a, "cc"), "B": tree(b, "cc")}
        check(graphs.gustavson((6, 7)), compressed, a @ b)
        check(graphs.outer_product((6, 7)), {"A": tree(a, "cc:1,0"), "B": tree(b, "cc")}, a @ b)
        check(graphs.inner_product((6, 7), guarded=True), {"A": tree(a, "cc"), "B": tree(b, "cc:1,0")}, a @ b)


@pytest.mark.parametrize("density", DENSITIES)
def test_matrix_times_vector(density: float) -> None:
    for seed in range(4):
        a, b = matrix(seed, (6, 5), density), matrix(seed + 50, (5,), 0.6)
        check(graphs.spmv((6, 5), guarded=True), {"A": tree(a, "cc"), "B": tree(b, "c")}, a @ b)


def test_unguarded_reduce_is_the_same_run_where_no_level_is_empty() -> None:
    a, b = matrix(1, (6, 5), 1.0), matrix(2, (5, 7), 1.0)
    tensors = {"A": tree(a, "cc"), "B": tree(b, "cc:1,0")}
    plain = check(graphs.inner_product((6, 7), guarded=False), tensors, a @ b)
    guarded = check(graphs.inner_product((6, 7), guarded=True), tensors, a @ b)
    assert plain.cycles == guarded.cycles


def test_unguarded_reduce_invents_a_value_where_the_level_above_is_empty() -> None:
    a, b = np.zeros((6, 5), np.float32), matrix(2, (5,), 1.0)
    with pytest.raises(SimulationError, match=r"result 'X': 1 values were written for 0 coordinates of the last level"):
        interpret(graphs.spmv((6, 5), guarded=False), {"A": tree(a, "cc"), "B": tree(b, "c")})


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("other", DENSITIES)
@pytest.mark.parametrize(
    "join,op", [(Join.UNION, BinaryOp.ADD), (Join.UNION, BinaryOp.MAX), (Join.INTERSECT, BinaryOp.MUL)]
)
def test_elementwise(density: float, other: float, join: Join, op: BinaryOp) -> None:
    for seed in range(3):
        a, b = matrix(seed, (6, 5), density), matrix(seed + 50, (6, 5), other)
        expected = BINARY[op](a, b)
        check(graphs.elementwise((6, 5), join, op), {"A": tree(a, "cc"), "B": tree(b, "cc")}, expected)
        dense_rows = graphs.elementwise((6, 5), join, op, dense_rows=True)
        check(dense_rows, {"A": tree(a, "csr"), "B": tree(b, "csr")}, expected)


@pytest.mark.parametrize("density", DENSITIES)
def test_located_dense_operand(density: float) -> None:
    for seed in range(4):
        a, b = matrix(seed, (6, 5), density), matrix(seed + 50, (6, 5), 0.7)
        check(graphs.located((6, 5)), {"A": tree(a, "cc"), "B": FiberTree.from_dense(b, Format.dense(2))}, a * b)


@pytest.mark.parametrize(
    "machine",
    [
        Machine(channel_capacity=64),
        Machine(channel_capacity=64, scanner=ScannerTiming(2, 0.5, 1, 4, 2, 7, 2), binary=BlockTiming(31, 16)),
        Machine(array=BlockTiming(16, 1), unary=BlockTiming(4, 1), reduce=BlockTiming(9, 1)),
    ],
)
def test_the_machine_changes_cycles_and_nothing_else(machine: Machine) -> None:
    a, b = matrix(3, (6, 5), 0.6), matrix(4, (5, 7), 0.6)
    tensors = {"A": tree(a, "cc"), "B": tree(b, "cc")}
    base = check(graphs.gustavson((6, 7)), tensors, a @ b)
    other = check(graphs.gustavson((6, 7)), tensors, a @ b, machine)
    assert other.cycles >= base.cycles
    assert [node.flops for node in other.nodes] == [node.flops for node in base.nodes]


def test_counters_and_streams_of_a_small_run() -> None:
    a, b = np.array([[0, 2], [0, 0]], np.float32), np.array([5, 7], np.float32)
    tensors = {"A": tree(a, "cc"), "B": tree(b, "c")}
    result = interpret(graphs.spmv((2, 2), guarded=True), tensors, record=True)
    assert result.streams is not None
    seen = {str(port): show_tokens([token for token, _ in stream]) for port, stream in result.streams.items()}
    assert seen["scan_A_i.crd"] == "0 S0 D"
    assert seen["scan_A_k.crd"] == "1 S1 D"
    assert seen["intersect_k.out1"] == "1 S1 D"
    assert seen["reduce_k.val"] == "14 S0 D"
    assert result.streams[Port("scan_A_i", "crd")] == [(0, 2), *result.streams[Port("scan_A_i", "ref")][1:]]
    assert result.node("scan_A_i").coordinates_read == 3
    assert result.node("scan_B_k").coordinates_read == 4
    assert result.node("write_i").coordinates_written == 2
    assert result.node("write_val").values_written == 1
    assert result.flops == 2
    assert result.bytes == 4 * (2 + 1 + 3 + 3 + 4 + 2)
    assert list(result.table().columns)[:3] == ["node", "final_clock_cycles", "busy_cycles"]
    assert len(result.table()) == len(result.nodes)
    assert result.cycles >= max(node.final_clock_cycles for node in result.nodes)
    assert "cycles" in repr(result)
    assert interpret(graphs.spmv((2, 2), guarded=True), tensors).streams is None


def test_runs_are_repeatable() -> None:
    a, b = matrix(3, (6, 5), 0.6), matrix(4, (5, 7), 0.6)
    tensors = {"A": tree(a, "cc"), "B": tree(b, "cc")}
    first, second = (interpret(graphs.gustavson((6, 7)), tensors, record=True) for _ in range(2))
    assert first.streams == second.streams
    assert first.nodes == second.nodes


@pytest.mark.parametrize("capacity", [None, 7])
def test_a_value_that_waits_for_its_own_reduction(capacity: int | None) -> None:
    a = -np.arange(1, 16, dtype=np.float32).reshape(3, 5)
    expected = a - a.max(axis=1, keepdims=True)
    check(graphs.below_maximum((3, 5)), {"A": tree(a, "cc")}, expected, Machine(channel_capacity=capacity))


def test_shallow_channels_deadlock_and_say_where() -> None:
    tensors = {"A": tree(np.ones((3, 5), np.float32), "cc")}
    with pytest.raises(DeadlockError) as caught:
        interpret(graphs.below_maximum((3, 5)), tensors, Machine(channel_capacity=2))
    message = str(caught.value)
    assert "units wait on each other" in message
    assert "  broadcast of array_A.val at cycle" in message
    assert "waits for room on" in message
    assert "waits for a token on repeat_max_j (repeater).data" not in message
    assert "  sub at cycle" in message
    assert "waits for a token on sub.b: repeat_max_j.out -> sub.b (0 of 2, empty)" in message
    assert "array_A.val -> sub.a (2 of 2, head 1.0@" in message
    assert "channel_capacity=None" in message


def test_unbound_tensor() -> None:
    with pytest.raises(SimulationError, match=r"scan_A_i reads tensor 'A', which is not bound; bound tensors: none"):
        interpret(graphs.gustavson((6, 7)), {})


def test_dense_storage_under_a_compressed_scanner() -> None:
    tensors = {"A": tree(np.ones((6, 5), np.float32), "dc"), "B": tree(np.ones((5, 7), np.float32), "cc")}
    with pytest.raises(
        SimulationError, match=r"scan_A_i scans level 0 of 'A' as a compressed level, but it is stored as d"
    ):
        interpret(graphs.gustavson((6, 7)), tensors)


def test_a_graph_that_does_not_write_a_level() -> None:
    graph = graphs.gustavson((6, 7))
    cut = Graph(graph.name, tuple(node for node in graph if node.name != "write_j"), graph.outputs)
    tensors = {"A": tree(np.ones((6, 5), np.float32), "cc"), "B": tree(np.ones((5, 7), np.float32), "cc")}
    with pytest.raises(VerifyError):
        interpret(cut, tensors)
