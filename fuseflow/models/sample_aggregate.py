"""Two-layer GraphSAGE with sum aggregation, as the paper evaluates it (paper §8; compiler notes §6.3)."""

import torch
from torch import nn

from fuseflow.datasets import GraphData, load
from fuseflow.models.model import Model, trace
from fuseflow.models.weights import fill_linear, require_fraction, require_positive, sparse_csr


class SampleAggregate(nn.Module):
    """``relu(own(x) + neighbours(adjacency @ x))``, two linear layers with biases."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.own = nn.Linear(features, width)
        self.neighbours = nn.Linear(features, width)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """``x`` [nodes, features], ``adjacency`` [nodes, nodes] sparse -> [nodes, width]."""
        return torch.relu(self.own(x) + self.neighbours(torch.sparse.mm(adjacency, x)))


class GraphSAGE(nn.Module):
    """Two layers, each with its own ReLU; no softmax."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.conv1 = SampleAggregate(features, hidden)
        self.conv2 = SampleAggregate(hidden, classes)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """``x`` [nodes, features], ``adjacency`` [nodes, nodes] sparse -> [nodes, classes]."""
        result: torch.Tensor = self.conv2(self.conv1(x, adjacency), adjacency)
        return result


def graphsage(
    dataset: str | GraphData = "cora",
    *,
    hidden: int = 16,
    weight_sparsity: float = 0.6,
    features: str = "dense",
    seed: int = 0,
) -> Model:
    """GraphSAGE on a graph data set, stored as in the paper's artifact.

    The adjacency is compressed in both levels, features are ``"dense"`` (the artifact's choice) or ``"csr"``, weights
    are stored by input feature with a fraction ``weight_sparsity`` of zeros (0.6 in the artifact), biases dense.
    Weights are random from ``seed``. Raises DataError for an unknown data set, TraceError for sizes that make no model.
    """
    require_positive(**{"the hidden width": hidden})
    require_fraction(weight_sparsity)
    data = load(dataset) if isinstance(dataset, str) else dataset
    generator = torch.Generator().manual_seed(seed)
    module = GraphSAGE(data.features.shape[1], hidden, data.classes)
    layers = {f"{conv}.{part}": getattr(getattr(module, conv), part) for conv, part in _LAYERS}
    for layer in layers.values():
        fill_linear(layer, weight_sparsity, generator)
    x = torch.from_numpy(data.features.toarray())
    formats = {"adjacency": "dcsr", "x": features, **{f"{name}.weight": "cc:1,0" for name in layers}}
    made = trace(module, (x, sparse_csr(data.adjacency)), formats, name="graphsage")
    notes = {
        "hidden width": str(hidden),
        "weight sparsity": f"{weight_sparsity:g}",
        "features stored": features,
        "source": data.source,
    }
    return Model(
        made.name, made.program, made.tensors, made.reference, dataset=data.name, synthetic=data.synthetic, notes=notes
    )


_LAYERS = (("conv1", "own"), ("conv1", "neighbours"), ("conv2", "own"), ("conv2", "neighbours"))
