"""The sums of an accumulator of dense fibers, whose rows or columns threads share."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fuseflow.sim.engine_units import read_only
from fuseflow.sim.kernels.layout import Words
from fuseflow.sim.kernels.record_columns import sum_columns
from fuseflow.sim.threads import Shared, column_parts, enough_for, together

Floats = NDArray[np.float32]

PARTS = 8
"""Parts of the work per thread: who comes later, because of other work, takes fewer of them."""


class SharedSums:
    """Sums of rows of ``extent`` columns. A row is what is summed between two flushes; it may go on in the next call.

    Every sum is taken in the order of the records, so it does not depend on who takes it.
    """

    def __init__(self, extent: int, threads: int) -> None:
        self._threads = max(threads, 1)
        most = 1 if threads < 2 else PARTS * threads
        self._rows: list[Floats] = [np.zeros(extent, np.float32) for _ in range(most)]
        self._shared = Shared()

    def add(
        self,
        shape: Words,
        first: int,
        last: int,
        events: Words,
        numbers: tuple[Floats, Floats, int, bool],
        out: tuple[bool, Words, NDArray[np.uint32]],
        wait: bool,
    ) -> None:
        """Sum the records from ``first`` to ``last`` with the flushes ``events``; see ``sum_columns`` for the rest.

        Without ``wait`` other threads may still be at it afterwards, on copies of everything but the values and where
        the sums go: those stay as they are until ``finish``.
        """
        self._shared.finish()
        extent, told = len(self._rows[0]), int(events[0])
        threads = self._threads if enough_for(extent * (last - first)) else 1
        cuts = self._cuts(events, first, last, 1 if threads < 2 else len(self._rows))
        if threads > 1 and len(cuts) == 0:
            # Hardly a flush: the threads share the columns of the one row.
            row, spans = self._rows[0], (first, last, 0, told)
            together(
                [
                    partial(sum_columns, shape, *spans, events, *numbers, row, low, high, *out)
                    for low, high in column_parts(extent, threads)
                ]
            )
            return
        if threads > 1 and not wait:
            shape, events, numbers = _kept(shape, first, last, events, numbers)
            first, last = 0, last - first
        bounds = [0, *cuts, told]
        starts = [first, *(int(events[3 * cut - 2]) for cut in cuts)]
        ends = [*starts[1:], last]
        parts = [
            partial(sum_columns, shape, start, end, low, high, events, *numbers, row, 0, extent, *out)
            for start, end, low, high, row in zip(starts, ends, bounds, bounds[1:], self._rows, strict=False)
        ]
        self._shared.start(parts, min(threads, len(parts)) - 1)
        if wait or threads < 2:
            self._shared.finish()
        # The last part has the row that goes on.
        self._rows[0], self._rows[len(cuts)] = self._rows[len(cuts)], self._rows[0]

    def finish(self) -> None:
        """Wait until all sums are there."""
        self._shared.finish()

    @staticmethod
    def _cuts(events: Words, first: int, last: int, parts: int) -> Sequence[int]:
        """Numbers of flushes after which another part begins, so that all have about as many records."""
        told = int(events[0])
        if parts < 2 or told < 2:
            return []
        wanted = first + (last - first) * np.arange(1, parts) // parts
        found = np.searchsorted(events[1 : 1 + 3 * told : 3], wanted) + 1
        return [int(cut) for cut in np.unique(found) if cut < told]


def _kept(
    shape: Words, first: int, last: int, events: Words, numbers: tuple[Floats, Floats, int, bool]
) -> tuple[Words, Words, tuple[Floats, Floats, int, bool]]:
    """Copies of what the engine goes on to change, with ``first`` as record 0."""
    factors, values, word, scaled = numbers
    kept = events[: 1 + 3 * int(events[0])].copy()
    kept[1::3] -= first
    # Read-only as the originals are: numba compiles a kernel for each.
    factors = read_only(factors[first:last].copy(), np.float32) if scaled else factors
    return shape[4 * first : 4 * last].copy(), kept, (factors, values, word, scaled)
