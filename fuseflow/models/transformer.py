"""GPT-3 with block-sparse attention: whole decoders, attention alone, and the kernels that the paper counts.

The artifact's K1 and K4 have one projection in place of three, layer norms without scale and shift, and ReLU in place
of GELU; :func:`gpt3_kernel` builds them so unless told otherwise, :func:`gpt3` the real thing.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fuseflow.errors import TraceError
from fuseflow.models.bigbird import bigbird_mask
from fuseflow.models.decoder import ACTIVATIONS, Decoder, Output, OutputProjection, Projection, SparseAttention
from fuseflow.models.model import Model, trace
from fuseflow.models.weights import require_positive

MASKED = ("masked_fill", "div", "softmax")
"""Results of the attention kernels that are stored as the mask stores them, as in the artifact."""

SMALL = {"block": 4, "sequence": 32, "heads": 2, "width": 8, "ffn": 16}
"""Sizes of ``small=True``."""

DECODERS = 12
"""Decoders of GPT-3 Small."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of a decoder: ``block`` of the mask, ``width`` of all heads together, ``ffn`` of the feed-forward layer."""

    block: int
    sequence: int
    heads: int
    width: int
    ffn: int

    def __post_init__(self) -> None:
        require_positive(block=self.block, sequence=self.sequence, heads=self.heads, width=self.width, ffn=self.ffn)
        if self.width % self.heads:
            raise TraceError(f"a width of {self.width} does not divide into {self.heads} heads; choose a multiple")


def gpt3(
    block: int = 64,
    *,
    sequence: int = 1024,
    heads: int = 12,
    width: int = 768,
    ffn: int = 3072,
    decoders: int = 1,
    activation: str = "gelu",
    small: bool = False,
    seed: int = 0,
) -> Model:
    """``decoders`` decoders of GPT-3 Small on noise, batch 1; ``small`` has small sizes to try things.

    The paper's twelve decoders are one decoder's kernels several times: see :func:`gpt3_parts`. ``activation`` is
    ``"gelu"`` or ``"relu"`` (the artifact's). Raises TraceError for sizes that make no model.
    """
    sizes = _sizes(small, block, sequence, heads, width, ffn)
    require_positive(decoders=decoders)
    _require_activation(activation)
    mask = torch.from_numpy(bigbird_mask(sizes.sequence, sizes.block))
    module = nn.Sequential(*(Decoder(mask, sizes.heads, sizes.width, sizes.ffn, activation) for _ in range(decoders)))
    generator = _fill(module, seed)
    x = torch.randn(1, sizes.sequence, sizes.width, generator=generator)
    endings = ("", *(f"_{number}" for number in range(1, decoders)))
    formats = {f"{name}{ending}": "ddcc" for name in MASKED for ending in endings}
    return _finished(
        "gpt3",
        module[0] if decoders == 1 else module,
        (x,),
        formats,
        sizes,
        activation=activation,
        decoders=str(decoders),
    )


def attention(
    block: int = 64,
    *,
    sequence: int = 1024,
    heads: int = 12,
    width: int = 768,
    sampled: bool = True,
    small: bool = False,
    seed: int = 0,
) -> Model:
    """Block-sparse attention alone (K2): queries, keys and values [1, heads, sequence, width / heads], all dense.

    ``sampled`` keys are stored row by row, so that only the products that the mask keeps are computed. Otherwise they
    are stored transposed, as in the artifact's figures: all products are computed, and the mask selects from them.
    """
    sizes = _sizes(small, block, sequence, heads, width, SMALL["ffn"])
    module = SparseAttention(torch.from_numpy(bigbird_mask(sizes.sequence, sizes.block)))
    generator = torch.Generator().manual_seed(seed)
    shape = (1, sizes.heads, sizes.sequence, sizes.width // sizes.heads)
    inputs = tuple(torch.randn(shape, generator=generator) for _ in range(3))
    return _finished(
        "attention",
        module,
        inputs,
        {"keys": "dddd" if sampled else "dddd:0,1,3,2", **dict.fromkeys(MASKED, "ddcc")},
        sizes,
    )


def gpt3_kernel(
    kernel: str,
    block: int = 64,
    *,
    sequence: int = 1024,
    heads: int = 12,
    width: int = 768,
    ffn: int = 3072,
    activation: str = "relu",
    projections: int = 1,
    affine: bool = False,
    residual: bool = False,
    small: bool = False,
    seed: int = 0,
) -> Model:
    """One kernel of the paper's decoder stack: ``"K1"``, ``"K2"``, ``"K3"`` or ``"K4"`` (compiler notes §6.4).

    Without further arguments it is the artifact's, with ``projections=3, affine=True, residual=True`` that of
    :func:`gpt3`.
    """
    if kernel == "K2":
        return attention(block, sequence=sequence, heads=heads, width=width, small=small, seed=seed)
    sizes = _sizes(small, block, sequence, heads, width, ffn)
    require_positive(projections=projections)
    _require_activation(activation)
    makers: dict[str, tuple[nn.Module, int]] = {
        "K1": (Projection(sizes.width, projections, affine), 1),
        "K3": (Output(sizes.width, sizes.ffn, activation, affine), 2),
        "K4": (OutputProjection(sizes.width, sizes.ffn, activation, projections, affine, residual), 2),
    }
    if kernel not in makers:
        raise TraceError(f'a kernel is one of K1, K2, K3 and K4, not "{kernel}"')
    module, count = makers[kernel]
    generator = _fill(module, seed)
    inputs = tuple(torch.randn(1, sizes.sequence, sizes.width, generator=generator) for _ in range(count))
    return _finished(kernel, module, inputs, {}, sizes, activation=activation)


def _sizes(small: bool, block: int, sequence: int, heads: int, width: int, ffn: int) -> Sizes:
    return Sizes(**SMALL) if small else Sizes(block, sequence, heads, width, ffn)


def _require_activation(name: str) -> None:
    if name not in ACTIVATIONS:
        raise TraceError(f'an activation is one of {", ".join(ACTIVATIONS)}, not "{name}"')


def _fill(module: nn.Module, seed: int) -> torch.Generator:
    """Dense random weights: uniform in ±1/sqrt(inputs), scales about 1 and shifts about 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Linear):
                bound = part.weight.shape[1] ** -0.5
                part.weight.uniform_(-bound, bound, generator=generator)
                part.bias.uniform_(-bound, bound, generator=generator)
            elif isinstance(part, nn.LayerNorm) and part.elementwise_affine:
                part.weight.uniform_(0.5, 1.5, generator=generator)
                part.bias.uniform_(-0.5, 0.5, generator=generator)
    return generator


def _finished(
    name: str, module: nn.Module, inputs: tuple[torch.Tensor, ...], formats: dict[str, Any], sizes: Sizes, **notes: str
) -> Model:
    made = trace(module, inputs, formats, name=name)
    described = {
        "block": str(sizes.block),
        "sequence": str(sizes.sequence),
        "heads": str(sizes.heads),
        "width": str(sizes.width),
        "ffn": str(sizes.ffn),
        **notes,
    }
    return Model(name, made.program, made.tensors, made.reference, notes=described)
