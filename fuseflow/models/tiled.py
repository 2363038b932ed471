"""A model in blocks: its program over blocks, its data as tiles (paper §7)."""

from collections.abc import Mapping
from dataclasses import replace

from fuseflow.einsum import Blocks, in_blocks
from fuseflow.models.model import Model


def tiled(model: Model, blocks: Blocks | tuple[tuple[str, int | tuple[int, ...]], ...]) -> Model:
    """``model`` cut into ``blocks`` (:func:`fuseflow.einsum.in_blocks`, with its errors); its reference stays."""
    program, tensors = in_blocks(model.program, model.tensors, dict(blocks) if isinstance(blocks, tuple) else blocks)
    notes = {**model.notes, "blocks": _shown({tensor.name: tensor.tile for tensor in program.inputs})}
    return replace(model, program=program, tensors=tensors, notes=notes)


def _shown(tiles: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {' x '.join(map(str, tile))}" for name, tile in tiles.items() if max(tile, default=1) > 1)
