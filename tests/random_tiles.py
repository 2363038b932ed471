"""Random programs in blocks: every dimension of a random program times a block size, with data in whole and in partial
blocks."""

from dataclasses import replace

import numpy as np

from fuseflow.einsum import Mask, interpret
from fuseflow.einsum.blocked import _tied
from fuseflow.formats import FiberTree, from_tiles
from fuseflow.models import Model
from fuseflow.schedule import Schedule
from tests.random_programs import random_model, random_schedules

SIZES = (1, 2, 3)


def random_tiled(seed: int, statements: int) -> tuple[Model, list[Schedule]]:
    """A model in elements and schedules that cut it into blocks; deterministic in ``seed``."""
    small = random_model(seed, statements)
    rng = np.random.default_rng(seed)
    tied = _tied(small.program)
    chosen = {group: int(rng.choice(SIZES)) for group in sorted(set(tied.values()))}
    blocks = {
        tensor.name: tuple(chosen[tied[tensor.name, place]] for place in range(tensor.order))
        for tensor in small.program.tensors
    }
    tensors = tuple(
        replace(
            tensor,
            shape=tuple(size * side for size, side in zip(tensor.shape, blocks[tensor.name], strict=True)),
        )
        for tensor in small.program.tensors
    )
    program = replace(small.program, tensors=tensors)
    masks = {item.expression.mask.tensor for item in program.statements if isinstance(item.expression, Mask)}
    data = {name: _elements(tree, blocks[name], name in masks, rng) for name, tree in small.tensors.items()}

    def reference() -> dict[str, np.ndarray]:
        result = interpret(program, data)
        return {name: result[name] for name in program.outputs}

    model = Model(f"tiled{seed}", program, data, reference, "the dense interpreter")
    return model, [schedule.with_blocks(blocks) for schedule in random_schedules(small, seed)]


def _elements(tree: FiberTree, block: tuple[int, ...], whole: bool, rng: np.random.Generator) -> FiberTree:
    """``tree`` with a random tile for every element; some of the elements of a tile are missing unless ``whole``."""
    sides = tuple(side for side in block if side > 1)
    tiles = rng.uniform(-1, 1, (tree.stored, *sides)).astype(np.float32)
    full = from_tiles(FiberTree(tree.shape, tree.format, tree.levels, tiles), block, tree.format)
    if whole or rng.random() < 0.5:
        return full
    coordinates, values = full.elements()
    kept = rng.random(len(values)) < 0.7
    return FiberTree.from_coordinates(coordinates[:, kept], values[kept], full.shape, full.format)
