"""Levels of fibers that hold every coordinate: the same level as one that is written down, and cheaper."""

import pickle

import numpy as np
import pytest

from fuseflow.errors import FormatError
from fuseflow.formats import CompressedLevel, FiberTree, Format, WholeLevel


def test_it_is_the_level_that_is_written_down() -> None:
    level = WholeLevel(2, 3)
    written = CompressedLevel(np.array([0, 3, 6]), np.array([0, 1, 2, 0, 1, 2]))
    assert level.coordinates.dtype == np.int32
    assert level.coordinates is level.coordinates
    assert repr(level) == repr(written)
    assert repr(pickle.loads(pickle.dumps(level))) == repr(written)
    match level:
        case CompressedLevel(segments, coordinates):
            assert (segments.tolist(), coordinates.tolist()) == ([0, 3, 6], [0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("size", [(0, 3), (2, 0)])
def test_it_holds_something(size: tuple[int, int]) -> None:
    with pytest.raises(FormatError, match="one fiber and one coordinate or more"):
        WholeLevel(*size)


@pytest.mark.parametrize("text", ["dd", "cc", "dc", "cd", "csr", "coo"])
def test_trees_of_it_convert(text: str) -> None:
    """An explicit zero stays stored where elements do."""
    outer, values = CompressedLevel(np.array([0, 2]), np.array([0, 3])), np.array([1, 0, 2, 3, 4, 5], np.float32)
    layout, shape = Format.parse("cc", 2), (4, 3)
    whole = FiberTree(shape, layout, (outer, WholeLevel(2, 3)), values)
    plain = FiberTree(shape, layout, (outer, CompressedLevel(np.array([0, 3, 6]), np.tile(np.arange(3), 2))), values)
    ours, theirs = (tree.convert(Format.parse(text, 2)) for tree in (whole, plain))
    assert repr(ours.levels) == repr(theirs.levels)
    assert ours.values.tolist() == theirs.values.tolist()
    assert (whole.to_dense() == plain.to_dense()).all()


@pytest.mark.parametrize("level", [WholeLevel(3, 3), WholeLevel(2, 4)])
def test_trees_check_how_many_there_are(level: WholeLevel) -> None:
    outer = CompressedLevel(np.array([0, 2]), np.array([0, 3]))
    with pytest.raises(FormatError, match="level 1"):
        FiberTree((4, 3), Format.parse("cc", 2), (outer, level), np.zeros(int(level.segments[-1]), np.float32))
