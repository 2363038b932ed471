"""Block sizes as a dimension of the space: one size for a whole model, or choices by tensor and index variable."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from fuseflow.einsum import Program
from fuseflow.einsum.blocked import block_sizes
from fuseflow.errors import ScheduleError
from fuseflow.schedule.blocks import BlockSizes, show_blocks

BlockSpace = Sequence[int | None] | Mapping[str, Sequence[int | tuple[int, ...] | None]]
"""Sizes for the whole model, or choices by name; 0 and ``None`` leave numbers numbers (a tensor: its dimensions are cut
only where another name that is iterated together with it asks for it)."""

WITHOUT: BlockSizes = 0
"""The choice of no tiles."""


def check_blocks(program: Program, blocks: BlockSpace) -> None:
    """ScheduleError where ``blocks`` is empty, not of whole numbers, or names what ``program`` lacks."""
    if not blocks:
        raise ScheduleError("the space is empty: blocks gives no block size; give (0,) for no tiles")
    if not isinstance(blocks, Mapping):
        _check_sizes(blocks)
        return
    for name, choices in blocks.items():
        given: Any = choices
        if not isinstance(given, tuple | list):
            raise ScheduleError(f"blocks must give choices for {name!r}, such as (0, 16), not {choices!r}")
        if not choices:
            raise ScheduleError(f"the space is empty: blocks gives no block size for {name!r}; give (0,) for no tiles")
        for choice in choices:
            _sizes_of(program, name, choice)


def _check_sizes(blocks: Any) -> None:
    sizes = blocks if isinstance(blocks, tuple | list) else (blocks,)
    for size in sizes:
        if size is not None and not _is_size(size):
            raise ScheduleError(
                "blocks must hold whole numbers, such as (0, 16, 32), or 0 or None for no tiles, or be a dict of such "
                f'by tensor or index variable, such as {{"A": (0, 16), "k": (0, 8)}}; not {size!r}'
            )
    if sizes is not blocks:
        raise ScheduleError(f"blocks must be a tuple of sizes, such as (0, {blocks}), or a dict, not {blocks!r}")


def block_choices(program: Program, blocks: BlockSpace, variant: Program | None = None) -> list[BlockSizes]:
    """Every choice of ``blocks`` once, as schedules take them, those with the smallest tiles first.

    Choices that cut the same dimensions into the same sizes are one choice. Those that do not fit are kept: cutting the
    program says why. ``variant`` is what is cut, where products in another order lack tensors that ``program`` has.
    """
    if not isinstance(blocks, Mapping):
        return sorted({size if size and size > 1 else 0 for size in blocks})
    found: dict[object, tuple[int, BlockSizes]] = {}
    for chosen in product(*([_sizes_of(program, name, item) for item in blocks[name]] for name in blocks)):
        pairs = tuple((name, size) for name, size in zip(blocks, chosen, strict=True) if size is not None)
        try:
            cut = block_sizes(variant or program, dict(pairs))
        except ScheduleError:
            found.setdefault(pairs, (0, pairs))
            continue
        volume = sum(size for tile in cut.values() for size in tile)
        plain = all(size == 1 for tile in cut.values() for size in tile)
        # Several names can ask for one and the same cut: it is one schedule, and counted once.
        found.setdefault(tuple(cut.items()), (volume, WITHOUT if plain else pairs))
    return [choice for _, choice in sorted(found.values(), key=lambda item: item[0])]


def shown(choice: BlockSizes) -> int | str:
    """``choice`` for people and tables: the size of the whole model, 0 for none, or words."""
    return choice if isinstance(choice, int) else show_blocks(choice)


def _sizes_of(program: Program, name: str, choice: Any) -> int | tuple[int, ...] | None:
    """What a schedule gets for ``name``; ``None`` for nothing. ScheduleError where a choice is none for ``name``."""
    tensor = next((item for item in program.tensors if item.name == name), None)
    indices = dict.fromkeys(index for statement in program.computations for index in statement.indices)
    if tensor is None and name not in indices:
        raise ScheduleError(
            f"blocks names {name!r}, which is neither a tensor nor an index variable of the program; it has tensors "
            f"{', '.join(item.name for item in program.tensors)} and index variables {', '.join(indices)}"
        )
    if choice is None or (choice == 0 and _is_size(choice)):
        return None
    if isinstance(choice, tuple):
        if tensor is None:
            raise ScheduleError(f"blocks gives {choice} for index variable {name!r}, which has one size; give a number")
        if len(choice) != len(tensor.shape) or not all(_is_size(size) and size for size in choice):
            raise ScheduleError(
                f"blocks gives {choice} for {name!r} of shape {tensor.shape}; give a whole number of 1 or more per "
                "dimension (1: not blocked)"
            )
        return None if max(choice, default=1) == 1 else choice
    if not _is_size(choice):
        raise ScheduleError(
            f"blocks must hold whole numbers or, for a tensor, tuples of them; for {name!r} not {choice!r}"
        )
    if tensor is None:
        return int(choice) if choice > 1 else None
    if name in indices:
        raise ScheduleError(
            f"blocks gives {choice} for {name!r}, which is both a tensor and an index variable; give a tuple with "
            "one size per dimension of the tensor"
        )
    if not tensor.shape:
        raise ScheduleError(f"blocks gives {choice} for {name!r}, a single number, which has no dimension to cut")
    if choice == 1:
        return None
    # As one size for a whole model: the last two dimensions, those of size 1 left out.
    first = max(len(tensor.shape) - 2, 0)
    return tuple(choice if place >= first and size != 1 else 1 for place, size in enumerate(tensor.shape))


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 0
