"""Compiled graphs with their tensors, and blocks that no compiled graph has."""

from collections.abc import Iterator

from fuseflow.compiled import compile
from fuseflow.dataflow.graph import Graph
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.export import kernels_with_data
from fuseflow.formats import FiberTree
from fuseflow.models import Model
from fuseflow.schedule import Schedule
from tests.random_programs import random_model


def compiled_graphs(model: Model) -> Iterator[tuple[Graph, dict[str, FiberTree]]]:
    """Every graph of ``model`` in every preset that is legal, with the tensors that it reads."""
    for schedule in (Schedule.full(model), Schedule.partial(model), Schedule.unfused(model)):
        try:
            compiled = compile(model, schedule)
        except (FusionError, ScheduleError):
            continue
        for kernel in kernels_with_data(compiled):
            yield kernel.graph, dict(kernel.tensors)


def random_graphs(seeds: range) -> Iterator[tuple[Graph, dict[str, FiberTree]]]:
    for seed in seeds:
        yield from compiled_graphs(random_model(seed))
