"""What a caller gives a run is looked at before anything runs, so that no fault shows up as another library's."""

from collections.abc import Mapping

from fuseflow.dataflow.blocks import LevelScanner, Locate
from fuseflow.dataflow.fields import wrong_field, wrong_type
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.verify import verify
from fuseflow.errors import SimulationError
from fuseflow.formats import DenseLevel, FiberTree
from fuseflow.sim.engine_limits import Core
from fuseflow.sim.machine import Machine
from fuseflow.sim.observation import Observation
from fuseflow.sim.references import check_references
from fuseflow.sim.tiled import check_tiles

MOST_CHUNK_TOKENS = 1 << 24
MOST_THREADS = 4096


def check_given(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine) -> None:
    """Raise VerifyError for a graph that is not well formed, SimulationError for anything else that does not fit."""
    verify(graph)
    fault = wrong_tensors(tensors) or wrong_field(machine, Machine, "machine")
    if fault is not None:
        raise SimulationError(f"{fault}; see simulate(graph, tensors, machine)")
    check_tiles(graph, tensors, machine)
    _check_dense(graph, tensors)
    check_references(graph, tensors)


def check_options(chunk_tokens: object, threads: object, core: object, observation: object, progress: object) -> None:
    """Raise SimulationError for options of ``simulate`` that are of the wrong type or out of range."""
    for name, value, most in (("chunk_tokens", chunk_tokens, MOST_CHUNK_TOKENS), ("threads", threads, MOST_THREADS)):
        if name == "threads" and value is None:
            continue
        if not isinstance(value, int) or not 1 <= value <= most:
            raise SimulationError(f"{name} must be a whole number from 1 to {most}, not {value!r:.60}")
    fault = None
    if not isinstance(core, Core):
        fault = wrong_type(core, "core", "a Core")
    elif progress is not None and not callable(progress):
        fault = wrong_type(progress, "progress", "a function or None")
    fault = fault or wrong_field(observation, Observation, "observation")
    if fault is not None:
        raise SimulationError(f"{fault}; see the arguments of simulate(...)")


def wrong_tensors(tensors: object) -> str | None:
    """What is wrong with ``tensors`` as a mapping from names to stored tensors; ``None`` if nothing is."""
    if not isinstance(tensors, Mapping):
        return wrong_type(tensors, "tensors", "a mapping from names to FiberTree")
    for name, tree in tensors.items():
        if not isinstance(tree, FiberTree):
            return f"{wrong_type(tree, f'tensor {name!r}', 'a FiberTree')}: make one with FiberTree.from_dense"
    return None


def _check_dense(graph: Graph, tensors: Mapping[str, FiberTree]) -> None:
    """A dense level of a tensor that is bound has the size that the graph was made for."""
    for node in graph:
        block = node.block
        if not isinstance(block, LevelScanner | Locate) or block.extent is None or block.tensor not in tensors:
            continue
        levels = tensors[block.tensor].levels
        where = f"{node.name} takes level {block.level} of {block.tensor!r} for a dense one of size {block.extent}"
        remedy = "bind the tensor that the graph was lowered for, or lower the graph for this one"
        if not 0 <= block.level < len(levels):
            raise SimulationError(f"{where}, but the tensor has {len(levels)} levels; {remedy}")
        level = levels[block.level]
        if not isinstance(level, DenseLevel):
            raise SimulationError(f"{where}, but it is stored as compressed; {remedy}")
        if level.size != block.extent:
            raise SimulationError(f"{where}, but it is stored with size {level.size}; {remedy}")
