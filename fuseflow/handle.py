"""A run in the background: progress, frames of its trace, and the way to stop it."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from fuseflow.errors import SimulationError
from fuseflow.sim import TraceFrame
from fuseflow.watching import RunProgress, Watching

if TYPE_CHECKING:
    from fuseflow.run import Run


class RunHandle:
    """A run that goes on in a thread of its own. ``start`` gets how it is to be watched and returns its result."""

    def __init__(self, start: Callable[[Watching], "Run"], watching: Watching) -> None:
        self._start = start
        self._cancelled = Event()
        self._done = Event()
        self._frames: SimpleQueue[TraceFrame | None] = SimpleQueue()
        self._progress: RunProgress | None = None
        self._run: Run | None = None
        self._fault: BaseException | None = None
        self._listener = watching.progress
        self._watching = Watching(
            self._note, watching.depths, watching.trace, self._frames.put, watching.profile, self._cancelled.is_set
        )
        self._thread = Thread(target=self._work, name="fuseflow run", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._run = self._start(self._watching)
        except BaseException as fault:  # noqa: BLE001 - handed to whoever asks for the result
            self._fault = fault
        finally:
            self._done.set()
            self._frames.put(None)

    def _note(self, progress: RunProgress) -> None:
        self._progress = progress
        if self._listener is not None:
            self._listener(progress)

    @property
    def progress(self) -> RunProgress | None:
        """Where the run was a tenth of a second ago; ``None`` before the first report."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether the run has ended, by itself, by a fault or because it was cancelled."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether the run was stopped before its end."""
        return self.done and self._run is not None and not self._run.complete

    def cancel(self) -> None:
        """Ask the run to stop. It does within some tenths of a second, of either engine; its result is then what it has
        come to. Only while a kernel is set up nobody asks: the first run of a process loads its compiled code then."""
        self._cancelled.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most ``timeout`` seconds; whether it has come."""
        return self._done.wait(timeout)

    def result(self, timeout: float | None = None) -> "Run":
        """The run, complete or not; raises what it raised, TimeoutError if it goes on after ``timeout`` seconds."""
        if not self.wait(timeout):
            raise TimeoutError(f"the run has not ended within {timeout} s; wait longer, or cancel() it")
        if self._fault is not None:
            raise self._fault
        if self._run is None:
            raise SimulationError("the run has ended without a result")
        return self._run

    def frames(self, timeout: float | None = None) -> Iterator[TraceFrame]:
        """The frames of the trace as they come, up to the end of the run; TimeoutError if none comes within ``timeout``
        seconds."""
        end = None if timeout is None else monotonic() + timeout
        while True:
            try:
                frame = self._frames.get(timeout=None if end is None else max(0.0, end - monotonic()))
            except Empty:
                raise TimeoutError(f"no frame within {timeout} s") from None
            if frame is None:
                self._frames.put(None)
                return
            yield frame
            end = None if timeout is None else monotonic() + timeout

    def new_frames(self) -> list[TraceFrame]:
        """The frames that came since the last call, without waiting."""
        found: list[TraceFrame] = []
        while True:
            try:
                frame = self._frames.get_nowait()
            except Empty:
                return found
            if frame is None:
                self._frames.put(None)
                return found
            found.append(frame)

    def __repr__(self) -> str:
        if self.done:
            return f"RunHandle: {'failed' if self._fault else 'cancelled' if self.cancelled else 'done'}"
        return f"RunHandle: running, {self._progress}"


class TracedRun:
    """Frames of a run that goes on while they are read: iterate over it, then ask for :attr:`run`.

    Leaving the loop early, or interrupting it, stops the run; :attr:`run` then is what it had come to.
    """

    def __init__(self, handle: RunHandle) -> None:
        self.handle = handle

    def __iter__(self) -> Iterator[TraceFrame]:
        try:
            yield from self.handle.frames()
        finally:
            self.handle.cancel()

    @property
    def run(self) -> "Run":
        """The run; waits for its end."""
        return self.handle.result()
