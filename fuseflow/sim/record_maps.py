"""Makes the members of a fiber group that send one token for each they take: arrays, ALUs and locates."""

from collections.abc import Callable

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Reduce,
    SparseAccumulator,
    UnaryALU,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.einsum.operators import BinaryOp, apply_unary
from fuseflow.sim.blocks import bound_tensor
from fuseflow.sim.engine_units import binary_timing, read_only
from fuseflow.sim.kernels.alu import BINARY_CODES
from fuseflow.sim.kernels.layout import (
    COUNT,
    LENGTH,
    MISFIT,
    OFFSET,
    START,
    STATUS,
    TAKEN,
)
from fuseflow.sim.kernels.record_expand import COORDINATES, REFERENCES, REPEATED, VALUES
from fuseflow.sim.kernels.record_map import fetch_records, map_records
from fuseflow.sim.kernels.record_pool import pool_binary, pool_located, pool_values
from fuseflow.sim.record_parts import LOCATED, NO_WORDS, Parts, each, ignore, nowhere, pooled
from fuseflow.sim.records import UNLIMITED, Operand, Pool, Track


class Maps(Parts):
    """Arrays, ALUs and locates."""

    def _timing(self, node: Node, size: int = UNLIMITED) -> Callable[[int], tuple[int, int]]:
        """Runs the clocks of a block that maps payloads; the records it took are those between the results."""
        state, shape = self.units[node.name].state, self.fibers.shape
        left, right = node.inputs[0], node.inputs[-1]
        tracks = self.stamps[left], self.stamps[right]
        shifts = self.shift(left), self.shift(right)
        out = self.makes(node, state) if node.block.outputs else None
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

    def array(self, node: Node, block: Array) -> None:
        state, shape = self.units[node.name].state, self.fibers.shape
        source, port = node.inputs[0], Port(node.name, "val")
        values = read_only(bound_tensor(node.name, block.tensor, self.tensors).values, np.float32)
        payload = self.payload[source]
        timing = self._timing(node, len(values) if payload == REFERENCES else UNLIMITED)
        self.payload[port] = VALUES
        if payload == REFERENCES:
            self.operands[port] = Operand(lambda: values, START)
            self.add(node, lambda limit: ignore(timing(limit)))
        elif payload == REPEATED:
            tokens, fetched = self.repeated[source], Track(self.fibers, 1, np.float32)
            self.operands[port] = each(fetched)

            def fetch(limit: int) -> None:
                missing = fetch_records(shape.data, *timing(limit), tokens.data, values, fetched.data)
                state[COUNT] -= missing
                if missing < 0:
                    state[STATUS] = MISFIT

            self.add(node, fetch)
        else:
            pool = Pool(self.fibers)
            self.operands[port] = pooled(pool)

            def locate(limit: int) -> None:
                span = timing(limit)
                if not pool_located(shape.data, *span, values, self.storage, self.dense, pool.data):
                    state[STATUS] = MISFIT

            self.add(node, locate)

    def binary(self, node: Node, block: BinaryALU) -> None:
        shape, port = self.fibers.shape, Port(node.name, "val")
        timing = self._timing(node)
        left, right = self.operands[node.inputs[0]], self.operands[node.inputs[1]]
        self.payload[port] = VALUES
        scaled = self._scaled(block, port, left, right)
        if scaled is not None or not self.carried:
            self.operands[port] = scaled or nowhere()
            self.add(node, lambda limit: ignore(timing(limit)))
            return
        pool, code = Pool(self.fibers), BINARY_CODES[block.op]
        self.operands[port] = pooled(pool)

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

        self.add(node, run)

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

    def unary(self, node: Node, block: UnaryALU) -> None:
        shape, port = self.fibers.shape, Port(node.name, "val")
        timing = self._timing(node)
        self.payload[port] = VALUES
        if not self.carried:
            self.operands[port] = nowhere()
            self.add(node, lambda limit: ignore(timing(limit)))
            return
        operand, pool = self.operands[node.inputs[0]], Pool(self.fibers)
        self.operands[port] = pooled(pool)

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

        self.add(node, run)

    def locate(self, node: Node) -> None:
        timing = self._timing(node)
        located, ref, crd = (Port(node.name, spec.name) for spec in node.block.outputs)
        self.payload |= {located: LOCATED, ref: REFERENCES, crd: COORDINATES}
        self.add(node, lambda limit: ignore(timing(limit)))
