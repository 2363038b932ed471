"""Batches of grey images: the user's own files where a folder is given, Gaussian noise of the same size otherwise.

The published artifact loads no image either: it feeds noise (experiments notes §3.3). The simulated cycles of an
autoencoder whose input is stored whole do not depend on the values.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import DataError

NOISE_SCALE = 0.1
"""Standard deviation of the noise, as in the artifact."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Facts about one set of images: pictures of ``side`` x ``side`` pixels; ``hidden`` is the paper's hidden width."""

    name: str
    side: int
    hidden: int
    source: str
    licence: str

    @property
    def pixels(self) -> int:
        """Pixels of a picture: what the autoencoder reads."""
        return self.side * self.side


IMAGES: dict[str, ImageSet] = {
    entry.name: entry
    for entry in (
        ImageSet("imagenet", 224, 256, "ImageNet, Deng et al. 2009, grey, 224x224", "own terms, research only"),
        ImageSet("nih-cxr", 1024, 512, "NIH ChestX-ray14, Wang et al. 2017, 1024x1024", "no restrictions, cite NIH"),
        ImageSet("luna16", 512, 512, "LUNA16 CT slices, Setio et al. 2017, 512x512", "CC BY 4.0"),
    )
}
"""Sets of images by name."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageData:
    """``pixels`` is float32 [batch, side * side]; ``synthetic`` tells noise from pictures."""

    name: str
    synthetic: bool
    pixels: NDArray[np.float32]
    source: str


def load_images(
    name: str, batch: int = 32, folder: str | Path | None = None, *, side: int | None = None, seed: int = 0
) -> ImageData:
    """The first ``batch`` pictures of ``folder`` in order of their names, or noise from ``seed`` without one.

    ``folder`` holds square grey pictures as ``.npy`` arrays or binary ``.pgm`` files, of the side of the set called
    ``name`` (or of ``side``). Raises DataError for an unknown name, and for pictures that are missing or of another
    size.
    """
    entry = find_images(name)
    size = entry.side if side is None else side
    if batch < 1 or size < 1:
        raise DataError(f"a batch has at least one picture of at least one pixel, not {batch} of side {size}")
    if folder is None:
        noise = np.random.default_rng(seed).standard_normal((batch, size * size), dtype=np.float32)
        return ImageData(name, True, noise * np.float32(NOISE_SCALE), f"Gaussian noise, seed {seed}")
    if not Path(folder).is_dir():
        raise DataError(f"there is no folder {folder} with pictures of {name}; make it, or leave it out to take noise")
    paths = sorted(path for path in Path(folder).glob("*") if path.suffix in (".npy", ".pgm"))
    if len(paths) < batch:
        raise DataError(
            f"{folder} holds {len(paths)} .npy and .pgm files, a batch of {batch} needs as many; add pictures or take "
            "a smaller batch"
        )
    rows = [_picture(path, size) for path in paths[:batch]]
    return ImageData(name, False, np.stack(rows), f"{batch} pictures of {entry.source}")


def find_images(name: str) -> ImageSet:
    """The entry called ``name``; DataError with the names there are otherwise."""
    if name not in IMAGES:
        raise DataError(f'image set must be one of {", ".join(IMAGES)}, not "{name}"')
    return IMAGES[name]


def _picture(path: Path, side: int) -> NDArray[np.float32]:
    try:
        values = np.load(path, allow_pickle=False) if path.suffix == ".npy" else _pgm(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as a picture: {error}; give a grey .npy array or a binary .pgm"
        ) from None
    if values.shape != (side, side) or values.dtype.kind not in "biuf":
        raise DataError(
            f"{path} holds an array {values.shape} of {values.dtype}, not {side} x {side} grey values; scale it first"
        )
    flat: NDArray[np.float32] = values.astype(np.float32).reshape(-1)
    if not np.isfinite(flat).all():
        raise DataError(f"{path} holds NaN or infinity; remove them")
    return flat


def _pgm(data: bytes) -> NDArray[np.float32]:
    """A binary PGM (P5): magic, width, height, largest value, then the pixels, scaled to [0, 1]."""
    fields: list[bytes] = []
    at = 0
    while len(fields) < 4:
        while at < len(data) and data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.find(b"\n", at) + 1
            if at == 0:
                break
            continue
        start = at
        while at < len(data) and not data[at : at + 1].isspace():
            at += 1
        if start == at:
            break
        fields.append(data[start:at])
    if len(fields) < 4 or fields[0] != b"P5":
        raise ValueError("it does not start as a binary PGM (P5 width height maximum)")
    width, height, largest = (int(field) for field in fields[1:])
    kind = ">u1" if largest < 256 else ">u2"
    body = np.frombuffer(data, dtype=kind, offset=at + 1)
    if largest < 1 or body.size < width * height:
        raise ValueError(f"it has {body.size} pixels of {width * height}")
    scaled: NDArray[np.float32] = body[: width * height].reshape(height, width).astype(np.float32) / np.float32(largest)
    return scaled
