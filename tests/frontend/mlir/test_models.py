"""Kernels of the published models in MLIR: right against numpy, and as many blocks as the published graphs have."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.einsum import Mask
from fuseflow.errors import DataError, ProgramError
from fuseflow.models import Model
from tests.frontend.mlir.texts import ATTENTION, LAYERNORM, gcn_layer, sae, sage_layer

Arrays = dict[str, np.ndarray]


def arrays(model: Model) -> Arrays:
    return {name: tree.to_dense().astype(np.float64) for name, tree in model.tensors.items()}


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def encoder(a: Arrays, x: np.ndarray) -> np.ndarray:
    return relu(x @ a["encoder_weight"].T + a["encoder_bias"])


def decoder(a: Arrays, h: np.ndarray) -> np.ndarray:
    return h @ a["decoder_weight"].T + a["decoder_bias"]


def layernorm(a: Arrays) -> np.ndarray:
    x = a["arg0"]
    centred = x - x.mean(2, keepdims=True)
    return centred / np.sqrt((centred**2).mean(2, keepdims=True) + 1e-5) @ a["weight"] + a["bias"]


def attention(a: Arrays, masked: bool) -> np.ndarray:
    scores = a["arg0"] @ a["arg1"] * a["arg3"] / 8
    if masked:
        scores = np.where(a["arg3"] != 0, scores, -np.inf)
    weights = np.exp(scores - scores.max(3, keepdims=True))
    return weights / weights.sum(3, keepdims=True) @ a["arg2"]


def sage(a: Arrays) -> np.ndarray:
    x, near = a["arg0"], a["arg1"] @ a["arg0"]
    return relu(x @ a["own_weight"].T + a["own_bias"] + near @ a["near_weight"].T + a["near_bias"])


KERNELS: dict[str, tuple[str, int, Callable[[Arrays], np.ndarray]]] = {
    # text, blocks of the published graph (compiler notes §6), the same in numpy
    "encoder": (sae(parts="encoder"), 23, lambda a: encoder(a, a["arg0"])),
    "decoder": (sae(parts="decoder"), 22, lambda a: decoder(a, a["arg0"])),
    "autoencoder": (sae(), 38, lambda a: decoder(a, encoder(a, a["arg0"]))),
    "gcn layer": (gcn_layer(), 29, lambda a: relu(a["arg1"] @ a["arg0"] @ a["weight"].T + a["bias"])),
    "graphsage layer": (sage_layer(), 48, sage),
}


def check(model: Model, wanted: np.ndarray, schedule: str = "full") -> int:
    """Compile, simulate, compare; the number of blocks."""
    compiled = ff.compile(model, schedule)
    run = compiled.simulate()
    assert run.compare().passed
    (found,) = run.outputs.values()
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)
    return compiled.nodes


@pytest.mark.parametrize("name", KERNELS)
def test_published_kernels(name: str) -> None:
    text, nodes, formula = KERNELS[name]
    model = ff.from_mlir(text, seed=3)
    assert check(model, formula(arrays(model))) == nodes
    check(model, formula(arrays(model)), "unfused")


def test_layernorm_with_linear() -> None:
    """37 blocks where the published graph has 39: its two joiners with one input are dropped (fidelity, repair 12)."""
    model = ff.from_mlir(LAYERNORM)
    assert check(model, layernorm(arrays(model))) == 37
    names = [statement.name for statement in model.program]
    assert len(names) == 11, "the f64 twin of the sum and the centring is the same as the f32 one"


def test_attention() -> None:
    """48 blocks where the published graph has 50: a mask is what it stores, its values are not read and multiplied."""
    model = ff.from_mlir(ATTENTION, masks=["arg3"], sparsity=0.3)
    assert set(model.tensors["arg3"].values) == {np.float32(1)}
    assert any(isinstance(statement.expression, Mask) for statement in model.program)
    rows = model.tensors["arg3"].to_dense().any(1)
    found = ff.compile(model).simulate()
    assert found.compare().passed and found.nodes == 48
    (values,) = found.outputs.values()
    with np.errstate(invalid="ignore"):
        wanted = attention(arrays(model), masked=True)
    np.testing.assert_allclose(values[:, :, rows], wanted[:, :, rows], rtol=1e-4)


def test_attention_as_it_is_written() -> None:
    """Without masks the product is a product: what the mask does not store is 0 and takes part in the softmax."""
    model = ff.from_mlir(ATTENTION)
    check(model, attention(arrays(model), masked=False))


def test_files_data_and_seeds(tmp_path: Path) -> None:
    (tmp_path / "layer.mlir").write_text(gcn_layer())
    first, again, other = (ff.from_mlir(tmp_path / "layer.mlir", seed=seed) for seed in (1, 1, 2))
    assert first.name == "layer" and "seed 1, sparsity 0.5" in first.notes["random data"]
    np.testing.assert_array_equal(arrays(first)["weight"], arrays(again)["weight"])
    assert (arrays(first)["weight"] != arrays(other)["weight"]).any()
    adjacency = np.eye(6)
    given = ff.from_mlir(str(tmp_path / "layer.mlir"), {"arg1": adjacency})
    np.testing.assert_array_equal(arrays(given)["arg1"], adjacency)
    assert str(given.tensors["arg1"].format) == "cc"
    with pytest.raises(
        ProgramError, match="data for 'arg7', which the program does not read; it reads arg0, arg1, bias, weight"
    ):
        ff.from_mlir(gcn_layer(), {"arg7": adjacency})
    with pytest.raises(ProgramError, match=r"input 'arg1' has shape \(2, 2\)"):
        ff.from_mlir(gcn_layer(), {"arg1": np.eye(2)})
    with pytest.raises(ProgramError, match="there is no tensor 'm' to mask with"):
        ff.from_mlir(gcn_layer(), masks=["m"])
    with pytest.raises(ProgramError, match="sparsity is the fraction"):
        ff.from_mlir(gcn_layer(), sparsity=2)
    with pytest.raises(DataError, match="there is no such file"):
        ff.from_mlir(tmp_path / "nothing.mlir")
    with pytest.raises(DataError, match="give data for it"):
        ff.from_mlir(gcn_layer(nodes=10**6))
