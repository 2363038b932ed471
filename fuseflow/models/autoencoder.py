"""Sparse autoencoder with one hidden layer, as the paper evaluates it (paper §8; compiler notes §6.1)."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from fuseflow.datasets.images import find_images, load_images
from fuseflow.models.model import Model, trace
from fuseflow.models.weights import PrunedLinear, require_fraction, require_positive

SMALL = (16, 12)
"""Side of the pictures and hidden width of ``small=True``."""


class Autoencoder(nn.Module):
    """``decoder(relu(encoder(x)))`` with pruned weights."""

    def __init__(self, inputs: int, hidden: int, sparsity: float, seed: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.encoder = PrunedLinear(inputs, hidden, sparsity, rng)
        self.decoder = PrunedLinear(hidden, inputs, sparsity, rng)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` [batch, inputs] -> [batch, inputs]."""
        result: torch.Tensor = self.decoder(torch.relu(self.encoder(x)))
        return result


def sae(
    dataset: str = "imagenet",
    *,
    batch: int = 32,
    hidden: int | None = None,
    weight_sparsity: float = 0.9,
    small: bool = False,
    side: int | None = None,
    folder: str | Path | None = None,
    seed: int = 0,
) -> Model:
    """Sparse autoencoder on ``"imagenet"``, ``"nih-cxr"`` or ``"luna16"``, sized and stored as in the paper's artifact.

    Everything but the biases is compressed in both levels, pictures too (all of their pixels are stored). A fraction
    ``weight_sparsity`` of the weights is zero: 0.9 in the artifact, 0.5 in the paper's text. Pictures are read from
    ``folder``, or are noise, as in the artifact. ``hidden`` and ``side`` (of a picture) change the sizes; ``small``
    is 16 x 16 pixels and 12 hidden units. Raises DataError for an unknown set, TraceError for sizes that make no model.
    """
    entry = find_images(dataset)
    used_side = side if side is not None else SMALL[0] if small else entry.side
    width = hidden if hidden is not None else SMALL[1] if small else entry.hidden
    require_positive(**{"the batch": batch, "the hidden width": width, "the side of a picture": used_side})
    require_fraction(weight_sparsity)
    images = load_images(dataset, batch, folder, side=used_side, seed=seed)
    module = Autoencoder(used_side * used_side, width, weight_sparsity, seed)
    # Rows of results are stored dense, where the artifact stores them compressed: no row of a batch is ever missing.
    results = dict.fromkeys(("matmul", "add", "relu", "matmul_1", "add_1"), "dc")
    formats = {"x": "cc", "encoder.weight": "cc", "decoder.weight": "cc", **results}
    made = trace(module, (torch.from_numpy(images.pixels),), formats, name="sae")
    notes = {
        "pixels": str(used_side * used_side),
        "hidden width": str(width),
        "batch": str(batch),
        "weight sparsity": f"{weight_sparsity:g}",
        "source": images.source,
    }
    return Model(
        made.name, made.program, made.tensors, made.reference, dataset=dataset, synthetic=images.synthetic, notes=notes
    )
