"""A graph that goes out and comes in again is the same graph and takes the same cycles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import fuseflow as ff
from fuseflow.dataflow import Graph, Output, StreamKind
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Comparison,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Flatten,
    Fork,
    Gather,
    Generator,
    LevelScanner,
    Missing,
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    StopDrop,
    UnaryALU,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.interop import extensions, from_dot_text, read_comal, read_dot, sam_dot, write_comal, write_dot
from fuseflow.dataflow.interop.comal import BINARY_NAME, TEXT_NAME
from fuseflow.dataflow.tokens import parse_tokens
from fuseflow.einsum.operators import BinaryOp, UnaryOp
from fuseflow.errors import VerifyError
from fuseflow.formats import FiberTree
from fuseflow.sim import interpret, simulate
from tests.dataflow.graphs import node
from tests.dataflow.interop.graphs import compiled_graphs, random_graphs

CRD, REF, VAL, SIGNAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL, StreamKind.SIGNAL

Case = tuple[Graph, dict[str, FiberTree]]


def gcn_graphs() -> Iterator[Case]:
    yield from compiled_graphs(ff.models.gcn("karate", hidden=4, features="csr"))


def needed(case: Case) -> dict[str, FiberTree]:
    return {name: case[1][name] for name in case[0].tensors}


@pytest.mark.parametrize("source", ["gcn", "random"])
def test_comal(source: str, tmp_path: Path) -> None:
    engine = simulate if source == "gcn" else interpret
    count = 0
    for graph, tensors in gcn_graphs() if source == "gcn" else random_graphs(range(4)):
        write_comal(tmp_path, graph, tensors)
        found, data = read_comal(tmp_path / BINARY_NAME)
        assert found == graph
        assert read_comal(tmp_path / TEXT_NAME)[0] == graph
        before, after = engine(graph, needed((graph, tensors))), engine(found, needed((found, data)))
        assert (before.cycles, before.nodes) == (after.cycles, after.nodes)
        for name, tree in before.outputs.items():
            assert tree.to_dense().tobytes() == after.outputs[name].to_dense().tobytes()
        count += 1
    assert count > 10


@pytest.mark.parametrize("scatter", list(ff.Scatter))
def test_dot_of_lanes(scatter: ff.Scatter, tmp_path: Path) -> None:
    model = ff.models.gcn("karate", hidden=4)
    compiled = ff.compile(model, ff.Schedule.partial(model).with_lanes(ff.Lanes("i", 3, scatter)))
    for region in compiled.regions:
        write_dot(tmp_path / "graph.gv", region.graph, {})
        same(read_dot(tmp_path / "graph.gv"), region.graph)


@pytest.mark.parametrize("source", ["gcn", "random"])
def test_dot(source: str, tmp_path: Path) -> None:
    engine = simulate if source == "gcn" else interpret
    count = 0
    for graph, tensors in gcn_graphs() if source == "gcn" else random_graphs(range(4)):
        write_dot(tmp_path / "graph.gv", graph, tensors)
        found = read_dot(tmp_path / "graph.gv")
        same(found, graph)
        before, after = (engine(each, needed((graph, tensors))) for each in (graph, found))
        assert before.cycles == after.cycles
        assert {each.name: each for each in before.nodes} == {each.name: each for each in after.nodes}
        count += 1
    assert count > 10


def same(found: Graph, graph: Graph) -> None:
    """Equal but for the order of nodes: SAM leaves out most roots, so they come back where they are first read."""
    assert (found.name, found.outputs) == (graph.name, graph.outputs)
    assert {each.name: each for each in found} == {each.name: each for each in graph}


def source(kind: StreamKind, text: str, tensor: str | None = None, level: int = -1) -> Generator:
    return Generator(kind, tuple(parse_tokens(text, kind)), tensor, level)


EVERYTHING = Graph(
    "every block",
    (
        node("outer", source(CRD, "0 1 S0 D")),
        node("inner", source(CRD, "4 S0 5 6 S1 D")),
        node("refs", source(REF, "0 S0 1 2 S1 D", "A", 1)),
        node("vals", source(VAL, "0.1 S0 2 1e-30 S1 D")),
        node("drop", CoordDrop("i", "j"), "outer.out", "inner.out"),
        node("stops", StopDrop(), "drop.inner"),
        node("hold", CoordHold("i", "j"), "outer.out", "inner.out"),
        node("mask", CoordMask("i", "j", Comparison.LESS), "outer.out", "inner.out", "refs.out"),
        node("flat", Flatten("i", "j", "p", 7), "outer.out", "inner.out"),
        node("fork", Fork(2, VAL), "vals.out"),
        node("gather", Gather(2, VAL, guarded=True), "fork.out0", "fork.out1", "outer.out"),
        node("zeros", ValueDrop("j"), "vals.out", "inner.out"),
        node("beside", Concat("p", 2, CRD, (0, 7)), "inner.out", "inner.out"),
        node("values", Concat("p", 2), "vals.out", "vals.out"),
        node("signal", RepeatSignal("j"), "inner.out"),
        node("root", Root("b")),
        node("scan", LevelScanner("b", 0, "i", 2, Missing.FORWARD), "root.ref"),
        node("again", Repeater("j", REF, Missing.FORWARD), "scan.ref", "signal.signal"),
        node("scaled", UnaryALU(UnaryOp.MUL_SCALAR, 0.1), "vals.out"),
        node("least", BinaryALU(BinaryOp.MIN), "scaled.val", "vals.out"),
        node("end", Sink(), "flat.crd"),
        node("write_i", CrdWriter("Y", 0, "i"), "drop.outer"),
        node("write_j", CrdWriter("Y", 1, "j"), "stops.out"),
        node("write_val", ValWriter("Y"), "least.val"),
    ),
    (Output("Y", (7, 2), (1, 0), ("i", "j")),),
)


def test_dot_has_every_block() -> None:
    same(from_dot_text(sam_dot(EVERYTHING)), EVERYTHING)


def test_every_operator_has_its_number(tmp_path: Path) -> None:
    unary = [
        node(f"u{number}", UnaryALU(op, 0.5 if op.takes_scalar else 0.0), "read.val")
        for number, op in enumerate(UnaryOp)
    ]
    binary = [node(f"b{number}", BinaryALU(op), "read.val", "u0.val") for number, op in enumerate(BinaryOp)]
    nodes = (
        node("root", Root("s")),
        node("read", Array("s"), "root.ref"),
        *unary,
        *binary,
        node("write", ValWriter("Y"), "b0.val"),
    )
    graph = Graph("operators", nodes, (Output("Y", (), (), ()),))
    write_comal(tmp_path, graph, {"s": FiberTree.from_dense(2.0)})
    assert read_comal(tmp_path)[0] == graph
    same(from_dot_text(sam_dot(graph)), graph)


def test_what_the_reference_has_no_message_for(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match=r"'outer'.*no operation for a generator; write the graph as DOT"):
        write_comal(tmp_path, EVERYTHING, {})


def test_a_concat_is_written_as_dot_only(tmp_path: Path) -> None:
    nodes = (
        node("root", Root("b")),
        node("scan", LevelScanner("b", 0, "i"), "root.ref"),
        node("read", Array("b"), "scan.ref"),
        node("twice", Concat("p", 2), "read.val", "read.val"),
        node("crd", Concat("p", 2, CRD, (0, 2)), "scan.crd", "scan.crd"),
        node("write_i", CrdWriter("Y", 0, "p"), "crd.out"),
        node("write", ValWriter("Y"), "twice.out"),
    )
    graph = Graph("twice", nodes, (Output("Y", (4,), (0,), ("p",)),))
    same(from_dot_text(sam_dot(graph)), graph)
    with pytest.raises(VerifyError, match=r"node 'twice': .* no operation for a concat; write the graph as DOT"):
        write_comal(tmp_path, graph, {"b": FiberTree.from_dense([1.0, 2.0])})


def test_names_with_quotes_and_lines(tmp_path: Path) -> None:
    named = Graph(
        'a "b"\\',
        (node('x "y"\n\\', source(VAL, "1 D")), node("w", ValWriter("Y"), 'x "y"\n\\.out')),
        (Output("Y", (), (), ()),),
    )
    same(from_dot_text(sam_dot(named)), named)


def test_extensions_are_named() -> None:
    found = [extensions(graph) for graph, _ in random_graphs(range(5))]
    assert any(found) and not all(found)
    assert any("a repeat signal made from coordinates" in text for each in found for text in each)
