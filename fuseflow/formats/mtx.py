"""Matrix Market files (``.mtx``, also ``.mtx.gz`` and ``.mtx.bz2`` for reading)."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import io, sparse

from fuseflow.errors import DataError, FormatError
from fuseflow.formats.atomic import existing, replacing
from fuseflow.formats.format import Format
from fuseflow.formats.tree import FiberTree

_DIGITS = 9
"""Decimal digits that give back every float32."""


def read_mtx(
    path: str | Path, format: Format | str | None = None, *, sum_duplicates: bool = False, allow_nonfinite: bool = False
) -> FiberTree:
    """A matrix from a Matrix Market file; symmetric ones are expanded, pattern entries are 1.

    Default format: COO for coordinate files, dense for array files. Raises DataError for a missing or bad file.
    """
    file = existing(path, "Matrix Market (.mtx)")
    try:
        rows, columns, _, kind, _, _ = io.mminfo(file)
        # scipy divides by the number of rows of an array and dies of it, so arrays without rows are not given to it.
        empty = kind == "array" and 0 in (rows, columns)
        matrix: Any = np.zeros((rows, columns)) if empty else io.mmread(file, spmatrix=False)
    except (ValueError, OSError, OverflowError, EOFError, MemoryError) as error:
        raise DataError(
            f"cannot read {path} as Matrix Market: {error}; it must begin with a %%MatrixMarket line, a size line and "
            "the entries it promises"
        ) from error
    try:
        if sparse.issparse(matrix):
            return FiberTree.from_scipy(
                matrix, format, sum_duplicates=sum_duplicates, name=str(path), allow_nonfinite=allow_nonfinite
            )
        return FiberTree.from_dense(matrix, format, name=str(path), allow_nonfinite=allow_nonfinite)
    except FormatError as error:
        raise DataError(f"cannot use {path}: {error}") from error


def write_mtx(path: str | Path, tree: FiberTree, *, comment: str = "") -> None:
    """Write a matrix: array form if all levels are dense, coordinate form (explicit zeros kept) otherwise.

    The file is replaced as a whole. Raises FormatError unless the order is 2.
    """
    if tree.order != 2:
        raise FormatError(
            f"Matrix Market holds matrices, but the tree has order {tree.order}: use write_tns or write_npz"
        )
    matrix = tree.to_dense().astype(np.float64) if tree.format.is_dense else tree.to_scipy().tocoo().astype(np.float64)
    with replacing(Path(path)) as file:
        io.mmwrite(file, matrix, comment=comment, precision=_DIGITS, symmetry="general")
