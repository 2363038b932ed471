"""FiberTree: storage of known examples, round trips over random formats, refusals."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fuseflow.errors import DataError, FormatError
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Fill, Format, SingletonLevel
from tests.formats.strategies import arrays_with_format, formats

MATRIX = np.array([[0, 2, 0, 3], [0, 0, 0, 0], [4, 0, 0, 0]], np.float32)
CSR = Format.parse("csr", 2)


def same(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    return left.shape == right.shape and np.array_equal(left, right)


def levels_of(tree: FiberTree) -> list[object]:
    """Storage as plain lists: a size, or segments and coordinates, or coordinates."""
    plain: list[object] = []
    for level in tree.levels:
        match level:
            case DenseLevel(size):
                plain.append(size)
            case CompressedLevel(segments, coordinates):
                plain.append((segments.tolist(), coordinates.tolist()))
            case SingletonLevel(coordinates):
                plain.append(coordinates.tolist())
    return plain


@pytest.mark.parametrize(
    ("text", "levels", "values"),
    [
        ("dense", [3, 4], [0, 2, 0, 3, 0, 0, 0, 0, 4, 0, 0, 0]),
        ("csr", [3, ([0, 2, 2, 3], [1, 3, 0])], [2, 3, 4]),
        ("csc", [4, ([0, 1, 2, 2, 3], [2, 0, 0])], [4, 2, 3]),
        ("dcsr", [([0, 2], [0, 2]), ([0, 2, 3], [1, 3, 0])], [2, 3, 4]),
        ("coo", [([0, 3], [0, 0, 2]), [1, 3, 0]], [2, 3, 4]),
        ("cd", [([0, 2], [0, 2]), 4], [0, 2, 0, 3, 4, 0, 0, 0]),
    ],
)
def test_storage(text: str, levels: list[object], values: list[float]) -> None:
    tree = FiberTree.from_dense(MATRIX, text)
    assert levels_of(tree) == levels
    assert tree.values.tolist() == values
    assert tree.values.dtype == np.float32
    assert (tree.order, tree.stored) == (2, len(values))
    assert same(tree.to_dense(), MATRIX)


def test_unique_chain_inside_a_format_of_order_3() -> None:
    # (i, j) pairs once each, then the k of each pair.
    array = np.zeros((2, 2, 2), np.float32)
    array[0, 1, 0], array[0, 1, 1], array[1, 0, 1] = 1, 2, 3
    tree = FiberTree.from_dense(array, "csc")
    assert levels_of(tree) == [([0, 2], [0, 1]), [1, 0], ([0, 2, 3], [0, 1, 1])]
    assert same(tree.to_dense(), array)


@given(arrays_with_format())
def test_round_trip_from_dense(case: tuple[NDArray[np.float32], Format]) -> None:
    array, format = case
    tree = FiberTree.from_dense(array, format)
    assert tree.shape == array.shape
    assert same(tree.to_dense(), array)


@given(arrays_with_format(), st.data())
def test_round_trip_through_another_format(case: tuple[NDArray[np.float32], Format], data: st.DataObject) -> None:
    array, format = case
    tree = FiberTree.from_dense(array, format)
    other = tree.convert(data.draw(formats(array.ndim)))
    assert same(other.to_dense(), array)
    back = other.convert(format)
    assert levels_of(back) == levels_of(tree)
    assert np.array_equal(back.values, tree.values)


@given(arrays_with_format(), st.randoms(use_true_random=False))
def test_coordinates_may_come_in_any_order(
    case: tuple[NDArray[np.float32], Format], random: "st.random.Random"
) -> None:
    array, format = case
    places = np.nonzero(np.atleast_1d(array)) if array.ndim else ()
    values = array[places] if array.ndim else array.reshape(1)
    order = list(range(len(values)))
    random.shuffle(order)
    coordinates = np.array([column[order] for column in places], np.int64).reshape(array.ndim, len(values))
    tree = FiberTree.from_coordinates(coordinates, values[order], array.shape, format)
    assert levels_of(tree) == levels_of(FiberTree.from_dense(array, format))
    assert same(tree.to_dense(), array)


@settings(max_examples=50)
@given(arrays_with_format())
def test_fill_promises_no_more_than_the_data_keep(case: tuple[NDArray[np.float32], Format]) -> None:
    array, format = case
    tree = FiberTree.from_dense(array, format)
    for number, level in enumerate(tree.levels):
        size = array.shape[format.mode_order[number]]
        if isinstance(level, CompressedLevel):
            lengths = np.diff(level.segments)
            assert tree.fill(number) < Fill.NONEMPTY or (lengths > 0).all()
            assert tree.fill(number) < Fill.FULL or (lengths == size).all()
        assert tree.fill(number) is Fill.UNKNOWN or size > 0


def test_fill_of_known_examples() -> None:
    sparse = FiberTree.from_dense(MATRIX, "csr")
    assert (sparse.fill(0), sparse.fill(1)) == (Fill.FULL, Fill.UNKNOWN)
    assert FiberTree.from_dense(MATRIX, "dcsr").fill(1) is Fill.NONEMPTY
    assert FiberTree.from_dense(np.ones((2, 2)), "dcsr").fill(1) is Fill.FULL
    assert FiberTree.from_dense(MATRIX, "coo").fill(1) is Fill.NONEMPTY
    assert FiberTree.from_dense(np.ones((2, 1)), "coo").fill(1) is Fill.FULL
    # Two elements in row 0 make the fiber as long as the dimension, but row 1 is not there.
    assert FiberTree.from_dense([[1, 1], [0, 0]], "coo").fill(0) is Fill.NONEMPTY
    assert FiberTree.from_dense(np.zeros((0, 2)), "dense").fill(0) is Fill.UNKNOWN
    with pytest.raises(FormatError, match="level must be 0 to 1 for a tree of order 2, not 2"):
        sparse.fill(2)


def test_explicit_zeros_are_kept_except_under_a_dense_last_level() -> None:
    tree = FiberTree.from_coordinates([[0, 1], [1, 0]], [0, 5], (2, 2), "csr")
    assert tree.values.tolist() == [0, 5]
    assert tree.convert("dcsr").values.tolist() == [0, 5]
    assert tree.convert("dense").convert("dcsr").values.tolist() == [5]


def test_duplicates() -> None:
    coordinates, values = [[0, 1, 0], [1, 1, 1]], [1.0, 2.0, 4.0]
    message = "tensor has 1 repeated coordinates, first (0, 1) (by level): store each element once, or add them up"
    with pytest.raises(FormatError, match=re.escape(message)):
        FiberTree.from_coordinates(coordinates, values, (2, 2))
    summed = FiberTree.from_coordinates(coordinates, values, (2, 2), sum_duplicates=True)
    assert summed.to_dense().tolist() == [[0, 5], [0, 2]]
    with pytest.raises(FormatError, match=re.escape("tensor has 1 repeated coordinates, first ()")):
        FiberTree.from_coordinates(np.zeros((0, 2), int), [1, 2], ())


def test_dimensions_too_large_for_one_sort_key() -> None:
    shape = (2**30, 2**30, 2**30)
    tree = FiberTree.from_coordinates([[5, 1], [0, 7], [2**30 - 1, 0]], [1, 2], shape, "csf")
    assert tree.values.tolist() == [2, 1]
    assert tree.elements()[0].tolist() == [[1, 5], [7, 0], [0, 2**30 - 1]]


@pytest.mark.parametrize(
    ("coordinates", "values", "shape", "format", "message"),
    [
        ([[0, 3]], [1, 2], (3,), None, "tensor has coordinates (3,) (element 1), outside its shape (3,): dimension 0"),
        ([[-1]], [1], (3,), None, "tensor has coordinates (-1,) (element 0)"),
        ([[0]], [1], (3, 3), None, "coordinates of shape (1, 1) and values of shape (1,): they must be (2, n) and"),
        ([[0.5]], [1], (3,), None, "tensor has coordinates of type float64: they must be integers"),
        ([[0]], ["a"], (3,), None, "tensor has values of type <U1: they must be real numbers or booleans"),
        ([[0]], [1j], (3,), None, "tensor has values of type complex128"),
        ([[0]], [1], (3,), CSR, 'format "dc" has 2 levels, but the tensor has order 1'),
        ([[0]], [1], (2**31,), None, "every dimension must be 0 to 2147483647"),
        ([[0], [0]], [1], (2**20, 2**20), "dense", 'positions at level 1 of format "dd"'),
    ],
)
def test_refused_coordinates(
    coordinates: object, values: object, shape: tuple[int, ...], format: Format | None, message: str
) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        FiberTree.from_coordinates(coordinates, values, shape, format)  # type: ignore[arg-type]  # wrong on purpose


def test_values_must_be_finite() -> None:
    array = MATRIX.copy()
    array[2, 3] = np.nan
    message = "weights holds nan at coordinates (2, 3) (1 such values in all): values must be finite in float32"
    with pytest.raises(DataError, match=re.escape(message)):
        FiberTree.from_dense(array, "csr", name="weights")
    with pytest.raises(DataError, match=re.escape("tensor holds inf at coordinates (1,) (2 such values in all)")):
        FiberTree.from_coordinates([[0, 1, 2]], [1, np.inf, -np.inf], (3,))
    with pytest.raises(DataError, match=re.escape("array holds inf at coordinates (0,)")):
        FiberTree.from_dense(np.array([1e300]))
    kept = FiberTree.from_dense(array, "csr", allow_nonfinite=True).convert("csc")
    assert np.isnan(kept.to_dense()[2, 3])


@pytest.mark.parametrize(
    ("levels", "values", "message"),
    [
        ((DenseLevel(2),), [1], '1 levels are stored, but format "dc" has 2'),
        ((DenseLevel(2), DenseLevel(2)), [1], 'level 1 (dimension 1) is stored dense, but format "dc" says compressed'),
        ((DenseLevel(3), ([0], [])), [], "level 0 (dimension 0) stores size 3, but the shape (2, 2) says 2"),
        ((DenseLevel(2), ([0, 1], [0])), [1], "level 1 (dimension 1) has 2 segment entries, but 2 fibers need 3"),
        ((DenseLevel(2), ([0, 1, 3], [0])), [1], "has segments from 0 to 3, but they must run from 0 to the number of"),
        ((DenseLevel(2), ([0, 2, 1], [0])), [1], "has segments that fall from 2 to 1 at fiber 1"),
        (
            (DenseLevel(2), ([0, 1, 1], [2])),
            [1],
            "has coordinate 2 at position 0, outside 0..1 for a dimension of size",
        ),
        ((DenseLevel(2), ([0, 0, 2], [1, 0])), [1, 1], "has coordinates (1,) then (0,) in fiber 1: coordinates of a"),
        ((DenseLevel(2), ([0, 0, 2], [1, 1])), [1, 1], "has coordinates (1,) then (1,) in fiber 1"),
        ((DenseLevel(2), ([0, 1, 1], [1])), [1, 2], "values have shape (2,), but the last level has 1 positions"),
    ],
)
def test_refused_storage(levels: tuple[object, ...], values: list[float], message: str) -> None:
    stored = [CompressedLevel(*level) if isinstance(level, tuple) else level for level in levels]
    with pytest.raises(FormatError, match=re.escape(message)):
        FiberTree((2, 2), CSR, tuple(stored), np.array(values))  # type: ignore[arg-type]  # wrong on purpose


def test_refused_coo_storage() -> None:
    coo, rows = Format.parse("coo", 2), CompressedLevel([0, 2], [0, 0])  # type: ignore[arg-type]  # lists are taken too
    with pytest.raises(FormatError, match=re.escape("level 1 (dimension 1) has 1 singleton coordinates, but level 0")):
        FiberTree((2, 2), coo, (rows, SingletonLevel([1])), np.ones(2))  # type: ignore[arg-type]  # as above
    with pytest.raises(FormatError, match=re.escape("level 0 (dimension 0) has coordinates (0, 1) then (0, 1)")):
        FiberTree((2, 2), coo, (rows, SingletonLevel([1, 1])), np.ones(2))  # type: ignore[arg-type]  # as above
    with pytest.raises(FormatError, match=re.escape("level 1 (dimension 1) has coordinate 5 at position 1")):
        FiberTree((2, 2), coo, (rows, SingletonLevel([1, 5])), np.ones(2))  # type: ignore[arg-type]  # as above


def test_shape_must_fit_the_format() -> None:
    with pytest.raises(FormatError, match=re.escape('shape (2,) has 1 dimensions, but format "dc" has 2')):
        FiberTree((2,), CSR, (), np.ones(1))


def test_order_0() -> None:
    tree = FiberTree.from_dense(3.5)
    assert (tree.shape, tree.format, tree.levels, tree.values.tolist()) == ((), Format((), ()), (), [3.5])
    assert tree.to_dense() == np.float32(3.5)
    assert FiberTree.from_coordinates(np.zeros((0, 0), int), [], ()).values.tolist() == [0]


def test_the_given_array_is_not_shared() -> None:
    array = np.ones((2, 2), np.float32)
    tree = FiberTree.from_dense(array)
    array[0, 0] = 7
    assert tree.values.tolist() == [1, 1, 1, 1]
    tree.to_dense()[0, 0] = 7
    assert tree.values.tolist() == [1, 1, 1, 1]
