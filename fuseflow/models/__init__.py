"""Models: programs with data. ``gcn`` needs PyTorch and loads it when asked for."""

from typing import TYPE_CHECKING, Any

from fuseflow.models.mlir import from_mlir
from fuseflow.models.model import Model, from_text, trace

if TYPE_CHECKING:
    from fuseflow.models.graph_convolution import gcn

__all__ = ["NAMES", "Model", "from_mlir", "from_text", "gcn", "trace"]

NAMES = ("gcn",)
"""Models that the command line knows by name."""


def __getattr__(name: str) -> Any:
    if name == "gcn":
        from fuseflow.models.graph_convolution import gcn

        return gcn
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
