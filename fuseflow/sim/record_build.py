"""Makes the tasks of fiber groups: which kernel a node of a group runs, and on which streams and storage."""

from collections.abc import Mapping, Sequence

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CrdWriter,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.engine_memory import CrdSink, ValSink
from fuseflow.sim.engine_units import Unit
from fuseflow.sim.kernels.layout import (
    HEADS,
    Words,
)
from fuseflow.sim.kernels.record_expand import COORDINATES, VALUES, expand
from fuseflow.sim.machine import Machine
from fuseflow.sim.record_maps import Maps
from fuseflow.sim.record_parts import LOCATED, NO_WORDS, nothing, nowhere
from fuseflow.sim.record_plan import FiberGroup
from fuseflow.sim.record_sources import Sources
from fuseflow.sim.record_sums import Sums
from fuseflow.sim.record_task import GroupTask, Member
from fuseflow.sim.stream import Stream


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


class _Builder(Sources, Maps, Sums):
    def build(self) -> GroupTask:
        """The task; the streams of the group that others read as tokens, or that are recorded, get an expansion."""
        for node in self.group.nodes:
            self._member(node)
        for port in sorted(self.group.ports, key=str):
            stream = self.streams[port]
            if stream.readers or stream.recorder is not None:
                self._expansion(port, stream)
        self.fibers.members = [member.state for member in self.members]
        made, self.members = self.members, []  # they know the builder; a ring of the two would wait for the collector
        return GroupTask(self.fibers, made)

    def _member(self, node: Node) -> None:
        block: Block = node.block
        match block:
            case LevelScanner():
                self.scanner(node, block)
            case Repeat():
                self.repeat(node, block)
            case Array():
                self.array(node, block)
            case BinaryALU():
                self.binary(node, block)
            case UnaryALU():
                self.unary(node, block)
            case Locate():
                self.locate(node)
            case Reduce():
                self.reduce(node, block)
            case SparseAccumulator():
                self.accumulator(node, block)
            case CrdWriter() | ValWriter():
                if node.inputs[0] in self.stamps:
                    self._writer(node)  # otherwise the accumulator before it writes
            case _:
                raise SimulationError(f"{node.name} cannot work on records; this is a fault of fuseflow")

    def _writer(self, node: Node) -> None:
        unit, shape, source = self.units[node.name], self.fibers.shape, node.inputs[0]
        stamps, shift, sink = self.stamps[source], self.shift(source), unit.sink
        if isinstance(sink, CrdSink):
            self.add(
                node,
                lambda limit: sink.take_records(shape.data, limit, stamps.data, shift, self.storage, self.dense),
            )
        elif isinstance(sink, ValSink):
            operand, fill = self.flat(source, unit.state)

            def run(limit: int) -> None:
                fill(limit)
                _, values, word, _, carried = self.numbers(operand)
                sink.take_records(shape.data, limit, stamps.data, shift, values, word, carried)

            self.add(node, run)

    def _expansion(self, port: Port, stream: Stream) -> None:
        state: Words = np.zeros(HEADS, np.int64)
        shape, stamps, payload = self.fibers.shape, self.stamps[port], self.payload[port]
        tokens = self.repeated.get(port)
        operand, fill = self.flat(port, state) if payload == VALUES else (nowhere(), nothing)
        source = COORDINATES if payload == LOCATED else payload
        pace = self.paces.get(port, 1)

        def run(limit: int) -> None:
            fill(limit)
            _, values, word, _, _ = self.numbers(operand)
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
