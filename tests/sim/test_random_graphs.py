"""Random graphs of every block on random machines with random depths: the compiled cores do what the interpreter does."""

import os

import pytest

from fuseflow.errors import SimulationError
from fuseflow.sim import Result
from tests.sim.equality import compare
from tests.sim.random_graphs import random_graph, random_machine

GRAPHS = int(os.environ.get("FUSEFLOW_FUZZ_GRAPHS", "120"))
FIRST = int(os.environ.get("FUSEFLOW_FUZZ_FIRST", "0"))
PER_TEST = 20


@pytest.mark.parametrize("first", range(FIRST, FIRST + GRAPHS, PER_TEST))
def test_compiled_and_interpreted(first: int) -> None:
    """A failure names the seed: ``random_graph(seed)`` and ``random_machine(seed, graph)`` make the case again."""
    for seed in range(first, first + PER_TEST):
        graph, tensors = random_graph(seed)
        machine = random_machine(seed, graph)
        try:
            found = compare(graph, tensors, machine)
        except AssertionError as difference:
            raise AssertionError(f"seed {seed}, {machine}: {difference}") from difference
        assert isinstance(found, Result | SimulationError), f"seed {seed}: {found!r}"


def test_the_cases_are_of_every_kind() -> None:
    from fuseflow.dataflow.blocks import Block

    kinds = {node.block.kind for seed in range(300) for node in random_graph(seed)[0]}
    assert kinds == {block.kind for block in Block.__args__}
