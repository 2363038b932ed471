"""Storage levels: the kinds a format is made of, and the arrays that store each of them.

Positions of a level number its stored coordinates from 0; a position of level ``l`` is the number of a fiber of level
``l + 1``, and a position of the last level is the place of a value. Above level 0 stands one root fiber.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import FormatError

Segments = NDArray[np.int64]
Coordinates = NDArray[np.int32]


class LevelKind(Enum):
    """How a level stores its coordinates; the value is the letter used in the text form of a format."""

    DENSE = "d"
    """Every coordinate of the dimension, none written down."""
    COMPRESSED = "c"
    """The coordinates present, fiber after fiber, with a segment array of fiber boundaries."""
    SINGLETON = "s"
    """Exactly one coordinate per fiber (the inner levels of COO)."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a format.

    ``unique`` is false where a coordinate may occur more than once in a fiber, which happens exactly where a
    singleton level follows: the two together (or more, in COO of higher order) then name a stored element once.
    """

    kind: LevelKind
    unique: bool = True

    def __post_init__(self) -> None:
        if self.kind is LevelKind.DENSE and not self.unique:
            raise FormatError("a dense level must be unique, not Level(DENSE, unique=False): leave unique out")


class Fill(IntEnum):
    """What is known of the fibers of a level; a larger value promises more."""

    UNKNOWN = 0
    """Some fiber may be empty."""
    NONEMPTY = 1
    """Every fiber holds at least one coordinate."""
    FULL = 2
    """Every fiber holds every coordinate of the dimension (and there is at least one)."""


@dataclass(frozen=True, slots=True)
class DenseLevel:
    """``size`` coordinates in every fiber; the position of coordinate ``i`` in fiber ``f`` is ``f * size + i``."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise FormatError(f"size of a dense level must be 0 or more, not {self.size}")


@dataclass(frozen=True, slots=True, eq=False)
class CompressedLevel:
    """Fiber ``f`` holds ``coordinates[segments[f]:segments[f + 1]]``.

    ``segments`` (int64) has one entry more than there are fibers, ``coordinates`` (int32) one per position.
    """

    segments: Segments
    coordinates: Coordinates

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", _integers(self.segments, np.int64, "segments of a compressed level"))
        object.__setattr__(self, "coordinates", _integers(self.coordinates, np.int32, "coordinates of a level"))


class WholeLevel(CompressedLevel):
    """A compressed level whose ``fibers`` fibers all hold the coordinates 0 to ``size - 1``.

    It is a :class:`CompressedLevel` like any other, but its coordinates take memory only once somebody asks for them:
    a result of long fibers is written, checked and made dense without them.
    """

    __slots__ = ("_made", "size")

    size: int
    _made: Coordinates | None

    def __init__(self, fibers: int, size: int) -> None:
        if fibers < 1 or size < 1:
            raise FormatError(f"a whole level has one fiber and one coordinate or more, not {fibers} of {size}")
        object.__setattr__(self, "segments", np.arange(0, fibers * size + 1, size, dtype=np.int64))
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "_made", None)

    @property
    def coordinates(self) -> Coordinates:
        made = self._made
        if made is None:
            made = np.tile(np.arange(self.size, dtype=np.int32), len(self.segments) - 1)
            object.__setattr__(self, "_made", made)
        return made

    def __repr__(self) -> str:
        return repr(CompressedLevel(self.segments, self.coordinates))

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return WholeLevel, (len(self.segments) - 1, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class SingletonLevel:
    """Fiber ``f`` holds the one coordinate ``coordinates[f]`` (int32), at position ``f``."""

    coordinates: Coordinates

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", _integers(self.coordinates, np.int32, "coordinates of a level"))


LevelStorage = DenseLevel | CompressedLevel | SingletonLevel


def kind_of(storage: LevelStorage) -> LevelKind:
    """The kind of level that ``storage`` stores."""
    match storage:
        case DenseLevel():
            return LevelKind.DENSE
        case CompressedLevel():
            return LevelKind.COMPRESSED
        case SingletonLevel():
            return LevelKind.SINGLETON
        case _:
            assert_never(storage)


def _integers(array: NDArray[Any], dtype: type[np.integer[Any]], what: str) -> NDArray[Any]:
    """``array`` as a contiguous 1-D array of ``dtype``; FormatError if that would change a value."""
    given = np.asarray(array)
    if given.ndim != 1:
        raise FormatError(f"{what} must be a 1-D array, not one of shape {given.shape}")
    if given.size == 0:
        return np.zeros(0, dtype)
    if given.dtype.kind not in "iu":
        raise FormatError(f"{what} must be integers, not {given.dtype}")
    if given.dtype != dtype:
        limits = np.iinfo(dtype)
        if int(given.max()) > limits.max or int(given.min()) < limits.min:
            raise FormatError(f"{what} must fit {limits.dtype}, found {given.min()} to {given.max()}")
    return np.ascontiguousarray(given, dtype=dtype)
