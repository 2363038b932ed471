"""``fuseflow export`` and ``fuseflow simulate``."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import fuseflow as ff
from fuseflow.cli import app
from fuseflow.compiled import compile
from fuseflow.dataflow.interop import write_comal, write_dot
from fuseflow.formats import read_npz, write_mtx, write_npz, write_tns
from tests.frontend.mlir.texts import gcn_layer

A = np.array([[1, 0, 2], [0, 0, 3], [0, 0, 0]], np.float32)
X = np.array([[0, 1], [2, 3], [4, 0]], np.float32)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def message(*arguments: str | Path) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 2 and result.stdout == "", result.output
    return re.sub(r"\s+", " ", result.stderr)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A product as DOT and for the reference simulator, and its tensors in every kind of file."""
    model = ff.einsum('A[3,3]: "cc"\nX[3,2]: "cc"\nY[i,j] = A[i,k] * X[k,j]', A=A, X=X)
    (region,) = compile(model).regions
    write_dot(tmp_path / "product.gv", region.graph, model.tensors)
    write_comal(tmp_path / "product", region.graph, model.tensors)
    write_mtx(tmp_path / "A.mtx", model.tensors["A"])
    write_tns(tmp_path / "X.tns", model.tensors["X"])
    write_npz(tmp_path / "other.npz", model.tensors["X"])
    return tmp_path


def test_dot_with_tensors(files: Path) -> None:
    result = invoke(
        "simulate", files / "product.gv", files / "A.mtx", files / "X.tns", "--compare", "--out", files / "Y.npz"
    )
    assert result.exit_code == 0, result.output
    assert re.search(r"\d+ nodes, \d+ cycles", result.stdout)
    assert "Y: shape 3x2" in result.stdout and "the same cycles, counters and values" in result.stdout
    np.testing.assert_array_equal(read_npz(files / "Y.npz").to_dense(), A @ X)


def test_the_same_cycles_from_every_file(files: Path) -> None:
    dot = invoke("simulate", files / "product.gv", files / "A.mtx", f"X={files / 'other.npz'}").stdout
    assert dot == invoke("simulate", files / "product").stdout
    assert dot == invoke("simulate", files / "product" / "graph.pbtxt").stdout
    assert dot == invoke("simulate", files / "product.gv", files / "product").stdout
    assert dot == invoke("simulate", files / "product.gv", files / "product", "--engine", "interpreter").stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["product.gv", "A.mtx"], "the graph reads tensor 'X'; give it as X=FILE"),
        (["product.gv", "other.npz"], "the graph has no tensor 'other'; it has Y, A, X"),
        (["product", "A.mtx"], "reads its tensors from the files beside it"),
        (["product.gv", "."], "no file tensor_<name>_mode_vals"),
        (["product.gv", "X=product.gv"], "tensors are read from .mtx, .tns and .npz files"),
        (["nothing.gv"], "there is no such file"),
        (["product.gv", "--out", "Y.txt"], "results are written to .mtx, .tns and .npz files"),
    ],
)
def test_what_is_wrong(files: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str) -> None:
    monkeypatch.chdir(files)
    assert text in message("simulate", *arguments)


def test_export(tmp_path: Path) -> None:
    karate = ("export", "gcn", "--dataset", "karate", "--hidden", "4", "--schedule", "partial")
    for form, first in (("dot", "layer1.gv"), ("comal", "layer1")):
        result = invoke(*karate, "--format", form, "--out", tmp_path)
        assert result.exit_code == 0, result.output
        paths = [line.partition(":")[0] for line in result.stdout.splitlines() if not line.startswith(" ")]
        assert len(paths) == 2 and all(Path(path).exists() for path in paths), (first, result.stdout)
    cycles = [invoke("simulate", path, "--compare").stdout for path in paths]
    model = ff.models.gcn("karate", hidden=4)
    run = compile(model, "partial").simulate()
    for text, kernel in zip(cycles, run.kernels, strict=True):
        assert f"{kernel.result.cycles} cycles" in text and "the same cycles" in text


def test_export_to_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    assert "cannot make the folder" in message("export", "gcn", "--dataset", "karate", "--out", tmp_path / "x")


def test_mlir(tmp_path: Path) -> None:
    (tmp_path / "layer.mlir").write_text(gcn_layer())
    write_npz(tmp_path / "a.npz", ff.FiberTree.from_dense(np.eye(6, dtype=np.float32), "cc"))
    result = invoke("simulate", tmp_path / "layer.mlir", f"arg1={tmp_path / 'a.npz'}", "--schedule", "unfused")
    assert result.exit_code == 0, result.output
    assert re.search(r"Run layer, schedule unfused: [\d,]+ cycles in 4 kernels", result.stdout)
    assert "random data: arg0" in result.stdout and "agrees with the dense interpreter" in result.stdout
    assert "say which tensor it is" in message("simulate", tmp_path / "layer.mlir", tmp_path / "a.npz")
    (tmp_path / "layer.mlir").write_text("func.func @f(%x: tensor<2xf32>) { %0 = tensor.gather %x }")
    assert "line 1, column 40: operation 'tensor.gather' is not supported" in message(
        "simulate", tmp_path / "layer.mlir"
    )
