"""Two-layer graph convolutional network, as the paper evaluates it (paper §8; compiler notes §6.2)."""

import torch
from torch import nn

from fuseflow.datasets import GraphData, load
from fuseflow.models.model import Model, trace
from fuseflow.models.weights import fill_linear, require_fraction, require_positive, sparse_csr


class GraphConvolution(nn.Module):
    """``adjacency @ x`` followed by a linear layer with bias."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, width)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """``x`` [nodes, features], ``adjacency`` [nodes, nodes] sparse -> [nodes, width]."""
        result: torch.Tensor = self.linear(torch.sparse.mm(adjacency, x))
        return result


class GCN(nn.Module):
    """Two graph convolutions with a ReLU between and a softmax over classes behind them."""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.conv1 = GraphConvolution(features, hidden)
        self.conv2 = GraphConvolution(hidden, classes)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """``x`` [nodes, features], ``adjacency`` [nodes, nodes] sparse -> class probabilities [nodes, classes]."""
        h = torch.relu(self.conv1(x, adjacency))
        return torch.softmax(self.conv2(h, adjacency), dim=1)


def gcn(
    dataset: str | GraphData = "cora",
    *,
    hidden: int = 16,
    weight_sparsity: float = 0.6,
    features: str = "dense",
    seed: int = 0,
) -> Model:
    """GCN on a graph data set, stored as in the paper's artifact.

    The adjacency is compressed in both levels, features are ``"dense"`` (the artifact's choice) or ``"csr"``, weights
    are stored by input feature with a fraction ``weight_sparsity`` of zeros (0.6 in the artifact), biases dense.
    Weights are random from ``seed``. Raises DataError for an unknown data set, TraceError for sizes that make no model.
    """
    require_positive(**{"the hidden width": hidden})
    require_fraction(weight_sparsity)
    data = load(dataset) if isinstance(dataset, str) else dataset
    generator = torch.Generator().manual_seed(seed)
    module = GCN(data.features.shape[1], hidden, data.classes)
    for layer in (module.conv1, module.conv2):
        fill_linear(layer.linear, weight_sparsity, generator)
    x = torch.from_numpy(data.features.toarray())
    adjacency = sparse_csr(data.adjacency)
    formats = {
        "adjacency": "dcsr",
        "x": features,
        "conv1.linear.weight": "cc:1,0",
        "conv2.linear.weight": "cc:1,0",
    }
    made = trace(module, (x, adjacency), formats, name="gcn")
    notes = {
        "hidden width": str(hidden),
        "weight sparsity": f"{weight_sparsity:g}",
        "features stored": features,
        "source": data.source,
    }
    return Model(
        made.name, made.program, made.tensors, made.reference, dataset=data.name, synthetic=data.synthetic, notes=notes
    )
