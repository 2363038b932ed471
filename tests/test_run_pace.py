"""Progress of a whole run: kernels count by their expected work, the fraction never falls, and it says what is left."""

from itertools import count

import pytest

import fuseflow as ff
from fuseflow.errors import SimulationError
from fuseflow.run_pace import RunPace
from fuseflow.sim import Progress
from fuseflow.watching import RunProgress

WORK = [60.0, 30.0, 10.0]


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> RunPace:
    """Of a run of three kernels; 30 seconds pass between two looks at the clock."""
    monkeypatch.setattr("fuseflow.run_pace.monotonic", count(step=30.0).__next__)
    return RunPace(3, lambda: WORK)


def state(fraction: float | None, remaining: float | None = None) -> Progress:
    return Progress(10, 20, fraction, 1.0, remaining)


def test_kernels_count_by_their_work(pace: RunPace) -> None:
    first = pace.report(0, "a", state(0.5, 30.0))
    assert (first.run_fraction, first.run_elapsed_seconds) == (pytest.approx(0.3), 30.0)
    assert first.run_remaining_seconds == pytest.approx(30.0 + 40.0)  # 30 parts took 30 s, and 40 are left behind it
    assert (first.fraction, first.remaining_seconds, first.tokens, first.name) == (0.5, 30.0, 10, "a")
    second = pace.report(1, "b", state(0.1, 27.0))
    assert second.run_fraction == pytest.approx(0.63)
    assert second.run_remaining_seconds == pytest.approx(27.0 + 10.0 * 60.0 / 63.0)
    last = pace.report(2, "c", state(0.5, 5.0))
    assert last.run_fraction == pytest.approx(0.95) and last.run_remaining_seconds == 5.0


def test_what_is_not_known_is_not_said(pace: RunPace) -> None:
    start = pace.report(0, "a", state(None))
    assert start.run_fraction is None and start.run_remaining_seconds is None
    later = pace.report(1, "b", state(None))
    assert later.run_fraction == pytest.approx(0.6) and later.run_remaining_seconds is None

    def unknown() -> list[float]:
        raise SimulationError("tensor X has no statistics")

    dark = RunPace(2, unknown).report(1, "b", state(0.5, 3.0))
    assert dark.run_fraction is None and dark.run_remaining_seconds is None and dark.fraction == 0.5
    single = RunPace(1, unknown).report(0, "a", state(0.25, 3.0))
    assert (single.run_fraction, single.run_remaining_seconds) == (0.25, 3.0)


def test_the_fraction_of_a_run_goes_on_from_kernel_to_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuseflow.sim.engine.PROGRESS_INTERVAL_SECONDS", -1.0)
    compiled = ff.compile(ff.models.gcn("karate"), "unfused")
    seen: list[RunProgress] = []
    run = compiled.simulate(progress=seen.append)
    assert {report.kernel for report in seen} == set(range(len(run.kernels)))
    fractions = [report.run_fraction for report in seen if report.run_fraction is not None]
    assert fractions == sorted(fractions) and fractions[0] >= 0.0 and fractions[-1] <= 1.0 + 1e-9
    busy = [sum(node.busy_cycles for node in kernel.result.nodes) for kernel in run.kernels]
    for report in seen:
        begun = sum(busy[: report.kernel]) / sum(busy)
        if report.run_fraction is not None:
            assert begun - 0.05 <= report.run_fraction <= begun + busy[report.kernel] / sum(busy) + 0.05
