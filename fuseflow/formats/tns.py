"""FROSTT tensor files (``.tns``, for reading also ``.tns.gz`` and ``.tns.bz2``).

A line per element: its coordinates, counted from 1, and its value; ``#`` stands before comments.
The format has no place for the shape. ``write_tns`` notes it in a comment that ``read_tns`` knows, and that other
readers skip.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from fuseflow.errors import DataError, FormatError
from fuseflow.formats.atomic import existing, replacing
from fuseflow.formats.format import Format
from fuseflow.formats.text import TEXT_ERRORS, from_one, open_text, read_table
from fuseflow.formats.tree import FiberTree

_SHAPE_NOTE = "# fuseflow shape:"
_DIGITS = "%.9g"
"""Decimal digits that give back every float32."""


def read_tns(
    path: str | Path,
    shape: Sequence[int] | None = None,
    format: Format | str | None = None,
    *,
    sum_duplicates: bool = False,
    allow_nonfinite: bool = False,
) -> FiberTree:
    """A tensor of any order from a FROSTT file. Default format: COO.

    The shape is ``shape``, or what the file notes, or the largest coordinate of each dimension. Raises DataError for
    a missing or bad file, and for coordinates outside the shape.
    """
    file = existing(path, "FROSTT (.tns)")
    try:
        with open_text(file) as lines:
            noted = _noted_shape(lines)
            lines.seek(0)
            table = read_table(lines, "#")
    except TEXT_ERRORS as error:
        raise DataError(
            f"cannot read {path} as FROSTT: {error}; each line must hold the coordinates and the value of one element, "
            "with the same number of columns in every line"
        ) from error
    sizes = tuple(shape) if shape is not None else noted
    if not len(table):
        if sizes is None:
            raise DataError(f"cannot read {path}: it holds no elements, so its shape is unknown; pass shape=...")
        table = np.zeros((0, len(sizes) + 1))
    order = table.shape[1] - 1
    if sizes is not None and len(sizes) != order:
        raise DataError(
            f"cannot read {path}: its lines hold {order} coordinates and a value, but the shape {sizes} has "
            f"{len(sizes)} dimensions"
        )
    places = table[:, :order]
    coordinates = from_one(places, path)
    found = tuple(int(size) for size in places.max(axis=0)) if len(table) else ()
    try:
        return FiberTree.from_coordinates(
            coordinates,
            table[:, order],
            sizes if sizes is not None else found,
            format,
            sum_duplicates=sum_duplicates,
            name=str(path),
            allow_nonfinite=allow_nonfinite,
        )
    except FormatError as error:
        raise DataError(f"cannot use {path}: {error} (coordinates counted from 0)") from error


def write_tns(path: str | Path, tree: FiberTree) -> None:
    """Write the stored elements (only nonzeros where the last level is dense); the file is replaced as a whole."""
    coordinates, values = tree.elements()
    table = np.column_stack((*(coordinates + 1), values.astype(np.float64)))
    with replacing(Path(path)) as file:
        file.write(f"{_SHAPE_NOTE} {' '.join(str(size) for size in tree.shape)}\n".encode())
        np.savetxt(file, table, fmt=["%d"] * tree.order + [_DIGITS])


def _noted_shape(lines: TextIO) -> tuple[int, ...] | None:
    """The shape that ``write_tns`` left in the first line, or None."""
    first = lines.readline()
    if not first.startswith(_SHAPE_NOTE):
        return None
    return tuple(int(size) for size in first.removeprefix(_SHAPE_NOTE).split())
