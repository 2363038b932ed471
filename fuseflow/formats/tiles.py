"""Blocked storage: levels over blocks, and a dense tile per stored block (paper §7).

``block`` gives the block size of every dimension, 1 where it is not blocked. A blocked tree has the shape in blocks; a
block is stored if any of its elements is; its value is a tile with one axis per blocked dimension, in their order,
in which elements that were not stored are 0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import FormatError
from fuseflow.formats.build import expand_levels
from fuseflow.formats.format import Format
from fuseflow.formats.level import LevelKind
from fuseflow.formats.tree import FiberTree

Block = Sequence[int]


def to_tiles(tree: FiberTree, block: Block, format: Format) -> FiberTree:
    """``tree`` in blocks of ``block``, its levels (over blocks) stored in ``format``.

    Raises FormatError where a block does not divide its dimension.
    """
    shape = _outer_shape(tree.shape, block)
    coordinates, values = _stored(tree)
    sizes = np.array(block, np.int64).reshape(-1, 1)
    outer, inner = coordinates // sizes, coordinates % sizes
    if tree.order:
        numbers = np.ravel_multi_index(tuple(outer), shape) if len(values) else np.zeros(0, np.int64)  # no size 0
    else:
        numbers = np.zeros(len(values), np.int64)
    found, place = np.unique(numbers, return_inverse=True)
    blocked = [dimension for dimension, size in enumerate(block) if size > 1]
    tiles = np.zeros((len(found), *(block[dimension] for dimension in blocked)), np.float32)
    tiles[(place, *(inner[dimension] for dimension in blocked))] = values
    empty = np.zeros((tree.order, len(found)), np.int64)
    columns = np.stack(np.unravel_index(found, shape)) if tree.order and len(found) else empty
    return FiberTree.from_coordinates(columns, tiles, shape, format, name="blocked tensor", allow_nonfinite=True)


def from_tiles(tree: FiberTree, block: Block, format: Format) -> FiberTree:
    """The tensor whose blocks ``tree`` stores, in elements; every element of a stored block is stored."""
    blocked = [dimension for dimension, size in enumerate(block) if size > 1]
    shape = tuple(size * side for size, side in zip(tree.shape, block, strict=True))
    if not blocked:
        return tree.convert(format)
    outer, tiles = tree.elements()
    inside = np.indices(tree.tile_shape).reshape(len(blocked), -1)
    columns = np.repeat(outer, inside.shape[1], axis=1)
    for axis, dimension in enumerate(blocked):
        columns[dimension] = columns[dimension] * block[dimension] + np.tile(inside[axis], outer.shape[1])
    return FiberTree.from_coordinates(columns, tiles.reshape(-1), shape, format, allow_nonfinite=True)


def tiles_to_dense(tree: FiberTree, block: Block) -> NDArray[np.float32]:
    """A new float32 array of the tensor whose blocks ``tree`` stores."""
    if not tree.order:
        return tree.values.reshape(()).copy()
    places: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * tree.order
    for mode, column in zip(tree.format.mode_order, expand_levels(tree.levels, np.arange(tree.stored)), strict=True):
        places[mode] = column
    blocks = np.zeros((*tree.shape, *tree.tile_shape), np.float32)
    blocks[tuple(places)] = tree.values
    order: list[int] = []
    axis = tree.order
    for dimension, size in enumerate(block):
        order.append(dimension)
        if size > 1:
            order.append(axis)
            axis += 1
    shape = tuple(size * side for size, side in zip(tree.shape, block, strict=True))
    return np.ascontiguousarray(blocks.transpose(order)).reshape(shape)


def partial_block(tree: FiberTree, block: Block) -> tuple[tuple[int, ...], int] | None:
    """The first block of ``tree`` that is stored in part, by its place in blocks, and how many of its elements are."""
    shape = _outer_shape(tree.shape, block)
    coordinates, _ = _stored(tree)
    if not coordinates.size:
        return None
    outer = coordinates // np.array(block, np.int64).reshape(-1, 1)
    found, counts = np.unique(np.ravel_multi_index(tuple(outer), shape), return_counts=True)
    short = np.flatnonzero(counts != int(np.prod(block)))
    if not len(short):
        return None
    place = tuple(int(part) for part in np.unravel_index(found[short[0]], shape))
    return place, int(counts[short[0]])


def _stored(tree: FiberTree) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Coordinates by dimension and values of everything stored; of a dense last level, explicit zeros included."""
    if tree.tile_shape:
        raise FormatError(f"the tensor is blocked already, in tiles of {tree.tile_shape}; block the original")
    if not tree.levels or tree.format.levels[-1].kind is not LevelKind.DENSE:
        return tree.elements() if tree.levels else (np.zeros((0, 1), np.int64), tree.values)
    coordinates = np.zeros((tree.order, tree.stored), np.int64)
    columns = expand_levels(tree.levels, np.arange(tree.stored))
    for mode, column in zip(tree.format.mode_order, columns, strict=True):
        coordinates[mode] = column
    return coordinates, tree.values


def _outer_shape(shape: Sequence[int], block: Block) -> tuple[int, ...]:
    if len(block) != len(shape) or any(size < 1 for size in block):
        raise FormatError(f"blocks {tuple(block)} for shape {tuple(shape)}: give a size of 1 or more per dimension")
    for dimension, (size, side) in enumerate(zip(shape, block, strict=True)):
        if size % side:
            raise FormatError(f"a block of {side} does not divide dimension {dimension} of size {size}")
    return tuple(size // side for size, side in zip(shape, block, strict=True))
