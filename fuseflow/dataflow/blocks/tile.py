"""Tiles: what a value is in a blocked graph (paper §7): a dense array over the inner part of some index variables."""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class Tile:
    """``axes`` are the blocked index variables that the value has, outermost first, ``shape`` their block sizes.

    A tile without axes is a number. There may be any number of axes.
    """

    axes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()

    @property
    def elements(self) -> int:
        """Numbers in the tile."""
        return prod(self.shape)

    @property
    def longest(self) -> int:
        """Its longest side; 1 for a number."""
        return max(self.shape, default=1)

    def size(self, axis: str) -> int:
        return self.shape[self.axes.index(axis)]

    def __str__(self) -> str:
        return " x ".join(f"{axis}:{size}" for axis, size in zip(self.axes, self.shape, strict=True)) or "number"
