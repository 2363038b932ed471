"""Every operation of the op table: the traced program and its simulated graphs agree with eager PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fuseflow as ff
from fuseflow.einsum import interpret, parse, show
from fuseflow.frontend import HANDLERS, trace
from tests.frontend.modules import Call, data, sparse

Function = Callable[..., Any]
M = torch.tensor([[True, False, True], [False, True, False], [True, True, True], [False, False, True]])
ROWS, COLUMNS = torch.tensor([0, 2, -1]), torch.tensor([1, 0, 1])


def in_place(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    h = x + y
    h[:, 0] = 1.0
    h[2] = y[0]
    h[:2, 1:] = y[2:, :2]
    return h * x


# x, y: [4, 3]; the operations that each case is there for stand in its name.
MATRICES: dict[str, Function] = {
    "addmm": lambda x, y: torch.addmm(x @ y.T, x, y.T),
    "mv dot": lambda x, y: torch.addmv(x[:, 0], x, y[2]) + torch.mv(x, y[0]) * torch.dot(x[0], y[1]),
    "matmul of a vector": lambda x, y: (x @ y[1]) + (x[:, 0] @ y).sum(),
    "einsum": lambda x, y: torch.einsum("ij,kj->ki", x, y),
    "einsum of a sum": lambda x, y: torch.einsum("ij,jk->ik", x, y.T) + torch.einsum("ij,ik->jk", x, y).sum(),
    "add of constants": lambda x, y: 3 - x + 2 * y - 1 / (y * y + 1),
    "div by a tensor": lambda x, y: x / (y.abs() + 1),
    "maximum minimum": lambda x, y: torch.maximum(x, torch.minimum(x, y)),
    "max of two": lambda x, y: torch.max(x, y) - torch.min(x, y),
    "pow": lambda x, y: x**2 + x**3 + (y.abs() + 1) ** 0.5 + (y.abs() + 1) ** -1.5 + 2**x,
    "clamp": lambda x, y: x.clamp(-0.5, 0.5) + y.clamp(min=0.1) + y.clamp_min(-1) + x.clamp_max(0.2),
    "relu6 hardtanh": lambda x, y: F.relu6(8 * x) + F.hardtanh(y),
    "leaky_relu elu": lambda x, y: F.leaky_relu(x, 0.2) + F.elu(y) + F.elu(x, 0.5),
    "softplus mish hardswish": lambda x, y: F.softplus(x) + F.mish(y) + F.hardswish(2 * x),
    "prelu": lambda x, y: F.prelu(x, torch.tensor([0.2])) + F.prelu(y, x[0]),
    "clamp between tensors": lambda x, y: x.clamp_min(y).clamp_max(y + 1),
    "var std": lambda x, y: x.var(1) + y.std(1, correction=0) + x.std() + x.var(0, keepdim=True).sum(),
    "logsumexp": lambda x, y: torch.logsumexp(x, 1) + y.logsumexp(0, keepdim=True).sum(),
    "cumsum": lambda x, y: x.cumsum(0) + y.cumsum(1),
    "repeat": lambda x, y: x.repeat(2, 1)[:4] * y.unsqueeze(0).repeat(3, 1, 1)[1] + y.repeat(1, 1, 1)[0],
    "repeat_interleave": lambda x, y: (x + y).repeat_interleave(2, 0)[1:5] + x.repeat_interleave(2)[:3],
    "addmm scaled": lambda x, y: torch.addmm(x @ y.T, x, y.T, beta=2, alpha=0.5) + torch.addmm(y @ y.T, x, y.T, beta=0),
    "taken apart": lambda x, y: torch.addcmul(x, x, y, value=2) + torch.lerp(x, y, 0.5) + x.tril() + y.movedim(0, 1).T,
    "a row in place": in_place,
    "gelu": lambda x, y: F.gelu(x) + F.gelu(y, approximate="tanh"),
    "silu": lambda x, y: F.silu(x) * torch.tanh(y),
    "sin cos": lambda x, y: torch.sin(x) * torch.cos(y),
    "abs square neg": lambda x, y: x.abs() + y.square() - (-x),
    "sqrt rsqrt reciprocal": lambda x, y: x.abs().sqrt() + (y.square() + 1).rsqrt() + (x.square() + 1).reciprocal(),
    "exp log": lambda x, y: x.exp() + (y.square() + 1).log(),
    "size one": lambda x, y: x + y[:, :1] + y[:1],
    "sum": lambda x, y: (x.sum(1), x.sum(0, keepdim=True) + y, x.sum(), y.sum((0, 1), keepdim=True)),
    "mean": lambda x, y: x.mean(0) + y.mean() + x.mean(1, keepdim=True) * y,
    "amax amin": lambda x, y: x.amax(1) + y.amin(1) + x.max() - y.min(),
    "max over one": lambda x, y: x.max(1).values + y.min(dim=1, keepdim=True)[0][:, 0],
    "norm": lambda x, y: x / x.norm(dim=1, keepdim=True) + F.normalize(y, dim=1),
    "log_softmax": lambda x, y: F.log_softmax(x, 1) + torch.softmax(y, 1),
    "where of a constant": lambda x, y: torch.where(M, x, y) + torch.where(M, x, 2.0) + torch.where(M, 0.0, y),
    "masked_fill": lambda x, y: x.masked_fill(M, 0.0) + y.masked_fill(M, 1.5),
    "masked softmax": lambda x, y: torch.softmax((x * 2 + y).masked_fill(~M, float("-inf")), 1) @ y.T,
    "where softmax": lambda x, y: torch.softmax(torch.where(M, x, -9e15 * torch.ones_like(x)), 1),
    "additive mask": lambda x, y: torch.softmax(x + torch.zeros(4, 3).masked_fill(~M, float("-inf")), 1) * y,
    "mask from an input": lambda x, y: torch.softmax(x.masked_fill(y == 0, float("-inf")), 1),
    "mask from a view of an input": lambda x, y: torch.softmax(x.T.masked_fill(y.T.unsqueeze(0).squeeze(0) <= 0, -1e10), 0).T,
    "multiply by a mask": lambda x, y: (x * M) + (y > 0).float() * x,
    "unsqueeze squeeze": lambda x, y: (x.unsqueeze(0) + y).squeeze(0) + x[:, None, :].squeeze(1),
    "expand": lambda x, y: x[:1].expand(4, 3) * y + x.mean(0).expand_as(y) + torch.broadcast_to(y[:, :1], (4, 3)),
    "expand and reduce": lambda x, y: x.unsqueeze(1).expand(4, 5, 3).sum(1) + y.unsqueeze(1).expand(4, 2, 3).amax(1),
    "outer": lambda x, y: x[:, 0].unsqueeze(1) + y[:, 0].unsqueeze(0),
    "copies": lambda x, y: x.T.contiguous().T.clone().detach() + y.to(torch.float32).float() + x.double().float(),
    "transposes": lambda x, y: x.mT @ y + x.swapaxes(0, 1) @ y,
    "view": lambda x, y: (x * 2).view(3, 4) @ y + x.reshape(12).view(6, -1).flatten().reshape(3, 4) @ y,
    "flatten unflatten": lambda x, y: (x + y).flatten().unflatten(0, (2, 6)) * 2,
    "cat": lambda x, y: torch.cat([x * 2, y, x]) @ torch.cat([y.T, x.T], 1),
    "cat of broadcasts": lambda x, y: torch.cat([x.sum(1, keepdim=True), y, x.mean(1).unsqueeze(1)], 1).relu(),
    "stack": lambda x, y: torch.stack([x, y]).sum(0) + torch.stack([x, y], -1).amax(2),
    "chunk": lambda x, y: (parts := torch.chunk(x * 1.5, 2))[0] + parts[1] * y[:2],
    "split": lambda x, y: torch.split(x + y, [1, 3])[1] * x.split(2, 1)[1][:3],
    "slice narrow select": lambda x, y: (x + y)[1:3, ::2] * 2 + (x * 3).narrow(0, 0, 2)[:, :2] + (y * y)[-1][:2],
    "unbind": lambda x, y: (rows := (x * y).unbind(0))[0] + rows[3],
    "flip": lambda x, y: (x * 2).flip(0) @ y.flip(0, 1).T,
    "index": lambda x, y: (x * 2)[ROWS] @ y.T + (x + y)[:, COLUMNS][:3, :1],
    "index of two": lambda x, y: (x + y)[ROWS, COLUMNS],
    "index_select": lambda x, y: torch.index_select(x + y, 0, torch.tensor([3, 0, 0])) * x.index_select(1, COLUMNS)[:3],
    "in place": lambda x, y: (h := x + y, h.mul_(2), h.relu_(), h.add_(1), h * x)[-1],
    "constants": lambda x, y: (x + torch.ones(3) * torch.arange(3)) @ torch.eye(3) + torch.full((4, 3), 2.0) * y,
    "layer_norm": lambda x, y: F.layer_norm(x, (3,)) + F.layer_norm(y, (3,), x[0], y[0], 1e-3) + F.layer_norm(x, (4, 3)),
    "rms_norm": lambda x, y: F.rms_norm(x, (3,)) + F.rms_norm(y, (3,), x[0], 1e-3),
    "batch_norm": lambda x, y: F.batch_norm(x, torch.ones(3), torch.full((3,), 2.0)) + y,
    "batch_norm taken apart": lambda x, y: F.batch_norm(x, torch.ones(3), torch.full((3,), 2.0)).movedim(0, 1).T + y,
    "sparse addmm": lambda x, y: torch.sparse.addmm(y, torch.eye(4).to_sparse(), x),
    "dropout": lambda x, y: F.dropout(x * 2, 0.5, training=False) + y,
    "a constant result": lambda x, y: (x * y, torch.ones(3) * 2),
    "a broadcast result": lambda x, y: (x.sum(1, keepdim=True), x.mean(0).expand(2, 3), (x + y).T.unsqueeze(0)),
}  # fmt: skip

# x, y: [2, 4, 3]
BATCHES: dict[str, Function] = {
    "bmm": lambda x, y: torch.bmm(x, y.transpose(1, 2)),
    "matmul of batches": lambda x, y: x @ y.mT + (x @ y[0].T) + x[0] @ y.mT,
    "baddbmm": lambda x, y: torch.baddbmm(x @ x.mT, x, y.mT),
    "linear": lambda x, y: F.linear(x, y[0], y[0, :, 0]),
    "permute": lambda x, y: (x.permute(2, 0, 1) * 2).sum(2) + y.permute(2, 0, 1).mean(2),
    "softmax": lambda x, y: torch.softmax(x, -1) * y,
    "layer_norm": lambda x, y: F.layer_norm(x, (3,), y[0, 0], y[0, 1]),
    "sum": lambda x, y: x.sum((0, 2)) + y.mean((0, 2)),
    "reshape": lambda x, y: (x * 2).reshape(2, 12) @ y.reshape(12, 2) + 1,
    "attention": lambda x, y: F.scaled_dot_product_attention(x, y, y * 2),
    "attention causal": lambda x, y: F.scaled_dot_product_attention(x, y, x, is_causal=True),
    "attention mask": lambda x, y: F.scaled_dot_product_attention(x, y, y, torch.ones(4, 4).tril() > 0),
    "attention float mask": lambda x, y: F.scaled_dot_product_attention(
        x, y, y, torch.zeros(4, 4).masked_fill(torch.ones(4, 4).triu(1) > 0, float("-inf")), scale=0.3
    ),
    "attention bias": lambda x, y: F.scaled_dot_product_attention(x, y, y, (x @ y.mT) * 0.1),
    "attention bias and mask": lambda x, y: F.scaled_dot_product_attention(
        x, y, y, torch.arange(16.0).view(4, 4).masked_fill(torch.ones(4, 4).triu(1) > 0, float("-inf"))
    ),
    "attention float input": lambda x, y: F.scaled_dot_product_attention(x[..., :2], y[..., :2], y, x @ y.mT),
    "batch_norm": lambda x, y: F.batch_norm(x, torch.zeros(4), torch.full((4,), 3.0)) + y,
}  # fmt: skip


# x: [4, 3], i: five row numbers
LOOKUPS: dict[str, Function] = {
    "embedding": lambda x, i: F.embedding(i, x * 2) + F.embedding(i.view(1, 5), x)[0],
    "embedding_bag": lambda x, i: (
        F.embedding_bag(i, x * 2, torch.tensor([0, 2, 2])) + F.embedding_bag(i, x, torch.tensor([0, 3, 4]), mode="mean")
    ),
    "embedding_bag of a matrix": lambda x, i: F.embedding_bag(i[:4].view(2, 2), x * 1.5, mode="sum"),
    "embedding_bag with padding": lambda x, i: F.embedding_bag(
        i, x + 1, torch.tensor([0, 3]), padding_idx=0, mode="sum"
    ),
    "index_select": lambda x, i: (x * 2).index_select(0, i) * x[i],
}


def agree(function: Function, *inputs: torch.Tensor) -> None:
    """The program means what PyTorch computes, and so do the graphs of two schedules."""
    model = ff.trace(Call(function), inputs)
    assert parse(show(model.program)) == model.program
    found = interpret(model.program, model.tensors)
    for name, expected in model.reference().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5)
    for schedule in ("unfused", "full"):
        assert ff.compile(model, schedule).simulate().check().max_rel_error < 1e-4


X, Y = data(4, 3), data(4, 3, seed=7)
P, Q = data(2, 4, 3), data(2, 4, 3, seed=7)


@pytest.mark.parametrize("name", list(MATRICES))
def test_matrices(name: str) -> None:
    agree(MATRICES[name], X, Y)


@pytest.mark.parametrize("name", list(BATCHES))
def test_batches(name: str) -> None:
    agree(BATCHES[name], P, Q)


@pytest.mark.parametrize("name", list(LOOKUPS))
def test_lookups(name: str) -> None:
    agree(LOOKUPS[name], X, torch.tensor([2, 0, 0, 3, 1]))


ELSEWHERE = frozenset(
    {
        "mm", "_sparse_mm", "rsub", "sigmoid", "transpose", "reverse", "numpy_T", "t", "alias", "feature_dropout",
        "lift_fresh_copy", "_softmax", "_log_softmax", "_embedding_bag", "_embedding_bag_forward_only", "_to_dense",
        "_to_copy", "_unsafe_view", "view_as", "reshape_as", "to_dense", "broadcast_to", "type_as", "_to_sparse", "to_sparse_csr", "_to_sparse_csr",
    }
)  # fmt: skip
"""Operations that tests/frontend/test_trace.py has, and other names under which an exporter may write one of these."""


def test_every_operation_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    for name, handler in HANDLERS.items():
        monkeypatch.setitem(HANDLERS, name, _recording(name, handler, seen))
    cases = ((MATRICES, (X, Y)), (BATCHES, (P, Q)), (LOOKUPS, (X, torch.tensor([2, 0, 0, 3, 1]))))
    for functions, inputs in cases:
        for function in functions.values():
            trace(Call(function), inputs)
    assert set(HANDLERS) - seen - ELSEWHERE == set()


def _recording(name: str, handler: Any, seen: set[str]) -> Any:
    def handle(*arguments: Any) -> Any:
        seen.add(name)
        return handler(*arguments)

    return handle


class Attention(nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x, mask)


@pytest.mark.parametrize("hidden", [True, False])
def test_attention_with_a_float_mask_as_an_input(hidden: bool) -> None:
    mask = data(4, 4, seed=3)
    if hidden:
        mask = mask.masked_fill(torch.ones(4, 4).triu(1) > 0, float("-inf"))
    model = ff.trace(Attention(), (P, mask))
    for schedule in ("unfused", "full"):
        assert ff.compile(model, schedule).simulate().check().max_rel_error < 1e-4


class DenseMask(nn.Module):
    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        return x.masked_fill(adjacency.to_dense() == 0, float("-inf")).softmax(-1)


def test_a_mask_from_a_sparse_input() -> None:
    adjacency = (torch.eye(4) + torch.eye(4).roll(1, 0)).to_sparse_csr()
    model = ff.trace(DenseMask(), (data(4, 4), adjacency))
    assert [tree.stored for name, tree in model.tensors.items() if "mask" in name] == [8]
    assert ff.compile(model, "full").simulate().check().max_rel_error < 1e-4


def test_masks_are_stored_once_and_sparse() -> None:
    def twice(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x.masked_fill(~M, -1e30).softmax(1) @ y.masked_fill(~M, -1e30).softmax(1).T

    program = trace(Call(twice), (X, Y)).program
    masks = [tensor for tensor in program.inputs if "mask" in tensor.name]
    assert [(str(tensor.format), tensor.shape) for tensor in masks] == [("cc", (4, 3))]
    assert str(program.tensor("softmax").format) == "cc"


def test_broadcast_dimensions_cost_no_level() -> None:
    program = trace(Call(lambda x, y: x.unsqueeze(1) + y.unsqueeze(0).unsqueeze(0)), (X, Y)).program
    assert len(program.statements[0].operands[0].indices) == 2
    assert not any(statement.is_layout for statement in program.statements[:1])


def test_sparse_stays_sparse_when_it_moves() -> None:
    model = ff.trace(Call(lambda x, w: x.reshape(3, 4) @ w), (sparse(4, 3), data(4, 2)), {"inputs_0": "cc"})
    assert str(model.program.tensor("reshape").format) == "cc"
    assert ff.compile(model, "full").simulate().check().passed
