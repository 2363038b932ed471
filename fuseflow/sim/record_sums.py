"""Makes the members of a fiber group that add up: reductions and accumulators."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseflow.dataflow.blocks import (
    Reduce,
    SparseAccumulator,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.einsum.operators import ReduceOp
from fuseflow.errors import SimulationError
from fuseflow.sim.engine_memory import CrdSink, ValSink
from fuseflow.sim.kernels.layout import (
    FINISHED,
    FULL,
    GOT,
    GROW,
    SPELL,
    START,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.record_accumulate import accumulate_records
from fuseflow.sim.kernels.record_reduce import reduce_records
from fuseflow.sim.record_parts import NO_WORDS, Parts
from fuseflow.sim.shared_sums import SharedSums
from fuseflow.sim.stream import Stream

FLUSHES = 4096
"""Flushes of an accumulator between two turns of the writers behind it."""


class Sums(Parts):
    """Reductions and accumulators."""

    def reduce(self, node: Node, block: Reduce) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        source, out = node.inputs[0], self.streams[Port(node.name, "val")]
        stamps, shift = self.stamps[source], self.shift(source)
        operand, fill = self.flat(source, state)
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
                *self.numbers(operand),
                block.guarded,
                largest,
                identity,
                1 if largest else self.machine.reduce.latency_cycles,
            )

        self.add(node, run, guards, [out])

    def accumulator(self, node: Node, block: SparseAccumulator) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        crd_port, outer_port, val_port = node.inputs
        (extent,) = block.extents
        crd, val, outers = self.stamps[crd_port], self.stamps[val_port], self.streams[outer_port]
        shifts = self.shift(crd_port), self.shift(val_port)
        outs = [self.streams[Port(node.name, spec.name)] for spec in block.outputs]
        operand, fill = self.flat(val_port, state)
        memory = np.zeros(extent, np.float32), np.zeros(extent, np.uint8), np.empty(extent, np.int64)
        flushed = self._flushed(node, outs)
        later, pace = self.dense and self.carried, self.paces.get(val_port, 1)
        events: Words = np.zeros(1 + 3 * FLUSHES, np.int64)
        shared = SharedSums(extent if later else 0, self.threads)

        def accumulate(limit: int, crd_out: Words, val_out: Words, *sink: Any) -> None:
            fill(limit)
            first = int(state[TAKEN])
            factors, values, word, scaled, carried = self.numbers(operand)
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

            self.add(node, run_and_write, [outers])
            return
        for stream in outs:
            while stream.size < extent + 1:
                stream.grow()
        no_sink = False, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint32)
        self.add(node, lambda limit: accumulate(limit, outs[0].buffer, outs[1].buffer, *no_sink), [outers], outs)

    def _flushed(self, node: Node, outs: Sequence[Stream]) -> tuple[CrdSink, ValSink] | None:
        """What the accumulator writes itself, if only writers in the group read it."""
        if any(stream.port not in self.group.ports for stream in outs):
            return None
        sinks = [self.units[name].sink for stream in outs for name in self.readers[stream.port]]
        match sinks:
            case [CrdSink() as crd, ValSink() as val]:
                return crd, val
        raise SimulationError(f"{node.name}: its outputs have to go to two writers; this is a fault of fuseflow")
