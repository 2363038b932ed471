"""The two-layer graph convolution: its program against eager PyTorch, and how it is stored."""

import inspect

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.einsum import interpret
from fuseflow.errors import DataError
from fuseflow.models import NAMES, OPTIONS, Model
from tests.models.agreement import counts


def error(model: Model) -> float:
    """Largest difference from eager PyTorch over the largest reference value."""
    found, worst = interpret(model.program, model.tensors), 0.0
    for name, expected in model.reference().items():
        worst = max(worst, float(np.abs(found[name] - expected).max() / np.abs(expected).max()))
    return worst


@pytest.mark.parametrize("features", ["dense", "csr"])
def test_karate_equals_eager(features: str) -> None:
    model = ff.models.gcn("karate", features=features)
    assert error(model) < 1e-5
    assert model.program.outputs == ("softmax",)
    np.testing.assert_allclose(model.reference()["softmax"].sum(1), 1, rtol=1e-6)


KERNELS = {"unfused": [13, 15, 13, 8, 13, 15, 13, 14], "partial": [29, 35], "full": [61]}


@pytest.mark.parametrize("schedule", list(KERNELS))
def test_nodes_and_outputs(schedule: str) -> None:
    assert counts(ff.models.gcn("karate"), schedule) == KERNELS[schedule]


def test_stored_as_in_the_artifact() -> None:
    model = ff.models.gcn("karate", hidden=8, weight_sparsity=0.5, features="csr")
    assert {tensor.name: str(tensor.format) for tensor in model.program.inputs} == {
        "conv1_linear_weight": "cc:1,0",
        "conv1_linear_bias": "d",
        "conv2_linear_weight": "cc:1,0",
        "conv2_linear_bias": "d",
        "x": "dc",
        "adjacency": "cc",
    }
    weight = model.tensors["conv1_linear_weight"]
    assert weight.shape == (8, 34)
    assert 0.4 < weight.stored / (8 * 34) < 0.6
    assert model.notes["hidden width"] == "8"
    assert model.notes["weight sparsity"] == "0.5"
    assert (model.dataset, model.synthetic, model.reference_name) == ("karate", False, "eager PyTorch")
    assert repr(model).startswith("Model gcn on karate\n  conv1_linear_weight[8, 34] cc:1,0, ")


def test_weights_depend_on_the_seed_alone() -> None:
    first, again, other = (ff.models.gcn("karate", seed=seed).tensors["conv1_linear_weight"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.to_dense(), again.to_dense())
    assert (first.to_dense() != other.to_dense()).any()


def test_unknown_data_set_and_names() -> None:
    assert NAMES == ("gcn", "graphsage", "sae", "gpt3", "attention")
    for name in NAMES:
        taken = inspect.signature(getattr(ff.models, name)).parameters
        assert tuple(taken) == OPTIONS[name], name
    with pytest.raises(DataError, match="karrate"):
        ff.models.gcn("karrate")
    with pytest.raises(AttributeError, match="has no attribute 'mlp'"):
        _ = ff.models.mlp
