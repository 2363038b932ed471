"""Fiber trees in ``.npz`` files, without pickles.

Arrays: ``schema`` (the text below), ``shape`` (int64), ``format`` (its text form), ``values`` (float32), and for each
level ``l`` ``level{l}_segments`` and ``level{l}_coordinates`` where its kind has them.
"""

import lzma
import struct
import sys
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from fuseflow.errors import DataError
from fuseflow.formats.atomic import existing, replacing
from fuseflow.formats.build import check_finite
from fuseflow.formats.format import Format
from fuseflow.formats.level import CompressedLevel, DenseLevel, LevelKind, LevelStorage, SingletonLevel
from fuseflow.formats.tree import FiberTree

SCHEMA = "fuseflow.FiberTree/1"

ARCHIVE_ERRORS = (
    ValueError, TypeError, AttributeError, LookupError, OverflowError, OSError, EOFError, MemoryError, RuntimeError,
    SyntaxError, tokenize.TokenError, struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What zipfile and numpy (which parses the head of an array as Python) raise for a damaged archive."""


def write_npz(path: str | Path, tree: FiberTree) -> None:
    """Write a tree in any format, storage unchanged; the file is replaced as a whole."""
    arrays: dict[str, NDArray[Any]] = {
        "schema": np.array(SCHEMA),
        "shape": np.array(tree.shape, np.int64),
        "format": np.array(str(tree.format)),
        "values": tree.values,
    }
    for number, level in enumerate(tree.levels):
        if isinstance(level, CompressedLevel):
            arrays[f"level{number}_segments"] = level.segments
        if not isinstance(level, DenseLevel):
            arrays[f"level{number}_coordinates"] = level.coordinates
    with replacing(Path(path)) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(path: str | Path, *, allow_nonfinite: bool = False) -> FiberTree:
    """A tree as it was written by ``write_npz``.

    Raises DataError for a missing, truncated or inconsistent file, and for NaN or infinities unless
    ``allow_nonfinite``.
    """
    arrays = read_arrays(path)
    try:
        schema = _text(arrays["schema"])
        if schema != SCHEMA:
            raise DataError(f'cannot read {path}: its schema is "{schema}", but "{SCHEMA}" is expected')
        shape = tuple(int(size) for size in arrays["shape"])
        format = Format.parse(_text(arrays["format"]), len(shape))
        levels = tuple(_level(arrays, number, level.kind, shape, format) for number, level in enumerate(format.levels))
        tree = FiberTree(shape, format, levels, arrays["values"])
    except KeyError as error:
        raise DataError(
            f"cannot read {path}: array {error} is missing among {sorted(arrays)}; write tensors with write_npz"
        ) from error
    except (ValueError, TypeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot use {path}: {error}; write the file anew") from error
    if not allow_nonfinite and not np.isfinite(tree.values).all():
        coordinates, values = tree.elements()
        check_finite(values, tuple(coordinates), str(path))
    return tree


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` file, by name; DataError if it is missing, truncated, corrupt or holds pickles."""
    file = existing(path, ".npz")
    try:
        with file.open("rb") as stream, open_archive(stream) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except ARCHIVE_ERRORS as error:
        raise DataError(
            f"cannot read {path} as .npz: {error}; the file is damaged or of another kind, get or write it anew"
        ) from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # numpy gives the bytes of members that are no arrays
            raise DataError(f"cannot read {path} as .npz: member {name!r} is not an array; get or write it anew")
    return arrays


def open_archive(stream: BinaryIO) -> NpzFile:
    """The archive in ``stream``; this call and reading arrays from it raise ARCHIVE_ERRORS if it is damaged."""
    if stream.read(2) != b"PK":  # numpy would take other bytes for a pickle, and advise to load it
        raise ValueError("it is not a zip archive")
    stream.seek(0)
    archive = np.load(stream, allow_pickle=False)
    assert isinstance(archive, NpzFile)  # what numpy makes of a zip archive
    return archive


def _level(
    arrays: dict[str, NDArray[Any]], number: int, kind: LevelKind, shape: tuple[int, ...], format: Format
) -> LevelStorage:
    match kind:
        case LevelKind.DENSE:
            return DenseLevel(shape[format.mode_order[number]])
        case LevelKind.COMPRESSED:
            return CompressedLevel(arrays[f"level{number}_segments"], arrays[f"level{number}_coordinates"])
        case LevelKind.SINGLETON:
            return SingletonLevel(arrays[f"level{number}_coordinates"])


def _text(array: NDArray[Any]) -> str:
    """The text in an array of order 0; ValueError if there is none, or characters that no text can have."""
    if array.ndim or array.dtype.kind != "U" or not array.dtype.itemsize:
        raise ValueError(f"a text is expected, not an array of type {array.dtype} and shape {array.shape}")
    codes = array.reshape(1).view(np.dtype("u4").newbyteorder(array.dtype.byteorder))
    if int(codes.max()) > sys.maxunicode:  # Python would make a broken string of it
        raise ValueError(f"a text holds {int(codes.max())}, which is no character")
    return str(array)
