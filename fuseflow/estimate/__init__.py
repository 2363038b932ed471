"""FLOPs, bytes and cycles of a schedule without simulation (paper §7).

Loads little by itself: ``fuseflow`` imports it to keep its name for the function :func:`fuseflow.estimate`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuseflow.estimate.kernel import Estimated as Estimated
    from fuseflow.estimate.kernel import estimate_kernel as estimate_kernel
    from fuseflow.estimate.result import Estimate as Estimate
    from fuseflow.estimate.result import KernelEstimate as KernelEstimate
    from fuseflow.estimate.result import NodeEstimate as NodeEstimate
    from fuseflow.estimate.statistics import Sparsity as Sparsity
    from fuseflow.estimate.statistics import Statistics as Statistics

_HOMES = {
    "Estimate": "result",
    "Estimated": "kernel",
    "KernelEstimate": "result",
    "NodeEstimate": "result",
    "Sparsity": "statistics",
    "Statistics": "statistics",
    "estimate_kernel": "kernel",
}

__all__ = [
    "Estimate",
    "Estimated",
    "KernelEstimate",
    "NodeEstimate",
    "Sparsity",
    "Statistics",
    "estimate_kernel",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"fuseflow.estimate.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'fuseflow.estimate' has no attribute {name!r}")
