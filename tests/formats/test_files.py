"""Matrix Market, FROSTT and .npz files: round trips, known files, damaged files."""

import gzip
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from fuseflow.errors import DataError, FormatError
from fuseflow.formats import FiberTree, Format, read_mtx, read_npz, read_tns, write_mtx, write_npz, write_tns
from tests.formats.strategies import arrays_with_format
from tests.formats.test_tree import levels_of

Reader = Callable[[Path], FiberTree]

READERS: list[Reader] = [read_mtx, read_tns, read_npz]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@settings(max_examples=40)
@given(arrays_with_format())
def test_round_trips(case: tuple[NDArray[np.float32], Format]) -> None:
    array, format = case
    tree = FiberTree.from_dense(array * np.float32(1 / 3), format)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_npz(folder / "a.npz", tree)
        back = read_npz(folder / "a.npz")
        assert (back.shape, back.format, levels_of(back)) == (tree.shape, tree.format, levels_of(tree))
        assert np.array_equal(back.values, tree.values)
        write_tns(folder / "a.tns", tree)
        assert np.array_equal(read_tns(folder / "a.tns", format=format).to_dense(), tree.to_dense())
        if tree.order == 2:
            write_mtx(folder / "a.mtx", tree)
            assert np.array_equal(read_mtx(folder / "a.mtx", format).to_dense(), tree.to_dense())
        assert not list(folder.glob(".*"))


def test_known_mtx(tmp_path: Path) -> None:
    head = "%%MatrixMarket matrix coordinate"
    symmetric = write(tmp_path / "s.mtx", f"{head} real symmetric\n% note\n3 3 2\n2 1 5\n3 3 1.5\n")
    assert read_mtx(symmetric).to_dense().tolist() == [[0, 5, 0], [5, 0, 0], [0, 0, 1.5]]
    assert read_mtx(symmetric).format == Format.parse("coo", 2)
    pattern = write(tmp_path / "p.mtx", f"{head} pattern general\n1 2 1\n1 2\n")
    assert read_mtx(str(pattern), "csr").to_dense().tolist() == [[0, 1]]
    dense = write(tmp_path / "d.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n")
    assert read_mtx(dense).to_dense().tolist() == [[1, 3], [2, 4]]
    with gzip.open(tmp_path / "p.mtx.gz", "wb") as file:
        file.write(pattern.read_bytes())
    assert read_mtx(tmp_path / "p.mtx.gz").to_dense().tolist() == [[0, 1]]


def test_known_tns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tns", "# a comment\n1 1 2 1.5\n3 1 1 -2 # another\n")
    assert read_tns(path).shape == (3, 1, 2)
    assert read_tns(path, (4, 2, 2), "csf").to_dense()[2, 0, 0] == -2
    with gzip.open(tmp_path / "a.tns.gz", "wb") as file:
        file.write(path.read_bytes())
    assert read_tns(tmp_path / "a.tns.gz").values.tolist() == [1.5, -2]
    twice = write(tmp_path / "b.tns", "1 1\n1 2\n")
    with pytest.raises(
        DataError, match=re.escape(f"cannot use {twice}: {twice} has 1 repeated coordinates, first (0,)")
    ):
        read_tns(twice)
    assert read_tns(twice, sum_duplicates=True).values.tolist() == [3]


@pytest.mark.parametrize("read", READERS)
def test_missing_files(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=re.escape(f"cannot read {tmp_path / 'no'}: there is no such file; give the path")
    ):
        read(tmp_path / "no")
    with pytest.raises(DataError, match=re.escape(f"cannot read {tmp_path}: it is not a file")):
        read(tmp_path)


@pytest.mark.parametrize("read", READERS)
def test_files_that_are_something_else(read: Reader, tmp_path: Path) -> None:
    path = write(tmp_path / "bad", "this is not\na tensor of any kind\n")
    with pytest.raises(DataError, match=re.escape(f"cannot read {path} as ")):
        read(path)
    path.write_bytes(b"\xff\xfe\x00\x01" * 20)
    with pytest.raises(DataError, match=re.escape(f"cannot read {path} as ")):
        read(path)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "1 1 2\n1 1 1\n1 1 2\n",
            "has 1 repeated coordinates, first (0, 0) (by level): store each element once, or add them up: read_mtx, "
            "read_tns and FiberTree.from_* do so with sum_duplicates=True",
        ),
        (
            "1 1 1\n1 1 nan\n",
            "holds nan at coordinates (0, 0) (1 such values in all): values must be finite in float32; replace them "
            "before (numpy.nan_to_num does), or keep them: the read_* functions and FiberTree.from_* do so with "
            "allow_nonfinite=True",
        ),
    ],
)
def test_advice_that_any_caller_can_follow(body: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mtx", f"%%MatrixMarket matrix coordinate real general\n{body}")
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_mtx(path)
    assert str(path) in str(caught.value)
    assert read_mtx(path, sum_duplicates=True, allow_nonfinite=True).stored == 1


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("1 1 1\n1 2\n", None, "as FROSTT: "),
        ("1 x 1\n", None, "as FROSTT: "),
        ("# nothing\n", None, "it holds no elements, so its shape is unknown; pass shape=..."),
        ("1 1 1\n", (3,), "its lines hold 2 coordinates and a value, but the shape (3,) has 1 dimensions"),
        ("1 0 1\n", None, "element 1 has coordinate 0 in column 2; coordinates must be whole numbers from 1"),
        ("1 1 1\n1.5 1 1\n", None, "element 2 has coordinate 1.5 in column 1"),
        ("nan 1 1\n", None, "element 1 has coordinate nan in column 1"),
        ("1 5 1\n", (2, 2), "outside its shape (2, 2)"),
        ("1 1 inf\n", None, "holds inf at coordinates (0, 0)"),
        ("# fuseflow shape: two\n1 1\n", None, "as FROSTT: "),
    ],
)
def test_bad_tns(text: str, shape: tuple[int, ...] | None, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.tns", text)
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_tns(path, shape)
    assert str(path) in str(caught.value)


def test_bad_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    tree = FiberTree.from_dense([[0, 1], [2, 0]], "csr")
    write_npz(path, tree)
    with np.load(path) as archive:
        good = dict(archive)
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=re.escape(f"cannot read {path} as .npz: ")):
        read_npz(path)
    for key, value, message in [
        ("schema", np.array("other/2"), 'its schema is "other/2", but "fuseflow.FiberTree/1" is expected'),
        ("format", np.array("csf"), "array 'level0_segments' is missing among"),
        ("format", np.array("zz"), 'format "zz" is not known'),
        ("shape", np.array([2, 1]), "has coordinate 1 at position 0, outside 0..0"),
        ("level1_coordinates", np.array([1, 9]), "has coordinate 9 at position 1"),
        ("values", np.array([1.0, np.nan], np.float32), "holds nan at coordinates (1, 0)"),
        ("values", np.array([1, 2], object), "as .npz: Object arrays cannot be loaded"),
        ("shape", np.array(3), "iteration over a 0-d array"),
        ("shape", np.array(["x", "y"]), "invalid literal"),
    ]:
        np.savez(path, **{**good, key: value})
        with pytest.raises(DataError, match=re.escape(message)) as caught:
            read_npz(path)
        assert str(path) in str(caught.value)
    np.save(tmp_path / "b.npy", np.ones(2))
    with pytest.raises(DataError, match="it is not a zip archive"):
        read_npz(tmp_path / "b.npy")


def test_nonfinite_values_travel_when_allowed(tmp_path: Path) -> None:
    tree = FiberTree.from_dense([[np.inf, 1], [0, -np.inf]], "csr", allow_nonfinite=True)
    write_npz(tmp_path / "a.npz", tree)
    write_tns(tmp_path / "a.tns", tree)
    write_mtx(tmp_path / "a.mtx", tree)
    for back in (
        read_npz(tmp_path / "a.npz", allow_nonfinite=True),
        read_tns(tmp_path / "a.tns", allow_nonfinite=True),
        read_mtx(tmp_path / "a.mtx", allow_nonfinite=True),
    ):
        assert np.array_equal(back.to_dense(), tree.to_dense())


def test_mtx_holds_matrices_only(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="Matrix Market holds matrices, but the tree has order 1"):
        write_mtx(tmp_path / "a.mtx", FiberTree.from_dense([1.0]))


def test_writing_where_there_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.npz"
    with pytest.raises(DataError, match=re.escape(f"cannot write {path}: No such file or directory; make the folder")):
        write_npz(path, FiberTree.from_dense([1.0]))
    with pytest.raises(DataError, match=re.escape(f"cannot write {tmp_path}: ")):
        write_npz(tmp_path, FiberTree.from_dense([1.0]))
