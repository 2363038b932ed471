"""Storage of a fiber group: the records in flight, their stamps on every stream, and computed values.

The layout is that of :mod:`fuseflow.sim.kernels.layout`. Every member counts the records it has taken; those that all
have taken are dropped.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fuseflow.sim.kernels.layout import LENGTH, OFFSET, TAKEN, Words

Floats = NDArray[np.float32]

UNLIMITED = 1 << 62


T = TypeVar("T", np.int64, np.float32)


class Track(Generic[T]):
    """``width`` numbers for every record in flight."""

    def __init__(self, fibers: "Fibers", width: int, kind: type[T]) -> None:
        self.width: int = width
        self.data: NDArray[T] = np.zeros(width * fibers.size, kind)
        fibers.add(self)


class Pool:
    """Values that are computed for the records in flight, at the offsets of the shape."""

    def __init__(self, fibers: "Fibers") -> None:
        fibers.pool_size = min(fibers.pool_size, fibers.first_pool_size)
        self.data: Floats = np.zeros(fibers.first_pool_size, np.float32)
        fibers.pools.append(self)


class Fibers:
    """The records of one group. ``size`` is how many may be in flight before the scanner waits."""

    def __init__(self, size: int, pool_size: int) -> None:
        self.size = size
        self.tracks: list[Track[np.int64] | Track[np.float32]] = []
        self.pools: list[Pool] = []
        self.first_pool_size = pool_size
        self.pool_size = UNLIMITED
        self.members: list[Words] = []
        self.shape = Track(self, 4, np.int64)

    def add(self, track: Track[np.int64] | Track[np.float32]) -> None:
        """Keep ``track`` in step with the records."""
        self.tracks.append(track)

    @property
    def made(self) -> int:
        return int(self.members[0][TAKEN])

    @property
    def oldest(self) -> int:
        """First record that some member has still to take."""
        return min(int(state[TAKEN]) for state in self.members)

    def drop(self) -> None:
        """Forget what all have taken, if that is all there is or fills half of the room."""
        oldest, made = self.oldest, self.made
        if oldest == 0 or (oldest < made and 2 * oldest < self.size and not self._pool_is_crowded(oldest)):
            return
        shape = self.shape.data
        if oldest < made:
            spent = int(shape[4 * oldest + OFFSET])
            used = int(shape[4 * made - 4 + OFFSET] + shape[4 * made - 4 + LENGTH])
            for pool in self.pools:
                pool.data[: used - spent] = pool.data[spent:used].copy()
            shape[4 * oldest + OFFSET : 4 * made : 4] -= spent
            for track in self.tracks:
                track.data[: track.width * (made - oldest)] = track.data[
                    track.width * oldest : track.width * made
                ].copy()
        for state in self.members:
            state[TAKEN] -= oldest

    def _pool_is_crowded(self, oldest: int) -> bool:
        return bool(self.pools) and 2 * int(self.shape.data[4 * oldest + OFFSET]) >= self.pool_size

    def grow(self) -> None:
        """Room for twice as many records and values."""
        self.size *= 2
        for track in self.tracks:
            track.data = np.concatenate((track.data, np.zeros_like(track.data)))  # type: ignore[assignment]  # stubs widen it
        if self.pools:
            self.pool_size *= 2
            for pool in self.pools:
                pool.data = np.concatenate((pool.data, np.zeros_like(pool.data)))


class Operand:
    """Where the values of a stream stand: ``word`` of the shape is the place of the first in ``values``.

    A negative word says that each record has one value, at its own number. ``factors`` gives each record a factor.
    """

    def __init__(self, values: Callable[[], Floats], word: int, factors: Callable[[], Floats] | None = None) -> None:
        self.values = values
        self.word = word
        self.factors = factors
