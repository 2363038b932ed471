"""Running the points of experiments: finished ones are taken from the store, the rest run on workers."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fuseflow.candidates import memory_bytes
from fuseflow.datasets import load
from fuseflow.datasets.graph import find_file
from fuseflow.errors import DataError
from fuseflow.explore.runner import Job, SweepProgress, dismiss_workers, run_jobs
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.paper.experiment import Bar, Point
from fuseflow.paper.memory import BASE_BYTES, HELPER_BYTES, expected_bytes, shares
from fuseflow.paper.points import GRAPHS, PointJob, point_key, run_point
from fuseflow.paper.recipes import release_model

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
    """Outcomes of ``points``, on ``jobs`` processes that together stay below ``gigabytes``.

    Points that are expected to have room side by side run on all processes, those that need more on fewer, and the
    largest in this one, alone; so does a point that runs out of its share after all. Between these rounds the workers
    end, so that nothing of what they hold is beside the next one.

    Raises DataError for damaged data and for limits that make no sense, StoreError where results cannot be kept.
    """
    if jobs < 1:
        raise DataError(f"jobs must be 1 or more, not {jobs}")
    if not 0 < gigabytes < float("inf"):
        raise DataError(f"the memory must be more than 0 GB and finite, not {gigabytes:g}")
    check_data(points)
    keys = {point: point_key(point) for point in points}
    limit = gigabytes * 1e9
    known = store.find(list(keys.values()))
    found = {point: known[key] for point, key in keys.items() if key in known and _settled(known[key], limit)}
    needs = {point: max(expected_bytes(point), _tried(known.get(key))) for point, key in keys.items()}
    state = _State(len(keys), len(found), progress)
    for workers in range(jobs, 0, -1):
        waiting = {point: needs[point] for point in keys if point not in found}
        if workers > 1:
            room = shares(waiting, workers, limit - memory_bytes() - HELPER_BYTES)
        else:
            room = dict.fromkeys(waiting, limit - HELPER_BYTES if limit > BASE_BYTES else limit)
        todo = [
            Job(keys[point], str(point), run_point, PointJob(keys[point], point, store, room[point], needs[point]))
            for point in room
        ]
        if not todo:
            continue
        named = {job.key: job.argument.point for job in todo}
        try:
            for outcome in run_jobs(todo, workers=min(workers, len(todo)), progress=state.relay(workers == 1)):
                if outcome.status is Status.TOO_LARGE and workers > 1:
                    needs[named[outcome.key]] = float("inf")  # alone, at last
                else:
                    found[named[outcome.key]] = outcome
        finally:
            if workers > 1:
                dismiss_workers()
            release_model()
    return found


@dataclass(slots=True)
class _State:
    """Counts what is finished over all rounds. A point that is to run once more, with more memory, is not."""

    total: int
    stored: int
    progress: Report | None
    finished: int = 0
    started: float = field(default_factory=time.monotonic)

    def relay(self, last: bool) -> Callable[[SweepProgress], None]:
        """What a round reports to; ``last`` where no round follows."""

        def move(state: SweepProgress) -> None:
            self.finished += last or state.latest is None or state.latest.status is not Status.TOO_LARGE
            if self.progress is None:
                return
            elapsed, done = time.monotonic() - self.started, self.stored + self.finished
            left = elapsed / self.finished * (self.total - done) if self.finished else None
            self.progress(PaperProgress(done, self.total, state.name, state.latest, elapsed, left))

        return move


def _tried(outcome: Outcome | None) -> float:
    """The memory that was not enough, as the store has it."""
    return outcome.limit if outcome is not None and outcome.status is Status.TOO_LARGE else 0.0


def stored_points(points: Sequence[Point], store: Store) -> dict[Point, Outcome]:
    """Outcomes of those ``points`` that the store has."""
    keys = {point_key(point): point for point in points}
    return {keys[key]: outcome for key, outcome in store.find(list(keys)).items()}


def _settled(outcome: Outcome, limit: float) -> bool:
    """Whether a stored outcome need not be tried again: finished, or too large for as much memory as there is now."""
    return outcome.status is Status.DONE or (outcome.status is Status.TOO_LARGE and outcome.limit >= limit)
