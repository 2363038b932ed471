"""From coordinates to level storage and back, vectorised.

Everything here works on coordinates *by level* (outermost first) unless it says otherwise.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import DataError, FormatError
from fuseflow.formats.format import Format
from fuseflow.formats.level import CompressedLevel, DenseLevel, LevelKind, LevelStorage, SingletonLevel

Integers = NDArray[np.int64]
Values = NDArray[np.float32]

MAX_POSITIONS = 2**31
"""Most positions one level may have (8 GiB of float32): a larger count is a dense level chosen by mistake."""


def sort_elements(
    coordinates: Sequence[Integers], values: Values, sizes: Sequence[int], *, sum_duplicates: bool, name: str
) -> tuple[list[Integers], Values]:
    """Elements in lexicographic order of their coordinates.

    Elements with equal coordinates are added up (in float32, in the order given) if ``sum_duplicates``, and refused
    with FormatError otherwise.
    """
    count = len(values)
    if count < 2:
        return list(coordinates), values
    if not coordinates:
        order = np.arange(count)
    elif prod(sizes) < 2**63:
        key = np.zeros(count, np.int64)
        for size, column in zip(sizes, coordinates, strict=True):
            key *= size
            key += column
        if bool((key[1:] > key[:-1]).all()):
            return list(coordinates), values
        order = np.argsort(key, kind="stable")
    else:
        order = np.lexsort(tuple(reversed(coordinates)))
    columns = [column[order] for column in coordinates]
    values = values[order]
    same = np.ones(count - 1, np.bool_)
    for column in columns:
        same &= column[1:] == column[:-1]
    if not same.any():
        return columns, values
    if not sum_duplicates:
        at = int(np.argmax(same))
        found = tuple(int(column[at]) for column in columns)
        raise FormatError(
            f"{name} has {int(same.sum())} repeated coordinates, first {found} (by level): "
            "store each element once, or add them up: read_mtx, read_tns and FiberTree.from_* do so "
            "with sum_duplicates=True"
        )
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    return [column[starts] for column in columns], np.add.reduceat(values, starts)


def build_levels(
    coordinates: Sequence[Integers], count: int, sizes: Sequence[int], format: Format, name: str
) -> tuple[tuple[LevelStorage, ...], Integers | None, int]:
    """Level storage for ``count`` sorted, distinct elements.

    Returns the levels, the position of each element in the last level (None for the identity) and the number of
    positions of the last level.
    """
    levels: list[LevelStorage] = []
    position: Integers | None = np.zeros(count, np.int64)
    fibers = 1
    for number, level in enumerate(format.levels):
        column, size = coordinates[number], sizes[number]
        match level.kind:
            case LevelKind.DENSE:
                levels.append(DenseLevel(size))
                parent = np.arange(count) if position is None else position
                position = parent * size + column
                fibers *= size
            case LevelKind.COMPRESSED:
                last = _chain_end(format, number)
                first = None if last == format.order - 1 else _first_of_each(position, coordinates[number : last + 1])
                # Below the last compressed or singleton level elements and positions are one and the same.
                owner = np.arange(count) if position is None else position
                if first is not None:
                    owner, column = owner[first], column[first]
                segments = np.zeros(fibers + 1, np.int64)
                np.cumsum(np.bincount(owner, minlength=fibers), out=segments[1:])
                levels.append(CompressedLevel(segments, column.astype(np.int32)))
                position = None if first is None else np.cumsum(first) - 1
                fibers = len(column)
            case LevelKind.SINGLETON:
                if position is None:
                    levels.append(SingletonLevel(column.astype(np.int32)))
                else:
                    chosen = np.zeros(fibers, np.int32)
                    chosen[position] = column
                    levels.append(SingletonLevel(chosen))
        if fibers > MAX_POSITIONS:
            raise FormatError(
                f'{name} would have {fibers} positions at level {number} of format "{format}" (sizes {tuple(sizes)}), '
                f"more than {MAX_POSITIONS}: store that level compressed"
            )
    return tuple(levels), position, fibers


def _chain_end(format: Format, start: int) -> int:
    """Last level of the run of singletons that starts below level ``start`` (``start`` itself if there is none)."""
    end = start
    while end + 1 < format.order and format.levels[end + 1].kind is LevelKind.SINGLETON:
        end += 1
    return end


def _first_of_each(position: Integers | None, columns: Sequence[Integers]) -> NDArray[np.bool_]:
    """Marks the elements that start a new (fiber, coordinates) group; ``position`` None means all differ."""
    count = len(columns[0])
    first = np.ones(count, np.bool_)
    if position is not None and count:
        first[1:] = position[1:] != position[:-1]
        for column in columns:
            first[1:] |= column[1:] != column[:-1]
    return first


def expand_levels(levels: Sequence[LevelStorage], positions: Integers) -> list[Integers]:
    """Coordinates, by level, of the given positions of the last level."""
    columns: list[Integers] = []
    for level in reversed(levels):
        match level:
            case DenseLevel(size):
                columns.append(positions % size if size else positions)
                positions = positions // size if size else positions
            case CompressedLevel(segments, coordinates):
                columns.append(coordinates[positions].astype(np.int64))
                positions = np.searchsorted(segments, positions, side="right") - 1
            case SingletonLevel(coordinates):
                columns.append(coordinates[positions].astype(np.int64))
    return columns[::-1]


def check_finite(values: Values, columns: Sequence[NDArray[np.integer]], name: str) -> None:
    """Refuse NaN and infinities with DataError; ``columns`` are the coordinates of the values, by dimension."""
    finite = np.isfinite(values)
    if bool(finite.all()):
        return
    at = int(np.argmin(finite))
    where = tuple(int(column[at]) for column in columns)
    raise DataError(
        f"{name} holds {values[at]} at coordinates {where} ({int(values.size - finite.sum())} such values in all): "
        "values must be finite in float32; replace them before (numpy.nan_to_num does), or keep them: the read_* "
        "functions and FiberTree.from_* do so with allow_nonfinite=True"
    )
