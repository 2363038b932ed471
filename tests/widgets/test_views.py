"""GraphView, FusionTableView, CompareView and FiberTreeView without a browser."""

from html import unescape

import fuseflow_widgets as fw
import numpy as np
import pytest
from fuseflow_widgets.collapse import collapsed_dot, grouping
from fuseflow_widgets.view import View

import fuseflow as ff
from fuseflow.dataflow.svg import to_svg
from fuseflow.errors import FormatError


@pytest.fixture(scope="module")
def compiled() -> ff.Compiled:
    return ff.compile(ff.models.gcn("karate"), "partial")


def test_nodes_say_what_they_are(compiled: ff.Compiled) -> None:
    view = fw.GraphView(compiled)
    assert view.graphs == ["conv1", "conv2"] and view.current == "conv1"
    assert set(view.nodes) == {node.name for node in compiled["conv1"].graph}
    node = view.nodes["intersect_k"]
    assert node["part"] == "iteration" and "intersect at k" in node["does"]
    assert node["cells"] and "row k" in node["cells"][0]
    assert "module 'conv1'" in node["source"]
    assert "conv1.linear" in view.nodes["mul_linear_mul"]["source"]
    assert node["ins"][0][1] in view.nodes and node["stats"] is None
    view.current = "conv2"
    assert set(view.nodes) == {node.name for node in compiled["conv2"].graph}


def test_a_run_gives_timing_and_colours(compiled: ff.Compiled) -> None:
    view = fw.GraphView(compiled)
    assert view.measures == {}
    run = compiled.simulate()
    view.show_run(run)
    result = run.kernels[0].result
    assert set(view.measures) == {"busy", "waiting", "flops", "bytes"}
    for name, value in view.measures["busy"]["values"].items():
        assert value == result.node(name).busy_cycles
    assert view.measures["busy"]["total"] == result.cycles
    assert sum(view.measures["flops"]["values"].values()) == result.flops
    assert sum(view.measures["bytes"]["values"].values()) == result.bytes
    view.colour = "busy"
    view.show(compiled)
    assert view.colour == "kind"


def test_selection_is_linked_both_ways(compiled: ff.Compiled) -> None:
    graph, table = fw.GraphView(compiled), fw.FusionTableView(compiled["conv1"])
    fw.link_selection(graph, table)
    cells = [cell["nodes"] for row in table.table["rows"] for cell in row["cells"] if cell["nodes"]]
    table.selected = cells[3]
    assert graph.selected == cells[3]
    graph.selected = ["intersect_k"]
    assert table.selected == ["intersect_k"]
    assert any("intersect_k" in nodes for nodes in cells)
    graph.show(compiled["conv2"])
    assert graph.selected == [] == table.selected


def test_collapsing(compiled: ff.Compiled) -> None:
    view = fw.GraphView(compiled)
    assert view.collapsible and not view.collapsed
    view.collapse(True)
    assert (
        view.collapsed
        and 'id="node-compute"' in unescape(view.svg)
        and 'id="node-intersect_k"' not in unescape(view.svg)
    )
    assert view.members["intersect_k"] == "iteration"
    view.open_group("iteration")
    assert 'id="node-intersect_k"' in unescape(view.svg) and "intersect_k" not in view.members
    view.collapse(False)
    assert view.members == {}


def test_collapsed_streams_are_all_counted(compiled: ff.Compiled) -> None:
    graph = compiled["conv1"].graph
    groups = grouping(graph)
    between = sum(groups[port.node] != groups[node.name] for node in graph for port in node.inputs)
    dot = collapsed_dot(graph, groups)
    counted = [
        int(line.split('label="')[1].split()[0]) if "label" in line else 1 for line in dot.splitlines() if "->" in line
    ]
    assert sum(counted) == between
    assert to_svg(dot).startswith("<svg")


def test_static_forms(compiled: ff.Compiled) -> None:
    view = fw.GraphView(compiled)
    data, _ = view._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg") and data["text/plain"] == repr(compiled["conv1"].graph)
    table = fw.FusionTableView(compiled["conv1"])
    assert table.as_text() == repr(compiled["conv1"].table)


def test_comparison_is_chosen_and_grows() -> None:
    model = ff.models.gcn("karate")
    view = fw.CompareView(model, ["unfused", "partial"])
    assert view.background.join(60)
    assert [row["schedule"] for row in view.rows] == ["unfused", "partial"]
    assert set(view.charts) == {"speedups", "work", "kernels", "nodes"}
    assert "schedule: partial" in view.charts["speedups"]
    full = ff.compile(model, "full")
    run = full.simulate()
    view.add(full, run)
    assert view.chosen == "full" and view.rows[-1]["cycles"] == run.cycles
    assert view.rows[-1]["speedup"] == pytest.approx(view.rows[0]["cycles"] / run.cycles)
    view._received(view, {"action": "remove", "arguments": {"name": "full"}}, [])
    assert [row["schedule"] for row in view.rows] == ["unfused", "partial"] and view.chosen == ""
    view._received(view, {"action": "add", "arguments": {}}, [])
    assert "use add(compiled, run)" in view.notice["text"]
    view.close()


def test_fiber_tree_as_tree_and_matrix() -> None:
    dense = np.array([[0, 2, 0], [0, 0, 0], [3, 0, 4]], np.float32)
    view = fw.FiberTreeView(ff.FiberTree.from_dense(dense, "csr"), "A")
    assert view.tree["paths"] == [[0, 1], [2, 0], [2, 2]] and view.tree["values"] == [2, 3, 4]
    assert view.tree["kinds"] == ["dense", "compressed"]
    assert view.tree["arrays"][1] == {"kind": "compressed", "segments": [0, 1, 1, 3], "coordinates": [1, 0, 2]}
    view.show(ff.FiberTree.from_dense(dense, "csc"), "A")
    assert view.tree["paths"] == [[0, 2], [1, 0], [2, 2]] and view.tree["mode_order"] == [1, 0]
    with pytest.raises(FormatError, match="at most 400 values: give it a slice"):
        view.show(ff.FiberTree.from_dense(np.ones((30, 30), np.float32), "csr"), "big")


def test_every_widget_has_its_module_and_a_theme() -> None:
    for name in fw.__all__:
        kind = getattr(fw, name)
        if isinstance(kind, type) and issubclass(kind, View):
            assert "export default { render }" in kind._esm
            assert "import " not in kind._esm.split("function render")[0]
            assert "http://" not in kind._esm.replace("http://www.w3.org/", "") and "https://" not in kind._esm
            assert kind.theme.default_value == "auto"


@pytest.mark.parametrize("view", [fw.RunView, fw.FusionTableView, fw.GraphView, fw.CompareView])
def test_what_a_view_takes_is_said(view: type[fw.RunView]) -> None:
    wrong: object = "gcn"
    with pytest.raises(ff.FuseflowError, match=rf"{view.__name__} shows .*ff\.comp.*, not a str"):
        view(wrong)  # type: ignore[arg-type]  # which is the point
