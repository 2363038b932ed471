"""Modules as other people write them, unchanged: their simulated graphs agree with eager PyTorch under every preset."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fuseflow as ff
from fuseflow.schedule import PRESETS
from tests.frontend.modules import data


class GraphAttention(nn.Module):
    """A graph attention layer in the style of the first implementations: dense masks, minus infinity by hand."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.W = nn.Parameter(data(features, width))
        self.a = nn.Parameter(data(2 * width, 1, seed=3))
        self.width = width
        self.leakyrelu = nn.LeakyReLU(0.2)

    def forward(self, h: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:
        wh = torch.mm(h, self.W)
        scores = self.leakyrelu(wh @ self.a[: self.width] + (wh @ self.a[self.width :]).T)
        attention = torch.where(adj > 0, scores, -9e15 * torch.ones_like(scores))
        attention = F.dropout(F.softmax(attention, dim=1), 0.6, training=self.training)
        return F.elu(torch.matmul(attention, wh))


class GraphIsomorphism(nn.Module):
    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.eps = nn.Parameter(torch.tensor(0.1))
        self.mlp = nn.Sequential(
            nn.Linear(features, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Linear(width, width)
        )

    def forward(self, x: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:
        return self.mlp((1 + self.eps) * x + torch.sparse.mm(adj, x))


class DeepConvolution(nn.Module):
    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor, adj: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(torch.spmm(adj, x)))
        return F.log_softmax(self.layers[-1](torch.spmm(adj, x)), dim=1)


class Recommendation(nn.Module):
    """Embedding bags, a bottom network, pairwise products, a top network."""

    def __init__(self) -> None:
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU())
        self.bags = nn.ModuleList(nn.EmbeddingBag(rows, 2, mode="sum") for rows in (4, 3, 5))
        self.top = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
        pairs = [(i, j) for i in range(4) for j in range(i)]
        self.register_buffer("li", torch.tensor([i for i, _ in pairs]))
        self.register_buffer("lj", torch.tensor([j for _, j in pairs]))

    def forward(self, dense: torch.Tensor, offsets: torch.Tensor, *indices: torch.Tensor) -> torch.Tensor:
        x = self.bottom(dense)
        ly = [bag(index, offset) for bag, index, offset in zip(self.bags, indices, offsets, strict=True)]
        batch, width = x.shape
        t = torch.cat([x, *ly], dim=1).view(batch, -1, width)
        z = torch.bmm(t, torch.transpose(t, 1, 2))
        return self.top(torch.cat([x, z[:, self.li, self.lj]], dim=1))


class PrunedNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 6), nn.Linear(6, 4)
        self.register_buffer("mask", (data(6, 8, seed=5) > 0.5).float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = F.gelu(F.linear(x, self.first.weight * self.mask, self.first.bias))
        return self.second(hidden)


class Block(nn.Module):
    """A transformer encoder block with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ffn = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (t.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).contiguous().view(batch, length, width))
        return x + self.ffn(self.norm2(x))


class Embedded(nn.Module):
    """Token and position embeddings, a mask for padding, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions, self.head = nn.Embedding(9, 4), nn.Embedding(6, 4), nn.Linear(4, 9)

    def forward(self, ids: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        scores = (x @ x.transpose(-2, -1)) / 2.0
        scores = scores.masked_fill(padding[:, None, :] == 0, float("-inf"))
        return self.head(scores.softmax(-1) @ x)


def adjacency(nodes: int) -> torch.Tensor:
    chosen = (torch.rand(nodes, nodes, generator=torch.Generator().manual_seed(4)) < 0.3).float()
    return torch.maximum(chosen, torch.eye(nodes))


NETWORKS: dict[str, tuple[Any, tuple[torch.Tensor, ...], dict[str, str]]] = {
    "gat": (lambda: GraphAttention(5, 4), (data(6, 5), adjacency(6)), {}),
    "gin": (lambda: GraphIsomorphism(5, 4), (data(6, 5), adjacency(6)), {"adj": "dcsr", "mlp.0.weight": "cc:1,0"}),
    "gcn5": (lambda: DeepConvolution([5, 4, 4, 3, 3, 2]), (data(4, 5), adjacency(4)), {"adj": "dcsr"}),
    "dlrm": (
        Recommendation,
        (data(2, 4), torch.tensor([[0, 2], [0, 1], [0, 2]]), *map(torch.tensor, ([1, 3, 0], [2, 0], [4, 4, 1]))),
        {},
    ),
    "pruned": (PrunedNetwork, (data(3, 8),), {"mul": "cc:1,0"}),
    "block": (lambda: Block(8, 2), (data(2, 5, 8),), {}),
    "embedded": (Embedded, (torch.tensor([[1, 4, 8], [2, 2, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])), {}),
}


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.filterwarnings("ignore:Sparse CS")
def test_networks_agree_under_every_preset(name: str) -> None:
    make, inputs, formats = NETWORKS[name]
    torch.manual_seed(0)
    model = ff.trace(make(), inputs, formats)
    for preset in PRESETS:
        assert ff.compile(model, preset).simulate().check().max_rel_error < 1e-4
