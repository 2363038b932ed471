"""The sums of an accumulator of dense fibers, whose rows or columns threads share."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fuseflow.sim.kernels.layout import Words
from fuseflow.sim.kernels.record_columns import sum_columns
from fuseflow.sim.threads import column_parts, enough_for, together

Floats = NDArray[np.float32]


class SharedSums:
    """Sums of rows of ``extent`` columns. A row is what is summed between two flushes; it may go on in the next call.

    Every sum is taken in the order of the records, so it does not depend on who takes it.
    """

    def __init__(self, extent: int, threads: int) -> None:
        self._threads = max(threads, 1)
        self._rows: list[Floats] = [np.zeros(extent, np.float32) for _ in range(self._threads)]

    def add(
        self,
        shape: Words,
        first: int,
        last: int,
        events: Words,
        numbers: tuple[Floats, Floats, int, bool],
        out: tuple[bool, Words, NDArray[np.uint32]],
    ) -> None:
        """Sum the records from ``first`` to ``last`` with the flushes ``events``; see ``sum_columns`` for the rest."""
        extent, told = len(self._rows[0]), int(events[0])
        threads = self._threads if enough_for(extent * (last - first)) else 1
        cuts = self._cuts(events, first, last, threads)
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
        bounds = [0, *cuts, told]
        starts = [first, *(int(events[3 * cut - 2]) for cut in cuts)]
        ends = [*starts[1:], last]
        together(
            [
                partial(sum_columns, shape, start, end, low, high, events, *numbers, row, 0, extent, *out)
                for start, end, low, high, row in zip(starts, ends, bounds, bounds[1:], self._rows, strict=False)
            ]
        )
        # The last part has the row that goes on.
        self._rows[0], self._rows[len(cuts)] = self._rows[len(cuts)], self._rows[0]

    @staticmethod
    def _cuts(events: Words, first: int, last: int, threads: int) -> Sequence[int]:
        """Numbers of flushes after which another thread takes over, so that all have about as many records."""
        told = int(events[0])
        if threads < 2 or told < 2:
            return []
        wanted = first + (last - first) * np.arange(1, threads) // threads
        found = np.searchsorted(events[1 : 1 + 3 * told : 3], wanted) + 1
        return [int(cut) for cut in np.unique(found) if cut < told]
