"""Random weights and sparse tensors for the built-in models: functions of a seed, with a given fraction of zeros."""

import warnings
from typing import Any

import numpy as np
import torch
from torch import nn

from fuseflow.errors import TraceError

_ROWS_AT_ONCE = 1 << 24


def require_fraction(sparsity: float) -> None:
    """TraceError unless ``sparsity`` is a fraction of zeros."""
    if not 0 <= sparsity <= 1:
        raise TraceError(f"a weight sparsity is a fraction of zeros from 0 to 1, not {sparsity:g}")


def require_positive(**sizes: int) -> None:
    """TraceError naming the first of ``sizes`` that is below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise TraceError(f"{name} must be at least 1, not {size}")


def fill_linear(layer: nn.Linear, sparsity: float, generator: torch.Generator) -> None:
    """Weights and bias uniform in ±1/sqrt(inputs), then a fraction ``sparsity`` of the weights set to zero."""
    bound = layer.weight.shape[1] ** -0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.weight.mul_(torch.rand(layer.weight.shape, generator=generator) >= sparsity)
        if layer.bias is not None:
            layer.bias.uniform_(-bound, bound, generator=generator)


def sparse_csr(matrix: Any) -> torch.Tensor:
    """A scipy CSR matrix as a torch sparse CSR tensor of float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces on every first use that CSR tensors are in beta
        return torch.sparse_csr_tensor(
            torch.from_numpy(np.asarray(matrix.indptr, dtype=np.int64)),
            torch.from_numpy(np.asarray(matrix.indices, dtype=np.int64)),
            torch.from_numpy(np.asarray(matrix.data, dtype=np.float32)),
            matrix.shape,
            check_invariants=True,
        )


def random_csr(rows: int, columns: int, sparsity: float, bound: float, rng: np.random.Generator) -> torch.Tensor:
    """A sparse CSR tensor [rows, columns], values uniform in ±``bound``, each zero with probability ``sparsity``.

    Made some rows at a time: it never exists densely.
    """
    step = max(1, _ROWS_AT_ONCE // max(columns, 1))
    counts, found, values = [np.zeros(1, np.int64)], [], []
    for first in range(0, rows, step):
        kept = rng.random((min(step, rows - first), columns), dtype=np.float32) >= sparsity
        counts.append(kept.sum(axis=1, dtype=np.int64))
        found.append(np.nonzero(kept)[1].astype(np.int64))
        values.append(rng.uniform(-bound, bound, found[-1].size).astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(
            torch.from_numpy(np.cumsum(np.concatenate(counts))),
            torch.from_numpy(np.concatenate(found)),
            torch.from_numpy(np.concatenate(values)),
            (rows, columns),
            check_invariants=True,
        )


class PrunedLinear(nn.Module):
    """``x @ weight + bias`` with a sparse CSR ``weight`` [inputs, outputs], which never exists densely."""

    def __init__(self, inputs: int, outputs: int, sparsity: float, rng: np.random.Generator) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(random_csr(inputs, outputs, sparsity, bound, rng), requires_grad=False)
        self.bias = nn.Parameter(
            torch.from_numpy(rng.uniform(-bound, bound, outputs).astype(np.float32)), requires_grad=False
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` [batch, inputs] -> [batch, outputs]."""
        return x @ self.weight + self.bias
