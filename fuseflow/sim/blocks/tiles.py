"""Arithmetic on tokens: numbers, and tiles where the graph is blocked (``dataflow/blocks/tile``).

A tile travels as a :class:`TileToken`, which every unit that only moves values takes for a float. Tiles are float32;
within a tile, sums are added in the order of numpy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Tile
from fuseflow.dataflow.tokens import EMPTY, Control, Stop, Token
from fuseflow.einsum.operators import BINARY, BinaryOp, ReduceOp

Values = NDArray[np.floating]

LOWEST = np.finfo(np.float32).min
"""Maximum of nothing."""

IDENTITY: dict[ReduceOp, np.float32] = {ReduceOp.SUM: np.float32(0.0), ReduceOp.MAX: LOWEST}


class TileToken(float):
    """A value that is a tile; as a float it is the tile's first element."""

    __slots__ = ("tile",)
    tile: Values

    def __new__(cls, tile: Values) -> "TileToken":
        made = super().__new__(cls, tile.flat[0])
        made.tile = tile
        return made

    def __repr__(self) -> str:
        return f"tile({' x '.join(map(str, self.tile.shape))})"


@dataclass(frozen=True, slots=True)
class Fold:
    """How values are added up or compared: ``read`` a token, ``start`` with the value of nothing, ``send`` a token."""

    read: Callable[[Token], Any]
    send: Callable[[Any], float]
    shape: tuple[int, ...] | None = None

    def start(self, op: ReduceOp = ReduceOp.SUM) -> Any:
        """The value of nothing."""
        return IDENTITY[op] if self.shape is None else np.full(self.shape, IDENTITY[op])

    def larger(self, total: Any, value: Any) -> Any:
        """The larger one, ``value`` where they do not compare."""
        if self.shape is None:
            return total if value < total else value
        return np.where(value < total, total, value)


NUMBERS = Fold(np.float32, float)  # type: ignore[arg-type]  # only payloads are read


def fold_of(tiles: tuple[Tile, ...], op: ReduceOp = ReduceOp.SUM) -> Fold:
    """Folding of values with ``tiles`` (of the input and the output); an empty tuple stands for numbers."""
    if not tiles:
        return NUMBERS
    source, out = tiles
    gone = tuple(place for place, axis in enumerate(source.axes) if axis not in out.axes)
    kept = tuple(axis for axis in source.axes if axis in out.axes)
    order = tuple(kept.index(axis) for axis in out.axes)

    def read(token: Token) -> Values:
        tile = tile_of(token, source)
        if gone:
            tile = tile.sum(axis=gone, dtype=np.float32) if op is ReduceOp.SUM else tile.max(axis=gone)
        return np.asarray(tile).transpose(order)

    return Fold(read, TileToken, out.shape)


def tile_of(token: Token, tile: Tile) -> Values:
    """The array of a payload or ``N`` (all zeros)."""
    return token.tile if isinstance(token, TileToken) else np.zeros(tile.shape, np.float32)


def reader(tile: Tile | None) -> Callable[[Token], Values | None]:
    """Reads a payload, or ``N`` as 0, as an array (of one element for a number); ``None`` for other tokens."""

    def read(token: Token) -> Values | None:
        if token is EMPTY:
            token = 0.0
        if isinstance(token, (Stop, Control)):
            return None
        return np.array([token], dtype=np.float32) if tile is None else tile_of(token, tile)

    return read


def sender(tiles: tuple[Tile, ...]) -> Callable[[Values], float]:
    """Makes a token of an array of one element, or of a tile."""
    return TileToken if tiles else lambda values: float(values[0])


def spread(source: Tile, out: Tile) -> Callable[[Values], Values]:
    """Puts the axes of ``source`` in the order of ``out``; those it lacks have size 1."""
    if source.axes == out.axes:
        return lambda values: values
    order = tuple(source.axes.index(axis) for axis in out.axes if axis in source.axes)
    places = tuple(slice(None) if axis in source.axes else np.newaxis for axis in out.axes)
    return lambda values: values.transpose(order)[places]


def combine(op: BinaryOp, tiles: tuple[Tile, ...]) -> Callable[[Values, Values], Values]:
    """``op`` of two values; a product of tiles sums over the axes that its result lacks."""
    function = BINARY[op]
    if not tiles:
        return function
    left, right, out = tiles
    if any(axis not in out.axes for axis in (*left.axes, *right.axes)):
        return _contraction(left, right, out)
    first, second = spread(left, out), spread(right, out)
    return lambda x, y: _whole(function(first(x), second(y)), out)


def convert(source: Tile, out: Tile, function: Callable[[Values], Values]) -> Callable[[Values], Values]:
    """``function`` of a tile, spread to the axes of ``out``."""
    placed = spread(source, out)
    return lambda values: _whole(placed(function(values)), out)


def _whole(values: Values, tile: Tile) -> Values:
    return values if values.shape == tile.shape else np.broadcast_to(values, tile.shape)


def _contraction(left: Tile, right: Tile, out: Tile) -> Callable[[Values, Values], Values]:
    summed = [axis for axis in left.axes if axis in right.axes and axis not in out.axes]
    free = [axis for tile in (left, right) for axis in tile.axes if axis not in summed]
    if sorted(free) == sorted(out.axes):  # a matrix product, but for the order of axes
        pair = [left.axes.index(axis) for axis in summed], [right.axes.index(axis) for axis in summed]
        order = [free.index(axis) for axis in out.axes]
        return lambda x, y: np.tensordot(x, y, pair).transpose(order)
    letters = {axis: ascii_letters[number] for number, axis in enumerate(dict.fromkeys((*left.axes, *right.axes)))}
    names = ["".join(letters[axis] for axis in tile.axes) for tile in (left, right, out)]
    subscripts = f"{names[0]},{names[1]}->{names[2]}"
    return lambda x, y: np.asarray(np.einsum(subscripts, x, y))
