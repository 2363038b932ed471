"""Optional graph passes: results bit for bit the same on random programs, and each does what it says where it can."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.dataflow.blocks import Array, Join, Joiner, LevelScanner, Repeat
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.passes import drop_joins, hoist, remove_dead, share
from fuseflow.errors import ScheduleError
from fuseflow.schedule import GraphPass, Schedule
from tests.lowering.test_random import compiled
from tests.random_programs import random_model, random_schedules

SPMM = "A[6,5]: cc\nX[5,4]: dd\nY[i,k] = A[i,j] * X[j,k]"


def spmm() -> ff.Model:
    rng = np.random.default_rng(0)
    return ff.einsum(SPMM, A=(rng.random((6, 5)) < 0.5) * rng.random((6, 5)), X=rng.random((5, 4)))


def only_graph(model: ff.Model, *passes: str) -> Graph:
    return ff.compile(model, Schedule.full(model).with_passes(*passes)).regions[0].graph


@pytest.mark.parametrize("batch", range(2))
def test_results_stay_on_random_programs(batch: int) -> None:
    changed = 0
    for seed in range(batch * 15, (batch + 1) * 15):
        model = random_model(seed, 4)
        for schedule in random_schedules(model, seed):
            plain = compiled(model, schedule)
            if plain is None:
                continue
            tidied = ff.compile(model, schedule.with_passes(*GraphPass))
            before, after = plain.simulate(engine="interpreter"), tidied.simulate(engine="interpreter")
            changed += (before.nodes, before.bytes, before.cycles) != (after.nodes, after.bytes, after.cycles)
            for name, values in before.outputs.items():
                np.testing.assert_array_equal(after.outputs[name], values, err_msg=f"seed {seed}, {schedule}")
    assert changed > 15


def test_a_value_is_fetched_before_it_is_repeated() -> None:
    model = spmm()
    graph = only_graph(model, "hoist")
    (fetched,) = (node for node in graph if isinstance(node.block, Array) and node.block.tensor == "A")
    assert not isinstance(graph.node(fetched.inputs[0].node).block, Repeat)
    report = ff.passes_report(model, "full", ["hoist"])
    assert list(report["passes"]) == ["none", "hoist"]
    stored = model.tensors["A"].stored
    assert report["bytes_saved"].iloc[1] == 4 * stored * (4 - 1), "once per element instead of once per product"


def test_dense_levels_of_one_extent_need_no_join() -> None:
    model = ff.einsum("A[3,4]: dd\nB[3,4]: dd\nY[i,j] = A[i,j] * B[i,j]", A=np.ones((3, 4)), B=np.ones((3, 4)))
    assert sum(isinstance(node.block, Joiner) for node in only_graph(model)) == 2
    assert not any(isinstance(node.block, Joiner) for node in only_graph(model, "joins"))
    assert ff.compile(model, Schedule.full(model).with_passes("joins")).simulate().check().passed


def test_a_join_behind_a_union_stays() -> None:
    text = "A[3,4]: cc\nB[3,4]: cc\nC[3,4]: cd\nY[i,j] = A[i,j] + B[i,j]\nZ[i,j] = Y[i,j] * C[i,j]"
    rng = np.random.default_rng(0)
    model = ff.einsum(text, **{name: (rng.random((3, 4)) < 0.5) * rng.random((3, 4)) for name in "ABC"})
    graph = only_graph(model)
    unions = [node for node in graph if isinstance(node.block, Joiner) and node.block.join is Join.UNION]
    assert unions
    assert ff.compile(model, Schedule.full(model).with_passes("joins")).simulate().check().passed


def test_equal_nodes_become_one() -> None:
    graph = only_graph(spmm())
    twice = [node for node in graph if isinstance(node.block, LevelScanner)]
    copies = {node.name: f"{node.name}_again" for node in twice}
    doubled = []
    for node in graph:
        doubled.append(node)
        if node.name in copies:
            doubled.append(type(node)(copies[node.name], node.block, node.inputs, node.part))
    larger = Graph(graph.name, tuple(doubled), graph.outputs)
    assert len(larger) == len(graph) + len(twice)
    assert share(larger) == graph
    assert remove_dead(larger) == graph


def test_repeats_with_other_streams_of_the_same_fibers_are_one() -> None:
    graph = only_graph(spmm())
    (repeat,) = (node for node in graph if isinstance(node.block, Repeat))
    signal = repeat.inputs[1]
    twin = type(repeat)("twin", repeat.block, (repeat.inputs[0], Port(signal.node, "crd")), repeat.part)
    place = graph.nodes.index(repeat) + 1
    larger = Graph(graph.name, (*graph.nodes[:place], twin, *graph.nodes[place:]), graph.outputs)
    assert signal.name != "crd"
    assert share(larger, (Repeat,)) == graph


def test_nothing_to_do_changes_nothing() -> None:
    graph = only_graph(ff.einsum("A[3]: c\nY[i] = relu(A[i])", A=np.array([1.0, 0.0, -2.0])))
    assert hoist(graph) is graph
    assert share(graph) == drop_joins(graph) == graph


def test_passes_are_part_of_a_schedule() -> None:
    schedule = Schedule.full(spmm()).with_passes("hoist", GraphPass.COMMON)
    assert Schedule.from_json(schedule.to_json()) == schedule
    assert eval(schedule.to_code(), {"ff": ff}) == schedule  # our own text
    assert "passes hoist common" in repr(schedule)
    with pytest.raises(ScheduleError, match=r"a graph pass is one of 'locates', .* not 'faster'"):
        schedule.with_passes("faster")
    with pytest.raises(ScheduleError, match="'passes' must be a list of names, not 3"):
        Schedule.from_json(
            schedule.to_json().replace('"passes": [\n        "hoist",\n        "common"\n      ]', '"passes": 3')
        )


def test_the_estimate_follows_passes_and_lanes() -> None:
    model = ff.models.gcn("karate", hidden=4)
    schedule = Schedule.partial(model).with_passes(*GraphPass).with_lanes(ff.Lanes("i", 3))
    made = ff.compile(model, schedule)
    run = made.simulate()
    assert run.check().passed
    assert ff.estimate(made).bytes == pytest.approx(run.bytes, rel=0.02)
    assert ff.estimate(made).flops == run.flops


def test_the_report_can_be_asked_for_twice() -> None:
    for _ in range(2):
        assert len(ff.passes_report(spmm(), "full", ["common"])) == 2
