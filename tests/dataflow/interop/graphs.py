"""Compiled graphs with their tensors, and blocks that no compiled graph has."""

from collections.abc import Iterator

import numpy as np

from fuseflow.compiled import compile
from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import interpret as dense
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.formats import FiberTree
from fuseflow.models import Model
from fuseflow.schedule import Schedule
from tests.random_programs import random_model


def compiled_graphs(model: Model) -> Iterator[tuple[Graph, dict[str, FiberTree]]]:
    """Every graph of ``model`` in every preset that is legal, with the tensors that it reads."""
    values = dense(model.program, model.tensors)
    stored = dict(model.tensors)
    for tensor in model.program.tensors:
        if tensor.name not in stored:
            stored[tensor.name] = FiberTree.from_dense(
                np.asarray(values[tensor.name]), tensor.format, allow_nonfinite=True
            )
    for schedule in (Schedule.full(model), Schedule.partial(model), Schedule.unfused(model)):
        try:
            regions = compile(model, schedule).regions
        except (FusionError, ScheduleError):
            continue
        for region in regions:
            used = {getattr(node.block, "tensor", None) for node in region.graph}
            yield region.graph, {name: tree for name, tree in stored.items() if name in used}


def random_graphs(seeds: range) -> Iterator[tuple[Graph, dict[str, FiberTree]]]:
    for seed in seeds:
        yield from compiled_graphs(random_model(seed))
