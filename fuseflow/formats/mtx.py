"""Matrix Market files (``.mtx``, also ``.mtx.gz`` and ``.mtx.bz2`` for reading).

Read here and not by scipy, whose reader ends the process on some damaged files.
"""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import io

from fuseflow.errors import DataError, FormatError
from fuseflow.formats.atomic import existing, replacing
from fuseflow.formats.build import Integers
from fuseflow.formats.check import MAX_DIMENSION
from fuseflow.formats.format import Format
from fuseflow.formats.text import TEXT_ERRORS, from_one, open_text, read_table
from fuseflow.formats.tree import FiberTree

_DIGITS = 9
"""Decimal digits that give back every float32."""


class Layout(Enum):
    """How the entries are listed; the value is the word in the first line, as for the enums below."""

    COORDINATE = "coordinate"
    ARRAY = "array"


class Field(Enum):
    """What the values are; complex ones have no place here."""

    REAL = "real"
    DOUBLE = "double"
    INTEGER = "integer"
    UNSIGNED = "unsigned-integer"
    PATTERN = "pattern"


class Symmetry(Enum):
    """Which entries are left out because others imply them."""

    GENERAL = "general"
    SYMMETRIC = "symmetric"
    SKEW = "skew-symmetric"


@dataclass(frozen=True, slots=True)
class Header:
    """The first line and the size line; ``entries`` is what the size line promises (of an array: what it implies)."""

    layout: Layout
    field: Field
    symmetry: Symmetry
    rows: int
    columns: int
    entries: int


def read_mtx(
    path: str | Path, format: Format | str | None = None, *, sum_duplicates: bool = False, allow_nonfinite: bool = False
) -> FiberTree:
    """A matrix from a Matrix Market file; symmetric ones are expanded, pattern entries are 1.

    Default format: COO for coordinate files, dense for array files. Raises DataError for a missing or bad file, and
    for complex values.
    """
    file = existing(path, "Matrix Market (.mtx)")
    try:
        with open_text(file) as lines:
            header = _header(lines)
            table = read_table(lines)
        _check_table(header, table)
    except TEXT_ERRORS as error:
        reason = str(error).rstrip(".")
        raise DataError(
            f"cannot read {path} as Matrix Market: {reason}; it must begin with a %%MatrixMarket line, a size line and "
            "the entries it promises"
        ) from error
    shape = header.rows, header.columns
    try:
        if header.layout is Layout.ARRAY:
            return FiberTree.from_dense(_array(header, table), format, name=str(path), allow_nonfinite=allow_nonfinite)
        coordinates, values = _elements(header, table, path)
        return FiberTree.from_coordinates(
            coordinates, values, shape, format,
            sum_duplicates=sum_duplicates, name=str(path), allow_nonfinite=allow_nonfinite,
        )  # fmt: skip
    except FormatError as error:
        raise DataError(f"cannot use {path}: {error} (coordinates counted from 0)") from error


def write_mtx(path: str | Path, tree: FiberTree, *, comment: str = "") -> None:
    """Write a matrix: array form if all levels are dense, coordinate form (explicit zeros kept) otherwise.

    The file is replaced as a whole. Raises FormatError unless the order is 2.
    """
    if tree.order != 2:
        raise FormatError(
            f"Matrix Market holds matrices, but the tree has order {tree.order}: use write_tns or write_npz"
        )
    matrix: Any = (
        tree.to_dense().astype(np.float64) if tree.format.is_dense else tree.to_scipy().tocoo().astype(np.float64)
    )
    with replacing(Path(path)) as file:
        io.mmwrite(file, matrix, comment=comment, precision=_DIGITS, symmetry="general")


def _header(lines: TextIO) -> Header:
    """The header, with ``lines`` left at the entries; ValueError if it is not one."""
    words = lines.readline().lower().split()
    if words[:1] != ["%%matrixmarket"]:
        raise ValueError("its first line does not begin with %%MatrixMarket")
    if len(words) != 5 or words[1] != "matrix":
        raise ValueError(
            f'its first line is "{" ".join(words)}", not %%MatrixMarket matrix LAYOUT FIELD SYMMETRY in five words'
        )
    layout, field, symmetry = _word(Layout, words[2]), _word(Field, words[3]), _word(Symmetry, words[4])
    if field is Field.PATTERN and (layout is Layout.ARRAY or symmetry is Symmetry.SKEW):
        raise ValueError(f'a pattern has no values, so it cannot be "{words[2]} {words[4]}"')
    rows, columns, *promised = _sizes(lines, 2 if layout is Layout.ARRAY else 3)
    if symmetry is not Symmetry.GENERAL and rows != columns:
        raise ValueError(f"a {symmetry.value} matrix must be square, not {rows} by {columns}")
    entries = promised[0] if promised else _array_entries(symmetry, rows, columns)
    return Header(layout, field, symmetry, rows, columns, entries)


_Word = TypeVar("_Word", Layout, Field, Symmetry)


def _word(kind: type[_Word], word: str) -> _Word:
    known = [each.value for each in kind]
    if word not in known:
        raise ValueError(f'{kind.__name__.lower()} "{word}" is not read, only {", ".join(known)}')
    return kind(word)


def _sizes(lines: TextIO, count: int) -> list[int]:
    line = next((line for line in lines if line.strip() and not line.startswith("%")), "")
    words = line.split()
    if len(words) != count or not all(re.fullmatch(r"[0-9]{1,18}", word) for word in words):
        raise ValueError(f'its size line is "{line.strip()[:60]}", not {count} whole numbers')
    sizes = [int(word) for word in words]
    if max(sizes[:2]) > MAX_DIMENSION:
        raise ValueError(f"its sizes are {sizes[0]} by {sizes[1]}, but {MAX_DIMENSION} is the largest")
    return sizes


def _array_entries(symmetry: Symmetry, rows: int, columns: int) -> int:
    match symmetry:
        case Symmetry.GENERAL:
            return rows * columns
        case Symmetry.SYMMETRIC:
            return rows * (rows + 1) // 2
        case Symmetry.SKEW:
            return rows * (rows - 1) // 2


def _check_table(header: Header, table: NDArray[np.float64]) -> None:
    """ValueError unless there are as many entries as promised, each of the parts that it must have."""
    if len(table) != header.entries:
        raise ValueError(f"it holds {len(table)} entries, but its size line promises {header.entries}")
    parts = (2 if header.layout is Layout.COORDINATE else 0) + (header.field is not Field.PATTERN)
    if len(table) and table.shape[1] != parts:
        raise ValueError(f"each entry has {table.shape[1]} numbers, but {parts} belong there")
    if header.field in (Field.INTEGER, Field.UNSIGNED) and len(table):
        values = table[:, -1]
        wrong = (values != np.floor(values)) | (header.field is Field.UNSIGNED) & (values < 0)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(f'entry {at + 1} has value {values[at]:g}, but its field is "{header.field.value}"')


def _elements(header: Header, table: NDArray[np.float64], path: str | Path) -> tuple[Integers, NDArray[np.float64]]:
    """Coordinates by dimension, counted from 0, and values; entries that symmetry implies come last."""
    coordinates = from_one(table[:, :2] if len(table) else np.zeros((0, 2)), path)
    values = np.ones(len(table)) if header.field is Field.PATTERN else table[:, -1]
    if header.symmetry is Symmetry.GENERAL:
        return coordinates, values
    off = coordinates[0] != coordinates[1]
    sign = _sign(header.symmetry)
    if sign < 0 and (values[~off] != 0).any():
        at = int(coordinates[0][~off & (values != 0)][0])
        raise DataError(
            f"cannot read {path}: it is skew-symmetric, but has a value on its diagonal, at row {at + 1}; "
            "take it away, or write the matrix as general"
        )
    mirrored = coordinates[::-1, off]
    return np.concatenate((coordinates, mirrored), axis=1), np.concatenate((values, sign * values[off]))


def _array(header: Header, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The full array; files list the columns one after the other, of a symmetric matrix the lower triangle only."""
    shape = header.rows, header.columns
    if header.symmetry is Symmetry.GENERAL:
        return table.reshape(shape, order="F")
    full = np.zeros(shape)
    columns, rows = np.triu_indices(header.rows, 1 if header.symmetry is Symmetry.SKEW else 0)
    full[columns, rows] = _sign(header.symmetry) * table[:, 0]
    full[rows, columns] = table[:, 0]
    return full


def _sign(symmetry: Symmetry) -> int:
    return -1 if symmetry is Symmetry.SKEW else 1
