"""Steps of the units that own memory: writers, accumulators, and the ALU whose operators are numpy's."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import SparseAccumulator, UnaryALU
from fuseflow.einsum.operators import apply_unary
from fuseflow.sim.assemble import RawLevel, Rounds
from fuseflow.sim.kernels.accumulate import accumulate
from fuseflow.sim.kernels.accumulate_pairs import accumulate_pairs, rehash
from fuseflow.sim.kernels.alu import unary
from fuseflow.sim.kernels.layout import COUNT, FIRST_TOKEN, GROW, LIMIT, STATUS, Words
from fuseflow.sim.kernels.record_write import write_crd_flushes, write_crd_records, write_val_flushes, write_val_records
from fuseflow.sim.kernels.write import write_crd, write_val
from fuseflow.sim.machine import BlockTiming
from fuseflow.sim.stream import Stream

FIRST_ENTRIES = 1024


T = TypeVar("T", bound=np.generic)


def _widened(data: NDArray[T], size: int = 0, most: int = 0) -> NDArray[T]:
    """``data`` at the front of an array of at least four times its length and ``size``.

    What is not written takes no memory, so an array that may reach ``most`` is given all of it once that is near;
    otherwise a factor of four keeps the copies below a third of what is written.
    """
    wanted = max(4 * len(data), size)
    if wanted < most <= 64 * len(data):
        wanted = most
    larger = np.empty(wanted, data.dtype)
    larger[: len(data)] = data
    return larger


class CrdSink:
    """Coordinate writer with the arrays it fills; ``most`` is how many coordinates the result may have, 0: unknown.

    With ``rounds`` every fiber so far has held the coordinates below it, and none is written down.
    """

    def __init__(self, state: Words, source: Stream) -> None:
        self._state, self._source = state, source
        self.coordinates: NDArray[np.int32] = np.empty(FIRST_ENTRIES, np.int32)
        self._ends: NDArray[np.int64] = np.empty(FIRST_ENTRIES, np.int64)
        self.most = 0
        self.rounds = 0

    def __call__(self) -> None:
        write_crd(self._state, self._source.buffer, self.coordinates, self._ends)
        while self._state[STATUS] == GROW:
            if self._state[COUNT] == len(self.coordinates):
                self.coordinates = _widened(self.coordinates, most=self.most)
            if self._state[LIMIT] == len(self._ends):
                self._ends = _widened(self._ends)
            write_crd(self._state, self._source.buffer, self.coordinates, self._ends)

    def take_records(
        self, shape: Words, limit: int, stamps: Words, shift: int, storage: NDArray[np.int32], dense: bool
    ) -> None:
        """As a call, on the records before ``limit`` of a fiber group."""
        arguments = shape, limit, stamps, shift, storage, dense
        write_crd_records(self._state, *arguments, self.coordinates, self._ends)
        while self._state[STATUS] == GROW:
            self.coordinates = _widened(self.coordinates, most=self.most)
            self._ends = _widened(self._ends)
            write_crd_records(self._state, *arguments, self.coordinates, self._ends)

    def take_flushes(self, flushes: Words) -> None:
        """Account for coordinates that an accumulator has put into ``coordinates``."""
        stops = int(self._state[LIMIT]) + int(flushes[0])
        if stops > len(self._ends):
            self._ends = _widened(self._ends, stops)
        write_crd_flushes(self._state, flushes, 0, self._ends)

    def reserve(self, size: int) -> None:
        """Make room for ``size`` coordinates in all."""
        if size > len(self.coordinates) and self.rounds == 0:
            self.coordinates = _widened(self.coordinates, size, self.most)

    def write_rounds(self, size: int) -> None:
        """From the first on, fibers will hold the coordinates below ``size``, until one does not (``spell``)."""
        self.rounds, self.coordinates = size, np.empty(0, np.int32)

    def spell(self) -> None:
        """Write the coordinates so far down, and those to come."""
        count = int(self._state[COUNT])
        self.coordinates = _widened(Rounds(self.rounds, count).spelled(), FIRST_ENTRIES, self.most)
        self.rounds = 0

    @property
    def written(self) -> RawLevel:
        """Coordinates, and their running count at every stop."""
        if self.rounds:
            return Rounds(self.rounds, int(self._state[COUNT])), self._ends[: self._state[LIMIT]]
        return self.coordinates[: self._state[COUNT]], self._ends[: self._state[LIMIT]]


class ValSink:
    """Value writer with the array it fills; ``most`` is how many values the result may have, 0: unknown.

    Without ``carried`` there are no values: what is ``written`` is NaN.
    """

    def __init__(self, state: Words, source: Stream) -> None:
        self._state, self._source = state, source
        self.bits: NDArray[np.uint32] = np.empty(FIRST_ENTRIES, np.uint32)
        self.carried = True
        self.most = 0

    def __call__(self) -> None:
        write_val(self._state, self._source.buffer, self.bits)
        while self._state[STATUS] == GROW:
            self.bits = _widened(self.bits, most=self.most)
            write_val(self._state, self._source.buffer, self.bits)

    def take_records(
        self,
        shape: Words,
        limit: int,
        stamps: Words,
        shift: int,
        values: NDArray[np.float32],
        word: int,
        carried: bool,
    ) -> None:
        """As a call, on the records before ``limit`` of a fiber group."""
        arguments = shape, limit, stamps, shift, values, word, carried
        write_val_records(self._state, *arguments, self.bits)
        while self._state[STATUS] == GROW:
            self.bits = _widened(self.bits, most=self.most)
            write_val_records(self._state, *arguments, self.bits)

    def take_flushes(self, flushes: Words) -> None:
        """Account for values that an accumulator has put into ``bits``."""
        write_val_flushes(self._state, flushes, 0)

    def reserve(self, size: int) -> None:
        """Make room for ``size`` values in all."""
        if size > len(self.bits):
            self.bits = _widened(self.bits, size, self.most)

    @property
    def written(self) -> NDArray[np.float32]:
        count = int(self._state[COUNT])
        return self.bits[:count].view(np.float32) if self.carried else np.broadcast_to(np.float32(np.nan), count)


class DenseSums:
    """Accumulator of order 1 with a workspace of the size of its index variable."""

    def __init__(
        self, block: SparseAccumulator, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream]
    ) -> None:
        (extent,) = block.extents
        self._state, self._streams = state, (*inputs, *outputs)
        self._memory = np.zeros(extent, np.float32), np.zeros(extent, np.uint8), np.empty(extent, np.int64)

    def __call__(self) -> None:
        inner, outer, val, crd_out, val_out = self._streams
        accumulate(self._state, inner.buffer, outer.buffer, val.buffer, crd_out.buffer, val_out.buffer, *self._memory)


class PairSums:
    """Accumulator of order 2 with a hash table of the pairs that are there, so memory follows the data."""

    def __init__(
        self, block: SparseAccumulator, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream]
    ) -> None:
        self._extent = max(block.extents[1], 1)
        self._state, self._streams = state, (*inputs, *outputs)
        self._allocate(FIRST_ENTRIES)

    def _allocate(self, size: int) -> None:
        self._keys = np.full(size, -1, np.int64)
        self._sums = np.zeros(size, np.float32)
        self._slots = np.empty(size // 2, np.int64)

    def __call__(self) -> None:
        self._run()
        while self._state[STATUS] == GROW:
            keys, sums, slots = self._keys, self._sums, self._slots
            self._allocate(2 * len(keys))
            rehash(keys, sums, slots, int(self._state[LIMIT]), self._keys, self._sums, self._slots)
            self._run()

    def _run(self) -> None:
        buffers = [stream.buffer for stream in self._streams]
        accumulate_pairs(self._state, *buffers, self._keys, self._sums, self._slots, self._extent)  # type: ignore[call-arg, arg-type]  # starred


class Unary:
    """Unary ALU: the kernel moves tokens and clocks, the table of operators does the arithmetic of the chunk."""

    def __init__(self, block: UnaryALU, timing: BlockTiming, state: Words, source: Stream, out: Stream) -> None:
        self._block, self._state, self._source, self._out = block, state, source, out
        self._pace = timing.latency_cycles, timing.interval_cycles

    def __call__(self) -> None:
        out = self._out
        before = out.tail
        unary(self._state, self._source.buffer, out.buffer, *self._pace)
        words = out.buffer[FIRST_TOKEN + 2 * before : FIRST_TOKEN + 2 * out.tail]
        payload = words[::2] >= 0
        values = words.view(np.float32)[::4]  # low halves; the high half of a value is zero (little endian)
        with np.errstate(all="ignore"):
            values[payload] = apply_unary(self._block.op, values[payload], self._block.scalar)
