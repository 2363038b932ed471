"""PyTorch front end: ``torch.export`` graphs become programs."""

from fuseflow.frontend.operations import FAMILIES, HANDLERS
from fuseflow.frontend.trace import Traced, trace

__all__ = ["FAMILIES", "HANDLERS", "Traced", "trace"]
