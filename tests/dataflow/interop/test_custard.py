"""Graphs as SAM's compiler prints them: right numbers where the graph is right, a reason where it is not."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fuseflow.dataflow.interop import from_dot_text, read_dot
from fuseflow.errors import VerifyError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import interpret, simulate
from tests.sim.conformance import folder

FOLDER = folder() / "custard"
SIZES = {"i": 5, "j": 4, "k": 6}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no graphs of SAM's compiler at {FOLDER}")

RIGHT: dict[str, tuple[dict[str, str], Callable[..., np.ndarray]]] = {
    "vec_elemadd": ({"b": "i", "c": "i"}, lambda b, c: b + c),
    "mat_elemadd": ({"B": "ij", "C": "ij"}, lambda B, C: B + C),
    "mat_elemmul": ({"B": "ij", "C": "ij"}, lambda B, C: B * C),
    "mat_sddmm": ({"B": "ij", "C": "ik", "D": "kj"}, lambda B, C, D: B * (C @ D)),
}
WRONG = {
    "matmul_ijk": (
        {"B": "ik", "C": "kj"},
        "node 'fiberwrite_0': input 'val' reads reduce_4.val, a value for every j, but 'fiberwrite_1' writes only those "
        "left by 'crddrop_9', which drops j where no k is",
    ),
    "matmul_ikj": (
        {"B": "ik", "C": "kj"},
        "node '3' (spaccumulator) input 'val' reads reduce_6.val, whose values are nested i k, but its points are at j "
        "and one level above is summed: 'reduce_6' in front of it has summed j away already",
    ),
    "tensor3_ttv": (
        {"B": "ijk", "c": "k"},
        "node 'fiberwrite_0': input 'val' reads reduce_4.val, a value for every j, but 'fiberwrite_1'",
    ),
    "mat_mattransmul": (
        {"b": "", "C": "ji", "d": "j", "e": "", "f": "i"},
        "node 'fiberwrite_0': input 'val' reads add_3.val, a value for every i, but 'fiberwrite_1' writes only those "
        "left by 'crddrop_13', which drops i where no j is",
    ),
}


def data(path: Path, operands: dict[str, str], seed: int) -> tuple[dict[str, np.ndarray], dict[str, FiberTree]]:
    """Random operands of a graph, stored as its comment says; some are all zeros."""
    rng = np.random.default_rng(seed)
    comment = re.search(r'comment="([^"]*)"', path.read_text())
    assert comment is not None
    layouts = dict(part.split("=") for part in comment[1].split(","))
    arrays, trees = {}, {}
    for name, indices in operands.items():
        shape = [SIZES[index] for index in indices]
        kept = rng.random(shape) < rng.choice([0.0, 0.2, 0.5, 0.9])
        arrays[name] = np.asarray(rng.integers(1, 9, shape) * kept, np.float32)
        order, text = len(shape), layouts[name]
        layout = f"{text[:order].replace('s', 'c')}:{','.join(text[order:])}" if order else ""
        trees[name] = FiberTree.from_dense(arrays[name], Format.parse(layout, order))
    return arrays, trees


@pytest.mark.parametrize("name", RIGHT)
def test_right_graphs(name: str) -> None:
    operands, formula = RIGHT[name]
    path = FOLDER / f"{name}.gv"
    for seed in range(12):
        arrays, trees = data(path, operands, seed)
        graph = read_dot(path, trees)
        result = interpret(graph, trees)
        assert simulate(graph, trees).cycles == result.cycles
        np.testing.assert_array_equal(result.output.to_dense(), formula(**arrays), err_msg=f"seed {seed}")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_graphs(name: str) -> None:
    operands, reason = WRONG[name]
    path = FOLDER / f"{name}.gv"
    with pytest.raises(VerifyError) as caught:
        read_dot(path, data(path, operands, 0)[1])
    assert reason in str(caught.value)
    assert re.search(rf"{re.escape(str(path))}", str(caught.value))


def test_every_graph_is_one_or_the_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.gv")} <= {*RIGHT, *WRONG}


def test_wrong_graph_mended() -> None:
    """Without the reduce in front of its accumulator, SAM's matmul_ikj is right, points and all."""
    path = FOLDER / "matmul_ikj.gv"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if not line.lstrip().startswith(("6 [", "6 ->"))]
    mended = "\n".join(line.replace("7 -> 6", "7 -> 3") for line in kept)
    for seed in range(12):
        arrays, trees = data(path, {"B": "ik", "C": "kj"}, seed)
        result = interpret(from_dot_text(mended, trees), trees)
        np.testing.assert_array_equal(result.output.to_dense(), arrays["B"] @ arrays["C"], err_msg=f"seed {seed}")


def test_three_terms_and_no_zeros() -> None:
    """SAM's n-ary union, and its drop of coordinates whose value is 0."""
    lookups = "".join(
        f'{name} [type="fiberlookup" index="i" tensor="{name}" mode="0" format="compressed" root="true"]\n'
        f'v{name} [type="arrayvals" tensor="{name}"]\n'
        f'{name} -> u [label="crd_in-{name}" type="crd"]\n{name} -> u [label="ref_in-{name}" type="ref"]\n'
        f'u -> v{name} [label="ref_out-{name}" type="ref"]\n'
        for name in "bcd"
    )
    text = (
        f'digraph SAM {{ comment="x=s0,b=s0,c=s0,d=s0"\n{lookups}'
        'u [type="union" index="i"]\np [type="add" sub="1"]\nq [type="add" sub="0"]\n'
        'z [type="crddrop" outer="i" inner="vals"]\n'
        'wi [type="fiberwrite" index="i" tensor="x" mode="0" format="compressed" sink="true"]\n'
        'wv [type="fiberwrite" mode="vals" tensor="x" sink="true"]\n'
        'vb -> p [type="val"]\nvc -> p [type="val"]\np -> q [type="val"]\nvd -> q [type="val"]\n'
        'u -> z [label="crd_outer-i" type="crd"]\nq -> z [label="val_inner-vals" type="val"]\n'
        'z -> wi [label="crd_outer-i" type="crd"]\nz -> wv [label="val_inner-vals" type="val"]\n}'
    )
    arrays = [np.array(row, np.float32) for row in ([1, 2, 0, 0], [1, 0, 3, 0], [0, 0, 3, 0])]
    trees = {name: FiberTree.from_dense(array, "c") for name, array in zip("bcd", arrays, strict=True)}
    output = interpret(from_dot_text(text, trees), trees).output
    assert output.to_dense().tolist() == [0, 2, 0, 0] and output.stored == 1
