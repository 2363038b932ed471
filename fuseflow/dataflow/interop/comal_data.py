"""The reference simulator's data files (simulator §6.4): one number per line, a file per level and one for the values.

``tensor_<T>_mode_<m>_seg`` and ``_crd`` for a compressed level that stores dimension ``m``, ``tensor_<T>_mode_shape``
with a size per dimension, ``tensor_<T>_mode_vals``. The reference passes over lines that it cannot read; here they are
errors.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.errors import DataError, FormatError
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format, Level, LevelKind, LevelStorage
from fuseflow.formats.atomic import replacing
from fuseflow.formats.check import MAX_DIMENSION
from fuseflow.formats.text import TEXT_ERRORS

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,+")


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """One level of a tensor as a graph reads it: the dimension it stores, and its size if it is dense."""

    mode: int
    dense: bool


def write_data(folder: Path, tensors: Mapping[str, FiberTree]) -> None:
    """Write the files of every tensor into ``folder``; DataError for a level kind without a file."""
    for name, tree in tensors.items():
        _check_name(name)
        for number, level in enumerate(tree.levels):
            mode = tree.format.mode_order[number]
            match level:
                case CompressedLevel(segments, coordinates):
                    _write(folder / f"tensor_{name}_mode_{mode}_seg", segments, "%d")
                    _write(folder / f"tensor_{name}_mode_{mode}_crd", coordinates, "%d")
                case DenseLevel():
                    pass
                case _:
                    raise DataError(
                        f"level {number} of tensor {name!r} is stored {tree.format.levels[number].kind.name.lower()}; "
                        'graphs read dense and compressed levels: convert it, as in tree.convert("cc")'
                    )
        write_shape(folder, name, tree.shape)
        _write(folder / f"tensor_{name}_mode_vals", tree.values, "%.9g")


def write_shape(folder: Path, name: str, shape: Sequence[int]) -> None:
    """Write the sizes of a tensor, by dimension: all that a dense scanner reads."""
    _check_name(name)
    _write(folder / f"tensor_{name}_mode_shape", np.array(shape, np.int64), "%d")


def read_shape(folder: Path, name: str) -> tuple[int, ...] | None:
    """Sizes by dimension, or None if there is no such file."""
    path = _path(folder, f"tensor_{name}_mode_shape", name)
    if not path.exists():
        return None
    sizes = _numbers(path, np.int64)
    bad = [int(size) for size in sizes if not 0 <= size <= MAX_DIMENSION]
    if bad:
        raise DataError(f"{path}: a size must be from 0 to {MAX_DIMENSION}, not {bad[0]}")
    return tuple(int(size) for size in sizes)


def read_data(folder: Path, name: str, levels: Sequence[StoredLevel]) -> FiberTree:
    """Tensor ``name``, whose levels a graph reads as ``levels``, outermost first.

    DataError names the file, and the line where there is one, for anything missing or inconsistent.
    """
    shape = read_shape(folder, name)
    order = tuple(level.mode for level in levels)
    if shape is None:
        if levels:
            raise DataError(
                f"{folder}: no file tensor_{name}_mode_shape; write one with the {len(levels)} sizes of tensor "
                f"{name!r}, by dimension, one per line"
            )
        shape = ()
    if len(shape) != len(levels) or sorted(order) != list(range(len(levels))):
        raise DataError(
            f"{folder}: tensor {name!r} has shape {shape}, but the graph reads {len(levels)} levels, of dimensions "
            f"{order}; the shape file needs one size per dimension, and the graph one level per dimension"
        )
    stored: list[LevelStorage] = []
    kinds = []
    for level in levels:
        kinds.append(Level(LevelKind.DENSE if level.dense else LevelKind.COMPRESSED))
        if level.dense:
            stored.append(DenseLevel(shape[level.mode]))
            continue
        segments, coordinates = (
            _numbers(_existing(folder, f"tensor_{name}_mode_{level.mode}_{part}", name), np.int64)
            for part in ("seg", "crd")
        )
        try:
            stored.append(CompressedLevel(segments, coordinates))
        except FormatError as fault:
            raise DataError(f"{folder}: dimension {level.mode} of tensor {name!r}: {fault}") from None
    values = _numbers(_existing(folder, f"tensor_{name}_mode_vals", name), np.float32)
    try:
        return FiberTree(shape, Format(tuple(kinds), order), tuple(stored), values)
    except FormatError as fault:
        raise DataError(f"{folder}: the files of tensor {name!r} do not fit together: {fault}") from None


def _check_name(name: str) -> None:
    if not name or not set(name) <= _SAFE or name.startswith("."):
        raise DataError(f"tensor name {name!r} cannot be part of a file name; use letters, digits and _ - . , +")


def _path(folder: Path, file: str, name: str) -> Path:
    _check_name(name)
    return folder / file


def _existing(folder: Path, file: str, name: str) -> Path:
    path = _path(folder, file, name)
    if not path.is_file():
        raise DataError(f"{folder}: no file {file}; the graph reads it for tensor {name!r}")
    return path


def _write(path: Path, numbers: NDArray[Any], form: str) -> None:
    with replacing(path) as file:
        np.savetxt(file, numbers, fmt=form)


def _numbers(path: Path, kind: type[np.generic]) -> NDArray[Any]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*input contained no data")
            return np.loadtxt(path, dtype=kind, ndmin=1, comments=None, encoding="latin-1").reshape(-1)
    except TEXT_ERRORS:
        raise DataError(_bad_line(path, kind)) from None


def _bad_line(path: Path, kind: type[np.generic]) -> str:
    what = "a whole number" if issubclass(kind, np.integer) else "a number"
    convert = int if issubclass(kind, np.integer) else float
    try:
        with path.open(encoding="latin-1") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    convert(line.strip() or "0")
                except ValueError:
                    return f"{path}, line {number}: expected {what}, not {line.strip()!r:.60}"
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror or fault}"
    return f"{path} cannot be read as numbers, one per line, that fit {np.dtype(kind)}"
