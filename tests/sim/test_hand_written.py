"""Graphs written by hand from generators to sinks and writers, in the interpreter and in the token core."""

import numpy as np
import pytest

from fuseflow.dataflow import Graph, Node, Output, Port, StreamKind, parse_tokens, show_tokens, verify
from fuseflow.dataflow.blocks import (
    Array,
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
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    StopDrop,
    ValueDrop,
    ValWriter,
)
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import Core, Machine, Result, interpret, simulate
from tests.dataflow.graphs import node
from tests.sim.equality import compare

CRD, REF, VAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL


def source(kind: StreamKind, text: str, tensor: str | None = None, level: int = -1) -> Generator:
    return Generator(kind, tuple(parse_tokens(text, kind)), tensor, level)


def graph(*nodes: Node, order: int = 0) -> Graph:
    """A graph whose result is the scalar 1 unless it has writers for more levels."""
    result = () if order else (node("gen_one", source(VAL, "1 D")), node("write_one", ValWriter("Y"), "gen_one.out"))
    return Graph("hand", (*nodes, *result), (Output("Y", (9,) * order, tuple(range(order)), tuple("ij"[:order])),))


def streams(made: Graph, **tensors: FiberTree) -> dict[str, str]:
    result = interpret(made, tensors, record=True)
    assert result.streams is not None
    return {str(port): show_tokens(token for token, _ in stream) for port, stream in result.streams.items()}


PAIRS = (node("outer", source(CRD, "0 1 2 S0 D")), node("inner", source(CRD, "4 S0 S0 5 6 S1 D")))


def test_drop_then_write() -> None:
    """A matrix without its empty rows: the stop dropper takes out what the dropped rows leave."""
    made = graph(
        *PAIRS,
        node("vals", source(VAL, "1 S0 S0 2 3 S1 D")),
        node("drop", CoordDrop("i", "j"), "outer.out", "inner.out"),
        node("stops", StopDrop(), "drop.inner"),
        node("write_i", CrdWriter("Y", 0, "i"), "drop.outer"),
        node("write_j", CrdWriter("Y", 1, "j"), "stops.out"),
        node("write_vals", ValWriter("Y"), "vals.out"),
        order=2,
    )
    dense = interpret(made, {}).output.to_dense()
    assert {(i, j): dense[i, j] for i, j in np.argwhere(dense).tolist()} == {(0, 4): 1, (2, 5): 2, (2, 6): 3}


def test_hold_mask_flatten() -> None:
    found = streams(
        graph(
            *PAIRS,
            node("ref", source(REF, "0 S0 S0 1 2 S1 D", "A", 1)),
            node("hold", CoordHold("i", "j"), "outer.out", "inner.out"),
            node("mask", CoordMask("i", "j", Comparison.LESS), "outer.out", "inner.out", "ref.out"),
            node("flat", Flatten("i", "j", "p", 10), "outer.out", "inner.out"),
            node("array", Array("A"), "mask.ref"),
            node("sink", Sink(), "hold.inner"),
        ),
        A=FiberTree.from_dense(np.eye(3, dtype=np.float32), Format.parse("cc", 2)),
    )
    assert found["hold.outer"] == "0 S0 S0 2 2 S1 D"
    assert (found["mask.outer"], found["mask.inner"]) == ("S0 D", "S1 D")
    assert found["array.val"] == "S1 D"
    assert found["flat.crd"] == "4 25 26 S0 D"


def test_one_signal_drives_two_repeaters_as_a_repeat_each() -> None:
    found = streams(
        graph(
            node("data", source(REF, "7 8 S0 D")),
            node("word", source(CRD, "0 1 S0 2 S1 D")),
            node("signal", RepeatSignal("j"), "word.out"),
            node("first", Repeater("j"), "data.out", "signal.signal"),
            node("second", Repeater("j"), "data.out", "signal.signal"),
        )
    )
    assert found["signal.signal"] == "R R S0 R S0 D"
    assert found["first.out"] == found["second.out"] == "7 7 S0 8 S1 D"


@pytest.mark.parametrize("lanes", [1, 2, 3, 5])
def test_lanes_give_what_one_scanner_gives(lanes: int) -> None:
    """Rows of a matrix dealt out to lanes, scanned there, and gathered under the guard of the row coordinates."""
    dense = np.array([[1, 0, 2], [0, 0, 0], [0, 3, 0], [4, 5, 6]], dtype=np.float32)
    tensor = FiberTree.from_dense(dense, Format.parse("dc", 2))
    nodes = [
        node("root", Root("A")),
        node("rows", LevelScanner("A", 0, "i", 4), "root.ref"),
        node("fork", Fork(lanes), "rows.ref"),
    ]
    for lane in range(lanes):
        nodes += [
            node(f"scan{lane}", LevelScanner("A", 1, "j"), f"fork.out{lane}"),
            node(f"array{lane}", Array("A"), f"scan{lane}.ref"),
        ]
    crds, vals = (
        [f"{name}{lane}.{port}" for lane in range(lanes)] for name, port in (("scan", "crd"), ("array", "val"))
    )
    nodes += [
        node("crd", Gather(lanes, CRD, guarded=True), *crds, "rows.crd"),
        node("val", Gather(lanes, VAL, guarded=True), *vals, "rows.crd"),
        node("write_i", CrdWriter("Y", 0, "i"), "rows.crd"),
        node("write_j", CrdWriter("Y", 1, "j"), "crd.out"),
        node("write_vals", ValWriter("Y"), "val.out"),
    ]
    made = Graph("lanes", tuple(nodes), (Output("Y", (4, 3), (0, 1), ("i", "j")),))
    verify(made)
    assert np.array_equal(interpret(made, {"A": tensor}).output.to_dense(), dense)


def test_zeros_are_dropped() -> None:
    made = graph(
        node("crd", source(CRD, "0 1 5 S0 D")),
        node("val", source(VAL, "2 0 3 S0 D")),
        node("drop", ValueDrop("i"), "val.out", "crd.out"),
        node("write_i", CrdWriter("Y", 0, "i"), "drop.crd"),
        node("write_vals", ValWriter("Y"), "drop.val"),
        order=1,
    )
    output = interpret(made, {}).output
    assert output.stored == 2
    assert output.to_dense().tolist() == [2, 0, 0, 0, 0, 3, 0, 0, 0]


def test_tokens_that_fit_no_fiber_name_the_node() -> None:
    made = graph(node("data", source(REF, "0 5 S0 D", "A", 1)), node("array", Array("A"), "data.out"))
    tensor = FiberTree.from_dense(np.eye(2, dtype=np.float32), Format.parse("cc", 2))
    with pytest.raises(SimulationError, match=r"array, cycle 2: reference outside the 2 stored values: 5 at array.ref"):
        interpret(made, {"A": tensor})


@pytest.mark.parametrize(
    "name",
    ["drop", "hold", "mask", "flat", "fork", "gather", "concat", "stops", "zeros", "signal", "sink", "generator"],
)
def test_the_token_core_has_every_block(name: str) -> None:
    ports = {
        "root": Root("A"), "rows": LevelScanner("A", 0, "i"), "columns": LevelScanner("A", 1, "j"), "array": Array("A"),
    }  # fmt: skip
    below = {"rows": "root.ref", "columns": "rows.ref", "array": "columns.ref"}
    nodes = [node(each, block, *([below[each]] if each in below else [])) for each, block in ports.items()]
    both = ["rows.crd", "columns.crd"]
    blocks = {
        "drop": node("drop", CoordDrop("i", "j"), *both),
        "hold": node("hold", CoordHold("i", "j"), *both),
        "mask": node("mask", CoordMask("i", "j", Comparison.LESS), *both, "columns.ref"),
        "flat": node("flat", Flatten("i", "j", "p", 9), *both),
        "fork": node("fork", Fork(2), "rows.ref"),
        "gather": node("gather", Gather(2), "rows.ref", "rows.ref"),
        "concat": node("concat", Concat("p", 2, CRD, (0, 9)), "columns.crd", "columns.crd"),
        "stops": node("stops", StopDrop(), "rows.crd"),
        "zeros": node("zeros", ValueDrop("j"), "array.val", "columns.crd"),
        "signal": node("signal", RepeatSignal("i"), "rows.crd"),
        "sink": node("sink", Sink(), "rows.crd"),
        "generator": node("generator", source(REF, "0 D")),
    }
    nodes.append(blocks[name])
    nodes += [
        node("write_i", CrdWriter("Y", 0, "i"), "rows.crd"),
        node("write_j", CrdWriter("Y", 1, "j"), "columns.crd"),
        node("write_vals", ValWriter("Y"), "array.val"),
    ]
    made = Graph("lacking", tuple(nodes), (Output("Y", (9, 9), (0, 1), ("i", "j")),))
    tensor = FiberTree.from_dense(np.eye(9, dtype=np.float32), Format.parse("cc", 2))
    with pytest.raises(SimulationError, match=rf"node '{name}' is a .*, which the chunk core cannot run"):
        simulate(made, {"A": tensor}, core=Core.CHUNK)
    found = compare(made, {"A": tensor}, Machine())
    assert isinstance(found, Result)
    assert found.output.stored == 9


def test_ports_are_named() -> None:
    assert Port("gather", "out") in {Port("gather", spec.name) for spec in Gather(2).outputs}
    assert [spec.name for spec in Gather(2, guarded=True).inputs] == ["in0", "in1", "crd"]
    assert source(REF, "0 D").depth == 0
    assert source(REF, "0 S0 1 S1 D").depth == 2
