"""A GPT-3 decoder with BigBird's block-sparse attention, as plain modules (paper §8; compiler notes §6.4).

The three parts of a decoder are the three kernels of a partially fused one: projection (K1), attention (K2) and output
(K3). Between them the heads are split and merged, which moves elements and cannot be fused across.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"gelu": F.gelu, "relu": F.relu}


class Projection(nn.Module):
    """Layer norm, then one linear layer for each of queries, keys and values (K1; the artifact has one, not three)."""

    def __init__(self, width: int, count: int = 3, affine: bool = True) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=affine)
        self.linears = nn.ModuleList(nn.Linear(width, width) for _ in range(count))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """``x`` [batch, sequence, width] -> as many of the same shape as there are linear layers."""
        normed = self.norm(x)
        return tuple(linear(normed) for linear in self.linears)


class SparseAttention(nn.Module):
    """Softmax attention over the keys that ``mask`` [sequence, sequence] (bool) keeps (K2)."""

    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """All [batch, heads, sequence, width of a head]; so is the result."""
        scores = torch.matmul(queries, keys.transpose(-2, -1))
        scores = scores.masked_fill(~self.mask, float("-inf")) / queries.shape[-1] ** 0.5
        return torch.matmul(torch.softmax(scores, dim=-1), values)


class Output(nn.Module):
    """Output projection and residual, then layer norm, feed-forward network and residual (K3)."""

    def __init__(self, width: int, ffn: int, activation: str = "gelu", affine: bool = True) -> None:
        super().__init__()
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, elementwise_affine=affine)
        self.up = nn.Linear(width, ffn)
        self.down = nn.Linear(ffn, width)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        """``x`` and ``residual`` [batch, sequence, width]; so is the result."""
        y = self.out(x) + residual
        result: torch.Tensor = self.down(self.activation(self.up(self.norm(y)))) + y
        return result


class Decoder(nn.Module):
    """One decoder: projection, attention per head, output."""

    def __init__(self, mask: torch.Tensor, heads: int, width: int, ffn: int, activation: str) -> None:
        super().__init__()
        self.heads = heads
        self.projection = Projection(width)
        self.attention = SparseAttention(mask)
        self.output = Output(width, ffn, activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` [batch, sequence, width] -> the same shape."""
        batch, sequence, width = x.shape
        q, k, v = (
            part.view(batch, sequence, self.heads, width // self.heads).transpose(1, 2) for part in self.projection(x)
        )
        attended = self.attention(q, k, v).transpose(1, 2).reshape(batch, sequence, width)
        result: torch.Tensor = self.output(attended, x)
        return result


class OutputProjection(nn.Module):
    """The output of one decoder and the projection of the next (K4), fused where the whole stack is.

    The next decoder also needs the result itself, for its residual; the artifact's kernel leaves it out, as does
    ``residual=False``.
    """

    def __init__(self, width: int, ffn: int, activation: str, count: int, affine: bool, residual: bool) -> None:
        super().__init__()
        self.output = Output(width, ffn, activation, affine)
        self.projection = Projection(width, count, affine)
        self.residual = residual

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """``x`` and ``residual`` [batch, sequence, width] -> the decoder's result and its projections."""
        y = self.output(x, residual)
        return (y, *self.projection(y)) if self.residual else self.projection(y)
