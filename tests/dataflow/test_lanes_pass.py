"""Parallel lanes as a graph pass: outputs bit for bit those of one lane, and faster."""

from collections.abc import Callable

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.dataflow.paths import stream_paths
from fuseflow.errors import ScheduleError
from fuseflow.models import Model
from fuseflow.schedule import Lanes, Region, Scatter, Schedule

CHAIN = "A[12,9]: cc\nX[9,6]: dd\nW[6,4]: cc\nT[i,j] = A[i,k] * X[k,j]\nY[i,l] = relu(T[i,j] * W[j,l])"


def chain() -> Model:
    rng = np.random.default_rng(0)
    data = {
        "A": (rng.random((12, 9)) < 0.4) * rng.random((12, 9)),
        "X": rng.random((9, 6)),
        "W": (rng.random((6, 4)) < 0.6) * rng.random((6, 4)),
    }
    return ff.einsum(CHAIN, **{name: item.astype(np.float32) for name, item in data.items()})


def run(model: Model, *lanes: Lanes) -> ff.Run:
    schedule = Schedule.full(model).with_lanes(*lanes)
    return ff.compile(model, schedule).simulate(engine="interpreter")


@pytest.mark.parametrize("scatter", list(Scatter))
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_index_in_any_number_of_lanes(count: int, scatter: Scatter) -> None:
    model = chain()
    wanted = run(model)
    for index, extent in {"i": 12, "k": 9, "j": 6, "l": 4}.items():
        found = run(model, Lanes(index, min(count, extent), scatter))
        np.testing.assert_array_equal(found.outputs["Y"], wanted.outputs["Y"], err_msg=index)
        assert found.flops == wanted.flops


def test_more_lanes_take_fewer_cycles() -> None:
    cycles = [run(chain(), Lanes("i", count)).cycles for count in (1, 2, 4)]
    assert cycles[0] > 1.5 * cycles[1] and cycles[1] > 1.3 * cycles[2], cycles


def test_two_indices_in_either_order() -> None:
    model = chain()
    wanted = run(model)
    for lanes in ([Lanes("i", 2), Lanes("k", 3)], [Lanes("k", 3), Lanes("i", 2)]):
        np.testing.assert_array_equal(run(model, *lanes).outputs["Y"], wanted.outputs["Y"])


def test_only_what_depends_on_the_index_is_copied() -> None:
    graph = ff.compile(chain(), Schedule.full(chain()).with_lanes(Lanes("i", 3))).regions[0].graph
    names = {node.name for node in graph}
    assert {"root_W", "scan_A_i", "write_Y_i"} <= names
    assert {"scan_A_k@0", "scan_A_k@1", "scan_A_k@2"} <= names
    assert "scan_A_k" not in names
    assert stream_paths(graph)[next(port for port in stream_paths(graph) if port.node == "scan_A_k@2")] == ("i@2", "k")


def test_softmax_over_lanes() -> None:
    rng = np.random.default_rng(0)
    text = "E[i,j] = exp(X[i,j] - max[j](X[i,j]))\nY[i,j] = E[i,j] / sum[j](E[i,j])"
    model = ff.einsum(text, X=rng.random((5, 4)).astype(np.float32))
    for lanes in ([Lanes("i", 3)], [Lanes("j", 2)], [Lanes("i", 5), Lanes("j", 3)]):
        assert run(model, *lanes).check().passed


@pytest.mark.parametrize(
    ("lanes", "message"),
    [
        (lambda: Lanes("z", 2), "region 'all' has no index 'z' to spread over lanes; it iterates i k j l"),
        (lambda: Lanes("l", 5), "5 lanes for index 'l', which has 4 coordinates; use 4 lanes or fewer"),
        (lambda: Lanes("i", 0), "lanes of index 'i' must be 1 or more, not 0"),
    ],
)
def test_what_makes_no_sense(lanes: Callable[[], Lanes], message: str) -> None:
    model = chain()
    with pytest.raises(ScheduleError, match=message):
        names = tuple(statement.name for statement in model.program)
        ff.compile(model, Schedule("mine", (Region("all", names, lanes=(lanes(),)),)))
