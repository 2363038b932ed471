"""The fuzz's helpers: a failing case becomes small, stays failing, and can be pasted into a test."""

from typing import Any

import pytest

from fuseflow.dataflow.blocks import Reduce, SparseAccumulator
from fuseflow.errors import FuseflowError
from fuseflow.sim import interpret
from tests.sim.equality import same
from tests.sim.random_graphs import random_graph, random_machine
from tests.sim.show_case import case_text
from tests.sim.shrink import Case, shrink


def case(seed: int) -> Case:
    graph, tensors = random_graph(seed)
    return Case(graph, tensors, random_machine(seed, graph))


def sums_something(tried: Case) -> bool:
    """Stands for a fault of sums: some block of the run adds up at least two values."""
    names = {node.name for node in tried.graph if isinstance(node.block, Reduce | SparseAccumulator)}
    try:
        found = interpret(tried.graph, tried.tensors, tried.machine)
    except FuseflowError:
        return False
    return any(node.name in names and node.flops > 1 for node in found.nodes)


SEEDS = [seed for seed in range(60) if sums_something(case(seed))][:4]


def test_there_are_cases() -> None:
    assert len(SEEDS) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_case_becomes_small(seed: int) -> None:
    given = case(seed)
    found = shrink(given, sums_something)
    assert sums_something(found)
    assert len(found.graph.nodes) <= 10
    stored = [sum(tree.stored for tree in each.tensors.values()) for each in (found, given)]
    assert stored[0] <= stored[1] + 1  # the result
    assert found.machine.memory == type(found.machine)().memory
    assert found.machine.channel_capacity is None


@pytest.mark.parametrize("seed", [*SEEDS, *range(20, 40)])
def test_the_text_makes_the_case_again(seed: int) -> None:
    given = case(seed)
    made: dict[str, Any] = {}
    exec(case_text(given), made)
    assert tuple(made["graph"]) == tuple(given.graph) or "nan" in case_text(given)
    assert made["machine"] == given.machine
    try:
        wanted = interpret(given.graph, given.tensors, given.machine, record=True)
    except FuseflowError:
        return
    same(interpret(made["graph"], made["tensors"], made["machine"], record=True), wanted, "pasted")
