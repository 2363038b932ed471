"""What to look at while a graph runs, and when to stop it."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from fuseflow.sim.progress import PROGRESS_INTERVAL_SECONDS
from fuseflow.sim.trace import TraceFrame, TraceOptions


@dataclass(frozen=True, slots=True)
class Observation:
    """``trace`` says what to trace, ``on_frame`` gets the frames as they come, ``kernel`` is the name they carry.

    ``profile`` measures the fill of the streams. ``stop`` is asked some ten times a second whether to end the run; it
    then returns what it has; with ``keep_interrupted`` also where it is interrupted from the keyboard.
    """

    trace: TraceOptions | None = None
    on_frame: Callable[[TraceFrame], None] | None = None
    kernel: str = ""
    profile: bool = False
    stop: Callable[[], bool] | None = None
    keep_interrupted: bool = False

    @property
    def needs_tokens(self) -> str | None:
        """Why only the token core can do it; ``None`` if the chunk core can, too."""
        if self.trace is not None:
            return "the run is traced"
        return "the fill of the streams is measured" if self.profile else None

    def is_stopped(self) -> bool:
        """Whether the run is to end now."""
        return self.stop is not None and self.stop()

    def send(self, frame: TraceFrame | None) -> None:
        """Hand on a frame, if there is one and somebody wants it."""
        if frame is not None and self.on_frame is not None:
            self.on_frame(frame)


class StopRequest:
    """The wish to end a run, asked for at most ten times a second however often :meth:`is_due` is called."""

    __slots__ = ("_asked", "_stop")

    def __init__(self, stop: Callable[[], bool] | None) -> None:
        self._stop = stop
        self._asked = monotonic()

    def is_due(self) -> bool:
        """Whether the run is to end; False between two times of asking."""
        if self._stop is None or monotonic() - self._asked < PROGRESS_INTERVAL_SECONDS:
            return False
        self._asked = monotonic()
        return self._stop()


UNOBSERVED = Observation()
