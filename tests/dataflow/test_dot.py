"""DOT text: golden, complete, and safe against whatever names hold."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fuseflow.dataflow import Graph, Node, Part, to_dot
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
)
from fuseflow.dataflow.dot import describe
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import VerifyError
from tests.dataflow.graphs import spmm, total, wire


@pytest.mark.parametrize("graph", [spmm(), total()], ids=lambda graph: graph.name)
def test_golden(graph: Graph, golden: Callable[[str, str], None]) -> None:
    golden(to_dot(graph), f"{graph.name}.dot")


def line(text: str, start: str) -> str:
    (found,) = [each for each in text.splitlines() if each.strip().startswith(start)]
    return found


@pytest.mark.parametrize(
    ("edge", "style", "label"),
    [
        ('"scan_A_i" -> "scan_A_k"', "bold", "ref"),
        ('"scan_A_i" -> "repeat_X_i"', "dotted", "repsig"),
        ('"scan_A_i" -> "write_T_i"', "dashed", "crd"),
        ('"array_A" -> "mul"', "solid", "val a"),
        ('"intersect_k" -> "spacc_k"', "dashed", "crd1"),
    ],
)
def test_streams_are_styled_as_in_sam(edge: str, style: str, label: str) -> None:
    found = line(to_dot(spmm()), edge)
    assert f'style="{style}"' in found
    assert f'label="{label}"' in found


def test_parts_are_clusters_and_elements_have_ids() -> None:
    text = to_dot(spmm())
    for part in Part:
        assert f'id="part-{part.value}"' in text
    assert 'id="node-intersect_k"' in text
    assert 'id="edge-scan_A_k.ref-intersect_k.in0"' in text
    assert 'tooltip="the k that both A and X have"' in text


def test_empty_parts_are_not_drawn() -> None:
    nodes = tuple(replace(each, part=Part.COMPUTE) for each in spmm().nodes)
    assert "part-iteration" not in to_dot(replace(spmm(), nodes=nodes))


def test_title_and_legend_are_choices() -> None:
    assert 'graph [label="spmm"' in to_dot(spmm())
    text = to_dot(spmm(), title="A times X", legend=False)
    assert 'graph [label="A times X"' in text
    assert "legend" not in text


def test_legend_shows_only_what_occurs() -> None:
    text = to_dot(total())
    assert '"legend fold"' in text
    assert '"legend join"' not in text
    assert "repeat signal" not in text


def test_an_empty_graph_is_drawn_empty() -> None:
    assert "->" not in to_dot(replace(total(), nodes=()))


def test_names_are_taken_literally() -> None:
    name = 'a:b "c" \\N <i>'
    text = to_dot(replace(total(), nodes=(Node(name, Root("A"), (), Part.ITERATION),)))
    assert '"a:b \\"c\\" \\\\N <i>" [' in text


def test_unknown_port_is_named() -> None:
    with pytest.raises(VerifyError, match="node 'array_X' has no output port 'vals'; its outputs: val"):
        to_dot(wire(spmm(), "mul", 1, "array_X.vals"))


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (Root("A"), "tensor A"),
        (LevelScanner("A", 1, "k"), "A level 1, index k\ncompressed"),
        (LevelScanner("A", 1, "k", 7), "A level 1, index k\ndense, 7"),
        (Repeat("j"), "ref for each j"),
        (Locate("W", 0, "k", 9), "W level 0, index k"),
        (Array("A"), "values of A"),
        (BinaryALU(BinaryOp.MAX), "max(a, b)"),
        (UnaryALU(UnaryOp.RELU), "relu(val)"),
        (UnaryALU(UnaryOp.MUL_SCALAR, 0.5), "val × 0.5"),
        (Reduce(ReduceOp.MAX), "max of innermost"),
        (Reduce(ReduceOp.SUM, guarded=True), "sum of innermost, guarded"),
        (SparseAccumulator("k", ("i", "j"), (2, 3)), "sum over k into i,j"),
        (CrdWriter("T", 0, "i"), "T level 0, index i"),
    ],
)
def test_descriptions(block: Block, text: str) -> None:
    assert describe(block) == text


def test_every_operator_has_a_description() -> None:
    assert all(describe(BinaryALU(op)) for op in BinaryOp)
    assert all(describe(UnaryALU(op)) for op in UnaryOp)
