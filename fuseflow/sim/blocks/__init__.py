"""The units of the plain interpreter, one file per family, mirroring ``dataflow/blocks``; :func:`build` wires them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Flatten,
    Fork,
    Gather,
    Generator,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    SparseAccumulator,
    StopDrop,
    UnaryALU,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.graph import Node
from fuseflow.dataflow.tokens import StreamKind, Token
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.addresses import Addresses
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.accumulate_many import Adding
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Need, Process, Unit, is_payload
from fuseflow.sim.blocks.broadcast import broadcast
from fuseflow.sim.blocks.concat import concat
from fuseflow.sim.blocks.controller import Controller
from fuseflow.sim.blocks.coordinates import coord_drop, coord_hold, coord_mask, flatten
from fuseflow.sim.blocks.dram import Dram
from fuseflow.sim.blocks.drop import drop_stops, drop_zeros
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.lanes import fork, fork_ranges, gather, gather_guarded
from fuseflow.sim.blocks.locate import locate
from fuseflow.sim.blocks.memory_clients import fetch_stored, scan_stored, write_crd_stored, write_val_stored
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.sink import consume
from fuseflow.sim.blocks.source import ROOT_TOKENS, generate
from fuseflow.sim.blocks.tiles import fold_of
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.channel import Channel
from fuseflow.sim.machine import Machine
from fuseflow.sim.pace import flops_per_value, pace, words_per_value


class Written:
    """What the writers of a graph have seen, by tensor: per level the coordinates and the count at every stop, and the
    values."""

    __slots__ = ("levels", "values")

    def __init__(self) -> None:
        self.levels: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
        self.values: dict[str, list[float]] = {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the units of one run share. ``products`` names the nodes whose products are summed up (``Machine.product``);
    ``controller`` is ``None`` on ideal memory."""

    tensors: Mapping[str, FiberTree]
    machine: Machine
    written: Written
    products: frozenset[str] = frozenset()
    controller: Controller | Dram | None = None
    addresses: Addresses = field(default_factory=Addresses)


def build(node: Node, inputs: Sequence[Channel], outputs: Sequence[Channel], around: Surroundings) -> list[Unit]:
    """The units of ``node`` on channels in the order of its block's ports; a repeat is two units, all others one.

    Raises SimulationError when a tensor is not bound, or its storage is not what the block reads.
    """
    block = node.block
    if isinstance(block, Repeat):
        data, word = inputs
        source, target = f"{node.name}.signal_out", f"{node.name}.signal_in"
        internal = Channel(source, target, around.machine.capacity(source, target))
        generator = Unit(f"{node.name} (signal generator)", [word], [internal], node.name)
        generator.process = repeat_signal(generator)
        repeater = Unit(f"{node.name} (repeater)", [data, internal], outputs, node.name)
        repeater.process = repeat(repeater, block.missing)
        return [generator, repeater]
    unit = Unit(node.name, inputs, outputs, node.name)
    unit.process = _process(unit, block, around)
    return [unit]


def _process(unit: Unit, block: Block, around: Surroundings) -> Process:
    machine = around.machine
    match block:
        case Root():
            return generate(unit, ROOT_TOKENS)
        case Generator():
            return generate(unit, as_float32(block))
        case Sink():
            return consume(unit)
        case LevelScanner():
            return _scanner(unit, block, around)
        case RepeatSignal():
            return repeat_signal(unit)
        case Repeat() | Repeater():
            return repeat(unit, block.missing)
        case Joiner():
            return join(unit, block.join)
        case Locate():
            return locate(unit, block.extent)
        case Array():
            stored = bound_tensor(unit.name, block.tensor, around.tensors).values
            if around.controller is None:
                return fetch(unit, stored, pace(block, machine), bool(block.tiles), words_per_value(block))
            base = around.addresses.of(block.tensor, "values", len(stored))
            return fetch_stored(unit, stored, machine.array, around.controller.reader(unit.name, base))
        case BinaryALU():
            timing = pace(block, machine, unit.name in around.products)
            return binary(unit, block.op, timing, block.tiles, flops_per_value(block))
        case UnaryALU():
            return unary(unit, block.op, block.scalar, pace(block, machine), block.tiles, flops_per_value(block))
        case Reduce():
            fold, skip = fold_of(block.tiles, block.op), machine.turns.skip_cycles
            return reduce(unit, block.op, pace(block, machine), skip, fold, flops_per_value(block))
        case SparseAccumulator():
            more = pace(block, machine).interval_cycles - 1
            adding = Adding(fold_of(block.tiles), flops_per_value(block), more)
            return accumulate(unit, block.order, block.extents, machine.turns.flush_cycles, adding)
        case CoordDrop():
            return coord_drop(unit, machine.turns.pass_cycles)
        case CoordHold():
            return coord_hold(unit)
        case CoordMask():
            return coord_mask(unit, block.masked)
        case Flatten():
            return flatten(unit, block.factor)
        case Fork():
            return fork_ranges(unit, block.boundaries, block.owners) if block.boundaries else fork(unit)
        case Gather():
            if not block.guarded:
                return gather(unit)
            return gather_guarded(unit, block.depth, block.boundaries, block.owners)
        case Concat():
            return concat(unit, block.moves)
        case StopDrop():
            return drop_stops(unit)
        case ValueDrop():
            return drop_zeros(unit)
        case CrdWriter():
            coordinates, ends = around.written.levels.setdefault((block.tensor, block.level), ([], []))
            if around.controller is None:
                return write_crd(unit, coordinates, ends, machine.turns.skip_cycles)
            crd_port, seg_port = (
                around.controller.writer(
                    f"{unit.name} {part}", around.addresses.of(block.tensor, part + str(block.level))
                )
                for part in ("crd", "seg")
            )
            return write_crd_stored(unit, coordinates, ends, crd_port, seg_port, machine.turns.skip_cycles)
        case ValWriter():
            values = around.written.values.setdefault(block.tensor, [])
            if around.controller is None:
                interval = pace(block, machine).interval_cycles
                return write_val(unit, values, machine.turns.skip_cycles, words_per_value(block), interval)
            port = around.controller.writer(unit.name, around.addresses.of(block.tensor, "values"))
            return write_val_stored(unit, values, port, machine.turns.skip_cycles)
        case _:
            assert_never(block)


def as_float32(block: Generator) -> tuple[Token, ...]:
    """The tokens of ``block``, values rounded to float32."""
    if block.stream is not StreamKind.VAL:
        return block.tokens
    return tuple(float(np.float32(token)) if is_payload(token) else token for token in block.tokens)


def _scanner(unit: Unit, block: LevelScanner, around: Surroundings) -> Process:
    if block.extent is not None:
        return scan_dense(unit, block.extent, block.missing)
    level = compressed_level(unit.name, block, around.tensors)
    timing = around.machine.scanner
    if around.controller is None:
        return scan_compressed(unit, level.segments, level.coordinates, timing, block.missing)
    ports = [
        around.controller.reader(f"{unit.name} {what}", around.addresses.of(block.tensor, f"{what}{block.level}", size))
        for what, size in (("seg", len(level.segments)), ("crd", len(level.coordinates)))
    ]
    latency = timing.output_latency_cycles
    return scan_stored(unit, level.segments, level.coordinates, latency, block.missing, *ports)


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


__all__ = ["Need", "Process", "Surroundings", "Unit", "Written", "broadcast", "build"]
