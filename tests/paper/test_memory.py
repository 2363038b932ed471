"""The memory of all processes together: who runs beside whom, what is not begun, and that workers give it back."""

import os
from pathlib import Path

import pytest

from fuseflow.errors import DataError
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.paper import recipes, runner
from fuseflow.paper.experiment import Base, Kind, ModelSpec, Point, ScheduleSpec
from fuseflow.paper.memory import expected_bytes, shares
from fuseflow.paper.points import PointJob, point_key, run_point
from fuseflow.paper.runner import PaperProgress, run_points


def answer(job: PointJob) -> Outcome:
    return Outcome(job.key, Status.DONE, cycles=1)


def graph(name: str, base: Base, kind: Kind = Kind.GCN, seed: int = 0) -> Point:
    return Point(ModelSpec.of(kind, seed, dataset=name, weight_sparsity=0.5), ScheduleSpec(base))


SMALL = [graph("karate", base) for base in (Base.UNFUSED, Base.PARTIAL, Base.FULL)]


def children() -> set[int]:
    """Processes that this one has started."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(number) for task in tasks for number in (task / "children").read_text().split()}


@pytest.mark.parametrize(("point", "side_by_side"), [
    (graph("cora", Base.FULL), True),
    (graph("collab", Base.UNFUSED, Kind.GRAPHSAGE), True),
    (graph("mag", Base.UNFUSED), False),
    (graph("mag", Base.UNFUSED, Kind.GRAPHSAGE), False),
    (Point(ModelSpec.of(Kind.SAE, dataset="luna16"), ScheduleSpec(Base.UNFUSED)), True),
    (Point(ModelSpec.of(Kind.SAE, dataset="nih-cxr"), ScheduleSpec(Base.FULL)), False),
])  # fmt: skip
def test_two_of_the_largest_points_have_no_room_in_twelve_gigabytes(point: Point, side_by_side: bool) -> None:
    assert expected_bytes(point) < 12e9 - 1e9
    assert (expected_bytes(point) < (12e9 - 0.6e9) / 2) is side_by_side


def test_the_largest_that_meet_have_room_together() -> None:
    small, middle, large = (graph("cora", Base.PARTIAL, seed=seed) for seed in range(3))
    full = graph("cora", Base.FULL)
    needs = {small: 1.0, middle: 5.0, large: 7.0, full: 7.0}
    assert shares(needs, 2, 12.0) == {small: 5.0, middle: 5.0, full: 7.0}, "one large one, with a middle one at most"
    assert shares(needs, 2, 20.0) == dict.fromkeys(needs, 10.0)
    assert shares(needs, 3, 15.0) == {small: 3.0, middle: 5.0, full: 7.0}
    assert shares(needs, 2, 0.5) == {}


def test_large_points_run_alone_and_after_the_workers_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = SMALL[1]
    monkeypatch.setattr(runner, "expected_bytes", lambda point: 11e9 if point == large else 1e9)
    seen: list[tuple[int, list[tuple[Point, float]], int]] = []
    real = runner.run_jobs

    def noted(jobs: list[runner.Job], **options: object) -> object:
        seen.append(
            (options["workers"], [(job.argument.point, job.argument.bytes_limit) for job in jobs], len(children()))
        )
        return real(jobs, **options)

    before = len(children())
    monkeypatch.setattr(runner, "run_jobs", noted)
    monkeypatch.setattr(runner, "run_point", answer)
    found = run_points(SMALL, Store(tmp_path), jobs=2, gigabytes=12)
    assert {outcome.status for outcome in found.values()} == {Status.DONE}
    (workers, beside, _), (one, alone, left) = seen
    assert (workers, one) == (2, 1)
    assert [point for point, _ in beside] == [SMALL[0], SMALL[2]] and [point for point, _ in alone] == [large]
    assert all(share < 6e9 for _, share in beside), "this process has memory of its own"
    assert 11.9e9 < alone[0][1] < 12e9
    assert left <= before + 2, "no worker is left, only the two that keep lists of what workers share"
    assert len(children()) <= before + 2


def test_a_point_that_ran_out_of_its_share_runs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []

    def tight(job: PointJob) -> Outcome:
        shares.append(job.bytes_limit)
        if job.bytes_limit < 10e9:
            return Outcome(job.key, Status.TOO_LARGE, "too large", limit=job.bytes_limit)
        return Outcome(job.key, Status.DONE, cycles=1)

    def here(jobs: list[runner.Job], workers: int, progress: object) -> object:
        for number, job in enumerate(jobs):
            outcome = job.run(job.argument)
            progress(runner.SweepProgress(number + 1, len(jobs), outcome, job.name))  # type: ignore[operator]  # a callable
            yield outcome

    monkeypatch.setattr(runner, "run_point", tight)
    monkeypatch.setattr(runner, "run_jobs", here)
    told: list[PaperProgress] = []
    found = run_points(SMALL[:1], Store(tmp_path), jobs=3, gigabytes=12, progress=told.append)
    assert len(shares) == 2 and shares[0] < 4e9 and shares[1] > 11e9, "not with two beside it either"
    assert found[SMALL[0]].status is Status.DONE
    assert [(state.finished, state.total) for state in told] == [(0, 1), (1, 1)], "it counts once, when it is done"


def test_what_is_expected_to_be_too_large_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: ModelSpec) -> None:
        raise AssertionError("its model was built")

    monkeypatch.setattr(recipes, "_build", never)
    point = graph("mag", Base.UNFUSED, Kind.GRAPHSAGE)
    store = Store(tmp_path)
    outcome = run_points([point], store, gigabytes=4)[point]
    assert outcome.status is Status.TOO_LARGE and outcome.limit < 4e9
    assert outcome.reason.startswith("it is expected to take 7.9 GB, more than 3.94 GB; --memory")
    assert store.find([point_key(point)])[point_key(point)] == outcome


def test_one_model_is_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    real = recipes._build
    monkeypatch.setattr(recipes, "_build", lambda spec: held.append(len(recipes._held)) or real(spec))
    for point in (*SMALL[:2], graph("karate", Base.UNFUSED, Kind.GRAPHSAGE)):
        assert run_point(PointJob(point_key(point), point, Store(tmp_path), 1e12)).status is Status.DONE
    assert held == [0, 0], "built once per model, and never beside another"
    recipes.release_model()
    assert not recipes.is_held(SMALL[0].model)


@pytest.mark.parametrize("gigabytes", [0, -1, float("nan"), float("inf")])
def test_limits_that_limit_nothing(gigabytes: float, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be more than 0 GB and finite"):
        run_points(SMALL, Store(tmp_path), gigabytes=gigabytes)
