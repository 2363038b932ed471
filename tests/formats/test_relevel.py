"""The short way from compressed levels equals the long one over coordinates."""

from itertools import product

import numpy as np
import pytest

from fuseflow.formats import FiberTree, Format
from fuseflow.formats.relevel import relevel

DENSITIES = (0.0, 0.3, 0.7, 1.0)


def stored(seed: int, order: int, density: float) -> FiberTree:
    """A random tree of compressed levels, some of whose stored values are zero."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(size) for size in rng.integers(1, 5, order))
    coordinates = np.argwhere(rng.random(shape) < density).T.reshape(order, -1)
    values = rng.integers(0, 3, coordinates.shape[1]).astype(np.float32)
    return FiberTree.from_coordinates(coordinates, values, shape, "c" * order)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_equals_conversion_over_coordinates(order: int) -> None:
    short = 0
    for seed, density, kinds in product(range(3), DENSITIES, product("dc", repeat=order)):
        tree, wanted = stored(seed, order, density), Format.parse("".join(kinds), order)
        expected = FiberTree.from_coordinates(*tree.elements(), tree.shape, wanted)
        found = tree.convert(wanted)
        assert repr(found.levels) == repr(expected.levels)
        assert found.values.tobytes() == expected.values.tobytes()
        short += relevel(tree.levels, tree.values, tree.shape, wanted) is not None
    assert short > 10


def test_leaves_what_is_not_sorted_to_the_long_way() -> None:
    tree = FiberTree.from_coordinates([[0, 0, 1], [0, 2, 1]], [1, 2, 3], (2, 3), "coo")
    assert relevel(tree.levels, tree.values, tree.shape, Format.parse("dd", 2)) is None
    assert tree.convert("dd").to_dense().tolist() == [[1, 0, 2], [0, 3, 0]]
