"""fuseflow.compare: one checked row per schedule, in a DataFrame that keeps what it was made of."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.comparison import COLUMNS, Comparison, ComparisonProgress, compare
from fuseflow.errors import ScheduleError, SimulationError
from fuseflow.models import Model
from fuseflow.run import RunProgress
from fuseflow.sim import Machine

PROGRAM = 'A[2,3]: "cc"\nT[i,j] = A[i,k] * B[k,j]\nY[i,j] = relu(T[i,j])\nreturn Y'


@pytest.fixture(scope="module")
def model() -> Model:
    a, b = np.array([[0, 1, 2], [0, 0, 3]], np.float32), np.arange(12, dtype=np.float32).reshape(3, 4) - 5
    return ff.einsum(PROGRAM, A=a, B=b)


@pytest.fixture(scope="module")
def comparison(model: Model) -> Comparison:
    return compare(model, ["full", "unfused"], engine="interpreter")


def test_one_row_per_schedule_with_every_column(comparison: Comparison) -> None:
    assert tuple(comparison.columns) == COLUMNS
    assert list(comparison.schedule) == ["full", "unfused"]
    assert list(comparison.kernels) == [1, 2]
    for row in comparison.itertuples():
        run = comparison.runs[row.schedule]
        assert (row.cycles, row.flops, row.bytes, row.nodes) == (run.cycles, run.flops, run.bytes, run.nodes)
        assert row.max_rel_error == run.compare().max_rel_error <= 1e-4
    assert not comparison.synthetic.any()
    assert set(comparison.machine) == {"comal"}


def test_speedups_are_over_unfused_where_it_is(model: Model, comparison: Comparison) -> None:
    assert set(comparison.baseline) == {"unfused"}
    full, unfused = comparison.cycles
    assert list(comparison.speedup) == [unfused / full, 1.0]
    alone = compare(model, "full", engine="interpreter")
    assert list(alone.baseline) == ["full"]
    assert list(alone.speedup) == [1.0]


def test_slices_and_copies_keep_what_was_compiled(comparison: Comparison) -> None:
    for frame in (comparison[comparison.kernels == 1], comparison.copy(), comparison.sort_values("cycles").head(1)):
        assert isinstance(frame, Comparison)
        assert frame.compiled["full"] is comparison.compiled["full"]
        assert frame.runs["full"] is comparison.runs["full"]
    assert isinstance(comparison.cycles, pd.Series)


def test_it_prints_on_one_screen(comparison: Comparison, model: Model) -> None:
    lines = repr(comparison).splitlines()
    assert lines[0] == "Comparison of einsum, speedups over unfused"
    assert lines[1].split()[:4] == ["schedule", "kernels", "nodes", "cycles"]
    assert lines[2].split()[:2] == ["full", "1"]
    assert max(map(len, lines)) <= 100
    assert "cycles" in repr(comparison[["cycles"]])
    assert "(synthetic twin)" in repr(comparison.assign(dataset="cora", synthetic=True))


def test_records_are_json(comparison: Comparison) -> None:
    rows = json.loads(json.dumps(comparison.records(), allow_nan=False))
    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
    assert rows[0]["reference_cycles"] is None
    assert rows[0]["cycles"] == comparison.runs["full"].cycles
    assert rows[0]["synthetic"] is False


def test_the_chart_shows_every_schedule(comparison: Comparison) -> None:
    text = comparison.chart().to_json()
    assert '"full"' in text
    assert '"unfused"' in text


def test_two_engines_give_the_same_rows(model: Model, comparison: Comparison) -> None:
    other = compare(model, ["full", "unfused"])
    exact = ["schedule", "kernels", "nodes", "cycles", "flops", "bytes"]
    pd.testing.assert_frame_equal(pd.DataFrame(other[exact]), pd.DataFrame(comparison[exact]))


def test_progress_starts_every_schedule(model: Model) -> None:
    seen: list[ComparisonProgress] = []
    compare(model, ["unfused", "full"], progress=seen.append)
    starts = [(state.schedule, state.fraction) for state in seen if state.run is None]
    assert starts == [("unfused", 0.0), ("full", 0.5)]
    assert ComparisonProgress("full", 1, 2, RunProgress(1, 2, "b", run_fraction=0.75)).fraction == 0.875


def test_a_wrong_result_is_an_error(model: Model) -> None:
    wrong = dataclasses.replace(model, reference=lambda: {"Y": np.ones((2, 4), np.float32)})
    with pytest.raises(SimulationError, match="einsum under schedule 'full' differs"):
        compare(wrong, ["full"], engine="interpreter")


def test_schedules_need_names_of_their_own(model: Model) -> None:
    with pytest.raises(ScheduleError, match="2 schedules are called 'full'; leave one out"):
        compare(model, ["full", ff.Schedule.full(model)])
    with pytest.raises(ScheduleError, match="no schedule given; name at least one of unfused, partial, full"):
        compare(model, [])
    with pytest.raises(ScheduleError, match="unknown schedule 'fast'"):
        compare(model, ["fast"])


def test_reference_values_stand_beside_ours() -> None:
    # Karate's numbers under Cora's name: what is tested is which value of the reference is put beside them.
    karate = dataclasses.replace(ff.models.gcn("karate"), dataset="cora", synthetic=True)
    renamed = dataclasses.replace(ff.Schedule.partial(karate), name="mine")
    cut = ff.Schedule("partial", ff.Schedule.unfused(karate).regions)
    rows = compare(karate, [renamed, cut]).records()
    assert rows[0]["reference_cycles"] == 29_997_611
    assert rows[0]["ratio_to_reference"] == rows[0]["cycles"] / 29_997_611
    assert rows[1]["reference_cycles"] == 48_998_261  # the regions decide, not the name
    other = compare(karate, ["partial"], machine=Machine(name="slow", value_bytes=8)).records()
    assert other[0]["reference_cycles"] is None
    assert other[0]["machine"] == "slow"
