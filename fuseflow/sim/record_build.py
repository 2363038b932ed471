"""Makes the tasks of fiber groups: which kernel a node of a group runs, and on which streams and storage."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    LevelScanner,
    Locate,
    Missing,
    Reduce,
    Repeat,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, apply_unary
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import bound_tensor, compressed_level
from fuseflow.sim.engine_memory import CrdSink, ValSink
from fuseflow.sim.engine_units import Unit, binary_timing, read_only
from fuseflow.sim.kernels.alu import BINARY_CODES
from fuseflow.sim.kernels.layout import (
    COUNT,
    FINISHED,
    FULL,
    GOT,
    GROW,
    HEADS,
    LENGTH,
    MISFIT,
    OFFSET,
    SPELL,
    START,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.record_accumulate import accumulate_records
from fuseflow.sim.kernels.record_expand import COORDINATES, REFERENCES, REPEATED, VALUES, expand
from fuseflow.sim.kernels.record_map import fetch_records, map_records, unpack_records
from fuseflow.sim.kernels.record_pool import pool_binary, pool_located, pool_values
from fuseflow.sim.kernels.record_reduce import reduce_records
from fuseflow.sim.kernels.record_repeat import repeat_records
from fuseflow.sim.kernels.record_scan import scan_records
from fuseflow.sim.machine import Machine
from fuseflow.sim.record_plan import FiberGroup
from fuseflow.sim.record_task import GroupTask, Member
from fuseflow.sim.records import UNLIMITED, Fibers, Operand, Pool, Track
from fuseflow.sim.shared_sums import SharedSums
from fuseflow.sim.stream import Stream

Floats = NDArray[np.float32]

NO_WORDS: Words = np.zeros(2, np.int64)
NO_VALUES = read_only(np.zeros(1, np.float32), np.float32)
NO_COORDINATES = read_only(np.zeros(0, np.int32), np.int32)
NO_SEGMENTS = read_only(np.zeros(1, np.int64), np.int64)

FLUSHES = 4096
"""Flushes of an accumulator between two turns of the writers behind it."""

LOCATED = -1
"""Payload of a located stream: references that are the coordinates of the scanner. Others: see ``record_expand``."""


def build_group(
    group: FiberGroup,
    units: Mapping[str, Unit],
    streams: Mapping[Port, Stream],
    readers: Mapping[Port, Sequence[str]],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    chunk_tokens: int,
    carried: bool,
    threads: int,
    summed: frozenset[str] = frozenset(),
) -> GroupTask:
    """The task of ``group`` on the states, streams and writers of ``units``.

    ``readers`` names the nodes that read each port; ``carried`` says whether values are computed,
    in up to ``threads`` threads.
    """
    return _Builder(group, units, streams, readers, tensors, machine, chunk_tokens, carried, threads, summed).build()


class _Builder:
    def __init__(
        self,
        group: FiberGroup,
        units: Mapping[str, Unit],
        streams: Mapping[Port, Stream],
        readers: Mapping[Port, Sequence[str]],
        tensors: Mapping[str, FiberTree],
        machine: Machine,
        chunk_tokens: int,
        carried: bool,
        threads: int,
        summed: frozenset[str],
    ) -> None:
        self.threads = threads
        self.summed = summed
        self.paces: dict[Port, int] = {}
        self.group, self.units, self.streams, self.readers = group, units, streams, readers
        self.tensors, self.machine, self.carried = tensors, machine, carried
        self.names = frozenset(node.name for node in group.nodes)
        self.fibers = Fibers(max(2, chunk_tokens), max(4, 4 * chunk_tokens))
        self.stamps: dict[Port, Track[np.int64]] = {}
        self.makers: dict[Port, Words] = {}
        self.operands: dict[Port, Operand] = {}
        self.repeated: dict[Port, Track[np.int64]] = {}
        self.payload: dict[Port, int] = {}
        self.members: list[Member] = []
        self.dense = group.scanner.extent is not None
        self.storage: NDArray[np.int32] = NO_COORDINATES

    def build(self) -> GroupTask:
        """The task; the streams of the group that others read as tokens, or that are recorded, get an expansion."""
        for node in self.group.nodes:
            self._member(node)
        for port in sorted(self.group.ports, key=str):
            stream = self.streams[port]
            if stream.readers or stream.recorder is not None:
                self._expansion(port, stream)
        self.fibers.members = [member.state for member in self.members]
        return GroupTask(self.fibers, self.members)

    def _shift(self, port: Port) -> int:
        return int(len(self.readers.get(port, ())) > 1)

    def _makes(self, node: Node, state: Words) -> Track[np.int64]:
        track = Track(self.fibers, 2, np.int64)
        for spec in node.block.outputs:
            port = Port(node.name, spec.name)
            self.stamps[port], self.makers[port] = track, state
        return track

    def _add(
        self,
        node: Node,
        run: Callable[[int], None],
        inputs: Sequence[Stream] = (),
        outputs: Sequence[Stream] = (),
    ) -> None:
        sources = [self.makers[port] for port in node.inputs if port in self.group.ports]
        self.members.append(Member(self.units[node.name].state, run, sources, inputs, outputs))

    def _member(self, node: Node) -> None:
        block: Block = node.block
        match block:
            case LevelScanner():
                self._scanner(node, block)
            case Repeat():
                self._repeat(node, block)
            case Array():
                self._array(node, block)
            case BinaryALU():
                self._binary(node, block)
            case UnaryALU():
                self._unary(node, block)
            case Locate():
                self._locate(node)
            case Reduce():
                self._reduce(node, block)
            case SparseAccumulator():
                self._accumulator(node, block)
            case CrdWriter() | ValWriter():
                if node.inputs[0] in self.stamps:
                    self._writer(node)  # otherwise the accumulator before it writes
            case _:
                raise SimulationError(f"{node.name} cannot work on records; this is a fault of fuseflow")

    def _scanner(self, node: Node, block: LevelScanner) -> None:
        state, shape, refs = self.units[node.name].state, self.fibers.shape, self.streams[node.inputs[0]]
        track = self._makes(node, state)
        self.payload[Port(node.name, "crd")] = COORDINATES
        self.payload[Port(node.name, "ref")] = REFERENCES
        extent, segments, delay = block.extent, NO_SEGMENTS, 0
        if extent is None:
            level = compressed_level(node.name, block, self.tensors)
            segments = read_only(level.segments, np.int64)
            self.storage = read_only(level.coordinates, np.int32)
            delay = self.machine.scanner.initial_delay_cycles
        size = -1 if extent is None else extent
        empty_fiber = block.missing is Missing.EMPTY_FIBER

        def run(_: int) -> None:
            scan_records(
                state, refs.buffer, shape.data, track.data, segments, size, delay, empty_fiber, self.fibers.pool_size
            )

        self._add(node, run, [refs])

    def _repeat(self, node: Node, block: Repeat) -> None:
        state, shape, data = self.units[node.name].state, self.fibers.shape, self.streams[node.inputs[0]]
        signals, shift, out = self.stamps[node.inputs[1]], self._shift(node.inputs[1]), self._makes(node, state)
        port = Port(node.name, "out")
        tokens = self.repeated[port] = Track(self.fibers, 1, np.int64)
        self.payload[port] = REPEATED
        empty_fiber = block.missing is Missing.EMPTY_FIBER
        inside = [self.units[name].node.block for name in self.readers.get(port, ()) if name in self.names]
        # An array answers ``N`` after one cycle, whatever its latency: then ``N`` cannot stand in a record.
        patient = BinaryALU if self.machine.array.latency_cycles > 1 else Array | BinaryALU
        empties = all(isinstance(reader, patient) for reader in inside)
        numbers: Track[np.float32] | None = None
        if block.payload is StreamKind.VAL and self.carried:
            numbers = Track(self.fibers, 1, np.float32)
        if block.payload is StreamKind.VAL:
            self.operands[port] = _each(numbers)

        def run(limit: int) -> None:
            first = int(state[TAKEN])
            repeat_records(
                state,
                data.buffer,
                shape.data,
                limit,
                signals.data,
                shift,
                out.data,
                tokens.data,
                empty_fiber,
                empties,
            )
            if numbers is not None:
                unpack_records(shape.data, first, int(state[TAKEN]), tokens.data, numbers.data)

        self._add(node, run, [data])

    def _timing(self, node: Node, size: int = UNLIMITED) -> Callable[[int], tuple[int, int]]:
        """Runs the clocks of a block that maps payloads; the records it took are those between the results."""
        state, shape = self.units[node.name].state, self.fibers.shape
        left, right = node.inputs[0], node.inputs[-1]
        tracks = self.stamps[left], self.stamps[right]
        shifts = self._shift(left), self._shift(right)
        out = self._makes(node, state) if node.block.outputs else None
        timing = self._pace(node)
        self.paces |= {Port(node.name, spec.name): timing[1] for spec in node.block.outputs}

        def run(limit: int) -> tuple[int, int]:
            first = int(state[TAKEN])
            map_records(
                state,
                shape.data,
                limit,
                tracks[0].data,
                shifts[0],
                tracks[1].data,
                shifts[1],
                NO_WORDS if out is None else out.data,
                size,
                *timing,
            )
            return first, int(state[TAKEN])

        return run

    def _pace(self, node: Node) -> tuple[int, int]:
        """Latency and interval of a block that maps payloads, in cycles."""
        match node.block:
            case Array():
                timing = self.machine.array
            case UnaryALU():
                timing = self.machine.unary
            case BinaryALU():
                timing = binary_timing(self.machine, node.name in self.summed)
            case _:
                return 1, 1
        return timing.latency_cycles, timing.interval_cycles

    def _array(self, node: Node, block: Array) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        source, port = node.inputs[0], Port(node.name, "val")
        values = read_only(bound_tensor(node.name, block.tensor, self.tensors).values, np.float32)
        payload = self.payload[source]
        timing = self._timing(node, len(values) if payload == REFERENCES else UNLIMITED)
        self.payload[port] = VALUES
        if payload == REFERENCES:
            self.operands[port] = Operand(lambda: values, START)
            self._add(node, lambda limit: _ignore(timing(limit)))
        elif payload == REPEATED:
            tokens, fetched = self.repeated[source], Track(self.fibers, 1, np.float32)
            self.operands[port] = _each(fetched)

            def fetch(limit: int) -> None:
                missing = fetch_records(shape.data, *timing(limit), tokens.data, values, fetched.data)
                state[COUNT] -= missing
                if missing < 0:
                    state[STATUS] = MISFIT

            self._add(node, fetch)
        else:
            pool = Pool(self.fibers)
            self.operands[port] = _pooled(pool)

            def locate(limit: int) -> None:
                span = timing(limit)
                if not pool_located(shape.data, *span, values, self.storage, self.dense, pool.data):
                    state[STATUS] = MISFIT

            self._add(node, locate)

    def _binary(self, node: Node, block: BinaryALU) -> None:
        shape, port = self.fibers.shape, Port(node.name, "val")
        timing = self._timing(node)
        left, right = self.operands[node.inputs[0]], self.operands[node.inputs[1]]
        self.payload[port] = VALUES
        scaled = self._scaled(block, port, left, right)
        if scaled is not None or not self.carried:
            self.operands[port] = scaled or _nowhere()
            self._add(node, lambda limit: _ignore(timing(limit)))
            return
        pool, code = Pool(self.fibers), BINARY_CODES[block.op]
        self.operands[port] = _pooled(pool)

        def run(limit: int) -> None:
            pool_binary(
                shape.data,
                *timing(limit),
                read_only(left.values(), np.float32),
                left.word,
                read_only(right.values(), np.float32),
                right.word,
                pool.data,
                code,
            )

        self._add(node, run)

    def _scaled(self, block: BinaryALU, port: Port, left: Operand, right: Operand) -> Operand | None:
        """The product of a value per record and values per payload, if all that reads it can multiply on the way."""
        names = self.readers.get(port, ())
        blocks = [self.units[name].node.block for name in names if name in self.names]
        stays = len(blocks) == len(names) and self.streams[port].recorder is None
        if block.op is not BinaryOp.MUL or not stays:
            return None
        if not all(isinstance(reader, SparseAccumulator | Reduce) for reader in blocks):
            return None
        for factor, operand in ((left, right), (right, left)):
            if factor.word < 0 <= operand.word:
                return Operand(operand.values, operand.word, factor.values)
        return None

    def _unary(self, node: Node, block: UnaryALU) -> None:
        shape, port = self.fibers.shape, Port(node.name, "val")
        timing = self._timing(node)
        self.payload[port] = VALUES
        if not self.carried:
            self.operands[port] = _nowhere()
            self._add(node, lambda limit: _ignore(timing(limit)))
            return
        operand, pool = self.operands[node.inputs[0]], Pool(self.fibers)
        self.operands[port] = _pooled(pool)

        def run(limit: int) -> None:
            first, last = timing(limit)
            if first == last:
                return
            words = shape.data
            pool_values(words, first, last, read_only(operand.values(), np.float32), operand.word, pool.data)
            start = words[4 * first + OFFSET]
            end = words[4 * last - 4 + OFFSET] + words[4 * last - 4 + LENGTH]
            with np.errstate(all="ignore"):
                pool.data[start:end] = apply_unary(block.op, pool.data[start:end], block.scalar)

        self._add(node, run)

    def _locate(self, node: Node) -> None:
        timing = self._timing(node)
        located, ref, crd = (Port(node.name, spec.name) for spec in node.block.outputs)
        self.payload |= {located: LOCATED, ref: REFERENCES, crd: COORDINATES}
        self._add(node, lambda limit: _ignore(timing(limit)))

    def _flat(self, port: Port, state: Words) -> tuple[Operand, Callable[[int], None]]:
        """The values of ``port`` with one value per payload, and what to run before they are read."""
        operand = self.operands[port]
        if operand.word >= 0 or not self.carried:
            return operand, lambda limit: None
        pool, shape = Pool(self.fibers), self.fibers.shape

        def fill(limit: int) -> None:
            first = int(state[TAKEN])
            pool_values(shape.data, first, limit, read_only(operand.values(), np.float32), operand.word, pool.data)

        return _pooled(pool), fill

    def _reduce(self, node: Node, block: Reduce) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        source, out = node.inputs[0], self.streams[Port(node.name, "val")]
        stamps, shift = self.stamps[source], self._shift(source)
        operand, fill = self._flat(source, state)
        guards = [self.streams[port] for port in node.inputs[1:]]
        largest, pace = block.op is ReduceOp.MAX, self.paces.get(source, 1)
        identity = np.finfo(np.float32).min if largest else np.float32(0)

        def run(limit: int) -> None:
            fill(limit)
            reduce_records(
                state,
                shape.data,
                limit,
                stamps.data,
                shift,
                pace,
                guards[0].buffer if guards else NO_WORDS,
                out.buffer,
                *self._numbers(operand),
                block.guarded,
                largest,
                identity,
                1 if largest else self.machine.reduce.latency_cycles,
            )

        self._add(node, run, guards, [out])

    def _numbers(self, operand: Operand) -> tuple[Floats, Floats, int, bool, bool]:
        """Factors, values, word, whether scaled, whether carried: as the kernels take them."""
        if not self.carried:
            return NO_VALUES, NO_VALUES, START, False, False
        factors = NO_VALUES if operand.factors is None else read_only(operand.factors(), np.float32)
        values = read_only(operand.values(), np.float32)
        return factors, values, operand.word, operand.factors is not None, True

    def _accumulator(self, node: Node, block: SparseAccumulator) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        crd_port, outer_port, val_port = node.inputs
        (extent,) = block.extents
        crd, val, outers = self.stamps[crd_port], self.stamps[val_port], self.streams[outer_port]
        shifts = self._shift(crd_port), self._shift(val_port)
        outs = [self.streams[Port(node.name, spec.name)] for spec in block.outputs]
        operand, fill = self._flat(val_port, state)
        memory = np.zeros(extent, np.float32), np.zeros(extent, np.uint8), np.empty(extent, np.int64)
        flushed = self._flushed(node, outs)
        later, pace = self.dense and self.carried, self.paces.get(val_port, 1)
        events: Words = np.zeros(1 + 3 * FLUSHES, np.int64)
        shared = SharedSums(extent if later else 0, self.threads)

        def accumulate(limit: int, crd_out: Words, val_out: Words, *sink: Any) -> None:
            fill(limit)
            first = int(state[TAKEN])
            factors, values, word, scaled, carried = self._numbers(operand)
            events[0] = 0
            accumulate_records(
                state,
                shape.data,
                limit,
                crd.data,
                shifts[0],
                val.data,
                shifts[1],
                pace,
                outers.buffer,
                crd_out,
                val_out,
                self.storage,
                self.dense,
                factors,
                values,
                word,
                scaled,
                carried,
                later,
                events,
                *memory,
                *sink,
            )
            if not later:
                return
            last, direct, written = int(state[TAKEN]), sink[0], sink[-1]
            numbers, out = (factors, values, word, scaled), (direct, val_out, written)
            # Stored values stay where they are, and so does what only writers read: the sums may come later.
            shared.add(shape.data, first, last, events, numbers, out, wait=not (direct and word == START))

        if flushed is not None:
            crd_sink, val_sink = flushed
            flushes: Words = np.zeros(1 + 3 * FLUSHES, np.int64)
            if extent > 0:
                crd_sink.write_rounds(extent)

            def run_and_write(limit: int) -> None:
                going = True
                while going:
                    sink = True, flushes, crd_sink.coordinates, val_sink.bits
                    accumulate(limit, np.zeros(2, np.int64), np.zeros(2, np.int64), *sink)
                    going = bool(state[STATUS] in (GROW, FULL, SPELL))
                    crd_sink.take_flushes(flushes)
                    val_sink.take_flushes(flushes)
                    flushes[0] = 0
                    if state[STATUS] == SPELL:
                        crd_sink.spell()
                    if state[STATUS] in (GROW, FINISHED):
                        shared.finish()
                    if state[STATUS] == GROW:
                        room = int(state[GOT]) + extent
                        crd_sink.reserve(room)
                        val_sink.reserve(room if self.carried else 0)

            self._add(node, run_and_write, [outers])
            return
        for stream in outs:
            while stream.size < extent + 1:
                stream.grow()
        no_sink = False, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint32)
        self._add(node, lambda limit: accumulate(limit, outs[0].buffer, outs[1].buffer, *no_sink), [outers], outs)

    def _flushed(self, node: Node, outs: Sequence[Stream]) -> tuple[CrdSink, ValSink] | None:
        """What the accumulator writes itself, if only writers in the group read it."""
        if any(stream.port not in self.group.ports for stream in outs):
            return None
        sinks = [self.units[name].sink for stream in outs for name in self.readers[stream.port]]
        match sinks:
            case [CrdSink() as crd, ValSink() as val]:
                return crd, val
        raise SimulationError(f"{node.name}: its outputs have to go to two writers; this is a fault of fuseflow")

    def _writer(self, node: Node) -> None:
        unit, shape, source = self.units[node.name], self.fibers.shape, node.inputs[0]
        stamps, shift, sink = self.stamps[source], self._shift(source), unit.sink
        if isinstance(sink, CrdSink):
            self._add(
                node,
                lambda limit: sink.take_records(shape.data, limit, stamps.data, shift, self.storage, self.dense),
            )
        elif isinstance(sink, ValSink):
            operand, fill = self._flat(source, unit.state)

            def run(limit: int) -> None:
                fill(limit)
                _, values, word, _, carried = self._numbers(operand)
                sink.take_records(shape.data, limit, stamps.data, shift, values, word, carried)

            self._add(node, run)

    def _expansion(self, port: Port, stream: Stream) -> None:
        state: Words = np.zeros(HEADS, np.int64)
        shape, stamps, payload = self.fibers.shape, self.stamps[port], self.payload[port]
        tokens = self.repeated.get(port)
        operand, fill = self._flat(port, state) if payload == VALUES else (_nowhere(), _nothing)
        source = COORDINATES if payload == LOCATED else payload
        pace = self.paces.get(port, 1)

        def run(limit: int) -> None:
            fill(limit)
            _, values, word, _, _ = self._numbers(operand)
            expand(
                state,
                shape.data,
                limit,
                stamps.data,
                pace,
                stream.buffer,
                source,
                NO_WORDS if tokens is None else tokens.data,
                self.storage,
                self.dense,
                values,
                word,
            )

        self.members.append(Member(state, run, [self.makers[port]], (), [stream]))


def _each(track: Track[np.float32] | None) -> Operand:
    """One value per record."""
    return Operand((lambda: NO_VALUES) if track is None else (lambda: track.data), -1)


def _pooled(pool: Pool) -> Operand:
    return Operand(lambda: pool.data, OFFSET)


def _nowhere() -> Operand:
    return Operand(lambda: NO_VALUES, START)


def _ignore(_: tuple[int, int]) -> None:
    return None


def _nothing(_: int) -> None:
    return None
