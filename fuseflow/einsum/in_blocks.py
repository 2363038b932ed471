"""A program over blocks with its data as tiles (paper §7)."""

from collections.abc import Mapping
from math import prod

from fuseflow.einsum.blocked import Blocks, blocked
from fuseflow.einsum.nodes import Mask, Program
from fuseflow.errors import ScheduleError
from fuseflow.formats import FiberTree, partial_block, to_tiles


def in_blocks(
    program: Program, tensors: Mapping[str, FiberTree], blocks: Blocks
) -> tuple[Program, dict[str, FiberTree]]:
    """``program`` cut into ``blocks`` (:func:`blocked`), and the ``tensors`` of its inputs as tiles.

    Where elements that are not stored are zero, a block that is stored in part is filled up with zeros. A mask must
    store whole blocks, since within a tile nothing is masked out: ScheduleError names the first block that it stores
    in part.
    """
    cut = blocked(program, blocks)
    masks = {item.expression.mask.tensor for item in cut.statements if isinstance(item.expression, Mask)}
    tiles: dict[str, FiberTree] = {}
    for tensor in cut.inputs:
        tree = tensors[tensor.name]
        if tensor.name in masks:
            _check_mask(tensor.name, tree, tensor.tile)
        tiles[tensor.name] = to_tiles(tree, tensor.tile, tree.format)
    return cut, tiles


def _check_mask(name: str, tree: FiberTree, tile: tuple[int, ...]) -> None:
    found = partial_block(tree, tile)
    if found is None:
        return
    place, count = found
    size = prod(tile)
    shape = " x ".join(map(str, tile))
    raise ScheduleError(
        f"mask {name!r} is not made of blocks of {shape}: block {place} stores {count} of its {size} elements. Within "
        "a tile nothing can be masked out; use a block size that divides the mask's own, or a mask of whole blocks "
        "(torch: mask.to_sparse_bsr((b, b)))"
    )
