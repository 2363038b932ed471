"""Blocked storage and torch BSR tensors."""

import numpy as np
import pytest
import torch

from fuseflow.errors import FormatError
from fuseflow.formats import FiberTree, Format, from_tiles, partial_block, tiles_to_dense, to_tiles


@pytest.mark.parametrize("layout", ["dd", "dc", "cc", "cc:1,0", "dd:1,0"])
@pytest.mark.parametrize("block", [(2, 3), (1, 3), (2, 1), (1, 1)])
def test_there_and_back(layout: str, block: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    array = (rng.random((8, 9)) * (rng.random((8, 9)) < 0.3)).astype(np.float32)
    tree = FiberTree.from_dense(array, layout)
    tiled = to_tiles(tree, block, tree.format)
    assert tiled.shape == (8 // block[0], 9 // block[1])
    assert tiled.tile_shape == tuple(size for size in block if size > 1)
    np.testing.assert_array_equal(tiles_to_dense(tiled, block), array)
    np.testing.assert_array_equal(from_tiles(tiled, block, tree.format).to_dense(), array)
    for other in ("dd", "cc"):
        np.testing.assert_array_equal(tiles_to_dense(tiled.convert(other), block), array)


def test_orders_beyond_two() -> None:
    array = np.arange(4 * 6 * 8, dtype=np.float32).reshape(4, 6, 8)
    tree = FiberTree.from_dense(array, "dcc")
    tiled = to_tiles(tree, (2, 3, 4), tree.format)
    assert tiled.tile_shape == (2, 3, 4)
    np.testing.assert_array_equal(tiled.values[0], array[:2, :3, :4])
    np.testing.assert_array_equal(tiles_to_dense(tiled, (2, 3, 4)), array)


def test_partial_block_names_the_first() -> None:
    mask = np.kron(np.eye(3), np.ones((2, 2))).astype(np.float32)
    whole = FiberTree.from_dense(mask, "cc")
    assert partial_block(whole, (2, 2)) is None
    mask[2, 3] = 0
    assert partial_block(FiberTree.from_dense(mask, "cc"), (2, 2)) == ((1, 1), 3)


@pytest.mark.filterwarnings("ignore:Sparse BSR tensor support")
def test_bsr_stores_whole_blocks() -> None:
    array = torch.kron(torch.eye(3), torch.ones(2, 4))
    array[0, 1] = 0
    tree = FiberTree.from_torch(array.to_sparse_bsr((2, 4)))
    assert tree.format == Format.parse("csr", 2)
    assert tree.stored == 24
    np.testing.assert_array_equal(tree.to_dense(), array.numpy())
    assert partial_block(tree, (2, 4)) is None


def test_refusals() -> None:
    tree = FiberTree.from_dense(np.ones((4, 6), np.float32), "dc")
    with pytest.raises(FormatError, match="a block of 4 does not divide dimension 1 of size 6"):
        to_tiles(tree, (2, 4), tree.format)
    with pytest.raises(FormatError, match="give a size of 1 or more per dimension"):
        to_tiles(tree, (2, 0), tree.format)
    tiled = to_tiles(tree, (2, 3), tree.format)
    with pytest.raises(FormatError, match="blocked already"):
        to_tiles(tiled, (1, 2), tree.format)
    with pytest.raises(FormatError, match="use tiles_to_dense"):
        tiled.to_dense()
