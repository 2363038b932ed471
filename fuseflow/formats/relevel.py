"""From compressed levels straight to dense or compressed ones in the same order: what a simulated result needs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.formats.build import MAX_POSITIONS
from fuseflow.formats.format import Format
from fuseflow.formats.level import CompressedLevel, DenseLevel, LevelKind, LevelStorage

Integers = NDArray[np.int64]


def relevel(
    levels: Sequence[LevelStorage], values: NDArray[np.float32], sizes: Sequence[int], format: Format
) -> tuple[tuple[LevelStorage, ...], NDArray[np.float32]] | None:
    """Levels and values in ``format``, or None where elements would have to be sorted, or levels are of other kinds.

    ``sizes`` are by level; ``levels`` have been checked, so their coordinates are sorted. Every stored value stays
    stored. The same as going over coordinates, without them.
    """
    kinds = [level.kind for level in format.levels]
    if not levels or any(kind not in (LevelKind.DENSE, LevelKind.COMPRESSED) for kind in kinds):
        return None
    made: list[LevelStorage] = []
    place: Integers | None = None  # where the positions of the level above went; None: they stayed
    positions = 1
    for level, kind, size in zip(levels, kinds, sizes, strict=True):
        if not isinstance(level, CompressedLevel):
            return None
        counts = np.diff(level.segments)
        if LevelKind.COMPRESSED in kinds[: len(made)] and bool((counts == 0).any()):
            return None  # coordinates without elements would have to go
        if kind is LevelKind.DENSE:
            made.append(DenseLevel(size))
            positions *= size
            if positions > MAX_POSITIONS:
                return None  # the general way says which level
            if level.segments[-1] == positions:
                place = None  # every fiber is full
            else:
                parents = np.arange(len(counts)) if place is None else place
                place = np.repeat(parents * size, counts)
                place += level.coordinates
        else:
            segments = level.segments
            if place is not None:
                spread = np.zeros(positions, np.int64)
                spread[place] = counts
                segments = np.zeros(positions + 1, np.int64)
                np.cumsum(spread, out=segments[1:])
            kept = segments is level.segments
            made.append(level if kept else CompressedLevel(segments, level.coordinates))
            place = None
            positions = int(level.segments[-1])
    if place is not None:
        padded = np.zeros((positions, *values.shape[1:]), np.float32)
        padded[place] = values
        values = padded
    return tuple(made), values
