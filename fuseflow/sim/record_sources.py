"""Makes the members of a fiber group that begin it or spread values over it: scanners and repeats."""

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    LevelScanner,
    Missing,
    Repeat,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.sim.blocks import compressed_level
from fuseflow.sim.engine_units import read_only
from fuseflow.sim.kernels.layout import (
    TAKEN,
)
from fuseflow.sim.kernels.record_expand import COORDINATES, REFERENCES, REPEATED
from fuseflow.sim.kernels.record_map import unpack_records
from fuseflow.sim.kernels.record_repeat import repeat_records
from fuseflow.sim.kernels.record_scan import scan_records
from fuseflow.sim.record_parts import NO_SEGMENTS, Parts, each
from fuseflow.sim.records import Track


class Sources(Parts):
    """Scanners and repeats."""

    def scanner(self, node: Node, block: LevelScanner) -> None:
        state, shape, refs = self.units[node.name].state, self.fibers.shape, self.streams[node.inputs[0]]
        track = self.makes(node, state)
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

        self.add(node, run, [refs])

    def repeat(self, node: Node, block: Repeat) -> None:
        state, shape, data = self.units[node.name].state, self.fibers.shape, self.streams[node.inputs[0]]
        signals, shift, out = self.stamps[node.inputs[1]], self.shift(node.inputs[1]), self.makes(node, state)
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
            self.operands[port] = each(numbers)

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

        self.add(node, run, [data])
