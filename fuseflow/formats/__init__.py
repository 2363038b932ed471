"""Tensor storage: formats of per-level kinds, fiber trees, and their ways in and out."""

from fuseflow.formats.format import Format
from fuseflow.formats.level import (
    CompressedLevel,
    DenseLevel,
    Fill,
    Level,
    LevelKind,
    LevelStorage,
    SingletonLevel,
    WholeLevel,
)
from fuseflow.formats.mtx import read_mtx, write_mtx
from fuseflow.formats.npz import read_npz, write_npz
from fuseflow.formats.tiles import from_tiles, partial_block, tiles_to_dense, to_tiles
from fuseflow.formats.tns import read_tns, write_tns
from fuseflow.formats.tree import FiberTree

__all__ = [
    "CompressedLevel",
    "DenseLevel",
    "FiberTree",
    "Fill",
    "Format",
    "Level",
    "LevelKind",
    "LevelStorage",
    "SingletonLevel",
    "WholeLevel",
    "from_tiles",
    "partial_block",
    "read_mtx",
    "read_npz",
    "read_tns",
    "tiles_to_dense",
    "to_tiles",
    "write_mtx",
    "write_npz",
    "write_tns",
]
