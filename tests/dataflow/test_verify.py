"""Each rule of the verifier, by the message that its breach gives."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from fuseflow.dataflow import Graph, Node, Output, Part, Port, StreamKind, depths, verify
from fuseflow.dataflow.blocks import (
    Array,
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
from fuseflow.einsum.operators import ReduceOp
from fuseflow.errors import VerifyError
from tests.dataflow.graphs import change, node, spmm, total, wire, without


def test_legal_graphs_pass() -> None:
    verify(spmm())
    verify(total())


def test_depths_of_spmm() -> None:
    found = depths(spmm())
    assert found[Port("root_A", "ref")] == 0
    assert found[Port("scan_A_i", "crd")] == 1
    assert found[Port("repeat_X_i", "out")] == 1
    assert found[Port("intersect_k", "out1")] == 2
    assert found[Port("mul", "val")] == 3
    assert found[Port("spacc_k", "crd0")] == 2
    assert found[Port("spacc_k", "val")] == 2


def test_depths_of_a_sum_to_one_value() -> None:
    assert depths(total())[Port("sum_i", "val")] == 0


def extended(graph: Graph, *nodes: Node) -> Graph:
    return replace(graph, nodes=(*graph.nodes, *nodes))


def nested(levels: int) -> Graph:
    """A tensor of ``levels`` levels, scanned and summed away again."""
    scans = [
        node(f"scan_{n}", LevelScanner("A", n, f"i{n}"), f"scan_{n - 1}.ref" if n else "root.ref")
        for n in range(levels)
    ]
    sums = [
        node(f"sum_{n}", Reduce(ReduceOp.SUM), f"sum_{n - 1}.val" if n else "array.val", part=Part.COMPUTE)
        for n in range(levels)
    ]
    array = node("array", Array("A"), f"scan_{levels - 1}.ref")
    write = node("write", ValWriter("s"), f"sum_{levels - 1}.val")
    return Graph("nested", (node("root", Root("A")), *scans, array, *sums, write), (Output("s", (), (), ()),))


def test_ten_levels_are_enough_and_eleven_too_many() -> None:
    verify(nested(10))
    with pytest.raises(
        VerifyError, match=r"node 'scan_10': output 'crd' would be nested 11 levels deep, more than 10; split"
    ):
        verify(nested(11))


def reordered(graph: Graph, name: str) -> Graph:
    """``graph`` with node ``name`` moved to the end."""
    return replace(graph, nodes=(*without(graph, name).nodes, graph.node(name)))


def joiner(*payloads: StreamKind) -> Joiner:
    return Joiner(Join.UNION, "k", payloads)


CASES: dict[str, tuple[Callable[[], Graph], str]] = {
    "duplicate name": (
        lambda: extended(spmm(), spmm().nodes[0]),
        "graph 'spmm', node 'root_A': nodes 0 and 16 have the same name; names must be unique, rename one",
    ),
    "dangling input": (
        lambda: change(spmm(), "mul", inputs=(Port("array_A", "val"),)),
        "node 'mul': has 1 inputs, but its block reads 2: a, b; connect the missing ones",
    ),
    "surplus input": (
        lambda: change(spmm(), "array_A", inputs=(Port("repeat_A_j", "out"),) * 2),
        "node 'array_A': has 2 inputs, but its block reads 1: ref; remove the surplus",
    ),
    "unknown node": (
        lambda: wire(spmm(), "mul", 1, "array_Y.val"),
        "node 'mul': input 'b' reads array_Y.val, but there is no node 'array_Y'; add it or rewire the input",
    ),
    "unknown port": (
        lambda: wire(spmm(), "mul", 1, "array_X.vals"),
        "node 'mul': input 'b' reads array_X.vals, but the outputs of 'array_X' are: val",
    ),
    "port of a writer": (
        lambda: extended(total(), node("again", Array("s"), "write_s_vals.ref")),
        "input 'ref' reads write_s_vals.ref, but the outputs of 'write_s_vals' are: none",
    ),
    "wrong kind": (
        lambda: wire(spmm(), "mul", 1, "scan_X_j.crd"),
        "node 'mul': input 'b' takes a val stream, but scan_X_j.crd is a crd stream; rewire the input",
    ),
    "wrong kind of two": (
        lambda: wire(spmm(), "repeat_A_j", 0, "scan_A_k.crd"),
        "input 'data' takes a ref or val stream, but scan_A_k.crd is a crd stream",
    ),
    "repeat of the other kind": (
        lambda: change(spmm(), "repeat_A_j", block=Repeat("j", StreamKind.VAL)),
        "node 'repeat_A_j': input 'data' reads intersect_k.out0, a ref stream, but the block repeats val payloads onto "
        "output 'out'; set payload=StreamKind.REF or rewire the input",
    ),
    "wrong order": (
        lambda: reordered(spmm(), "scan_A_i"),
        "node 'repeat_X_i': input 'signal' reads scan_A_i.crd, which stands later in the graph; list nodes in topological",
    ),
    "cycle": (
        lambda: wire(spmm(), "scan_X_k", 0, "scan_X_j.ref"),
        "node 'scan_X_k': input 'ref' reads scan_X_j.ref, which depends on the node itself: "
        "scan_X_k -> intersect_k -> scan_X_j -> scan_X_k; a graph has no cycles",
    ),
    "self loop": (
        lambda: wire(spmm(), "scan_X_k", 0, "scan_X_k.ref"),
        "which depends on the node itself: scan_X_k -> scan_X_k; a graph has no cycles",
    ),
    "joiner of one": (
        lambda: extended(spmm(), node("join", joiner(StreamKind.REF), "scan_A_i.crd", "scan_A_i.ref")),
        "node 'join': a joiner needs 2 operands or more, not 1; wire past it",
    ),
    "joiner of coordinates": (
        lambda: extended(
            spmm(),
            node(
                "join", joiner(StreamKind.REF, StreamKind.CRD), *["scan_A_i.crd", "scan_A_i.ref"], *["scan_A_i.crd"] * 2
            ),
        ),
        "node 'join': input 'in1' and output 'out1' carry references or values, not crd",
    ),
    "accumulator of nothing": (
        lambda: extended(total(), node("spacc", SparseAccumulator("i", (), ()), "scan_A_i.crd", "exp.val")),
        "node 'spacc': a sparse accumulator keeps 1 index variable or more, not 0; use a Reduce",
    ),
    "accumulator without extents": (
        lambda: change(spmm(), "spacc_k", block=SparseAccumulator("k", ("j",), ())),
        "node 'spacc_k': 1 indices ('j',) need as many extents, not 0: ()",
    ),
    "negative extent": (
        lambda: change(spmm(), "scan_X_j", block=LevelScanner("X", 1, "j", -4)),
        "node 'scan_X_j': the extent of a dense level must be 0 or more, not -4",
    ),
    "reference into another tensor": (
        lambda: change(spmm(), "scan_X_k", block=LevelScanner("Y", 0, "k")),
        "node 'scan_X_k': input 'ref' must be a reference into the root of 'Y', but repeat_X_i.out points into "
        "the root of 'X'; rewire the input",
    ),
    "reference into another level": (
        lambda: change(spmm(), "scan_X_j", block=LevelScanner("X", 2, "j")),
        "must be a reference into level 1 of 'X', but intersect_k.out1 points into level 0 of 'X'",
    ),
    "values of another tensor": (
        lambda: change(spmm(), "array_A", block=Array("X")),
        "node 'array_A': input 'ref' must be a reference into level 1 of 'X', but repeat_A_j.out points into level 1 of 'A'",
    ),
    "value located": (
        lambda: extended(spmm(), node("locate", Locate("W", 0, "j", 4), "array_X.val", "scan_X_j.crd")),
        "node 'locate': input 'ref' takes a ref or crd stream, but array_X.val is a val stream; rewire the input",
    ),
    "coordinate passed on as reference": (
        lambda: extended(
            spmm(),
            node("locate", Locate("W", 0, "j", 4), "scan_X_j.crd", "scan_X_j.crd"),
            node("again", Array("W"), "locate.ref"),
        ),
        "node 'again': input 'ref' must be a reference into the root of 'W', but locate.ref is no reference into a tensor",
    ),
    "operands of unlike depth": (
        lambda: wire(spmm(), "array_A", 0, "scan_A_k.ref"),
        "node 'mul': input 'b' reads array_X.val at depth 3, but input 'a' reads array_A.val at depth 2, which asks for "
        "depth 2; scan, repeat or reduce one of the two streams until both are nested alike",
    ),
    "repeat over its own level": (
        lambda: wire(spmm(), "repeat_A_j", 1, "intersect_k.crd"),
        "node 'repeat_A_j': input 'signal' reads intersect_k.crd at depth 2, but input 'data' reads intersect_k.out0 at "
        "depth 2, which asks for depth 3",
    ),
    "reduce of a scalar": (
        lambda: extended(total(), node("again", Reduce(ReduceOp.SUM), "sum_i.val")),
        "node 'again': output 'val' would have depth -1, below 0: input 'val' reads sum_i.val at depth 0; "
        "it must be nested 1 deeper",
    ),
    "no value writer": (
        lambda: without(spmm(), "write_T_vals"),
        "graph 'spmm': no ValWriter writes the values of output 'T'; add one",
    ),
    "no coordinate writer": (
        lambda: without(spmm(), "write_T_j"),
        "graph 'spmm': no CrdWriter writes level 1 (index 'j') of output 'T'; add one",
    ),
    "two value writers": (
        lambda: extended(spmm(), node("twice", ValWriter("T"), "spacc_k.val")),
        "node 'twice': 'write_T_vals' already writes values of 'T'; remove one of the two",
    ),
    "two writers of a level": (
        lambda: extended(spmm(), node("twice", CrdWriter("T", 0, "i"), "scan_A_i.crd")),
        "node 'twice': 'write_T_i' already writes level 0 of 'T'; remove one of the two",
    ),
    "writer of another tensor": (
        lambda: change(spmm(), "write_T_vals", block=ValWriter("U")),
        "node 'write_T_vals': writes tensor 'U', but the outputs of the graph are 'T'",
    ),
    "writer of no level": (
        lambda: change(spmm(), "write_T_j", block=CrdWriter("T", 2, "j")),
        "node 'write_T_j': writes level 2 at index 'j', but the levels of 'T' are ('i', 'j')",
    ),
    "writer of another index": (
        lambda: change(spmm(), "write_T_j", block=CrdWriter("T", 1, "k")),
        "node 'write_T_j': writes level 1 at index 'k', but the levels of 'T' are ('i', 'j')",
    ),
    "coordinates at another depth": (
        lambda: wire(spmm(), "write_T_j", 0, "scan_X_j.crd"),
        "node 'write_T_j': input 'crd' reads scan_X_j.crd at depth 3, but level 1 of a result with 2 levels must come at "
        "depth 2; reduce the stream first",
    ),
    "values at another depth": (
        lambda: wire(spmm(), "write_T_vals", 0, "mul.val"),
        "node 'write_T_vals': input 'val' reads mul.val at depth 3, but values of a result with 2 levels must come at depth 2",
    ),
    "output that does not fit itself": (
        lambda: replace(spmm(), outputs=(Output("T", (3,), (0, 0), ("i", "j")),)),
        "graph 'spmm': output 'T' has indices ('i', 'j'), shape (3,) and mode order (0, 0); it needs 2 sizes and a "
        "permutation of 0..1",
    ),
}


@pytest.mark.parametrize(("build", "message"), CASES.values(), ids=CASES.keys())
def test_breach(build: Callable[[], Graph], message: str) -> None:
    with pytest.raises(VerifyError, match=re.escape(message)):
        verify(build())


def test_outputs_may_stay_unread() -> None:
    verify(extended(spmm(), node("idle", Locate("X", 1, "j", 4), "scan_X_j.ref", "scan_X_j.crd")))


def test_depths_checks_the_wiring_first() -> None:
    with pytest.raises(VerifyError, match="there is no node 'array_Y'"):
        depths(wire(spmm(), "mul", 1, "array_Y.val"))
