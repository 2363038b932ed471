"""The units of the plain interpreter, one file per family, mirroring ``dataflow/blocks``; :func:`build` wires them."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Node
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Need, Process, Unit
from fuseflow.sim.blocks.broadcast import broadcast
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.locate import locate
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.source import ROOT_TOKENS, generate
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.channel import Channel
from fuseflow.sim.machine import Machine


class Written:
    """What the writers of a graph have seen: per level the coordinates and the count at every stop, and the values."""

    __slots__ = ("levels", "values")

    def __init__(self) -> None:
        self.levels: dict[int, tuple[list[int], list[int]]] = {}
        self.values: list[float] = []


def build(
    node: Node,
    inputs: Sequence[Channel],
    outputs: Sequence[Channel],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    written: Written,
) -> list[Unit]:
    """The units of ``node`` on channels in the order of its block's ports; a repeat is two units, all others one.

    Raises SimulationError when a tensor is not bound, or its storage is not what the block reads.
    """
    block = node.block
    if isinstance(block, Repeat):
        data, word = inputs
        internal = Channel(f"{node.name}.signal_out", f"{node.name}.signal_in", machine.channel_capacity)
        generator = Unit(f"{node.name} (signal generator)", [word], [internal], node.name)
        generator.process = repeat_signal(generator)
        repeater = Unit(f"{node.name} (repeater)", [data, internal], outputs, node.name)
        repeater.process = repeat(repeater, block.missing)
        return [generator, repeater]
    unit = Unit(node.name, inputs, outputs, node.name)
    unit.process = _process(unit, block, tensors, machine, written)
    return [unit]


def _process(
    unit: Unit,
    block: Root
    | LevelScanner
    | Joiner
    | Locate
    | Array
    | BinaryALU
    | UnaryALU
    | Reduce
    | SparseAccumulator
    | CrdWriter
    | ValWriter,
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    written: Written,
) -> Process:
    match block:
        case Root():
            return generate(unit, ROOT_TOKENS)
        case LevelScanner():
            if block.extent is not None:
                return scan_dense(unit, block.extent, block.missing)
            level = compressed_level(unit.name, block, tensors)
            return scan_compressed(unit, level.segments, level.coordinates, machine.scanner, block.missing)
        case Joiner():
            return join(unit, block.join)
        case Locate():
            return locate(unit, block.extent)
        case Array():
            return fetch(unit, bound_tensor(unit.name, block.tensor, tensors).values, machine.array)
        case BinaryALU():
            return binary(unit, block.op, machine.binary)
        case UnaryALU():
            return unary(unit, block.op, block.scalar, machine.unary)
        case Reduce():
            return reduce(unit, block.op, machine.reduce)
        case SparseAccumulator():
            return accumulate(unit, block.order)
        case CrdWriter():
            return write_crd(unit, *written.levels.setdefault(block.level, ([], [])))
        case ValWriter():
            return write_val(unit, written.values)
        case _:
            assert_never(block)


def bound_tensor(name: str, tensor: str, tensors: Mapping[str, FiberTree]) -> FiberTree:
    if tensor not in tensors:
        bound = ", ".join(sorted(tensors)) or "none"
        raise SimulationError(f"{name} reads tensor {tensor!r}, which is not bound; bound tensors: {bound}")
    return tensors[tensor]


def compressed_level(name: str, block: LevelScanner, tensors: Mapping[str, FiberTree]) -> CompressedLevel:
    tree = bound_tensor(name, block.tensor, tensors)
    where = f"{name} scans level {block.level} of {block.tensor!r} as a compressed level"
    if not 0 <= block.level < len(tree.levels):
        raise SimulationError(f"{where}, but the tensor has {len(tree.levels)} levels")
    level = tree.levels[block.level]
    if not isinstance(level, CompressedLevel) or not tree.format.levels[block.level].unique:
        kind = tree.format.levels[block.level]
        raise SimulationError(
            f"{where}, but it is stored as {kind.kind.value}, unique={kind.unique}; convert the tensor to a "
            "format whose level is compressed with unique coordinates, or lower the graph for the format it has"
        )
    return level


__all__ = ["Need", "Process", "Unit", "Written", "broadcast", "build"]
