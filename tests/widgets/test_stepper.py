"""The stepper's history is the run of the interpreter: same cycles, same streams, token for token."""

from html import unescape

import fuseflow_widgets as fw
import numpy as np
import pytest
from fuseflow_widgets.rules import rule, turn

import fuseflow as ff
from fuseflow.dataflow.blocks import Concat, Join, Joiner
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import DONE, Stop, StreamKind
from fuseflow.errors import SimulationError
from fuseflow.sim import interpret, steps


@pytest.fixture(scope="module")
def model() -> ff.Model:
    a = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 5]], np.float32)
    x = np.array([1, 0, 2, 3], np.float32)
    tree = ff.FiberTree.from_dense
    return ff.einsum("y[i] = A[i,j] * x[j]", A=tree(a, "csr"), x=tree(x, "c"))


def test_history_is_what_the_interpreter_records(model: ff.Model) -> None:
    graph = ff.compile(model, "full").regions[0].graph
    found, result = steps(graph, model.tensors), interpret(graph, model.tensors, record=True)
    assert found.cycles == result.cycles
    assert result.streams is not None
    for wire in found.wires:
        node, _, port = wire.source.rpartition(".")
        if not wire.source.startswith("broadcast"):
            assert [(each.token, each.seen) for each in wire.passages] == result.streams[Port(node, port)]
        for each in wire.passages:
            assert each.taken is None or each.taken >= each.seen


def test_queues_fill_and_drain(model: ff.Model) -> None:
    stepper = fw.StreamStepper(model)
    assert stepper.cycle == 0 and stepper.steps is not None
    seen = []
    for _ in range(200):
        seen.append(stepper.queue("scan_A_j.crd", "intersect_j.crd0"))
        before = stepper.cycle
        stepper.forward()
        if stepper.cycle == before:
            break
    assert "1 3 S0" in seen
    assert stepper.queue("scan_A_j.crd", "intersect_j.crd0") == ""
    assert stepper.cycle == stepper.steps.moments[-1]
    stepper.back()
    assert stepper.cycle == stepper.steps.moments[-2]
    stepper.cycle = 0
    stepper.back()
    assert stepper.cycle == 0
    with pytest.raises(SimulationError, match=r"no wire leads from scan_A_j\.crd to sum_y\.val"):
        stepper.queue("scan_A_j.crd", "sum_y.val")


def test_who_plays_is_free_again_when_it_stops(model: ff.Model) -> None:
    stepper = fw.StreamStepper(model)
    stepper.player = "a page that is closed while it plays"
    stepper.playing = True
    assert stepper.player
    stepper.playing = False
    assert stepper.player == ""


def test_the_page_gets_every_wire_and_turn(model: ff.Model) -> None:
    stepper = fw.StreamStepper(model)
    history = stepper.history
    readers = sum(len(node.inputs) for node in stepper.steps.graph)
    assert len(history["wires"]) == readers
    for wire in history["wires"]:
        assert f'id="{wire["edge"]}"' in unescape(stepper.svg)
    words = dict(history["says"]["intersect_j"])
    assert any("so it is dropped" in text for text in words.values())
    assert any("all heads are 3, so they pass" in text for text in words.values())
    assert history["rules"]["intersect_j"].startswith("rule 3.8 compares the heads")


def test_turns_in_words() -> None:
    union = Joiner(Join.UNION, "i", (StreamKind.REF, StreamKind.REF))
    assert "the operands without it give N" in turn(union, {"crd0": [1], "in0": [4]}, {"crd": [1]})
    assert "all fibers end with S1" in turn(union, {"crd0": [Stop(1)], "crd1": [Stop(1)]}, {})
    assert turn(union, {"crd0": [DONE], "crd1": [DONE]}, {}).endswith("the streams end")
    assert turn(union, {}, {}) == "waits"
    assert rule(union)[0] == "3.9"
    assert " ".join(("rule", *rule(Concat("j", 2)))).startswith("rule of our own: sends the fiber of one input after")
    assert turn(Concat("j", 2), {"in0": [7]}, {"out": [7]}) == "takes 7 on in0, sends 7 on out"


def test_a_graph_too_large_to_follow_is_refused_at_once(model: ff.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuseflow_widgets.stepper.MAX_NODES", 5)
    assert "has 13 blocks, too many to step through (the limit is 5); cut its region" in said(fw.StreamStepper(model))


def said(stepper: fw.StreamStepper) -> str:
    """What a stepper alone says instead of stepping: no traceback, and nothing that looks like a run."""
    assert stepper.steps is None and stepper.svg == "" and stepper.notice["kind"] == "error"
    assert stepper.notice["text"] in stepper.as_text()
    return str(stepper.notice["text"])


def test_what_cannot_be_stepped() -> None:
    gcn = ff.models.gcn("karate")
    assert "too many to step through" in said(fw.StreamStepper(gcn))
    assert "has 2 kernels; give one of compiled.regions" in said(fw.StreamStepper(ff.compile(gcn, "partial")))
    assert "reads 'adjacency', for which no tensor" in said(fw.StreamStepper(ff.compile(gcn, "full").regions[0]))
    wrong: object = "gcn"
    assert "StreamStepper shows a small model" in said(fw.StreamStepper(wrong))  # type: ignore[arg-type]  # the point
    with pytest.raises(SimulationError, match="too many to step through"):
        fw.StreamStepper().show(ff.compile(gcn, "full").regions[0].graph, {**gcn.tensors})
    with pytest.raises(ff.FuseflowError, match="give it a graph with show"):
        fw.StreamStepper().forward()
