"""PyTorch front end: ``torch.export`` graphs become programs."""

from fuseflow.frontend.trace import HANDLERS, Traced, trace

__all__ = ["HANDLERS", "Traced", "trace"]
