"""Every kind of Matrix Market file, judged by hand and by scipy's reader; and every way in which one can be wrong."""

import bz2
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import io, sparse

from fuseflow.errors import DataError
from fuseflow.formats import read_mtx

HEAD = "%%MatrixMarket matrix"


def write(folder: Path, text: str) -> Path:
    path = folder / "a.mtx"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("coordinate real general", "2 3 2\n1 1 1.5\n2 3 -2e1\n", [[1.5, 0, 0], [0, 0, -20]]),
        ("coordinate double symmetric", "2 2 2\n2 1 5\n2 2 3\n", [[0, 5], [5, 3]]),
        ("coordinate real skew-symmetric", "2 2 2\n2 1 5\n2 2 0\n", [[0, -5], [5, 0]]),
        ("coordinate integer general", "1 2 1\n1 2 -7\n", [[0, -7]]),
        ("coordinate unsigned-integer general", "1 2 1\n1 2 7\n", [[0, 7]]),
        ("coordinate pattern symmetric", "2 2 1\n2 1\n", [[0, 1], [1, 0]]),
        ("coordinate real general", "2 1 0\n", [[0], [0]]),
        ("array real general", "2 2\n1\n2\n3\n4\n", [[1, 3], [2, 4]]),
        ("array integer symmetric", "2 2\n1\n2\n3\n", [[1, 2], [2, 3]]),
        ("array real skew-symmetric", "3 3\n1\n2\n3\n", [[0, -1, -2], [1, 0, -3], [2, 3, 0]]),
        ("array real general", "0 3\n", np.zeros((0, 3)).tolist()),
    ],
)
def test_every_kind(kind: str, body: str, expected: list[list[float]], tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEAD} {kind}\n% a note, 1 2 3\n%\n\n{body}")
    assert read_mtx(path).to_dense().tolist() == expected
    path.write_text(path.read_text().replace(HEAD, HEAD.upper()).replace("\n", " \r\n"))
    assert read_mtx(path).to_dense().tolist() == expected
    (tmp_path / "a.mtx.bz2").write_bytes(bz2.compress(path.read_bytes()))
    assert read_mtx(tmp_path / "a.mtx.bz2").to_dense().tolist() == expected


@pytest.mark.parametrize(
    ("symmetry", "field"),
    [
        *product(("general", "symmetric", "skew-symmetric"), ("real", "integer")),
        ("general", "pattern"),
        ("symmetric", "pattern"),
    ],
)
def test_what_scipy_writes_and_reads(symmetry: str, field: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lower = np.tril(random.integers(-3, 4, (9, 9)), -1 if symmetry == "skew-symmetric" else 0)
    square = {"general": lower, "symmetric": lower + np.tril(lower, -1).T, "skew-symmetric": lower - lower.T}[symmetry]
    for matrix in (sparse.coo_array(square), square):
        if field == "pattern" and matrix is square:
            continue
        io.mmwrite(tmp_path / "a.mtx", matrix, field=field, symmetry=symmetry)
        theirs = io.mmread(tmp_path / "a.mtx", spmatrix=False)
        wanted = theirs.toarray() if sparse.issparse(theirs) else theirs
        assert np.array_equal(read_mtx(tmp_path / "a.mtx").to_dense(), wanted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 1 1\n1 1 1\n", "its first line does not begin with %%MatrixMarket"),
        (f"{HEAD} coordinate real\n1 1 0\n", 'its first line is "%%matrixmarket matrix coordinate real", not'),
        ("%%MatrixMarket vector coordinate real general\n1 0\n", "not %%MatrixMarket matrix LAYOUT FIELD SYMMETRY"),
        (f"{HEAD} list real general\n1 1 0\n", 'layout "list" is not read, only coordinate, array'),
        (f"{HEAD} coordinate complex general\n1 1 0\n", 'field "complex" is not read, only real, double, integer'),
        (f"{HEAD} coordinate real hermitian\n1 1 0\n", 'symmetry "hermitian" is not read, only general, symmetric'),
        (f"{HEAD} array pattern general\n1 1\n", 'a pattern has no values, so it cannot be "array general"'),
        (f"{HEAD} coordinate pattern skew-symmetric\n1 1 0\n", "a pattern has no values, so it cannot be"),
        (f"{HEAD} coordinate real general\n", 'its size line is "", not 3 whole numbers'),
        (f"{HEAD} coordinate real general\n2 2\n", 'its size line is "2 2", not 3 whole numbers'),
        (f"{HEAD} array real general\n-2 2\n", 'its size line is "-2 2", not 2 whole numbers'),
        (f"{HEAD} array real general\n0 9876543210\n", "its sizes are 0 by 9876543210, but 2147483647 is the largest"),
        (f"{HEAD} coordinate real symmetric\n2 3 0\n", "a symmetric matrix must be square, not 2 by 3"),
        (f"{HEAD} coordinate real general\n2 2 2\n1 1 1\n", "it holds 1 entries, but its size line promises 2"),
        (f"{HEAD} array real general\n2 2\n1\n2\n3\n", "it holds 3 entries, but its size line promises 4"),
        (f"{HEAD} coordinate real general\n2 2 1\n1 1\n", "each entry has 2 numbers, but 3 belong there"),
        (f"{HEAD} coordinate pattern general\n2 2 1\n1 1 1\n", "each entry has 3 numbers, but 2 belong there"),
        (f"{HEAD} coordinate integer general\n2 2 1\n1 1 1.5\n", 'entry 1 has value 1.5, but its field is "integer"'),
        (f"{HEAD} coordinate unsigned-integer general\n2 2 1\n1 1 -1\n", "entry 1 has value -1, but its field is"),
        (f"{HEAD} coordinate real general\n2 2 1\n1 1 1.5e-\n", "could not convert string '1.5e-' to float64"),
        (f"{HEAD} coordinate real general\n2 2 1\n1 1 1\0\n", "could not convert string"),
        (f"{HEAD} coordinate real general\n2 2 1\n0 1 1\n", "element 1 has coordinate 0 in column 1; coordinates must be"),
        (f"{HEAD} coordinate real general\n2 2 1\n3 1 1\n", "has coordinates (2, 0) (element 0), outside its shape (2, 2)"),
        (f"{HEAD} coordinate real skew-symmetric\n2 2 1\n2 2 1\n", "has a value on its diagonal, at row 2"),
        (f"{HEAD} coordinate real symmetric\n2 2 2\n2 1 1\n1 2 1\n", "has 2 repeated coordinates"),
    ],
)  # fmt: skip
def test_files_that_are_wrong(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read_mtx(path)
    assert str(path) in str(caught.value)


def test_compressed_files_that_are_not(tmp_path: Path) -> None:
    for name in ("a.mtx.gz", "a.mtx.bz2"):
        (tmp_path / name).write_text(f"{HEAD} coordinate real general\n1 1 0\n")
        with pytest.raises(DataError, match="as Matrix Market: "):
            read_mtx(tmp_path / name)
