"""What the text formats share: opening them, their tables of numbers, and coordinates counted from 1."""

import bz2
import gzip
import lzma
import warnings
import zlib
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import DataError
from fuseflow.formats.build import Integers
from fuseflow.formats.check import MAX_DIMENSION

TEXT_ERRORS = (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, MemoryError)
"""What opening, decompressing and parsing a damaged file raises."""


def open_text(file: Path) -> TextIO:
    """``file`` as text, decompressed if its name ends in ``.gz`` or ``.bz2``.

    Every byte is a character (Latin-1), so that comments may be in any encoding; numbers are ASCII in all of them.
    """
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="latin-1")
    if file.suffix == ".bz2":
        return bz2.open(file, "rt", encoding="latin-1")
    return file.open(encoding="latin-1")


def read_table(lines: TextIO, comments: str | None = None) -> NDArray[np.float64]:
    """The rest of ``lines`` as numbers, one row a line, blank lines skipped; shape (0, 1) where there are none.

    ValueError for anything that is not a number, and for rows of different lengths.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input contained no data")
        table: NDArray[np.float64] = np.loadtxt(lines, comments=comments, ndmin=2, dtype=np.float64)
    return table if len(table) else np.zeros((0, 1))


def from_one(places: NDArray[np.float64], path: str | Path) -> Integers:
    """Rows of coordinates counted from 1 as columns counted from 0; DataError for what is no coordinate."""
    bad = ~((places >= 1) & (places <= MAX_DIMENSION) & (places == np.floor(places)))
    if bad.any():
        element, dimension = (int(place) for place in np.argwhere(bad)[0])
        raise DataError(
            f"cannot read {path}: element {element + 1} has coordinate {places[element, dimension]:g} in column "
            f"{dimension + 1}; coordinates must be whole numbers from 1 to {MAX_DIMENSION}"
        )
    return places.astype(np.int64).T - 1
