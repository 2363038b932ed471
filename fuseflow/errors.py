"""One error hierarchy, named by the phase that found the fault.

Every message says what is wrong, where, with which values, and what to do about it. Each class is also the
fitting builtin, so callers that do not know fuseflow can still catch it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType


class FuseflowError(Exception):
    """Base of every error that fuseflow raises on purpose."""


class ProgramError(FuseflowError, ValueError):
    """An einsum program, or its text form, is not well formed."""


class TraceError(FuseflowError, ValueError):
    """A PyTorch module uses something that cannot become an einsum program."""


class FormatError(FuseflowError, ValueError):
    """A storage format does not fit a tensor, or tensor data are inconsistent."""


class ScheduleError(FuseflowError, ValueError):
    """A schedule does not fit its program."""


class FusionError(FuseflowError, ValueError):
    """A fusion region cannot be fused or lowered as asked."""


class VerifyError(FuseflowError, ValueError):
    """A dataflow graph breaks a rule of streams and ports."""


class SimulationError(FuseflowError, RuntimeError):
    """A simulation met streams that do not fit together."""


class OutOfMemoryError(FuseflowError, MemoryError):
    """A run needs more memory than the system gives."""


class DeadlockError(SimulationError):
    """Blocks wait on each other and none can go on.

    ``ring`` has the waiting units of the circle, ``suggestion`` depths by stream that make room in it (see
    ``Machine.with_depths``); both may be empty. ``suffices`` says that a run with these depths was followed to its end.
    """

    def __init__(
        self,
        message: str,
        ring: Sequence[object] = (),
        suggestion: Mapping[str, int] = MappingProxyType({}),
        suffices: bool = False,
    ) -> None:
        super().__init__(message)
        self.ring = tuple(ring)
        self.suggestion = dict(suggestion)
        self.suffices = suffices


class DataError(FuseflowError, ValueError):
    """A data file or data set is missing, corrupt or does not fit."""


class StoreError(FuseflowError, OSError):
    """A store of results is corrupt, newer than this fuseflow, or cannot be written."""


class SearchError(FuseflowError, RuntimeError):
    """A sweep over schedules cannot start or go on."""
