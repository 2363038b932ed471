"""FusionPicker without a browser: what the page asks for, and what comes back."""

from html import unescape
from typing import Any

import fuseflow_widgets as fw
import numpy as np
import pytest
from fuseflow_widgets import edits, lanes_kept

import fuseflow as ff
from fuseflow.errors import ScheduleError
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
    told: list[Any] = []
    picker.send = lambda content, buffers=None: told.append(content)
    ask(picker, "blocks", value="4")
    ask(picker, "blocks", value="none")
    assert told == [{"refused": "blocks"}]  # the page puts its list back
    picker._received(picker, {"number": "7"}, [])  # only asks whether it is heard
    assert told.pop() == {"received": "7"}
    ask(picker, "merge")
    assert "reload the page" in picker.notice["text"]
    ask(picker, "preset", name="best")
    assert "no preset 'best'; there are unfused, partial, full" in picker.notice["text"]
    told.clear()
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert picker.notice == {} and not told


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
    assert [knob["value"] for knob in picker.regions[1]["knobs"]] == ["factored", "i ×4", "none", "balanced"]
    ask(picker, "knob", region="conv2", key="lanes", value="none")
    assert picker.schedule.regions[1].lanes == ()
    ask(picker, "knob", region="conv2", key="lanes", value="many")
    assert "pick one from the list" in picker.notice["text"]
    ask(picker, "knob", region="conv1", key="colour", value="red")
    assert "no setting 'colour'" in picker.notice["text"]


def lanes_of(picker: fw.FusionPicker) -> dict[str, tuple[ff.Lanes, ...]]:
    return {region.name: region.lanes for region in picker.schedule.regions}


def test_lanes_survive_edits_where_they_are_legal(model: ff.Model) -> None:
    picker = fw.FusionPicker(model)
    ask(picker, "knob", region="conv1", key="lanes", value="i ×4")
    spread, four = picker.compiled.nodes, (ff.Lanes("i", 4),)
    ask(picker, "knob", region="conv1", key="iteration", value="global")
    assert lanes_of(picker) == {"conv1": four, "conv2": ()} and not picker.notice
    assert picker.regions[0]["knobs"][1]["value"] == "i ×4"
    ask(picker, "knob", region="conv1", key="iteration", value="factored")
    ask(picker, "toggle", source="linear", target="relu")
    assert lanes_of(picker) == {"conv1": four, "from relu": four, "conv2": ()}
    ask(picker, "toggle", source="linear", target="relu")
    assert lanes_of(picker) == {"conv1": four, "conv2": ()} and picker.compiled.nodes == spread
    # The rows of the first layer are the columns of the second one's adjacency: fused, their index is called j.
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert lanes_of(picker) == {"conv1": (ff.Lanes("j", 4),)} and not picker.notice
    assert picker.compiled.simulate().check().passed
    ask(picker, "undo")
    assert lanes_of(picker) == {"conv1": four, "conv2": ()}


def test_lanes_that_an_edit_makes_illegal_are_said(model: ff.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    picker = fw.FusionPicker(model, "full")
    ask(picker, "knob", region="all", key="lanes", value="j2 ×2")
    assert lanes_of(picker) == {"all": (ff.Lanes("j2", 2),)}
    real = lanes_kept.compile

    def strict(model: ff.Model, schedule: ff.Schedule) -> ff.Compiled:
        if any(region.lanes for region in schedule.regions):
            raise ScheduleError("no room for lanes")
        return real(model, schedule)

    monkeypatch.setattr(lanes_kept, "compile", strict)
    ask(picker, "toggle", source="relu", target="sparse_mm_1")
    assert set(lanes_of(picker).values()) == {()} and len(picker.schedule) == 2
    assert picker.notice["kind"] == "info"
    assert (
        picker.notice["text"]
        == "lanes dropped: j2 ×2 of all (no room for lanes, from sparse_mm_1 has no index j2 to spread)"
    )
    picker = fw.FusionPicker(model)
    ask(picker, "knob", region="conv1", key="lanes", value="k ×4")
    monkeypatch.undo()
    ask(picker, "group", statements=["linear", "relu"])
    assert not picker.notice  # the part with the product keeps them
    assert [lanes for lanes in lanes_of(picker).values() if lanes] == [(ff.Lanes("k", 4),)]


def test_lanes_of_several_indices_and_none_too_many(model: ff.Model) -> None:
    picker = fw.FusionPicker(model)

    def offered(key: str) -> list[str]:
        return next(knob["choices"] for knob in picker.regions[1]["knobs"] if knob["key"] == key)

    assert [choice for choice in offered("lanes") if choice.startswith("m")] == ["m ×2"]  # it has two coordinates
    for choice in offered("lanes"):
        ask(picker, "knob", region="conv2", key="lanes", value=choice)
        assert not picker.notice, choice
    ask(picker, "knob", region="conv2", key="lanes", value="i ×4")
    assert not any(choice.startswith("i") for choice in offered("lanes 2"))
    ask(picker, "knob", region="conv2", key="lanes 2", value="j ×2")
    assert lanes_of(picker)["conv2"] == (ff.Lanes("i", 4), ff.Lanes("j", 2))
    assert picker.compiled.simulate().check().passed
    ask(picker, "knob", region="conv2", key="scatter", value="contiguous")
    ask(picker, "knob", region="conv2", key="lanes", value="none")
    assert lanes_of(picker)["conv2"] == (ff.Lanes("j", 2, ff.Scatter.CONTIGUOUS),)


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


def test_what_does_not_fit_at_the_beginning_is_said_and_a_preset_leads_out(model: ff.Model) -> None:
    half = ff.Schedule("half", ff.Schedule.partial(model).regions[:1])
    for schedule, words in (("nosuch", "nosuch"), (half, "leaves out")):
        picker = fw.FusionPicker(model, schedule)
        assert picker.notice["kind"] == "error" and words in picker.notice["text"] and words in picker.as_text()
        assert isinstance(picker.failure, ff.FuseflowError) and picker.svg == ""
        with pytest.raises(ScheduleError, match="no schedule is shown"):
            _ = picker.schedule
        ask(picker, "blocks", value="2")
        assert "no schedule is shown" in picker.notice["text"]
        ask(picker, "undo")
        ask(picker, "preset", name="full")
        assert not picker.notice and picker.name == "full" and not picker.can_undo and picker.svg
    wrong: object = "gcn"
    assert "FusionPicker shows a model" in fw.FusionPicker(wrong).notice["text"]  # type: ignore[arg-type]  # the point


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
