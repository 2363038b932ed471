"""Exploring: the best is found, results are kept, limits hold, and the table says why."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.errors import ScheduleError, SearchError, StoreError
from fuseflow.explore import CancelledError, Space, Status, Store, pareto_front
from fuseflow.sweeping import ExploreProgress
from tests.explore.sweep import small_model, sweep


@pytest.fixture(scope="module")
def gcn() -> ff.Model:
    return ff.models.gcn("karate")


def test_autoschedule_is_as_good_as_the_presets(gcn: ff.Model, tmp_path: Path) -> None:
    found = ff.autoschedule(gcn, budget=3, workers=1, store=tmp_path)
    presets = [ff.compile(gcn, name).simulate().cycles for name in ("unfused", "partial", "full")]
    run = ff.compile(gcn, found).simulate()
    run.check()
    assert run.cycles == found.cycles <= min(presets)
    assert f"{found.cycles:,} cycles simulated" in repr(found)
    assert "2,048 schedules in 2,048 partitions" in found.reason
    assert "The best simulated preset, partial, takes" in found.reason and "is limited by" in found.reason
    assert ff.Schedule.from_json(found.to_json()).regions == found.regions


def test_a_second_sweep_computes_nothing(tmp_path: Path) -> None:
    first = sweep(str(tmp_path), 1, workers=1)
    stamps = ff.results(tmp_path)["finished"].tolist()
    second = sweep(str(tmp_path), 1, workers=1)
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))
    assert ff.results(tmp_path)["finished"].tolist() == stamps
    assert set(first["status"]) == {"done"}
    assert first["pareto"].any() and first.front["pareto"].all()
    row = first.iloc[0]
    assert Store(tmp_path).nodes(row["key"])["flops"].sum() == row["flops"] == row["estimated_flops"]


def test_formats_and_products_vary(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sparse = (rng.random((30, 20)) < 0.05).astype(np.float32)
    adjacency = (rng.random((30, 30)) < 0.1).astype(np.float32)
    model = ff.einsum(
        "A[30,30]: cc\nX[30,20]: dd\nW[20,3]: dd\nt[i,k] = A[i,j] * X[j,k]\ny[i,l] = t[i,k] * W[k,l]",
        A=adjacency,
        X=sparse,
        W=rng.random((20, 3)),
    )
    space = Space(formats={"X": ("dd", "cc")}, associations=True)
    found = ff.explore(model, space, budget=40, workers=1, store=tmp_path, prune=False)
    assert set(found["status"]) == {"done"}
    products = "y = A * (X * W)"
    assert set(found["variant"]) == {"", products, "X as cc", f"X as cc; {products}"}
    best = found.best
    assert best["variant"] == f"X as cc; {products}"
    run = ff.compile(found.model(best["key"]), found.schedule(best["key"])).simulate()
    run.check()
    assert run.cycles == best["cycles"]
    with pytest.raises(ScheduleError, match="autoschedule keeps formats and products as they are; use explore"):
        ff.autoschedule(model, space)


def test_every_pruned_candidate_has_its_reason(gcn: ff.Model, tmp_path: Path) -> None:
    found = ff.explore(gcn, Space(iterations=tuple(ff.Iteration)), budget=2, workers=1, store=tmp_path)
    left = found[found["status"] == "pruned"]
    assert not left.empty
    assert (left["reason"] == "not among the 2 candidates with the best estimates").all()
    assert (found.pruned["reason"].str.len() > 10).all()


def test_limits(gcn: ff.Model, tmp_path: Path) -> None:
    slow = ff.explore(gcn, budget=1, workers=1, store=tmp_path, seconds_per_candidate=0.0)
    # The engine reports ten times a second: a candidate quicker than that is done before it is asked.
    assert set(slow["status"]) <= {"done", "pruned", "time limit"}
    large = ff.explore(small_model(), budget=2, workers=1, store=tmp_path, bytes_per_worker=1000)
    text = large[large["status"] == "not simulated"]["reason"].iloc[0]
    assert "it needs at least 1.01 kB for its results, and a worker may use 1 kB" in text
    with pytest.raises(SearchError, match="no candidate was simulated: it needs at least"):
        _ = large.best


def test_cancelling_keeps_what_is_finished(tmp_path: Path) -> None:
    def stop(state: ExploreProgress) -> None:
        if state.phase == "simulate" and state.finished == 2:
            raise CancelledError

    found = ff.explore(small_model(), budget=9, workers=1, store=tmp_path, prune=False, progress=stop)
    assert (found["status"] == "done").sum() == 1
    assert (found["reason"] == "the sweep was cancelled").any()
    assert len(ff.results(tmp_path)) == 2  # the one that was being reported is kept too


def test_wrong_results_are_no_results(tmp_path: Path) -> None:
    model = small_model()
    wrong = dataclasses.replace(model, reference=lambda: {"z": np.zeros((12, 5))})
    found = ff.explore(wrong, budget=1, workers=1, store=tmp_path)
    (row,) = found[found["status"] == Status.FAILED.value].to_dict("records")
    assert "its result differs from the dense interpreter" in row["reason"]


def test_bad_input(gcn: ff.Model, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="budget must be 1 or more, not 0"):
        ff.explore(gcn, budget=0, store=tmp_path)
    (tmp_path / "results.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match="is damaged"):
        ff.explore(gcn, store=tmp_path)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_table(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = sweep(str(tmp_path / "dask"), 2, client=client)
    local = sweep(str(tmp_path / "local"), 2, workers=1)
    pd.testing.assert_frame_equal(
        pd.DataFrame(found).drop(columns="seconds"), pd.DataFrame(local).drop(columns="seconds")
    )
    assert (
        len(ff.results(tmp_path / "dask")) == len(ff.results(tmp_path / "local")) == (local["status"] == "done").sum()
    )


def test_pareto_front() -> None:
    costs = [[1, 5], [2, 2], [3, 3], [5, 1], [1, 5], [float("nan"), 0]]
    assert pareto_front(costs).tolist() == [True, True, False, True, True, False]
    assert pareto_front([]).tolist() == []


def test_lanes_are_searched_and_their_area_counts(tmp_path: Path) -> None:
    model = ff.models.gcn("karate", hidden=4)
    space = Space(lanes={"i": (2, 4), "l": (2,)}, scatters=(ff.Scatter.ROUND_ROBIN, ff.Scatter.BALANCED), most_lanes=4)
    found = ff.explore(model, space, budget=5, store=tmp_path, workers=1)
    done = found[found["status"] == "done"]
    best = found.best
    assert best["lanes"] == 4
    assert best["cycles"] < done[done["lanes"] == 1]["cycles"].min() / 2
    assert {1, 4} <= set(found.front["lanes"]), "fewer lanes take less area"
    assert found.front.sort_values("cycles")["nodes"].is_monotonic_decreasing
    assert (done["max_rel_error"].astype(float) < 1e-4).all()


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (Space(lanes={"z": (2,)}), "spreads index 'z' over lanes, but no region iterates it; they iterate i, "),
        (Space(lanes={"i": (35,)}), "35 lanes for index 'i', which has 34 coordinates; use fewer"),
        (Space(lanes={"i": (0,)}), "lanes of index 'i' must be 1 or more, not 0"),
        (Space(lanes={"i": ()}), "the space is empty: lanes gives no number of lanes for index 'i'"),
        (Space(lanes={"i": (2,)}, scatters=()), "the space is empty: it has no way of dealing to lanes"),
        (Space(lanes={"i": (2,)}, most_lanes=0), "most_lanes must be 1 or more, not 0"),
    ],
)
def test_lanes_that_make_no_sense(space: Space, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=message):
        ff.explore(ff.models.gcn("karate", hidden=4), space, store=tmp_path)
