"""Models: programs with data. The built-in models need PyTorch and load it when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fuseflow.models.model import Model, from_text, trace

if TYPE_CHECKING:
    from fuseflow.models.autoencoder import sae
    from fuseflow.models.graph_convolution import gcn
    from fuseflow.models.sample_aggregate import graphsage

__all__ = ["NAMES", "OPTIONS", "Model", "from_text", "gcn", "graphsage", "sae", "trace"]

_GRAPH = ("dataset", "hidden", "weight_sparsity", "features", "seed")
OPTIONS: dict[str, tuple[str, ...]] = {
    "gcn": _GRAPH,
    "graphsage": _GRAPH,
    "sae": ("dataset", "batch", "hidden", "weight_sparsity", "small", "side", "folder", "seed"),
}
"""Arguments of every built-in model, here so that the command line need not load PyTorch to know them."""

NAMES = tuple(OPTIONS)
"""Models that the command line knows by name."""

_HOMES = {"gcn": "graph_convolution", "graphsage": "sample_aggregate", "sae": "autoencoder"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"fuseflow.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
