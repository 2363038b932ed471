"""FusionPicker without a browser: what the page asks for, and what comes back."""

from html import unescape
from typing import Any

import fuseflow_widgets as fw
import numpy as np
import pytest
from fuseflow_widgets import edits

import fuseflow as ff
from fuseflow.schedule.schedule import Iteration


@pytest.fixture(scope="module")
def model() -> ff.Model:
    return ff.models.gcn("karate")


def ask(view: Any, action: str, **arguments: Any) -> None:
    """As the page does it."""
    view._received(view, {"action": action, "arguments": arguments}, [])


def drawn(svg: str) -> str:
    """Text of a picture without Graphviz's escapes."""
    return unescape(svg)


def test_a_click_cuts_and_merges(model: ff.Model) -> None:
    picker = fw.FusionPicker(model)
    assert [region["name"] for region in picker.regions] == ["conv1", "conv2"]
    seen: list[int] = []
    picker.observe(lambda change: seen.append(change["new"].nodes), "compiled")
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert len(picker.schedule) == 1
    assert picker.compiled.nodes == ff.compile(model, "full").nodes == seen[-1]
    assert picker.regions[0]["recomputed"] == ["relu again for every i"]
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert [region.statements for region in picker.schedule] == [r.statements for r in ff.Schedule.partial(model)]
    assert (picker.can_undo, picker.can_redo) == (True, False)
    ask(picker, "undo")
    assert len(picker.schedule) == 1 and picker.can_redo
    ask(picker, "redo")
    assert len(picker.schedule) == 2


def test_an_illegal_choice_is_explained_and_not_applied(model: ff.Model) -> None:
    picker = fw.FusionPicker(model, "unfused")
    before, version = picker.schedule, picker.version
    ask(picker, "group", statements=["sparse_mm", "linear"])
    assert picker.notice["kind"] == "error"
    assert "wait for each other" in picker.notice["text"] and "Merge them" in picker.notice["text"]
    assert picker.schedule == before and picker.version == version
    ask(picker, "merge")
    assert "reload the page" in picker.notice["text"]
    ask(picker, "preset", name="best")
    assert "no preset 'best'; there are unfused, partial, full" in picker.notice["text"]
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert picker.notice == {}


def test_orders_and_iteration_are_controls(model: ff.Model) -> None:
    dense = ff.einsum("T[i,k] = A[i,j] * B[k,j]", A=np.ones((3, 4)), B=np.ones((5, 4)))
    picker = fw.FusionPicker(dense, "full")
    region = picker.regions[0]
    assert region["order"] == "i k j" and region["orders"] == ["i k j", "k i j"]
    ask(picker, "order", region="all", order="k i j")
    assert picker.notice == {} and picker.compiled["all"].order == ("k", "i", "j")
    assert picker.schedule.regions[0].order == ("k", "i", "j")
    ask(picker, "order", region="all", order="i k")
    assert "must name every index variable" in picker.notice["text"]
    picker = fw.FusionPicker(model)
    ask(picker, "order", region="conv1", order="l k j i")
    assert picker.notice["kind"] == "error"
    ask(picker, "knob", region="conv1", key="iteration", value="global")
    assert picker.notice == {} and picker.schedule.regions[0].iteration is Iteration.GLOBAL
    assert picker.regions[0]["knobs"][0]["value"] == "global"
    ask(picker, "knob", region="conv2", key="lanes", value="i ×4")
    assert picker.notice == {} and picker.schedule.regions[1].lanes == (ff.Lanes("i", 4),)
    ask(picker, "knob", region="conv2", key="scatter", value="balanced")
    assert picker.schedule.regions[1].lanes == (ff.Lanes("i", 4, ff.Scatter.BALANCED),)
    assert [knob["value"] for knob in picker.regions[1]["knobs"]] == ["factored", "i ×4", "balanced"]
    ask(picker, "knob", region="conv2", key="lanes", value="none")
    assert picker.schedule.regions[1].lanes == ()
    ask(picker, "knob", region="conv2", key="lanes", value="many")
    assert "pick one from the list" in picker.notice["text"]
    ask(picker, "knob", region="conv1", key="colour", value="red")
    assert "no setting 'colour'" in picker.notice["text"]


def test_blocks_are_a_control_of_the_whole_schedule() -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "A": ff.FiberTree.from_dense(rng.random((8, 8)), "csr"),
        "X": ff.FiberTree.from_dense(rng.random((8, 4))),
    }
    model = ff.einsum("T[i,k] = A[i,j] * X[j,k]\nY[i,k] = relu(T[i,k])", **tensors)
    bench = fw.Workbench(model, "full")
    assert bench.exact.background.join(90) and bench.run is not None
    plain = bench.run.cycles
    bench.picker.blocks("4")
    assert bench.schedule.blocks == 4 and bench.picker.tiles["value"] == "4"
    assert bench.exact.background.join(90) and bench.run is not None and bench.run.check().passed
    assert bench.run.cycles == ff.compile(model, ff.Schedule.full(model).with_blocks(4)).simulate().cycles != plain
    bench.picker.cut("T", "Y")
    assert bench.schedule.blocks == 4 and len(bench.schedule) == 2
    scope: dict[str, object] = {"model": model}
    exec(bench.picker.code, scope)
    assert scope["schedule"] == bench.schedule
    bench.picker._received(None, {"action": "blocks", "arguments": {"value": "many"}}, [])
    assert "no block size" in bench.picker.notice["text"]
    bench.picker._received(None, {"action": "blocks", "arguments": {"value": "none"}}, [])
    assert bench.schedule.blocks == () and not bench.picker.notice
    bench.close()


def test_code_gives_the_same_schedule_back(model: ff.Model) -> None:
    """What a saved notebook holds: run again, it gives the same schedule."""
    picker = fw.FusionPicker(model)
    for change in (
        lambda: None,
        lambda: ask(picker, "toggle", source="linear", target="relu"),
        lambda: ask(picker, "knob", region="conv1", key="iteration", value="global"),
        lambda: ask(picker, "knob", region="conv2", key="lanes", value="i ×2"),
    ):
        change()
        names: dict[str, Any] = {"model": model}
        exec(picker.code, names)
        assert names["schedule"] == picker.schedule
        assert names["compiled"].nodes == picker.compiled.nodes


def test_an_assigned_schedule_is_drawn(model: ff.Model) -> None:
    picker = fw.FusionPicker(model)
    picker.schedule = ff.Schedule.full(model)
    assert picker.name == "full" and picker.can_undo
    assert 'id="region-all"' in drawn(picker.svg)
    with pytest.raises(ff.FuseflowError, match="leaves out"):
        picker.schedule = ff.Schedule("half", ff.Schedule.partial(model).regions[:1])
    assert picker.name == "full"


def test_layout_statements_stand_outside_of_regions() -> None:
    model = ff.models.gpt3(small=True)
    picker = fw.FusionPicker(model, "unfused")
    moving = [statement.name for statement in model.program.statements if statement.is_layout]
    assert moving
    assert all(f'id="barrier-{name}"' in drawn(picker.svg) for name in moving)
    before, edge = picker.schedule, next(edge for edge in edits.edges(model.program) if edge[1] == moving[0])
    ask(picker, "toggle", source=edge[0], target=edge[1])
    assert "is a barrier" in picker.notice["text"] and picker.schedule == before


def test_the_picture_names_its_parts(model: ff.Model) -> None:
    picker = fw.FusionPicker(model)
    for identity in ("stmt-relu", "input-adjacency", "region-conv1", "flow-relu->sparse_mm_1"):
        assert f'id="{identity}"' in drawn(picker.svg)
    names = [picker.svg.index(f">{region}</text>") for region in ("conv1", "conv2")]
    assert min(names) > picker.svg.rindex('class="edge')  # no edge is painted across a name
    data, _ = picker._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg") and "conv1" in data["text/plain"]
