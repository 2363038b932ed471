"""A model in blocks: its program over blocks, its data as tiles (paper §7)."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from fuseflow.einsum import Blocks, Mask, blocked
from fuseflow.errors import ScheduleError
from fuseflow.formats import FiberTree, partial_block, to_tiles
from fuseflow.models.model import Model


def tiled(model: Model, blocks: Blocks | tuple[tuple[str, int | tuple[int, ...]], ...]) -> Model:
    """``model`` cut into ``blocks`` (:func:`fuseflow.einsum.blocked`); its reference stays.

    Where elements that are not stored are zero, a block that is stored in part is filled up with zeros. A mask must
    store whole blocks, since within a tile nothing is masked out: ScheduleError names the first block that it stores
    in part.
    """
    program = blocked(model.program, dict(blocks) if isinstance(blocks, tuple) else blocks)
    masks = {item.expression.mask.tensor for item in program.statements if isinstance(item.expression, Mask)}
    tensors: dict[str, FiberTree] = {}
    for tensor in program.inputs:
        tree = model.tensors[tensor.name]
        if tensor.name in masks:
            _check_mask(tensor.name, tree, tensor.tile)
        tensors[tensor.name] = to_tiles(tree, tensor.tile, tree.format)
    notes = {**model.notes, "blocks": _shown({tensor.name: tensor.tile for tensor in program.inputs})}
    return replace(model, program=program, tensors=tensors, notes=notes)


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


def _shown(tiles: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {' x '.join(map(str, tile))}" for name, tile in tiles.items() if max(tile, default=1) > 1)
