"""What the makers of a fiber group share: its streams as records, and who has made what."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Node, Port
from fuseflow.formats import FiberTree
from fuseflow.sim.engine_units import Unit, read_only
from fuseflow.sim.kernels.layout import (
    OFFSET,
    START,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.record_pool import pool_values
from fuseflow.sim.machine import Machine
from fuseflow.sim.record_plan import FiberGroup
from fuseflow.sim.record_task import Member
from fuseflow.sim.records import Fibers, Operand, Pool, Track
from fuseflow.sim.stream import Stream

Floats = NDArray[np.float32]

NO_WORDS: Words = np.zeros(2, np.int64)
NO_VALUES = read_only(np.zeros(1, np.float32), np.float32)
NO_COORDINATES = read_only(np.zeros(0, np.int32), np.int32)
NO_SEGMENTS = read_only(np.zeros(1, np.int64), np.int64)

LOCATED = -1
"""Payload of a located stream: references that are the coordinates of the scanner. Others: see ``record_expand``."""


class Parts:
    """The group so far; the kernels of its nodes are added in the order of the graph."""

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

    def shift(self, port: Port) -> int:
        return int(len(self.readers.get(port, ())) > 1)

    def makes(self, node: Node, state: Words) -> Track[np.int64]:
        track = Track(self.fibers, 2, np.int64)
        for spec in node.block.outputs:
            port = Port(node.name, spec.name)
            self.stamps[port], self.makers[port] = track, state
        return track

    def add(
        self,
        node: Node,
        run: Callable[[int], None],
        inputs: Sequence[Stream] = (),
        outputs: Sequence[Stream] = (),
    ) -> None:
        sources = [self.makers[port] for port in node.inputs if port in self.group.ports]
        self.members.append(Member(self.units[node.name].state, run, sources, inputs, outputs))

    def flat(self, port: Port, state: Words) -> tuple[Operand, Callable[[int], None]]:
        """The values of ``port`` with one value per payload, and what to run before they are read."""
        operand = self.operands[port]
        if operand.word >= 0 or not self.carried:
            return operand, lambda limit: None
        pool, shape = Pool(self.fibers), self.fibers.shape

        def fill(limit: int) -> None:
            first = int(state[TAKEN])
            pool_values(shape.data, first, limit, read_only(operand.values(), np.float32), operand.word, pool.data)

        return pooled(pool), fill

    def numbers(self, operand: Operand) -> tuple[Floats, Floats, int, bool, bool]:
        """Factors, values, word, whether scaled, whether carried: as the kernels take them."""
        if not self.carried:
            return NO_VALUES, NO_VALUES, START, False, False
        factors = NO_VALUES if operand.factors is None else read_only(operand.factors(), np.float32)
        values = read_only(operand.values(), np.float32)
        return factors, values, operand.word, operand.factors is not None, True


def each(track: Track[np.float32] | None) -> Operand:
    """One value per record."""
    return Operand((lambda: NO_VALUES) if track is None else (lambda: track.data), -1)


def pooled(pool: Pool) -> Operand:
    """The values of ``pool``, at the offsets of the records."""
    return Operand(lambda: pool.data, OFFSET)


def nowhere() -> Operand:
    """No values: nobody asks for them."""
    return Operand(lambda: NO_VALUES, START)


def ignore(_: tuple[int, int]) -> None:
    """For members that need only the clocks."""
    return None


def nothing(_: int) -> None:
    """What to run before values are read that stand where they are read."""
    return None
