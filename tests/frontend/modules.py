"""Small modules to trace, and the comparison of a traced program with eager PyTorch."""

from typing import Any

import numpy as np
import torch
from torch import nn

from fuseflow.einsum import interpret, parse, show
from fuseflow.frontend import Traced, trace


def check(module: nn.Module, *inputs: torch.Tensor, formats: dict[str, Any] | None = None) -> Traced:
    """Trace ``module``, and compare every output of the interpreted program with eager PyTorch."""
    traced = trace(module, inputs, formats)
    assert parse(show(traced.program)) == traced.program
    found = interpret(traced.program, traced.tensors)
    module.eval()
    with torch.no_grad():
        expected = module(*inputs)
    expected = expected if isinstance(expected, tuple | list) else (expected,)
    assert len(expected) == len(traced.program.outputs)
    for name, result in zip(traced.program.outputs, expected, strict=True):
        np.testing.assert_allclose(found[name], result.to_dense().numpy(), rtol=1e-5, atol=1e-6)
    return traced


def formats(traced: Traced) -> dict[str, str]:
    """Format text of every input."""
    return {tensor.name: str(tensor.format) for tensor in traced.program.inputs}


def data(*shape: int, seed: int = 1) -> torch.Tensor:
    """Normal random numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sparse(*shape: int, seed: int = 2) -> torch.Tensor:
    """Dense tensor, two thirds of it zero."""
    return data(*shape, seed=seed) * (data(*shape, seed=seed + 1) > 0.4)


class Call(nn.Module):
    """A module whose forward is ``function`` of its inputs."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*inputs)


class Convolution(nn.Module):
    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, width)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        return self.linear(adjacency @ x)


class Network(nn.Module):
    """Two graph convolutions, as a user writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Convolution(5, 4)
        self.conv2 = Convolution(4, 3)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.conv1(x, adjacency))
        return torch.softmax(self.conv2(hidden, adjacency), dim=1)
