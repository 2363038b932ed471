"""What the compiled engine cannot do yet and the plain interpreter can, said before a run."""

from fuseflow.dataflow.blocks import (
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
    StopDrop,
    ValueDrop,
)
from fuseflow.dataflow.graph import Graph, Node
from fuseflow.errors import SimulationError
from fuseflow.sim.machine import Machine
from fuseflow.sim.memory import MemoryKind

NoKernel = (
    CoordDrop
    | CoordHold
    | CoordMask
    | Flatten
    | Fork
    | Gather
    | Generator
    | RepeatSignal
    | Repeater
    | Sink
    | StopDrop
    | ValueDrop
)
"""Blocks without a compiled kernel."""


def refuse_what_is_missing(graph: Graph, machine: Machine) -> None:
    """Raise SimulationError if ``graph`` has a block, or ``machine`` a feature, that the compiled engine lacks."""
    for node in graph:
        if isinstance(node.block, NoKernel):
            raise no_kernel(node)
    if machine.memory.kind is not MemoryKind.IDEAL:
        raise SimulationError(
            f"machine {machine.name!r} has {machine.memory.kind.value} memory, which the compiled engine does not "
            "model yet; use interpret(...) / engine='interpreter', or memory=Memory.ideal()"
        )
    if machine.product not in (None, machine.binary):
        raise SimulationError(
            f"machine {machine.name!r} times summed products apart ({machine.product}, other binary operations "
            f"{machine.binary}), which the compiled engine does not do yet; use interpret(...) / engine='interpreter', "
            "or product=None"
        )


def refuse_without_values(graph: Graph) -> None:
    """Raise SimulationError if what ``graph`` sends depends on values, which then have to be carried."""
    for node in graph:
        if isinstance(node.block, ValueDrop):
            raise SimulationError(
                f"node {node.name!r} drops zeros, so the structure of its streams depends on values: simulate with "
                "values=True"
            )


def no_kernel(node: Node) -> SimulationError:
    """The error for a node whose block has no compiled kernel."""
    return SimulationError(
        f"node {node.name!r} is a {type(node.block).__name__}, which the compiled engine has no kernel for yet; "
        "use interpret(...) / engine='interpreter'"
    )
