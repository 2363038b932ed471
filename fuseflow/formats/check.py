"""The rules a fiber tree must keep, checked once when it is made."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import FormatError
from fuseflow.formats.format import Format
from fuseflow.formats.level import (
    CompressedLevel,
    Coordinates,
    DenseLevel,
    LevelStorage,
    Segments,
    SingletonLevel,
    WholeLevel,
    kind_of,
)

MAX_DIMENSION = 2**31 - 1
"""Largest dimension: coordinates are int32."""


def check_shape(shape: Sequence[int], order: int, what: str) -> tuple[int, ...]:
    """``shape`` as a tuple of ints; FormatError if it does not have ``order`` sizes of 0 to 2**31 - 1."""
    sizes = tuple(int(size) for size in shape)
    if len(sizes) != order:
        raise FormatError(f"shape {sizes} has {len(sizes)} dimensions, but {what} has {order}: they must agree")
    if any(not 0 <= size <= MAX_DIMENSION for size in sizes):
        raise FormatError(f"every dimension must be 0 to {MAX_DIMENSION}, but the shape is {sizes}")
    return sizes


def check_tree(
    shape: tuple[int, ...], format: Format, levels: tuple[LevelStorage, ...], values: NDArray[np.float32]
) -> None:
    """Raise FormatError, with level and fiber, unless ``levels`` and ``values`` store a tensor in ``format``.

    Rules: kinds as in the format; dense sizes as in the shape; segments start at 0, never fall and end at the number
    of coordinates; coordinates in range, and rising within a fiber (lexicographically over the singleton levels that
    follow); one value, or one tile, per position of the last level.
    """
    if len(levels) != format.order:
        raise FormatError(f'{len(levels)} levels are stored, but format "{format}" has {format.order}')
    fibers = 1
    for number, level in enumerate(levels):
        size = shape[format.mode_order[number]]
        where = f"level {number} (dimension {format.mode_order[number]})"
        if kind_of(level) is not format.levels[number].kind:
            raise FormatError(
                f'{where} is stored {kind_of(level).name.lower()}, but format "{format}" says '
                f"{format.levels[number].kind.name.lower()}"
            )
        match level:
            case DenseLevel():
                if level.size != size:
                    raise FormatError(f"{where} stores size {level.size}, but the shape {shape} says {size}")
                fibers *= size
            case WholeLevel() if level.size == size:  # nothing that could be wrong but how many fibers there are
                _check_segments(level.segments, int(level.segments[-1]), fibers, where)
                fibers = int(level.segments[-1])
            case CompressedLevel(segments, coordinates):
                _check_segments(segments, len(coordinates), fibers, where)
                _check_range(coordinates, size, where)
                chain = [coordinates, *_singletons(levels, number, len(coordinates), format)]
                _check_rising(segments, chain, where)
                fibers = len(coordinates)
            case SingletonLevel(coordinates):
                _check_range(coordinates, size, where)
    if values.shape[:1] != (fibers,):
        raise FormatError(
            f"values have shape {values.shape}, but the last level has {fibers} positions: give one value per position"
        )


def _singletons(levels: Sequence[LevelStorage], start: int, count: int, format: Format) -> list[Coordinates]:
    """Coordinates of the singleton levels right below ``start``, each checked to have ``count`` of them."""
    chain: list[Coordinates] = []
    for number in range(start + 1, len(levels)):
        level = levels[number]
        if not isinstance(level, SingletonLevel):
            break
        if len(level.coordinates) != count:
            raise FormatError(
                f"level {number} (dimension {format.mode_order[number]}) has {len(level.coordinates)} singleton "
                f"coordinates, but level {start} has {count} positions: they must be equal"
            )
        chain.append(level.coordinates)
    return chain


def _check_segments(segments: Segments, count: int, fibers: int, where: str) -> None:
    if len(segments) != fibers + 1:
        raise FormatError(
            f"{where} has {len(segments)} segment entries, but {fibers} fibers need {fibers + 1} (one more than fibers)"
        )
    if segments[0] != 0 or segments[-1] != count:
        raise FormatError(
            f"{where} has segments from {segments[0]} to {segments[-1]}, but they must run from 0 to the number of "
            f"coordinates, {count}"
        )
    falls = np.flatnonzero(segments[1:] < segments[:-1])
    if len(falls):
        fiber = int(falls[0])
        raise FormatError(
            f"{where} has segments that fall from {segments[fiber]} to {segments[fiber + 1]} at fiber {fiber}: "
            "segments must never fall"
        )


def _check_range(coordinates: Coordinates, size: int, where: str) -> None:
    if len(coordinates) and (int(coordinates.min()) < 0 or int(coordinates.max()) >= size):
        position = int(np.argmax((coordinates < 0) | (coordinates >= size)))
        raise FormatError(
            f"{where} has coordinate {coordinates[position]} at position {position}, "
            f"outside 0..{size - 1} for a dimension of size {size}"
        )


CHECKED_AT_ONCE = 1 << 17


def _stays(chain: Sequence[Coordinates], start: int, end: int) -> NDArray[np.int64]:
    """Places from ``start`` to ``end`` whose tuple of coordinates is not below the next."""
    before, after = chain[0][start:end], chain[0][start + 1 : end + 1]
    rises = after > before
    if len(chain) > 1:
        equal = after == before
        for column in chain[1:]:
            before, after = column[start:end], column[start + 1 : end + 1]
            rises |= equal & (after > before)
            equal &= after == before
    return np.flatnonzero(~rises) + start


def _check_rising(segments: Segments, chain: Sequence[Coordinates], where: str) -> None:
    """Coordinate tuples of ``chain`` must rise strictly within each fiber."""
    count = len(chain[0])
    if count < 2:
        return
    # In pieces that stay in the cache; where a coordinate does not rise, a fiber has to end.
    stays = [
        _stays(chain, start, min(start + CHECKED_AT_ONCE, count - 1)) for start in range(0, count - 1, CHECKED_AT_ONCE)
    ]
    places = np.concatenate(stays)
    inside = places[segments[np.searchsorted(segments, places + 1)] != places + 1]
    if len(inside) == 0:
        return
    at = int(inside[0])
    fiber = int(np.searchsorted(segments, at, side="right")) - 1
    before, after = (tuple(int(column[place]) for column in chain) for place in (at, at + 1))
    raise FormatError(
        f"{where} has coordinates {before} then {after} in fiber {fiber}: coordinates of a fiber must be sorted and "
        "different; sort them, or build the tree with from_coordinates"
    )
