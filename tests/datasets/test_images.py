"""Pictures from files and noise in their place."""

from pathlib import Path

import numpy as np
import pytest

from fuseflow.datasets.images import IMAGES, load_images
from fuseflow.errors import DataError


def test_sizes_are_the_papers() -> None:
    sizes = {name: (entry.pixels, entry.hidden) for name, entry in IMAGES.items()}
    assert sizes == {"imagenet": (50_176, 256), "nih-cxr": (1_048_576, 512), "luna16": (262_144, 512)}


def test_noise_is_a_function_of_the_seed() -> None:
    first, again, other = (load_images("luna16", 2, side=8, seed=seed).pixels for seed in (0, 0, 1))
    assert first.shape == (2, 64)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert 0.05 < first.std() < 0.2


def test_pictures_are_taken_in_order_of_their_names(tmp_path: Path) -> None:
    deep = np.array([[0, 256], [65535, 1]], ">u2")
    (tmp_path / "b.pgm").write_bytes(b"P5 2 2 65535\n" + deep.tobytes())
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, 4]], np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    found = load_images("imagenet", 2, tmp_path, side=2)
    np.testing.assert_allclose(found.pixels, [[1, 2, 3, 4], [0, 256 / 65535, 1, 1 / 65535]])
    assert not found.synthetic


def test_faults(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[np.nan, 0], [0, 0]]))
    with pytest.raises(DataError, match="holds NaN or infinity; remove them"):
        load_images("imagenet", 1, tmp_path, side=2)
    with pytest.raises(DataError, match="at least one picture of at least one pixel, not 0 of side 224"):
        load_images("imagenet", 0)
    for text in (b"P5 2 2", b"P5 # nothing", b"P2 2 2 9\n1234"):
        (tmp_path / "a.pgm").write_bytes(text)
        (tmp_path / "a.npy").unlink(missing_ok=True)
        with pytest.raises(DataError, match="cannot be read as a picture: it does not start as a binary PGM"):
            load_images("imagenet", 1, tmp_path, side=2)
