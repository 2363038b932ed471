"""GraphSAGE: node counts of compiler notes 6.3, agreement with eager PyTorch, storage."""

from collections import Counter

import pytest

import fuseflow as ff
from fuseflow.dataflow.blocks import Join, Joiner
from fuseflow.dataflow.graph import Graph
from tests.models.agreement import counts

KERNELS = {
    "unfused": [15, 13, 13, 15, 13, 14, 8] * 2,
    "partial": [48, 48],
    "full": [126],
}
"""The published graphs, kernel by kernel, but for the fully fused one: see the test of its blocks.

The artifact counts the second addition and ReLU of the unfused kernels not at all and runs the first addition at the
width of the features; here every kernel is there once, at its own size (a repair).
"""


@pytest.mark.parametrize("schedule", list(KERNELS))
def test_nodes_and_outputs(schedule: str) -> None:
    assert counts(ff.models.graphsage("karate"), schedule) == KERNELS[schedule]


def test_the_fused_graph_has_the_published_blocks_but_four() -> None:
    # The published file applies the first ReLU twice, and the first layer is in it twice: two unary blocks more. Its
    # rule of what is recomputed repeats two streams more than is needed (decision 002).
    graph = ff.compile(ff.models.graphsage("karate"), "full").regions[0].graph
    found = Counter(node.block.kind for node in graph)
    assert found["binary"] + found["unary"] == 23 - 2
    assert found["repeat"] == 25 - 2
    # Published: intersects of 2, 2, 2, 2, 5 and unions of 2, 2, 4, 4, 4 streams. Two of ours have the adjacency twice.
    joins = {join: sorted(_widths(graph, join)) for join in Join}
    assert joins == {Join.INTERSECT: [2, 2, 2, 3, 5], Join.UNION: [2, 3, 4, 4, 4]}
    wanted = {"root": 10, "locate": 4, "scan": 27, "accumulator": 9, "array": 19, "write_crd": 2, "write_val": 1}
    assert {kind: found[kind] for kind in wanted} == wanted
    assert sum(found.values()) == 126


def _widths(graph: Graph, join: Join) -> list[int]:
    return [len(node.block.payloads) for node in graph if isinstance(node.block, Joiner) and node.block.join is join]


def test_stored_as_in_the_artifact() -> None:
    model = ff.models.graphsage("karate", hidden=8)
    assert {tensor.name: str(tensor.format) for tensor in model.program.inputs} == {
        "conv1_own_weight": "cc:1,0",
        "conv1_own_bias": "d",
        "conv1_neighbours_weight": "cc:1,0",
        "conv1_neighbours_bias": "d",
        "conv2_own_weight": "cc:1,0",
        "conv2_own_bias": "d",
        "conv2_neighbours_weight": "cc:1,0",
        "conv2_neighbours_bias": "d",
        "x": "dd",
        "adjacency": "cc",
    }
    assert model.program.outputs == ("relu_1",)
    assert (model.dataset, model.synthetic) == ("karate", False)
