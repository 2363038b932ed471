"""Which of the two compiled cores runs a graph.

The *chunk core* (``engine_run``) moves whole chunks of streams through the kernels of each block. The *token core*
(``tokenwise``) moves single tokens and knows every block, bounded streams, modelled memory and turn costs. Where both
can run a graph they give the same result, and the chunk core is faster.
"""

from enum import Enum

from fuseflow.dataflow.blocks import (
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    Flatten,
    Fork,
    Gather,
    Generator,
    Repeater,
    RepeatSignal,
    Sink,
    SparseAccumulator,
    StopDrop,
    ValueDrop,
)
from fuseflow.dataflow.graph import Graph, Node
from fuseflow.errors import SimulationError
from fuseflow.sim.machine import Machine, TurnTiming
from fuseflow.sim.memory import MemoryKind
from fuseflow.sim.observation import UNOBSERVED, Observation

NoChunkKernel = (
    CoordDrop
    | CoordHold
    | CoordMask
    | Flatten
    | Fork
    | Gather
    | Concat
    | Generator
    | RepeatSignal
    | Repeater
    | Sink
    | StopDrop
    | ValueDrop
)
"""Blocks that only the token core has."""

MOST_INDICES = 2
"""Index variables that an accumulator of the chunk core keeps at most."""

MOST_SUMS = 1 << 27
"""Largest extent of an accumulator of order 1 in the chunk core, whose workspace has a place for every coordinate."""


class Core(Enum):
    """How the compiled engine runs a graph; ``AUTO`` is the chunk core where it can."""

    AUTO = "auto"
    CHUNK = "chunk"
    TOKEN = "token"


def needs_tokens(graph: Graph, machine: Machine) -> str | None:
    """Why only the token core can run ``graph`` on ``machine``; ``None`` if the chunk core can, too."""
    for node in graph:
        if isinstance(node.block, NoChunkKernel):
            return f"node {node.name!r} is a {type(node.block).__name__}"
        if isinstance(node.block, SparseAccumulator) and node.block.order > MOST_INDICES:
            return f"node {node.name!r} is an accumulator of order {node.block.order}"
        if isinstance(node.block, SparseAccumulator) and node.block.order == 1 and max(node.block.extents) > MOST_SUMS:
            return f"node {node.name!r} accumulates over {max(node.block.extents)} coordinates"
    if graph.tiled:
        return "its values are tiles"
    if machine.has_depths:
        return f"machine {machine.name!r} has bounded streams"
    if machine.memory.kind is not MemoryKind.IDEAL:
        return f"machine {machine.name!r} has {machine.memory.kind.value} memory"
    if machine.turns != TurnTiming():
        return f"machine {machine.name!r} has costs of turns that are free in the reference"
    return None


def choose(core: Core, graph: Graph, machine: Machine, observation: Observation = UNOBSERVED) -> Core:
    """CHUNK or TOKEN; SimulationError if the chunk core is asked for and cannot run the graph."""
    reason = needs_tokens(graph, machine) or observation.needs_tokens
    if core is Core.CHUNK and reason is not None:
        raise SimulationError(f"{reason}, which the chunk core cannot run; use Core.TOKEN or Core.AUTO")
    if core is Core.AUTO:
        return Core.CHUNK if reason is None else Core.TOKEN
    return core


def refuse_without_values(graph: Graph) -> None:
    """Raise SimulationError if what ``graph`` sends depends on values, which then have to be carried."""
    for node in graph:
        if isinstance(node.block, ValueDrop):
            raise SimulationError(
                f"node {node.name!r} drops zeros, so the structure of its streams depends on values: simulate with "
                "values=True"
            )


def no_kernel(node: Node) -> SimulationError:
    """The error for a node whose block has no kernel in the chunk core."""
    return SimulationError(f"node {node.name!r} is a {type(node.block).__name__}, which the chunk core cannot run")
