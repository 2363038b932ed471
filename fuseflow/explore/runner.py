"""The runner: candidates on local processes or an existing Dask cluster, through joblib.

A job is a function call that returns an :class:`Outcome`. A worker that dies takes down what ran beside it; those jobs
run once more, one at a time, so that the one at fault is known and the others are not lost.
"""

import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from fuseflow.errors import SearchError
from fuseflow.explore.store import Outcome, Status

CONNECT_SECONDS = 5.0
PARENT_SECONDS = 1.0
"""How often a worker looks whether the process that started it is still there."""


@dataclass(frozen=True, slots=True)
class Job:
    """One candidate: ``run`` is called with ``argument`` in a worker."""

    key: str
    name: str
    run: Callable[[Any], Outcome]
    argument: Any


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """Where a sweep stands. ``latest`` is the outcome that just came in."""

    finished: int
    total: int
    latest: Outcome | None = None
    name: str = ""


class CancelledError(Exception):
    """Raise it from a ``progress`` function to stop a sweep; what is finished is kept."""


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int = 1,
    client: Any = None,
    progress: Callable[[SweepProgress], None] | None = None,
    wanted: Callable[[Job], str | None] | None = None,
    deadline: float = float("inf"),
) -> Iterator[Outcome]:
    """Run ``jobs`` and yield their outcomes as they come in.

    ``client`` is a Dask client, or the address of a scheduler; without one, ``workers`` local processes run them (one:
    this process). ``wanted`` is asked before a job starts, and may give a reason to leave it out. After ``deadline``
    (of time.monotonic) no job starts. Raises SearchError where no cluster answers.
    """
    if workers < 1:
        raise SearchError(f"workers must be 1 or more, not {workers}")
    pending = deque(jobs)
    total, finished = len(pending), 0
    suspects: list[Job] = []

    def noted(outcome: Outcome, name: str) -> Outcome:
        nonlocal finished
        finished += 1
        if progress is not None:
            progress(SweepProgress(finished, total, outcome, name))
        return outcome

    call = _call if client is not None or workers == 1 else _call_in_worker
    with _cluster(workers, client) as parallel:
        while pending:
            feed = _Feed(pending, wanted, deadline)
            try:
                for outcome in parallel()(feed.calls(call)):
                    yield noted(outcome, feed.running.pop(outcome.key).name)
                    yield from (noted(item, name) for item, name in feed.take_refused())
            except Exception as error:
                if not _worker_died(error):
                    raise
                suspects += feed.running.values()
            yield from (noted(item, name) for item, name in feed.take_refused())
        for job in suspects:
            yield noted(_alone(job, call, parallel), job.name)


@dataclass(slots=True)
class _Feed:
    """Hands jobs out as workers become free, and asks then whether they are still wanted."""

    pending: "deque[Job]"
    wanted: Callable[[Job], str | None] | None
    deadline: float
    running: dict[str, Job] = field(default_factory=dict)
    refused: "deque[tuple[Outcome, str]]" = field(default_factory=deque)

    def calls(self, call: Callable[[Job], Outcome]) -> Iterator[Any]:
        from joblib import delayed

        while self.pending:
            job = self.pending.popleft()
            reason = "the time for the sweep was up" if time.monotonic() > self.deadline else None
            if reason is None and self.wanted is not None:
                reason = self.wanted(job)
            if reason is not None:
                self.refused.append((Outcome(job.key, Status.LEFT, reason), job.name))
                continue
            self.running[job.key] = job
            yield delayed(call)(job)

    def take_refused(self) -> Iterator[tuple[Outcome, str]]:
        while self.refused:
            yield self.refused.popleft()


def _call(job: Job) -> Outcome:
    return job.run(job.argument)


def _call_in_worker(job: Job) -> Outcome:
    _end_with_parent()
    return _call(job)


@cache
def _end_with_parent() -> None:
    """Let this worker end when the process that started it is gone, killed perhaps, instead of waiting for more."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def _alone(job: Job, call: Callable[[Job], Outcome], parallel: Callable[[], Any]) -> Outcome:
    """The outcome of a job by itself; a worker that dies now dies of this job."""
    from joblib import delayed

    try:
        (outcome,) = parallel()([delayed(call)(job)])
        return cast(Outcome, outcome)
    except Exception as error:
        if not _worker_died(error):
            raise
        return Outcome(job.key, Status.FAILED, f"its worker died ({type(error).__name__}); it may need more memory")


def _worker_died(error: Exception) -> bool:
    """Whether ``error`` says that a worker process ended, in joblib's or Dask's words."""
    return type(error).__name__ in ("TerminatedWorkerError", "BrokenProcessPool", "KilledWorker", "CommClosedError")


@contextmanager
def _cluster(workers: int, client: Any) -> Iterator[Callable[[], Any]]:
    """Makes joblib's ``Parallel`` objects that yield results as they come in."""
    from joblib import Parallel, parallel_config

    if client is None:
        if workers == 1:
            yield lambda: Parallel(n_jobs=1, return_as="generator_unordered")
            return
        # A worker whose memory grew by 300 MB since its first job ends itself, to give the memory back: after it sent
        # its result, so nothing is lost, and loky starts another one. Loky warns of that, in a thread of its own, which
        # only a filter of the process reaches. A worker that dies in a job is an error, which run_jobs deals with.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
        # One thread each: workers must not fight over the cores.
        with parallel_config(backend="loky", n_jobs=workers, inner_max_num_threads=1):
            yield lambda: Parallel(return_as="generator_unordered", batch_size=1)
        return
    with connection(client) as opened, parallel_config(backend="dask", client=opened):
        yield lambda: Parallel(return_as="generator_unordered", batch_size=1)


@contextmanager
def connection(client: Any) -> Iterator[Any]:
    """A Dask client, or ``None`` for none; closed again if it was an address. SearchError as :func:`connected`."""
    opened = None if client is None else connected(client)
    try:
        yield opened
    finally:
        if opened is not None and opened is not client:
            opened.close()


def dismiss_workers() -> None:
    """End the local processes that joblib keeps for the next sweep, and with them the memory that they hold.

    Nothing happens where there are none; the next sweep starts new ones.
    """
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(max_workers=1, reuse=True).shutdown(wait=True, kill_workers=True)


def connected(client: Any) -> Any:
    """A Dask client for a client or an address; SearchError where no cluster answers or Dask is not installed."""
    try:
        from distributed import Client
    except ImportError:
        raise SearchError("a Dask cluster needs the package distributed: pip install 'fuseflow[dask]'") from None
    if isinstance(client, Client):
        return client
    if not isinstance(client, str):
        raise SearchError(f"client must be a Dask client or the address of its scheduler, not {client!r}")
    try:
        return Client(client, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]  # distributed has no types
    except (OSError, ValueError, TimeoutError) as error:
        raise SearchError(
            f"no Dask cluster answers at {client!r} within {CONNECT_SECONDS:g} s: {error}; start one, or leave client "
            "out for local processes"
        ) from None
