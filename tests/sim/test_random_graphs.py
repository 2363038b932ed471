"""Random graphs of every block on random machines with random depths: the compiled cores do what the interpreter does,

with chunks and slices of any size and any number of threads. A case that differs is made small and printed as a test.
"""

import os
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from fuseflow.dataflow.verify import verify
from fuseflow.errors import FuseflowError, SimulationError
from fuseflow.sim import Result, threads
from tests.sim.equality import compare
from tests.sim.random_graphs import random_graph, random_machine
from tests.sim.show_case import pasteable
from tests.sim.shrink import Case, shrink

GRAPHS = int(os.environ.get("FUSEFLOW_FUZZ_GRAPHS", "120"))
FIRST = int(os.environ.get("FUSEFLOW_FUZZ_FIRST", "0"))
PER_TEST = 20


@dataclass(frozen=True, slots=True)
class Variants:
    """How a case is run: operations per slice of the token core, tokens per chunk and threads of the chunk core."""

    slices: tuple[int, ...]
    chunks: tuple[int, ...]
    threads: tuple[int, ...]

    @classmethod
    def of(cls, seed: int) -> "Variants":
        """The whole run at once, and sizes that are random in ``seed``."""
        sizes = np.random.default_rng(seed + 2_000_000).integers(1, 100, 3).tolist()
        return cls((1 << 20, sizes[0]), (1 << 14, 1 + sizes[1] // 4), (1, 2 + sizes[2] % 3))

    def __str__(self) -> str:
        return f"slices={self.slices}, chunks={self.chunks}, threads={self.threads}"

    def run(self, case: Case) -> object:
        """What the interpreter says; AssertionError if another core says something else."""
        return compare(case.graph, case.tensors, case.machine, self.slices, self.chunks, self.threads)

    def fail(self, case: Case, fault: type[Exception]) -> bool:
        """Whether ``case`` is legal and fails with ``fault``: AssertionError if the cores differ."""
        try:
            verify(case.graph)
        except FuseflowError:
            return False
        try:
            self.run(case)
        except Exception as found:  # noqa: BLE001 - whatever a broken kernel raises
            return type(found) is fault
        return False


@pytest.fixture(autouse=True)
def eager_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share even the small work of these graphs."""
    monkeypatch.setattr(threads, "LEAST_VALUES", 1)


@pytest.mark.parametrize("first", range(FIRST, FIRST + GRAPHS, PER_TEST))
def test_compiled_and_interpreted(first: int) -> None:
    """A failure names the seed, and prints the case, shrunk, as a test to paste."""
    for seed in range(first, min(first + PER_TEST, FIRST + GRAPHS)):
        graph, tensors = random_graph(seed)
        case, variants = Case(graph, tensors, random_machine(seed, graph)), Variants.of(seed)
        try:
            found = variants.run(case)
        except Exception as difference:
            small = pasteable(shrink(case, partial(variants.fail, fault=type(difference))), str(variants))
            raise AssertionError(f"seed {seed}, {case.machine}: {difference}\n\n{small}") from difference
        assert isinstance(found, Result | SimulationError), f"seed {seed}: {found!r}"


def test_the_cases_are_of_every_kind() -> None:
    from fuseflow.dataflow.blocks import Block

    kinds = {node.block.kind for seed in range(300) for node in random_graph(seed)[0]}
    assert kinds == {block.kind for block in Block.__args__}
