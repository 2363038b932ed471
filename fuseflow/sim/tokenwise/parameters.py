"""The parameters of each block as the kernels read them (``P`` of a unit), with its data in the arena."""

from collections.abc import Mapping, Sequence
from math import ceil, prod
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

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
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Missing,
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
from fuseflow.dataflow.tokens import PACKED_DONE, Control, Stop, Token
from fuseflow.einsum.operators import ReduceOp
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.blocks import as_float32, bound_tensor, compressed_level
from fuseflow.sim.blocks.tiles import IDENTITY
from fuseflow.sim.kernels.alu import BINARY_CODES
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.alu import UNARY_CODES
from fuseflow.sim.kernels.tokenwise.coordinates import COMPARISON_CODES
from fuseflow.sim.machine import BlockTiming, Machine
from fuseflow.sim.memory import MemoryKind
from fuseflow.sim.pace import pace
from fuseflow.sim.tokenwise.arena import Arena
from fuseflow.sim.tokenwise.ports import MemoryPorts

WRITER_WORDS = 4096
FIRST_SLOTS = 1024
"""Slots of the table of an accumulator at first."""


class Parameters:
    """Makes parameters for the units of one run; tensors are stored once."""

    __slots__ = ("_arena", "_machine", "_memory", "_products", "_stored", "_tensors")

    def __init__(
        self,
        arena: Arena,
        tensors: Mapping[str, FiberTree],
        machine: Machine,
        products: frozenset[str],
        memory: MemoryPorts,
    ) -> None:
        self._arena = arena
        self._tensors = tensors
        self._machine = machine
        self._products = products
        self._memory = memory
        self._stored: dict[tuple[str, str], int] = {}

    def of(self, name: str, node: str, block: Block) -> tuple[int, list[int], list[int]]:
        """Kind of the unit ``name``, its parameters, and its memory ports.

        Raises SimulationError when a tensor is not bound, or its storage is not what the block reads.
        """
        arena, machine = self._arena, self._machine
        turns = machine.turns
        modelled = machine.memory.kind is not MemoryKind.IDEAL
        match block:
            case Root():
                return layout.SOURCE, [arena.store([0, PACKED_DONE]), 2], []
            case Generator():
                return layout.SOURCE, [arena.store([pack(token) for token in as_float32(block)]), len(block.tokens)], []
            case Sink():
                return layout.SINK, [], []
            case LevelScanner():
                return self._scanner(name, block)
            case RepeatSignal():
                return layout.SIGNAL, [], []
            case Repeat() | Repeater():
                return layout.REPEATER, [int(block.missing is Missing.EMPTY_FIBER)], []
            case Joiner():
                return layout.JOIN, [int(block.join is Join.UNION), arena.allocate(len(block.payloads), -1)], []
            case Locate():
                return layout.LOCATE, [block.extent, int(block.has_parent)], []
            case Array():
                values = bound_tensor(name, block.tensor, self._tensors).values
                first = np.zeros(len(values), np.float32) if block.tiles else values  # tiles are computed apart
                stored = self._store(block.tensor, "values", bits(first))
                timing = pace(block, machine)
                words = [stored, len(values), *_pace(timing)]
                if not modelled:
                    return layout.ARRAY, [*words, timing.control_cycles], []
                port = self._memory.reader(name)
                base = self._memory.addresses.of(block.tensor, "values", len(values))
                return layout.ARRAY_STORED, [*words, port, base, arena.allocate(8)], [port]
            case BinaryALU():
                timing = pace(block, machine, node in self._products)
                return layout.BINARY, [BINARY_CODES[block.op], *_pace(timing), timing.control_cycles], []
            case UnaryALU():
                scalar = pack(float(np.float32(block.scalar)))
                timing = pace(block, machine)
                return layout.UNARY, [UNARY_CODES[block.op], *_pace(timing), scalar, timing.control_cycles], []
            case Reduce():
                identity = pack(float(IDENTITY[block.op]))
                largest = int(block.op is ReduceOp.MAX)
                timing = pace(block, machine)
                words = [largest, identity, *_pace(timing), int(block.guarded), turns.skip_cycles]
                return layout.REDUCE, [*words, timing.control_cycles], []
            case SparseAccumulator():
                return self._accumulator(name, block)
            case CoordDrop():
                return layout.COORD_DROP, [turns.pass_cycles], []
            case CoordHold():
                return layout.COORD_HOLD, [], []
            case CoordMask():
                return layout.COORD_MASK, [COMPARISON_CODES[block.masked]], []
            case Flatten():
                return layout.FLATTEN, [block.factor], []
            case Fork():
                return layout.FORK, self._ranges(block), []
            case Gather():
                if block.guarded:
                    return layout.GATHER_GUARDED, [arena.allocate(block.lanes), block.depth, *self._ranges(block)], []
                return layout.GATHER, [], []
            case Concat():
                if not block.moves:
                    return layout.CONCAT, [0, 0], []
                offsets, limits = zip(*block.moves, strict=True)
                return layout.CONCAT, [arena.store(offsets), arena.store(limits)], []
            case StopDrop():
                return layout.STOP_DROP, [], []
            case ValueDrop():
                return layout.VALUE_DROP, [], []
            case CrdWriter():
                words = [arena.allocate(WRITER_WORDS), arena.allocate(WRITER_WORDS), WRITER_WORDS, turns.skip_cycles]
                if not modelled:
                    return layout.WRITE_CRD, words, []
                ports = [self._memory.writer(f"{name} crd"), self._memory.writer(f"{name} seg")]
                bases = [self._memory.addresses.of(block.tensor, f"{what}{block.level}") for what in ("crd", "seg")]
                return layout.WRITE_CRD_STORED, [*words, *ports, *bases], ports
            case ValWriter():
                words = [arena.allocate(WRITER_WORDS), 0, WRITER_WORDS, turns.skip_cycles]
                if not modelled:
                    return layout.WRITE_VAL, [*words, pace(block, machine).interval_cycles], []
                port = self._memory.writer(name)
                return (
                    layout.WRITE_VAL_STORED,
                    [*words, port, self._memory.addresses.of(block.tensor, "values")],
                    [port],
                )
            case _:
                assert_never(block)

    def _scanner(self, name: str, block: LevelScanner) -> tuple[int, list[int], list[int]]:
        if block.extent is not None:
            return layout.SCAN_DENSE, [block.extent, int(block.missing is Missing.EMPTY_FIBER)], []
        return self.scanner_of(name, block, compressed_level(name, block, self._tensors))

    def scanner_of(self, name: str, block: LevelScanner, level: CompressedLevel) -> tuple[int, list[int], list[int]]:
        """As ``of`` for a scanner of a compressed ``level``, which is the one of ``block`` in memory."""
        empty_fiber = int(block.missing is Missing.EMPTY_FIBER)
        modelled = self._machine.memory.kind is not MemoryKind.IDEAL
        timing = self._machine.scanner
        segments, coordinates = len(level.segments), len(level.coordinates)
        stored = [
            self._store(block.tensor, f"seg{block.level}", level.segments),
            segments - 1,
            self._store(block.tensor, f"crd{block.level}", level.coordinates),
        ]
        if modelled:
            ports = [self._memory.reader(f"{name} seg"), self._memory.reader(f"{name} crd")]
            bases = [
                self._memory.addresses.of(block.tensor, f"{what}{block.level}", size)
                for what, size in (("seg", segments), ("crd", coordinates))
            ]
            words = [*stored, 0, timing.output_latency_cycles, ports[0], bases[0], ports[1], empty_fiber, bases[1]]
            return layout.SCAN_STORED, words, ports
        loads = ceil(segments * timing.data_load_factor) + ceil(coordinates * timing.data_load_factor)
        words = [
            *stored,
            timing.initial_delay_cycles,
            timing.output_latency_cycles,
            timing.sequential_interval_cycles,
            timing.miss_latency_cycles,
            timing.row_size,
            empty_fiber,
            loads + timing.startup_delay_cycles,
        ]
        return layout.SCAN, words, []

    def _ranges(self, block: Fork | Gather) -> list[int]:
        """Place and number of the boundaries, and place of the lanes of the ranges (0 where they are in order)."""
        owners = self._arena.store(block.owners) if block.owners else 0
        return [self._arena.store(block.boundaries), len(block.boundaries), owners]

    def _accumulator(self, name: str, block: SparseAccumulator) -> tuple[int, list[int], list[int]]:
        arena, flush = self._arena, self._machine.turns.flush_cycles
        if prod(max(extent, 1) for extent in block.extents) >= 1 << 62:
            raise SimulationError(
                f"{name} accumulates over {block.indices} of sizes {block.extents}; their product must be below 2**62"
            )
        table = [arena.allocate(2 * FIRST_SLOTS, -1), FIRST_SLOTS, arena.allocate(FIRST_SLOTS // 2)]
        more = pace(block, self._machine).interval_cycles - 1
        if block.order == 1:
            return layout.SUM_ONE, [*table, block.extents[0], flush, more], []
        extents = arena.store(list(reversed(block.extents)))
        return layout.SUM_MANY, [*table, flush, block.order, extents, arena.allocate(block.order + 1), more], []

    def _store(self, tensor: str, part: str, data: NDArray[np.integer]) -> int:
        key = tensor, part
        if key not in self._stored:
            self._stored[key] = self._arena.store(data)
        return self._stored[key]


def bits(values: NDArray[np.floating]) -> NDArray[np.uint32]:
    """The 32 bits of each value."""
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def pack(token: Token) -> int:
    """The packed form of a token; a float is a value of float32."""
    if isinstance(token, Stop):
        return -1 - token.level
    if isinstance(token, Control):
        return {Control.EMPTY: layout.EMPTY, Control.DONE: layout.DONE, Control.REPEAT: 0}[token]
    if isinstance(token, float):
        return int(np.float32(token).view(np.uint32))
    return token


def _pace(timing: BlockTiming) -> Sequence[int]:
    return timing.latency_cycles, timing.interval_cycles
