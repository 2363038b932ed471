"""Graphs and streams that are wrong: the verifier or the run says where, in both engines, and nothing hangs."""

import numpy as np
import pytest

from fuseflow.dataflow import Graph, Node, Output, StreamKind, parse_tokens
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CoordDrop,
    CrdWriter,
    Generator,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeater,
    Root,
    Sink,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.tokens import DONE, Stop
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import FuseflowError, SimulationError, VerifyError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import Core, Machine, Result, interpret, simulate
from tests.dataflow.graphs import node
from tests.sim.equality import compare

CRD, REF, VAL, SIGNAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL, StreamKind.SIGNAL
MATRIX = FiberTree.from_dense(np.arange(1, 7, dtype=np.float32).reshape(2, 3), Format.parse("cc", 2))
VECTOR = (node("one", Generator(VAL, (1.0, DONE))), node("write", ValWriter("Y"), "one.out"))


def source(name: str, kind: StreamKind, text: str, tensor: str | None = None, level: int = -1) -> Node:
    return node(name, Generator(kind, tuple(parse_tokens(text, kind)), tensor, level))


def graph(*nodes: Node) -> Graph:
    return Graph("bad", (*nodes, *VECTOR), (Output("Y", (), (), ()),))


def fails(made: Graph, error: type[FuseflowError], match: str, **tensors: FiberTree) -> None:
    """Both engines refuse ``made`` with the same words."""
    for run in (interpret, simulate):
        with pytest.raises(error, match=match):
            run(made, tensors)


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ([node("sink", Sink(), "nobody.out")], r"node 'sink': input 'in' reads nobody.out, but there is no node 'nobody'"),
        ([source("a", CRD, "0 S0 D"), node("sink", Sink(), "a.other")], r"input 'in' reads a.other, but the outputs of 'a'"),
        ([node("sink", Sink())], r"node 'sink': has 0 inputs, but its block reads 1: in; connect the missing ones"),
        ([source("a", CRD, "0 S0 D"), source("a", CRD, "1 S0 D")], r"node 'a': nodes 0 and 1 have the same name"),
        (
            [source("a", CRD, "0 S0 D"), node("array", Array("T"), "a.out")],
            r"node 'array': input 'ref' takes a ref stream, but a.out is a crd stream",
        ),
        ([node("a", Generator(CRD, (0, Stop(0))))], r"node 'a': token 1 of 2 is S0; a stream ends in D"),
        ([node("a", Generator(CRD, (0, DONE, DONE)))], r"node 'a': token 1 of 3 is D; a stream ends in D and has no other"),
        ([node("a", Generator(CRD, ()))], r"node 'a': has no tokens; a stream has at least its D"),
        ([node("a", Generator(CRD, (-1, DONE)))], r"node 'a': token 0 of its crd stream is -1"),
        ([node("a", Generator(CRD, (0, Stop(-1), DONE)))], r"node 'a': token 1 of its crd stream is S-1"),
        (
            [
                source("c", CRD, "0 S1 D"), source("o", CRD, "0 S0 D"), source("v", VAL, "1 S1 D"),
                node("sum", SparseAccumulator("k", ("j",), (-1,)), "c.out", "o.out", "v.out"),
            ],
            r"node 'sum': the extents of its index variables must be 0 or more, not \(-1,\)",
        ),
        ([node("a", Generator(CRD, (0, Stop(10), DONE)))], r"output 'out' would be nested 11 levels deep, more than 10"),
        (
            [source("a", CRD, "0 S0 D"), source("b", CRD, "0 S1 D"), node("drop", CoordDrop("i", "j"), "b.out", "a.out")],
            r"node 'drop': input 'inner' reads a.out at depth 1, but input 'outer' reads b.out at depth 2",
        ),
        (
            [source("a", REF, "0 S0 D"), node("array", Array("T"), "a.out")],
            r"node 'array': input 'ref' must be a reference into .*, but a.out is no reference into a tensor",
        ),
        (
            [source("d", REF, "0 S0 D"), source("s", SIGNAL, "R S R S D"), node("rep", Repeater("i"), "d.out", "s.out")],
            r"node 'rep': input 'signal' reads s.out at depth 1, but input 'data' reads d.out at depth 1, which asks for depth 2",
        ),
        (
            [source("c", CRD, "0 S0 D"), source("r", REF, "0 1 D"), node("j", Joiner(Join.INTERSECT, "i", (REF,) * 2), "c.out", "r.out", "c.out", "r.out")],
            r"node 'j': input 'in0' reads r.out at depth 0, but input 'crd0' reads c.out at depth 1",
        ),
    ],
)  # fmt: skip
def test_the_verifier_names_the_node(nodes: list[object], match: str) -> None:
    fails(graph(*nodes), VerifyError, match)


def values_of(*streams: str) -> list[object]:
    return [source(f"v{number}", VAL, text) for number, text in enumerate(streams)]


PAIRS = ["c0.out", "r0.out", "c1.out", "r1.out"]


def operands(first: str, second: str, rider: str | None = None) -> list[object]:
    return [
        source("c0", CRD, first), source("r0", REF, rider or first), source("c1", CRD, second),
        source("r1", REF, second), node("join", Joiner(Join.INTERSECT, "i", (REF, REF)), *PAIRS),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        (
            [*values_of("1 2 S0 D", "1 S0 D"), node("add", BinaryALU(BinaryOp.ADD), "v0.out", "v1.out")],
            r"add, cycle 2: operands do not go together: 2.0 at add.a, S0 at add.b \(tokens 1, 1 of the stream\)",
        ),
        (
            [*values_of("1 S0 2 S1 D", "1 S1 2 S0 D"), node("add", BinaryALU(BinaryOp.ADD), "v0.out", "v1.out")],
            r"add, cycle 2: operands do not go together: S0 at add.a, S1 at add.b",
        ),
        (
            [*values_of("1 S0 D", "1 S0 2 S0 D"), node("add", BinaryALU(BinaryOp.ADD), "v0.out", "v1.out")],
            r"add, cycle 3: operands do not go together: D at add.a, 2.0 at add.b",
        ),
        (operands("0 2 1 S0 D", "0 1 2 S0 D"), r"join, cycle \d+: coordinates of a fiber must rise, but 2 comes before"),
        (operands("0 0 S0 D", "0 S0 D"), r"join, cycle 2: coordinates of a fiber must rise, but 0 comes before: 0 at join"),
        (operands("0 S0 1 S1 D", "0 S1 D"), r"join, cycle \d+: stop levels differ"),
        (operands("0 1 S0 D", "0 S0 D", "0 S0 D"), r"join, cycle 3: coordinate and payload do not go together: S0 at join.crd0, D at join.in0"),
        (
            [source("r", REF, "7 D", "T", 1), node("array", Array("T"), "r.out")],
            r"array, cycle 1: reference outside the 6 stored values: 7 at array.ref \(token 0 of the stream\)",
        ),
        (
            [source("r", REF, "0 2 S0 D", "T", 0), node("scan", LevelScanner("T", 1, "j"), "r.out")],
            r"scan, cycle \d+: reference outside the 2 fibers of the level: 2 at scan.ref \(token 1 of the stream\)",
        ),
        (
            [source("r", REF, "0 S0 D"), source("c", CRD, "5 S0 D"), node("find", Locate("D", 0, "i", 3), "r.out", "c.out")],
            r"find, cycle 1: coordinate not below 3: 5 at find.crd \(token 0 of the stream\)",
        ),
        (
            [
                source("inner", CRD, "9 S1 D"), source("outer", CRD, "0 S0 D"), source("v", VAL, "1 S1 D"),
                node("sum", SparseAccumulator("k", ("j",), (4,)), "inner.out", "outer.out", "v.out"),
            ],
            r"sum, cycle 1: coordinate not below 4: 9 at sum.crd0 \(token 0 of the stream\)",
        ),
        (
            [source("v", VAL, "1 S0 2 S1 D"), source("g", CRD, "0 S0 D"), node("sum", Reduce(ReduceOp.SUM, True), "v.out", "g.out")],
            r"sum, cycle \d+: value stream and guard do not go together",
        ),
    ],
)  # fmt: skip
def test_the_run_names_block_port_token_and_cycle(nodes: list[object], match: str) -> None:
    made = graph(*nodes)
    fails(made, SimulationError, match, T=MATRIX)
    compare(made, {"T": MATRIX}, Machine())


def test_writers_want_rising_coordinates() -> None:
    for text, before in (("0 2 1 S0 D", 2), ("1 1 S0 D", 1)):
        made = Graph(
            "bad",
            (
                source("c", CRD, text), node("wc", CrdWriter("Y", 0, "i"), "c.out"),
                source("v", VAL, "1 " * (len(text.split()) - 2) + "S0 D"), node("wv", ValWriter("Y"), "v.out"),
            ),
            (Output("Y", (4,), (0,), ("i",)),),
        )  # fmt: skip
        match = rf"wc, cycle \d: coordinates of a fiber must rise, but {before} comes before: 1 at wc.crd"
        fails(made, SimulationError, match)


def test_a_result_of_negative_size() -> None:
    made = Graph(
        "bad",
        (
            source("c", CRD, "0 S0 D"), node("wc", CrdWriter("Y", 0, "i"), "c.out"),
            source("v", VAL, "1 S0 D"), node("wv", ValWriter("Y"), "v.out"),
        ),
        (Output("Y", (-4,), (0,), ("i",)),),
    )  # fmt: skip
    fails(made, VerifyError, r"output 'Y' has shape \(-4,\); a size is 0 or more")


@pytest.mark.parametrize("depth", [0, 1.5, "4", None])
def test_depths_that_are_no_number_of_tokens(depth: object) -> None:
    with pytest.raises(SimulationError, match=r"the depth of 'a.out' is a number of tokens, 1 or more, not"):
        Machine().with_depth("a.out", depth)  # type: ignore[arg-type]  # what a caller without a checker may do


def test_depths_from_a_table_are_plain_numbers() -> None:
    machine = Machine(channel_capacity=np.int64(8)).with_depth("a.out", np.int64(4))  # type: ignore[arg-type]  # as above
    assert machine == Machine(channel_capacity=8).with_depth("a.out", 4)
    assert type(machine.channel_capacity) is int and type(machine.depths[0][1]) is int


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("letters", ["cc", "dc", "dd"])
def test_sizes_of_zero(shape: tuple[int, int], letters: str) -> None:
    tree = FiberTree.from_dense(np.zeros(shape, np.float32), Format.parse(letters, 2))
    extents = [size if letter == "d" else None for size, letter in zip(shape, letters, strict=True)]
    made = Graph(
        "empty",
        (
            node("root", Root("A")),
            node("rows", LevelScanner("A", 0, "i", extents[0]), "root.ref"),
            node("columns", LevelScanner("A", 1, "j", extents[1]), "rows.ref"),
            node("array", Array("A"), "columns.ref"),
            node("wi", CrdWriter("Y", 0, "i"), "rows.crd"),
            node("wj", CrdWriter("Y", 1, "j"), "columns.crd"),
            node("wv", ValWriter("Y"), "array.val"),
        ),
        (Output("Y", shape, (0, 1), ("i", "j")),),
    )
    found = compare(made, {"A": tree}, Machine())
    assert isinstance(found, Result)
    assert found.output.to_dense().shape == shape


@pytest.mark.parametrize("op", list(UnaryOp))
def test_values_that_are_not_finite(op: UnaryOp) -> None:
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 3e38, 1e-45, -2.5], np.float32)
    tree = FiberTree.from_dense(special, Format.dense(1), allow_nonfinite=True)
    made = Graph(
        "special",
        (
            node("root", Root("A")),
            node("scan", LevelScanner("A", 0, "i", 8), "root.ref"),
            node("array", Array("A"), "scan.ref"),
            node("alu", UnaryALU(op, 1.5 if op.takes_scalar else 0.0), "array.val"),
            node("twice", BinaryALU(BinaryOp.MAX), "alu.val", "array.val"),
            node("wi", CrdWriter("Y", 0, "i"), "scan.crd"),
            node("wv", ValWriter("Y"), "twice.val"),
        ),
        (Output("Y", (8,), (0,), ("i",)),),
    )
    assert isinstance(compare(made, {"A": tree}, Machine()), Result)
    with pytest.raises(SimulationError, match="chunk core cannot run"):
        simulate(made, {"A": tree}, Machine(channel_capacity=3), core=Core.CHUNK)
