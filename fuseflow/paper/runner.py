"""Running the points of experiments: finished ones are taken from the store, the rest run on workers."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fuseflow.datasets import load
from fuseflow.datasets.graph import find_file
from fuseflow.errors import DataError
from fuseflow.explore.runner import Job, SweepProgress, run_jobs
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.paper.experiment import Bar, Point
from fuseflow.paper.points import GRAPHS, PointJob, point_key, run_point

DEFAULT_GIGABYTES = 12.0
"""Memory of all workers together, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class PaperProgress:
    """Where a run stands: points finished of ``total``, the seconds that are probably left (None: not known yet)."""

    finished: int
    total: int
    latest: str
    outcome: Outcome | None
    elapsed_seconds: float
    remaining_seconds: float | None


Report = Callable[[PaperProgress], None]


def points_of(bars: Iterable[Bar]) -> tuple[Point, ...]:
    """The distinct points of ``bars``, those of one model together, cheap models (as declared) first."""
    return tuple(dict.fromkeys(point for bar in bars for point, _ in bar.parts))


def check_data(points: Iterable[Point]) -> None:
    """Read every graph file that ``points`` need, once, before anything runs; DataError for a damaged one."""
    for name in dict.fromkeys(str(point.model["dataset"]) for point in points if point.model.kind in GRAPHS):
        if find_file(name) is not None:
            load(name)


def run_points(
    points: Sequence[Point],
    store: Store,
    *,
    jobs: int = 1,
    gigabytes: float = DEFAULT_GIGABYTES,
    progress: Report | None = None,
) -> dict[Point, Outcome]:
    """Outcomes of ``points``. Those that run out of their worker's share of the memory run once more, alone.

    Raises DataError for damaged data and for limits that make no sense, StoreError where results cannot be kept.
    """
    if jobs < 1:
        raise DataError(f"jobs must be 1 or more, not {jobs}")
    if gigabytes <= 0:
        raise DataError(f"the memory must be more than 0 GB, not {gigabytes:g}")
    check_data(points)
    keys = {point: point_key(point) for point in points}
    named = {key: point for point, key in keys.items()}
    limit = gigabytes * 1e9
    found = {key: item for key, item in store.find(list(keys.values())).items() if _settled(item, limit)}
    for workers in dict.fromkeys((jobs, 1)):
        share = limit / workers
        todo = [
            PointJob(key, point, store, share)
            for point, key in keys.items()
            if key not in found or (found[key].status is Status.TOO_LARGE and found[key].limit < share)
        ]
        started, done_before = time.monotonic(), len(found)

        def relay(state: SweepProgress, started: float = started, before: int = done_before) -> None:
            if progress is None:
                return
            elapsed = time.monotonic() - started
            left = elapsed / state.finished * (state.total - state.finished) if state.finished else None
            progress(
                PaperProgress(before + state.finished, before + state.total, state.name, state.latest, elapsed, left)
            )

        calls = [Job(job.key, str(job.point), run_point, job) for job in todo]
        if calls:
            for outcome in run_jobs(calls, workers=min(workers, len(calls)), progress=relay):
                found[outcome.key] = outcome
    return {named[key]: outcome for key, outcome in found.items()}


def stored_points(points: Sequence[Point], store: Store) -> dict[Point, Outcome]:
    """Outcomes of those ``points`` that the store has."""
    keys = {point_key(point): point for point in points}
    return {keys[key]: outcome for key, outcome in store.find(list(keys)).items()}


def _settled(outcome: Outcome, limit: float) -> bool:
    """Whether a stored outcome need not be tried again: finished, or too large for as much memory as there is now."""
    return outcome.status is Status.DONE or (outcome.status is Status.TOO_LARGE and outcome.limit >= limit)
