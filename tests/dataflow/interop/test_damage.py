"""Files that are damaged, hostile or of something else: one error of ours with the place, no hang, no big allocation."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.compiled import compile
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.interop import extensions, from_dot_text, read_comal, read_dot, read_graph, sam_dot, write_comal
from fuseflow.dataflow.interop.comal import BINARY_NAME, TEXT_NAME
from fuseflow.dataflow.interop.comal_import import from_message
from fuseflow.dataflow.interop.schema import EXTENSION, comal_graph
from fuseflow.errors import DataError, FuseflowError, VerifyError
from fuseflow.formats import FiberTree
from fuseflow.sim import interpret
from tests.dataflow.interop.graphs import random_graphs

DOT = """digraph SAM {
    comment="x=s0,b=s0,c=s0"
    6 [type="fiberlookup" index="i" tensor="b" mode="0" format="compressed" src="true" root="true"]
    7 [type="fiberlookup" index="i" tensor="c" mode="0" format="compressed" src="true" root="true"]
    5 [type="union" index="i"]
    1 [type="fiberwrite" index="i" tensor="x" mode="0" format="compressed" sink="true"]
    3 [type="arrayvals" tensor="b"]
    4 [type="arrayvals" tensor="c"]
    2 [type="add" sub="1"]
    0 [type="fiberwrite" mode="vals" tensor="x" sink="true"]
    6 -> 5 [label="crd_in-b" type="crd"]
    6 -> 5 [label="ref_in-b" type="ref"]
    7 -> 5 [label="crd_in-c" type="crd"]
    7 -> 5 [label="ref_in-c" type="ref"]
    5 -> 1 [label="crd" type="crd"]
    5 -> 3 [label="ref_out-b" type="ref"]
    5 -> 4 [label="ref_out-c" type="ref"]
    3 -> 2 [label="val" type="val"]
    4 -> 2 [label="val" type="val"]
    2 -> 0 [label="val" type="val"]
}
"""
VECTORS = {
    "b": FiberTree.from_dense(np.array([1, 0, 2, 0], np.float32), "c"),
    "c": FiberTree.from_dense(np.array([0, 5, 1, 0], np.float32), "c"),
}


def product() -> tuple[Graph, dict[str, FiberTree]]:
    a, x = np.eye(3, dtype=np.float32), np.ones((3, 2), np.float32)
    model = ff.einsum('A[3,3]: "cc"\nX[3,2]: "cc"\nY[i,j] = A[i,k] * X[k,j]', A=a, X=x)
    (region,) = compile(model).regions
    return region.graph, dict(model.tensors)


def test_a_difference_goes_by_the_order_of_edges() -> None:
    assert interpret(from_dot_text(DOT, VECTORS), VECTORS).output.to_dense().tolist() == [1, -5, 1, 0]
    swapped = DOT.replace('3 -> 2 [label="val"', '9 -> 9 [label="val"').replace("4 -> 2 [", "3 -> 2 [")
    swapped = swapped.replace("9 -> 9 [", "4 -> 2 [")
    assert interpret(from_dot_text(swapped, VECTORS), VECTORS).output.to_dense().tolist() == [-1, 5, -1, 0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("digraph SAM {", "graph SAM {", "line 1, column 1: expected 'digraph', not 'graph'"),
        ('5 [type="union"', '5 [type="union', "line 5, column 28: expected '='"),
        ("5 [type=", "5 [type", "line 5, column 12: expected '=', not 'union'"),
        ("6 -> 5", "6 -> ", "line 11, column 11: expected the node that the edge leads to, not '['"),
        ("6 -> 5", "6 > 5", "line 11, column 7: '>' is no part of DOT"),
        ("digraph SAM {", "digraph SAM { subgraph x {", "line 1, column 15: subgraphs have no meaning"),
        ("7 -> 5", "8 -> 5", "line 13: edge 8 -> 5: there is no node '8'"),
        ("x=s0,b", "x=s,b", "format 's' of 'x' must have a letter (d dense, s compressed) and a digit per level"),
        ("x=s0,b", "x=z0,b", "not 'z'"),
        ("x=s0,b", "x,b", "the graph's comment says 'x'"),
        ("b=s0,", "", "node '6' (fiberlookup) is of tensor 'b', whose format the graph's comment does not say"),
        ('type="union"', 'type="onion"', "node '5' (onion)"),
        ('5 [type="union" index="i"]', '5 [comment="type=union" type="intersect"]', "its comment says type='union'"),
        ('index="i" tensor="b" mode="0"', 'index="i" tensor="b" mode="3"', "has mode 3"),
        ('index="i" tensor="b" mode="0"', 'index="i" tensor="b" mode="x"', "expected a whole number"),
        ('    3 -> 2 [label="val" type="val"]\n', "", "line 9: node '2' (add): input 'b' is not fed"),
        ('    5 -> 1 [label="crd" type="crd"]\n', "", "line 6: node '1' (fiberwrite): input 'crd' is not fed"),
        ("5 -> 1 [", '2 -> 1 [ff_from="val" ', "node 1 in line 6"),
        ("2 -> 0 [", "4 -> 2 [", "line 20: input 'b' of node '2' (add) is fed twice"),
        (
            '7 -> 5 [label="crd_in-c"',
            '7 -> 5 [label="crd_in-b"',
            "line 13: input 'crd0' of node '5' (union) is fed twice",
        ),
        ('7 -> 5 [label="crd_in-c"', '7 -> 5 [label="crd"', "that does not say its tensor, as in crd_in-B"),
        ("3 -> 2 [", "2 -> 2 [", "depends on the node itself"),
        ("}\n", "} x", "expected the end of the file"),
        ("}\n", "", "not 'the end of the file'"),
        ('    0 [type="fiberwrite" mode="vals" tensor="x" sink="true"]\n', "", "there is no node '0'"),
    ],
)
def test_dot_with_a_fault(old: str, new: str, message: str) -> None:
    assert old in DOT
    with pytest.raises(FuseflowError) as caught:
        from_dot_text(DOT.replace(old, new, 1), VECTORS, "some.gv")
    assert message in str(caught.value) and ("some.gv" in str(caught.value))


def test_sizes_must_come_from_somewhere() -> None:
    with pytest.raises(VerifyError, match=r"the size of index 'i' of result 'x' is not known: .* give the tensors"):
        from_dot_text(DOT)


def test_sam_takes_the_rest_as_it_is() -> None:
    """Comments, attribute lists in pieces, broadcasts, and a node that is described twice."""
    text = DOT.replace("5 -> 1 [", "5 -> 9 [type=crd]; 9 -> 1 [", 1).replace(
        "digraph SAM {",
        'strict digraph "SAM" { // drawn\n # by hand\n /* 9 */ 9 [type="broadcast"] [shape=point]; 9 [x=-1.5,y=.2;]\n',
    )
    assert interpret(from_dot_text(text, VECTORS), VECTORS).output.to_dense().tolist() == [1, -5, 1, 0]
    with pytest.raises(VerifyError, match="has no input but itself"):
        from_dot_text(text.replace("5 -> 9", "9 -> 9"), VECTORS)


def test_mutated_dot() -> None:
    graph, tensors = product()
    text = sam_dot(graph, tensors)
    rng = np.random.default_rng(0)
    for _ in range(150):
        at = int(rng.integers(len(text)))
        cut = (
            text[:at]
            + str(rng.choice(["", '"', "[", "}", "9", "\\", "\0", "->", "x" * 50]))
            + text[at + int(rng.integers(4)) :]
        )
        with contextlib.suppress(FuseflowError):
            from_dot_text(cut if rng.random() < 0.8 else cut[:at], tensors)


def foreign(message: object) -> None:
    """Take out everything that the reference's schema does not have."""
    for field, value in list(message.ListFields()):
        if field.number >= EXTENSION:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for each in value if hasattr(value, "__len__") else [value]:
                foreign(each)


def test_a_foreign_graph(tmp_path: Path) -> None:
    """Without our extensions: levels, sizes and results come from the wiring and the shapes."""
    graph, tensors = product()
    write_comal(tmp_path, graph, tensors)
    message = comal_graph()()
    message.ParseFromString((tmp_path / BINARY_NAME).read_bytes())
    signals = [each.repeat for each in message.graph.operators if each.WhichOneof("op") == "repeat"]
    assert all(each.WhichOneof("input_rep_sig") != "x_rep_crd" for each in signals)
    foreign(message)
    (tmp_path / BINARY_NAME).write_bytes(message.SerializeToString())
    found, data = read_comal(tmp_path)
    assert {each.name: each.block for each in found} == {each.name: each.block for each in graph}
    assert interpret(found, data).cycles == interpret(graph, tensors).cycles
    with pytest.raises(VerifyError, match=r"the size of index .* is not known; give the tensors"):
        read_graph(tmp_path)


def test_foreign_graphs_of_random_programs(tmp_path: Path) -> None:
    """Every graph that the reference can run is the same graph without our extensions."""
    count = 0
    for graph, tensors in random_graphs(range(5)):
        if extensions(graph):
            continue
        write_comal(tmp_path, graph, tensors)
        message = comal_graph()()
        message.ParseFromString((tmp_path / BINARY_NAME).read_bytes())
        foreign(message)
        (tmp_path / BINARY_NAME).write_bytes(message.SerializeToString())
        found, data = read_comal(tmp_path)
        assert {each.name: each.block for each in found} == {each.name: each.block for each in graph}
        assert found.outputs == graph.outputs and set(data) == set(graph.tensors)
        count += 1
    assert count > 10


def test_mutated_binary(tmp_path: Path) -> None:
    graph, tensors = product()
    write_comal(tmp_path, graph, tensors)
    (tmp_path / TEXT_NAME).unlink()
    content = (tmp_path / BINARY_NAME).read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(int(rng.integers(1, 4))):
            changed[int(rng.integers(len(changed)))] = int(rng.integers(256))
        cut = bytes(changed) if rng.random() < 0.8 else content[: int(rng.integers(len(content)))]
        (tmp_path / BINARY_NAME).write_bytes(cut)
        try:
            read_comal(tmp_path)
        except FuseflowError:
            refused += 1
    assert refused > 75


def test_an_operation_of_a_newer_schema(tmp_path: Path) -> None:
    """The newest compiler's concat, say: a field that the message does not have."""
    message = comal_graph()()
    message.graph.operators.add(name="beside", id=3).MergeFromString(bytes([0xFA, 0x07, 0]))
    with pytest.raises(VerifyError, match=r"operation 'beside' .*: its kind is not known here; .* has no concat"):
        from_message(message, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("operators {", "operator {", 'line 5:3 : Message type "tortilla.ProgramGraph" has no field named "operator"'),
        ("channel_size: 1024", "channel_size: many", "line 2:15"),
        ("op: MUL", "op: FROB", "has no value named FROB"),
        ("op: MUL", "op: SIN", "operation SIN on 2 inputs is not supported"),
        ("channel_size: 1024", "channel_size: 7", None),
        ('tensor: "X"', 'tensor: ""', "it names no tensor"),
        ("x_extents: 2", "x_extents: 18446744073709551615", "an extent must be from 0 to 2147483647"),
        ("x_level: 1", "x_level: 7", "level 6 of 'A'"),
    ],
)
def test_text_with_a_fault(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    graph, tensors = product()
    write_comal(tmp_path, graph, tensors)
    path = tmp_path / TEXT_NAME
    text = path.read_text()
    if old not in text:
        pytest.fail(f"{old!r} is not in the file")
    path.write_text(text.replace(old, new))
    if message is None:
        read_comal(path)
        return
    with pytest.raises(FuseflowError) as caught:
        read_comal(path)
    assert message in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("tensor_A_mode_0_crd", "0\none\n2\n", "tensor_A_mode_0_crd, line 2: expected a whole number, not 'one'"),
        ("tensor_A_mode_0_crd", "0\n1\n", "the files of tensor 'A' do not fit together"),
        ("tensor_A_mode_0_crd", "0\n1\n99999999999\n", "dimension 0 of tensor 'A'"),
        ("tensor_A_mode_vals", "1\n1\n", "do not fit together"),
        ("tensor_A_mode_shape", "3\n", "tensor 'A' has shape (3,), but the graph reads 2 levels"),
        ("tensor_A_mode_shape", "3\n-3\n", "a size must be from 0"),
        ("tensor_A_mode_0_seg", None, "no file tensor_A_mode_0_seg; the graph reads it for tensor 'A'"),
        ("tensor_A_mode_shape", None, "no file tensor_A_mode_shape"),
        (BINARY_NAME, "digraph", "is no graph in the simulator's binary form"),
        (TEXT_NAME, "\xff", "is not UTF-8 text"),
    ],
)
def test_data_with_a_fault(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    graph, tensors = product()
    write_comal(tmp_path, graph, tensors)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read_comal(tmp_path / TEXT_NAME if file == TEXT_NAME else tmp_path)
    assert message in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no graph.bin and no graph.pbtxt in it"):
        read_comal(tmp_path)
    with pytest.raises(DataError, match="there is no such file"):
        read_dot(tmp_path / "no.gv")
    (tmp_path / "bytes.gv").write_bytes(b"digraph \xff")
    with pytest.raises(DataError, match="is not UTF-8 text: byte 8"):
        read_dot(tmp_path / "bytes.gv")


def test_names_that_are_paths(tmp_path: Path) -> None:
    graph, tensors = product()
    write_comal(tmp_path, graph, tensors)
    text = (tmp_path / TEXT_NAME).read_text()
    (tmp_path / TEXT_NAME).write_text(text.replace('tensor: "A"', 'tensor: "/../A"'))
    with pytest.raises(DataError, match="cannot be part of a file name"):
        read_comal(tmp_path / TEXT_NAME)


def test_large_graphs_of_nonsense_are_refused_soon() -> None:
    """Five thousand blocks in a row or in a heap: an error, not an hour."""
    row = [f'n{number} -> n{number + 1} [type="ref" ff_from="out" ff_to="data"]' for number in range(5_000)]
    repeats = [f'n{number} [type="repeat" index="i"]' for number in range(5_001)]
    heap = [f'w{number} [type="fiberwrite" mode="vals" tensor="x{number}"]' for number in range(5_000)]
    for lines in ([*repeats, *row], heap):
        with pytest.raises(FuseflowError):
            from_dot_text("digraph SAM {\n" + "\n".join(lines) + "\n}\n")
    message = comal_graph()()
    for number in range(5_000):
        operation = message.graph.operators.add(name=f"r{number}", id=number + 1)
        operation.repeat.in_ref.id.id = number or 5_000
        operation.repeat.out_ref.id.id = number + 1
        operation.repeat.rep_ref.id.id = 100_000 + number
    with pytest.raises(FuseflowError):
        from_message(message, {})


def test_deep_nests_are_refused() -> None:
    scans = [f's{n} [type="fiberlookup" index="i" tensor="b" mode="0" format="compressed"]' for n in range(5_000)]
    wires = [f's{n} -> s{n + 1} [type="ref"]' for n in range(4_999)]
    first = 's0 [root="true"]'
    text = 'digraph SAM {\ncomment="b=s0"\n' + "\n".join([*scans, first, *wires]) + "\n}\n"
    with pytest.raises(VerifyError, match=r"must be a reference into the root of 'b'|nested 11 levels deep"):
        from_dot_text(text, VECTORS)
