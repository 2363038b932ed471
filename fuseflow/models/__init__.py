"""Models: programs with data. The built-in models need PyTorch and load it when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fuseflow.models.mlir import from_mlir
from fuseflow.models.model import Model, from_text, trace

if TYPE_CHECKING:
    from fuseflow.models.autoencoder import sae
    from fuseflow.models.graph_convolution import gcn
    from fuseflow.models.sample_aggregate import graphsage
    from fuseflow.models.stack import gpt3_parts
    from fuseflow.models.transformer import attention, gpt3, gpt3_kernel

__all__ = [
    "NAMES",
    "OPTIONS",
    "Model",
    "attention",
    "from_mlir",
    "from_text",
    "gcn",
    "gpt3",
    "gpt3_kernel",
    "gpt3_parts",
    "graphsage",
    "sae",
    "trace",
]

_GRAPH = ("dataset", "hidden", "weight_sparsity", "features", "seed")
OPTIONS: dict[str, tuple[str, ...]] = {
    "gcn": _GRAPH,
    "graphsage": _GRAPH,
    "sae": ("dataset", "batch", "hidden", "weight_sparsity", "small", "side", "folder", "seed"),
    "gpt3": ("block", "sequence", "heads", "width", "ffn", "decoders", "activation", "small", "seed"),
    "attention": ("block", "sequence", "heads", "width", "sampled", "small", "seed"),
}
"""Arguments of every built-in model, here so that the command line need not load PyTorch to know them."""

NAMES = tuple(OPTIONS)
"""Models that the command line knows by name."""

_HOMES = {
    "attention": "transformer",
    "gcn": "graph_convolution",
    "gpt3": "transformer",
    "gpt3_kernel": "transformer",
    "gpt3_parts": "stack",
    "graphsage": "sample_aggregate",
    "sae": "autoencoder",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"fuseflow.models.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
