"""Block sizes as data (paper §7): which dimensions of a program are cut into blocks of which size."""

from collections.abc import Mapping
from typing import Any

from fuseflow.errors import ScheduleError

BlockSizes = int | tuple[tuple[str, int | tuple[int, ...]], ...]
"""One size for the last two dimensions of every stored tensor, or pairs of a name and its sizes."""


def read_blocks(given: Any, where: str) -> BlockSizes:
    """Block sizes from an integer, a dict, pairs, or what JSON makes of them; ScheduleError for anything else."""
    if isinstance(given, int) and not isinstance(given, bool):
        return _size(given, where, "the block")
    pairs = tuple(given.items()) if isinstance(given, Mapping) else given
    listed = isinstance(pairs, tuple | list)
    if not listed or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise ScheduleError(
            f'{where}: blocks must be a number or a dict such as {{"A": (16, 16), "k": 16}}, not {given!r}'
        )
    made: list[tuple[str, int | tuple[int, ...]]] = []
    for name, sizes in pairs:
        if not isinstance(name, str):
            raise ScheduleError(f"{where}: blocks must be named by a tensor or an index variable, not {name!r}")
        what = f"the block of {name!r}"
        many = isinstance(sizes, tuple | list)
        made.append((name, tuple(_size(size, where, what) for size in sizes) if many else _size(sizes, where, what)))
    return tuple(made)


def _size(size: Any, where: str, what: str) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ScheduleError(f"{where}: {what} must be a whole number of 1 or more (1: not blocked), not {size!r}")
    return size


def show_blocks(blocks: BlockSizes) -> str:
    """``16``, or ``A 16 x 16, k 16``."""
    if isinstance(blocks, int):
        return str(blocks)
    return ", ".join(
        f"{name} {' x '.join(map(str, sizes)) if isinstance(sizes, tuple) else sizes}" for name, sizes in blocks
    )
