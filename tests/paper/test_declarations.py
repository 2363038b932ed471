"""The experiments are complete: every figure and table, with claims, bars and points that can be built."""

import json

import pytest

from fuseflow.errors import DataError
from fuseflow.paper import EXPERIMENTS, Configuration, Mode, Request, chosen
from fuseflow.paper.experiment import Bar, Base, Kind, ModelSpec, Point, ScheduleSpec
from fuseflow.paper.points import point_key
from fuseflow.paper.recipes import build_model, build_schedule, first_nodes
from fuseflow.paper.runner import points_of

NAMES = (
    "fig4b", "fig12", "fig14", "fig15", "fig16a", "fig16b", "fig17", "fig18", "fig20", "table1", "table2", "table3", "table4",
)  # fmt: skip
SIMULATED = ("fig4b", "fig12", "fig14", "fig15", "fig16a", "fig16b", "fig17", "fig18", "table3")


def test_every_figure_and_table_is_declared() -> None:
    assert tuple(EXPERIMENTS) == NAMES
    assert all(item.title and item.claim for item in EXPERIMENTS.values())


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("configuration", list(Configuration))
def test_bars_have_the_same_labels_and_no_two_the_same_place(name: str, configuration: Configuration) -> None:
    for mode in Mode:
        bars = EXPERIMENTS[name].bars(Request(mode, configuration))
        assert len({tuple(label for label, _ in bar.labels) for bar in bars}) == 1
        assert len({bar.labels for bar in bars}) == len(bars)


def test_modes_grow() -> None:
    sizes = [len(points_of(EXPERIMENTS["fig12"].bars(Request(mode)))) for mode in Mode]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_complete_figure_12_has_the_large_graphs_fully_fused_and_three_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSEFLOW_DATA", raising=False)
    points = points_of(EXPERIMENTS["fig12"].bars(Request(Mode.COMPLETE)))
    full = {
        str(point.model["dataset"])
        for point in points
        if point.schedule.base is Base.FULL and point.model.kind is Kind.GCN
    }
    assert {"collab", "mag"} <= full
    seeds = {point.model.data_seed for point in points if point.model.get("dataset") == "collab"}
    assert seeds == {0, 1, 2}
    assert {point.hbm for point in points} == {False, True}


def test_keys_tell_points_apart_and_are_stable() -> None:
    points = points_of(bar for name in SIMULATED for bar in EXPERIMENTS[name].bars(Request(Mode.FAST)))
    keys = [point_key(point) for point in points]
    assert len(set(keys)) == len(points)
    assert keys == [point_key(point) for point in points]


@pytest.mark.parametrize(("names", "said"), [
    (["fig13"], "needs the FPGA tools"),
    (["fig99"], "no figure or table 'fig99'; choose among fig4b"),
])  # fmt: skip
def test_names_that_cannot_be_run(names: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        chosen(names)


def test_all_is_every_one() -> None:
    assert tuple(item.name for item in chosen(["all"])) == NAMES


def test_bases_cover_the_program_and_fuse_what_they_say() -> None:
    model = build_model(ModelSpec.of(Kind.GCN, dataset="karate", weight_sparsity=0.5))
    regions = {base: build_schedule(ScheduleSpec(base), model.program).regions for base in Base}
    assert {base: len(found) for base, found in regions.items()} == {
        Base.UNFUSED: 8, Base.PARTIAL: 2, Base.FULL: 1, Base.FIRST: 5, Base.LAST: 5, Base.EXPRESSION: 6,
        Base.EXPRESSION_GLOBAL: 6,
    }  # fmt: skip
    for found in regions.values():
        assert sorted(name for region in found for name in region.statements) == sorted(
            statement.name for statement in model.program.computations
        )
    assert [region.iteration.value for region in regions[Base.EXPRESSION_GLOBAL]].count("global") == 2


def test_a_part_of_a_graph_has_no_node_without_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    from fuseflow.datasets import load

    monkeypatch.delenv("FUSEFLOW_DATA", raising=False)
    whole = load("cora", seed=1)
    part = first_nodes(whole, 50)
    assert part.nodes == 50 and part.features.shape == (50, 1433)
    assert (part.adjacency.sum(axis=1) > 0).all()


def test_bar_of_places_one_point() -> None:
    point = Point(ModelSpec.of(Kind.SAE, dataset="imagenet", small=True), ScheduleSpec(Base.FULL))
    bar = Bar.of(point, 3.0, dataset="x")
    assert bar.parts == ((point, 1),) and bar.reference == 3.0
    assert json.dumps(bar.labels) == '[["dataset", "x"]]'
