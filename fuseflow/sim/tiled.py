"""What a graph needs to run on tiles."""

from collections.abc import Mapping

from fuseflow.dataflow.blocks import Array, ValueDrop
from fuseflow.dataflow.graph import Graph
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.machine import Machine
from fuseflow.sim.memory import MemoryKind


def check_tiles(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine) -> None:
    """Raise SimulationError where the values of a bound tensor are not what its array expects, or where a graph of
    tiles meets what has no rule for them."""
    tiled = graph.tiled
    for node in graph:
        block = node.block
        if isinstance(block, Array) and block.tensor in tensors:
            wanted = block.tiles[0].shape if block.tiles else ()
            found = tensors[block.tensor].tile_shape
            if found != wanted:
                raise SimulationError(
                    f"{node.name} reads tiles of shape {wanted} but {block.tensor!r} stores {found} (() is a number); "
                    "block the tensor as the schedule does, with formats.to_tiles"
                )
        if tiled and isinstance(block, ValueDrop):
            raise SimulationError(f"{node.name} drops zeros, which has no meaning for tiles; lower without it")
    if tiled:
        check_tile_memory(machine)


def check_tile_memory(machine: Machine) -> None:
    """Raise SimulationError where ``machine`` has a memory that graphs of tiles do not run on."""
    if machine.memory.kind is not MemoryKind.IDEAL:
        raise SimulationError(
            f"machine {machine.name!r} has {machine.memory.kind.value} memory, but graphs of tiles run on ideal memory "
            "only, as in the reference; use Memory.ideal(), with words_per_cycle of Machine.tiles for its bandwidth"
        )
