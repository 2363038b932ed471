"""Fibers as records: the same cycles, counters, stamps and results as token by token, in every mode of the engine."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import fuseflow as ff
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
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
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import FuseflowError, SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import BlockTiming, Machine, ScannerTiming, engine, interpret, simulate, threads
from fuseflow.sim.engine_limits import refuse_without_values
from fuseflow.sim.lazy_plan import lazy_joins
from fuseflow.sim.record_plan import fiber_groups
from tests.random_programs import random_model
from tests.sim import graphs

CHUNKS = (1, 3, 40, 16384)
BLOCK_MACHINES = (Machine.block(3), Machine.true_block(2))


@pytest.fixture(autouse=True)
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share even the small work of these tests."""
    monkeypatch.setattr(threads, "LEAST_VALUES", 1)


def matrix(seed: int, shape: tuple[int, int], density: float, empty_rows: float = 0.25) -> NDArray[np.float32]:
    """Values that round when summed; some rows are empty."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape) * (rng.random(shape) < density)
    values[rng.random(shape[0]) < empty_rows] = 0
    return values.astype(np.float32)


def tree(array: NDArray[np.float32], text: str) -> FiberTree:
    return FiberTree.from_dense(array, Format.parse(text, array.ndim))


def check(graph: Graph, tensors: dict[str, FiberTree], oracle: bool = True, chunks: tuple[int, ...] = CHUNKS) -> None:
    """Records == tokens (== interpreter) for every chunk size and number of threads, recorded or not, without values."""
    check_on(Machine(), graph, tensors, oracle, chunks)
    for machine in BLOCK_MACHINES:
        check_on(machine, graph, tensors, oracle, chunks[1:2])


def check_on(
    machine: Machine, graph: Graph, tensors: dict[str, FiberTree], oracle: bool, chunks: tuple[int, ...]
) -> None:
    """``check`` on one machine."""
    tokens = simulate(graph, tensors, machine, record=True, records=False)
    if oracle:
        plain = interpret(graph, tensors, machine, record=True)
        assert (tokens.cycles, tokens.nodes) == (plain.cycles, plain.nodes)
        assert repr(tokens.streams) == repr(plain.streams)  # by text: NaN is not equal to NaN
    for chunk in chunks:
        recorded = simulate(graph, tensors, machine, record=True, chunk_tokens=chunk)
        assert repr(recorded.streams) == repr(tokens.streams)
        for count in (1, 2, 3):
            found = simulate(graph, tensors, machine, chunk_tokens=chunk, threads=count)
            bare = simulate(graph, tensors, machine, chunk_tokens=chunk, threads=count, values=False)
            for result in (recorded, found, bare):
                assert result.nodes == tokens.nodes
                assert result.cycles == tokens.cycles
            for name, expected in tokens.outputs.items():
                assert found.outputs[name].values.tobytes() == expected.values.tobytes()
                assert repr(found.outputs[name].levels) == repr(expected.levels)
                assert repr(bare.outputs[name].levels) == repr(expected.levels)
                assert np.isnan(bare.outputs[name].values).all()


@pytest.mark.parametrize("width", [1, 2, 17, 100])
def test_products_with_short_and_long_fibers(width: int) -> None:
    """The second operand is dense, or compressed with full and empty rows; coordinates of the first are scattered."""
    for seed, density in ((0, 0.0), (1, 0.3), (2, 1.0)):
        a = matrix(seed, (9, 8), density)
        b = matrix(seed + 9, (8, width), 0.5)
        shape, modes = (9, width), (width < 100, CHUNKS if width < 100 else (50, 16384))
        check(graphs.gustavson(shape), {"A": tree(a, "cc"), "B": tree(b, "cc")}, *modes)
        full = graphs.Builder()
        located_rows(full, width)
        check(full.graph("located", shape, "ik"), {"A": tree(a, "cc"), "B": tree(b + 1, "dd")}, *modes)
        check(graphs.inner_product((9, width), True), {"A": tree(a, "cc"), "B": tree(b, "cc:1,0")}, *modes)


def located_rows(b: graphs.Builder, width: int) -> None:
    """X[i,k] = A[i,j] * B[j,k] with dense rows of B found by coordinate."""
    b.add("root_A", Root("A"))
    b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_j", LevelScanner("A", 1, "j"), "scan_i.ref")
    b.add("locate_j", Locate("B", 0, "j", 8), "scan_j.ref", "scan_j.crd")
    b.add("scan_k", LevelScanner("B", 1, "k", width), "locate_j.located")
    b.add("repeat_k", Repeat("k"), "locate_j.ref", "scan_k.crd")
    b.add("array_A", Array("A"), "repeat_k.out")
    b.add("array_B", Array("B"), "scan_k.ref")
    b.add("mul", BinaryALU(BinaryOp.MUL), "array_B.val", "array_A.val")
    b.add("sum", SparseAccumulator("j", ("k",), (width,)), "scan_k.crd", "locate_j.crd", "mul.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_i.crd")
    b.add("write_k", CrdWriter("X", 1, "k"), "sum.crd0")
    b.add("write_val", ValWriter("X"), "sum.val")


def test_values_that_are_computed_on_the_way() -> None:
    """Operators between arrays, a reduction that comes back as a repeated value, and writers of the same fibers."""
    for seed in range(4):
        for text in ("cc", "dc", "dd"):
            b = graphs.Builder()
            dense = [6 if kind == "d" else None for kind in text]
            b.add("root_A", Root("A"))
            b.add("scan_i", LevelScanner("A", 0, "i", dense[0]), "root_A.ref")
            b.add("scan_j", LevelScanner("A", 1, "j", dense[1]), "scan_i.ref")
            b.add("locate_V", Locate("V", 0, "j", 6), "scan_j.ref", "scan_j.crd")
            b.add("array_A", Array("A"), "locate_V.ref")
            b.add("array_V", Array("V"), "locate_V.located")
            b.add("sub", BinaryALU(BinaryOp.SUB), "array_A.val", "array_V.val")
            b.add("max_j", Reduce(ReduceOp.MAX, True), "sub.val", "scan_i.crd")
            b.add("repeat_max", Repeat("j", StreamKind.VAL), "max_j.val", "scan_j.crd")
            b.add("div", BinaryALU(BinaryOp.DIV), "sub.val", "repeat_max.out")
            b.add("exp", UnaryALU(UnaryOp.EXP), "div.val")
            b.add("max", BinaryALU(BinaryOp.MAX), "repeat_max.out", "exp.val")
            b.add("write_i", CrdWriter("X", 0, "i"), "scan_i.crd")
            b.add("write_j", CrdWriter("X", 1, "j"), "locate_V.crd")
            b.add("write_val", ValWriter("X"), "max.val")
            tensors = {
                "A": tree(matrix(seed, (6, 6), 0.6, 0.0 if text[0] == "c" else 0.3), text),
                "V": tree(matrix(seed, (6, 1), 2.0, 0.0)[:, 0], "d"),
            }
            check(b.graph("computed", (6, 6), "ij"), tensors)


def lazy_product(union: bool) -> Callable[[graphs.Builder, int], None]:
    """X[i,k] = A[i,j] * B[j,k]; the rows of B that are there are looked up, with ``union`` among all of them."""

    def build(b: graphs.Builder, rows: int) -> None:
        b.add("root_A", Root("A"))
        b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
        b.add("scan_j", LevelScanner("A", 1, "j"), "scan_i.ref")
        b.add("root_B", Root("B"))
        b.add("repeat_B", Repeat("i"), "root_B.ref", "scan_i.crd")
        b.add("scan_B_j", LevelScanner("B", 0, "j"), "repeat_B.out")
        refs = (StreamKind.REF, StreamKind.REF)
        found = "join.out1"
        if union:
            b.add("root_all", Root("V"))
            b.add("repeat_all", Repeat("i"), "root_all.ref", "scan_i.crd")
            b.add("scan_all", LevelScanner("V", 0, "j", rows), "repeat_all.out")
            sides = ("scan_B_j.crd", "scan_B_j.ref", "scan_all.crd", "scan_all.ref")
            b.add("union_j", Joiner(Join.UNION, "j", refs), *sides)
            operands = ("scan_j.crd", "scan_j.ref", "union_j.crd", "union_j.out0", "union_j.crd", "union_j.out1")
            b.add("join", Joiner(Join.INTERSECT, "j", (*refs, StreamKind.REF)), *operands)
            b.add("array_V", Array("V"), "join.out2")
            b.add("reduce_V", Reduce(ReduceOp.SUM), "array_V.val")
        else:
            b.add("join", Joiner(Join.INTERSECT, "j", refs), "scan_j.crd", "scan_j.ref", "scan_B_j.crd", "scan_B_j.ref")
        b.add("scan_k", LevelScanner("B", 1, "k"), found)
        b.add("repeat_k", Repeat("k"), "join.out0", "scan_k.crd")
        b.add("array_A", Array("A"), "repeat_k.out")
        b.add("array_B", Array("B"), "scan_k.ref")
        b.add("mul", BinaryALU(BinaryOp.MUL), "array_A.val", "array_B.val")
        b.add("sum", SparseAccumulator("j", ("k",), (5,)), "scan_k.crd", "join.crd", "mul.val")
        b.add("write_i", CrdWriter("X", 0, "i"), "scan_i.crd")
        b.add("write_k", CrdWriter("X", 1, "k"), "sum.crd0")
        b.add("write_val", ValWriter("X"), "sum.val")

    return build


@pytest.mark.parametrize("union", [False, True])
@pytest.mark.parametrize("rows", [1, 6, 70])
def test_joins_that_look_rows_up(union: bool, rows: int) -> None:
    for seed, density, empty in ((0, 0.0, 0.0), (1, 0.4, 0.5), (2, 0.9, 0.9), (3, 0.1, 0.2)):
        b = graphs.Builder()
        lazy_product(union)(b, rows)
        graph = b.graph("lazy", (7, 5), "ik")
        tensors = {
            "A": tree(matrix(seed, (7, rows), density), "cc"),
            "B": tree(matrix(seed + 9, (rows, 5), 0.7, empty), "cc"),
            "V": tree(np.ones(rows, np.float32), "d"),
        }
        joins = lazy_joins(graph, tensors, Machine())
        assert [(join.joiner.name, join.union is not None) for join in joins] == [("join", union)]
        check(graph, tensors)


def test_random_programs() -> None:
    grouped = 0
    for seed in range(12):
        model = random_model(seed)
        for schedule in ("unfused", "full"):
            try:
                compiled = ff.compile(model, schedule)
            except FuseflowError:
                continue
            tensors = dict(model.tensors)
            region = compiled.regions[0]
            if set(region.graph.tensors) <= set(tensors):
                grouped += len(fiber_groups(region.graph, tensors, Machine()))
                check(region.graph, {name: tensors[name] for name in region.graph.tensors}, oracle=False)
    assert grouped > 5


def test_what_records_cannot_hold_runs_on_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """References that leave the storage: the tokens say which, and when."""
    monkeypatch.setattr(engine, "check_given", lambda *_: None)
    b = graphs.Builder()
    b.add("root_A", Root("A"))
    b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_j", LevelScanner("A", 1, "j", 3), "scan_i.ref")
    b.add("array", Array("V"), "scan_j.ref")
    b.add("reduce", Reduce(ReduceOp.SUM), "array.val")
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_i.crd")
    b.add("write_val", ValWriter("X"), "reduce.val")
    graph = b.graph("short", (4,), "i")
    tensors = {"A": tree(np.eye(4, dtype=np.float32), "cc"), "V": tree(np.ones(5, np.float32), "d")}
    assert fiber_groups(graph, tensors, Machine())
    with pytest.raises(
        SimulationError, match=r"array, cycle \d+: 5 at array.ref is not below 5 \(token \d+ of the stream\)"
    ):
        simulate(graph, tensors)


def test_other_machines_move_tokens() -> None:
    graph = graphs.gustavson((4, 4))
    tensors = {"A": tree(np.eye(4, dtype=np.float32), "cc"), "B": tree(np.eye(4, dtype=np.float32), "cc")}
    assert fiber_groups(graph, tensors, Machine())
    for machine in (Machine(unary=BlockTiming(1, 2)), Machine(scanner=ScannerTiming(sequential_interval_cycles=2))):
        assert not fiber_groups(graph, tensors, machine)
        assert not lazy_joins(graph, tensors, machine)


def test_values_that_decide_structure_have_to_be_carried() -> None:
    b = graphs.Builder()
    b.add("root_A", Root("A"))
    b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("array", Array("A"), "scan_i.ref")
    b.add("drop", ValueDrop("i"), "array.val", "scan_i.crd")
    with pytest.raises(SimulationError, match=r"node 'drop' drops zeros.*values=True"):
        refuse_without_values(b.graph("drop", (4,), "i"))


def test_a_run_without_values_has_the_same_cycles_and_nothing_to_compare() -> None:
    compiled = ff.compile(ff.models.gcn("karate"), "partial")
    whole, bare = compiled.simulate(), compiled.simulate(values=False)
    assert bare.cycles == whole.cycles
    assert [kernel.result.nodes for kernel in bare.kernels] == [kernel.result.nodes for kernel in whole.kernels]
    with pytest.raises(SimulationError, match="without values, so there is nothing to compare"):
        bare.check()
    with pytest.raises(SimulationError, match="the interpreter always carries values"):
        compiled.simulate(engine="interpreter", values=False)
