"""How far a whole run is, and what is left of it: its kernels run one after the other and cost very different times."""

from collections.abc import Callable, Sequence
from time import monotonic

from fuseflow.errors import FuseflowError
from fuseflow.sim import Progress
from fuseflow.watching import RunProgress


class RunPace:
    """Makes the reports of one run, which starts now.

    ``work`` gives the expected work of every kernel, in any unit; it is asked once, at the first report, so that short
    runs do without. Where it cannot tell (FuseflowError), nothing is said of the whole of a run of several kernels.
    """

    __slots__ = ("_kernels", "_parts", "_start", "_work")

    def __init__(self, kernels: int, work: Callable[[], Sequence[float]]) -> None:
        self._start = monotonic()
        self._kernels = kernels
        self._work = work
        self._parts: Sequence[float] | None = None

    def report(self, kernel: int, name: str, state: Progress) -> RunProgress:
        """``state`` of kernel number ``kernel``, called ``name``, as a state of the run."""
        if self._parts is None:
            self._parts = self._expected()
        elapsed = monotonic() - self._start
        fraction = remaining = None
        begun = sum(self._parts[:kernel])
        if state.fraction is None:
            fraction = begun or None  # what is done for sure
        elif self._parts:
            fraction = begun + self._parts[kernel] * state.fraction
            left = sum(self._parts[kernel + 1 :])
            if left == 0.0:
                remaining = state.remaining_seconds
            elif state.remaining_seconds is not None and fraction > 0.0:
                remaining = state.remaining_seconds + left * elapsed / fraction
        return RunProgress(
            kernel,
            self._kernels,
            name,
            state.tokens,
            state.clock_cycles,
            state.fraction,
            state.elapsed_seconds,
            state.remaining_seconds,
            fraction,
            elapsed,
            remaining,
        )

    def _expected(self) -> Sequence[float]:
        """The part of every kernel in the work of the run; empty if that is not known."""
        if self._kernels == 1:
            return (1.0,)
        try:
            work = self._work()
        except FuseflowError:
            return ()
        whole = sum(work)
        return tuple(each / whole for each in work) if whole > 0.0 else ()
