"""The runner: order of asking, cancelling, dead workers, deadlines, Dask."""

import os
import time
import warnings
from collections.abc import Iterator

import pytest

from fuseflow.errors import SearchError
from fuseflow.explore import CancelledError, Job, Outcome, Status, run_jobs
from fuseflow.explore.runner import SweepProgress


def answer(argument: object) -> Outcome:
    return Outcome(str(argument), Status.DONE, cycles=1)


def die(argument: object) -> Outcome:
    time.sleep(0.2)  # the others have begun
    os._exit(9)


def retire(argument: object) -> Outcome:
    """As a worker would whose memory grows: it leaves after this job, once it was measured before."""
    from joblib.externals.loky import process_executor

    process_executor._MAX_MEMORY_LEAK_SIZE = -(1 << 60)
    process_executor._MEMORY_LEAK_CHECK_DELAY = 0.0
    return Outcome(str(argument), Status.DONE, cycles=os.getpid())


def jobs(count: int) -> list[Job]:
    return [Job(str(number), f"job {number}", answer, number) for number in range(count)]


def keys(outcomes: Iterator[Outcome]) -> dict[str, Status]:
    return {item.key: item.status for item in outcomes}


def test_all_are_run_and_reported() -> None:
    seen: list[SweepProgress] = []
    assert keys(run_jobs(jobs(3), progress=seen.append)) == dict.fromkeys("012", Status.DONE)
    assert [(item.finished, item.total) for item in seen] == [(1, 3), (2, 3), (3, 3)]
    assert list(run_jobs([])) == []


def test_unwanted_ones_are_left_out_with_the_reason() -> None:
    found = list(run_jobs(jobs(3), wanted=lambda job: "too slow" if job.key == "1" else None))
    assert {item.key: item.reason for item in found} == {"0": "", "1": "too slow", "2": ""}
    assert next(item for item in found if item.key == "1").status is Status.LEFT


def test_after_the_deadline_nothing_starts() -> None:
    assert set(keys(run_jobs(jobs(2), deadline=time.monotonic() - 1)).values()) == {Status.LEFT}


def test_cancelling() -> None:
    def stop(_: SweepProgress) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        list(run_jobs(jobs(3), progress=stop))


def test_a_worker_that_dies_costs_only_its_own_job() -> None:
    deadly = Job("deadly", "deadly", die, None)
    found = {item.key: item for item in run_jobs([*jobs(2), deadly, *jobs(5)[2:]], workers=2)}
    assert found.pop("deadly").status is Status.FAILED
    assert {item.status for item in found.values()} == {Status.DONE}
    assert len(found) == 5


def test_workers_that_grow_are_replaced_in_silence() -> None:
    grown = [Job(str(number), f"job {number}", retire, number) for number in range(6)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = list(run_jobs(grown, workers=2))
    assert {item.key for item in found} == set(map(str, range(6)))
    assert {item.status for item in found} == {Status.DONE}
    assert len({item.cycles for item in found}) > 2, "more processes than workers: some were replaced"
    assert not [str(item.message) for item in said if "A worker stopped" in str(item.message)]


def test_bad_input() -> None:
    with pytest.raises(SearchError, match="workers must be 1 or more, not 0"):
        list(run_jobs(jobs(1), workers=0))
    with pytest.raises(SearchError, match=r"no Dask cluster answers at 'tcp://127\.0\.0\.1:9' within 5 s"):
        list(run_jobs(jobs(1), client="tcp://127.0.0.1:9"))
