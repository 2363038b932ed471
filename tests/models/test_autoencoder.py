"""The sparse autoencoder: node counts of compiler notes 6.1, agreement with eager PyTorch, pictures and sizes."""

from pathlib import Path

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import DataError, TraceError
from tests.models.agreement import counts

KERNELS = {"unfused": [16, 13, 8, 16, 13], "partial": [23, 22], "full": [38]}


@pytest.mark.parametrize("schedule", list(KERNELS))
def test_nodes_and_outputs(schedule: str) -> None:
    assert counts(ff.models.sae(small=True, batch=4), schedule) == KERNELS[schedule]


def test_sizes_and_storage() -> None:
    model = ff.models.sae("luna16", side=8, hidden=5, batch=3, weight_sparsity=0.5)
    assert {tensor.name: (tensor.shape, str(tensor.format)) for tensor in model.program.inputs} == {
        "encoder_weight": ((64, 5), "cc"),
        "encoder_bias": ((5,), "d"),
        "decoder_weight": ((5, 64), "cc"),
        "decoder_bias": ((64,), "d"),
        "x": ((3, 64), "cc"),
    }
    assert model.tensors["x"].stored == 3 * 64
    assert 0.3 < model.tensors["encoder_weight"].stored / 320 < 0.7
    assert model.synthetic
    assert model.notes["pixels"] == "64"
    same, other = (ff.models.sae(small=True, batch=2, seed=seed).tensors["encoder_weight"] for seed in (0, 1))
    again = ff.models.sae(small=True, batch=2).tensors["encoder_weight"]
    assert (same.to_dense() == again.to_dense()).all()
    assert (same.to_dense() != other.to_dense()).any()


def test_pictures_are_read(tmp_path: Path) -> None:
    picture = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.save(tmp_path / "a.npy", picture)
    (tmp_path / "b.pgm").write_bytes(b"P5\n# made by hand\n4 4\n15\n" + picture.astype(np.uint8).tobytes())
    model = ff.models.sae(side=4, hidden=3, batch=2, folder=tmp_path)
    np.testing.assert_allclose(model.tensors["x"].to_dense(), [picture.ravel(), picture.ravel() / 15], rtol=1e-6)
    assert not model.synthetic
    assert model.tensors["x"].stored == 30  # black pixels are not stored
    assert ff.compile(model).simulate().check().passed


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='image set must be one of imagenet, nih-cxr, luna16, not "cora"'):
        ff.models.sae("cora")
    with pytest.raises(DataError, match=r"holds 0 \.npy and \.pgm files, a batch of 2 needs as many"):
        ff.models.sae(side=4, batch=2, folder=tmp_path)
    np.save(tmp_path / "a.npy", np.ones((3, 4)))
    with pytest.raises(DataError, match=r"holds an array \(3, 4\) of float64, not 4 x 4 grey values"):
        ff.models.sae(side=4, batch=1, folder=tmp_path)
    (tmp_path / "a.npy").write_bytes(b"P6")
    with pytest.raises(DataError, match="cannot be read as a picture"):
        ff.models.sae(side=4, batch=1, folder=tmp_path)
    for data, reason in ((b"P6 1 1 1 x", "does not start as a binary PGM"), (b"P5 4 4 255 ab", "2 pixels of 16")):
        (tmp_path / "a.npy").unlink(missing_ok=True)
        (tmp_path / "a.pgm").write_bytes(data)
        with pytest.raises(DataError, match=reason):
            ff.models.sae(side=4, batch=1, folder=tmp_path)
    with pytest.raises(TraceError, match="the batch must be at least 1, not 0"):
        ff.models.sae(batch=0)
    with pytest.raises(TraceError, match="a weight sparsity is a fraction of zeros from 0 to 1, not 2"):
        ff.models.sae(small=True, weight_sparsity=2)
