"""What memory allows: the rows that A·X reads, summed as it sums them, and nothing else."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy import float32, int32, int64, uint64
from numpy.typing import NDArray

from fuseflow.formats import CompressedLevel, FiberTree
from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels._prefetch import LINE_VALUES, prefetch
from fuseflow.sim.threads import together

AHEAD = 8
"""Rows between the one that is fetched and the one that is summed; 4, 8 and 16 differ by less than the noise."""


def gather(matrix: FiberTree, rows: FiberTree, threads: int) -> Callable[[], None]:
    """A function that sums the rows of dense ``rows`` that each row of compressed ``matrix`` names, into new memory."""
    level = matrix.levels[1]
    assert isinstance(level, CompressedLevel)
    segments, width = level.segments, rows.shape[1]
    cuts = [int(np.searchsorted(segments, segments[-1] * part // threads)) for part in range(threads)]
    spans = list(zip(cuts, [*cuts[1:], len(segments) - 1], strict=True))

    def run() -> None:
        sums = np.empty((len(segments) - 1) * width, np.float32)
        arrays = segments, level.coordinates, rows.values, sums
        together([partial(_gather, *arrays, low, high, width) for low, high in spans])

    return run


@kernel
def _gather(
    segments: NDArray[int64],
    columns: NDArray[int32],
    values: NDArray[float32],
    sums: NDArray[float32],
    low: int,
    high: int,
    width: int,
) -> None:
    row = np.zeros(width, float32)
    for number in range(low, high):
        for place in range(segments[number], segments[number + 1]):
            if place + AHEAD < len(columns):
                start = int64(columns[place + AHEAD]) * width
                for step in range(0, width, LINE_VALUES):
                    prefetch(values, start + step)
            base = uint64(int64(columns[place]) * width)
            for step in range(uint64(width)):
                row[step] += values[base + step]
        base = uint64(number * width)
        for step in range(uint64(width)):
            sums[base + step] = row[step]
            row[step] = 0
