"""Work beside the notebook: one job at a time in a thread, cancelled by the next one."""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fuseflow.errors import FuseflowError

NICENESS = 4
"""How far the thread of a job steps back behind the kernel and the page, where threads have a priority of their own."""


class Cancelled(Exception):  # noqa: N818 - what happened, not a fault
    """Raised inside a job that is not wanted any more."""


@dataclass(eq=False, slots=True)
class Job:
    """One piece of work. ``check`` raises Cancelled once the job is not wanted any more; call it often."""

    number: int
    cancelled: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled


class Background:
    """Runs the newest job only.

    ``work(job)`` runs in a thread; ``done`` and ``failed`` are called where widgets may be changed: on the event loop
    in which this object was made, or, where there was none (a plain script), in :meth:`join`.
    """

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._job: Job | None = None
        self._thread: threading.Thread | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._count = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job is running that is still wanted."""
        return self._job is not None and self._thread is not None and self._thread.is_alive()

    def start(
        self,
        work: Callable[[Job], Any],
        done: Callable[[Any], None],
        failed: Callable[[str], None],
        delay_seconds: float = 0.0,
    ) -> Job | None:
        """Cancel what is running and run ``work`` instead, after ``delay_seconds`` in which a newer job replaces it."""
        if self._closed:
            return None
        self.cancel()
        self._count += 1
        job = self._job = Job(self._count)
        before = self._thread

        def target() -> None:
            if job.cancelled.wait(delay_seconds):
                return
            _step_back()
            if before is not None:
                before.join()  # it has been told to stop; two simulations at once would only slow the kernel down
            try:
                job.check()
                value = work(job)
            except Cancelled:
                return
            except (FuseflowError, MemoryError) as error:
                words = str(error) or "there is not enough memory for this; use smaller data or cut the region"
                self.post(lambda: failed(words), job)
                return
            except Exception as error:
                fault = f"this is a fault of fuseflow, please report it: {type(error).__name__}: {error}"
                self.post(lambda: failed(fault), job)
                raise
            self.post(lambda: done(value), job)

        self._thread = threading.Thread(target=target, name=f"fuseflow background {job.number}", daemon=True)
        self._thread.start()
        return job

    def post(self, call: Callable[[], None], job: Job) -> None:
        """Call ``call`` where widgets may be changed, unless ``job`` is cancelled by then."""

        def if_wanted() -> None:
            if not job.cancelled.is_set():
                call()

        if self._loop is None or self._loop.is_closed():
            self._waiting.append(if_wanted)
        else:
            self._loop.call_soon_threadsafe(if_wanted)

    def cancel(self) -> None:
        """Tell the running job to stop; it stops at its next check."""
        if self._job is not None:
            self._job.cancelled.set()
            self._job = None

    def close(self) -> None:
        """Cancel, and start nothing any more."""
        self._closed = True
        self.cancel()

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait for the running thread to end; whether it has. Without an event loop, also delivers what came back."""
        ended = True
        while self._thread is not None:
            thread = self._thread
            thread.join(timeout_seconds)
            ended = not thread.is_alive()
            while self._waiting:
                self._waiting.popleft()()  # which may start the next job
            if not ended or self._thread is thread:
                break
        return ended


def _step_back() -> None:
    """Let the kernel and the page go first on a machine with few processors."""
    if sys.platform == "linux":  # elsewhere the priority is that of the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
