"""Sparsity blocking of a program: which dimensions are cut into blocks, and the program over blocks (paper §7).

Dimensions that one index variable of a statement iterates are cut alike; so a block given for one dimension reaches
all that are tied to it. Layout statements tie nothing: they move elements, and what they move is blocked anew behind
them.
"""

from collections.abc import Mapping
from dataclasses import replace

from fuseflow.einsum.nodes import Program
from fuseflow.errors import ScheduleError

Blocks = int | Mapping[str, int | tuple[int, ...]]
"""One size for the last two dimensions of every input (of two dimensions or more; those of size 1 are left out), and
of every result of a layout statement where it divides; or sizes by name: a tuple with one size per dimension for a
tensor, a number for an index variable. 1 means not blocked."""

Dimension = tuple[str, int]
"""A tensor and the number of one of its dimensions."""


def blocked(program: Program, blocks: Blocks) -> Program:
    """``program`` over blocks: every tensor has its ``tile``, and its shape in blocks.

    Layout statements keep their meaning in elements, so the result is not for :func:`fuseflow.einsum.verify`. Raises
    ScheduleError for names that do not exist, sizes that do not divide, and dimensions that would be cut twice.
    """
    sizes = block_sizes(program, blocks)
    tensors = []
    for tensor in program.tensors:
        tile = sizes[tensor.name]
        shape = tuple(size // side for size, side in zip(tensor.shape, tile, strict=True))
        tensors.append(replace(tensor, shape=shape, tile=tile))
    return replace(program, tensors=tuple(tensors))


def block_sizes(program: Program, blocks: Blocks) -> dict[str, tuple[int, ...]]:
    """The block size of every dimension of every tensor; see :func:`blocked`."""
    tied = _tied(program)
    chosen: dict[Dimension, tuple[int, str]] = {}
    for dimension, size, source in _asked(program, blocks):
        extent = program.tensor(dimension[0]).shape[dimension[1]]
        where = f"dimension {dimension[1]} of {dimension[0]!r}"
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ScheduleError(
                f"{source} is {size!r}, but a block of {where} must be a whole number of 1 or more (1: not blocked)"
            )
        if extent % size:
            divisors = ", ".join(str(number) for number in range(1, extent + 1) if extent % number == 0)
            raise ScheduleError(
                f"{source} is {size}, which does not divide {where} of size {extent}; choose one of {divisors}"
            )
        group = tied[dimension]
        known = chosen.setdefault(group, (size, source))
        if known[0] != size:
            raise ScheduleError(
                f"{source} cuts {where} into blocks of {size}, but {known[1]} cuts a dimension that is iterated "
                f"together with it into blocks of {known[0]}; give one size for both"
            )
    return {
        tensor.name: tuple(chosen.get(tied[tensor.name, place], (1, ""))[0] for place in range(tensor.order))
        for tensor in program.tensors
    }


def _asked(program: Program, blocks: Blocks) -> list[tuple[Dimension, int, str]]:
    """Dimensions that ``blocks`` names, with the size and the words for it."""
    asked: list[tuple[Dimension, int, str]] = []
    if isinstance(blocks, int):
        moved = {statement.name for statement in program.statements if statement.is_layout}
        stored = [*program.inputs, *(tensor for tensor in program.tensors if tensor.name in moved)]
        for tensor in stored:
            if tensor.order > 1:
                for place in (tensor.order - 2, tensor.order - 1):
                    if tensor.shape[place] != 1 and (tensor.name not in moved or tensor.shape[place] % blocks == 0):
                        asked.append(((tensor.name, place), blocks, "the block"))
        return asked
    for name, size in blocks.items():
        source = f"the block of {name!r}"
        if isinstance(size, tuple):
            shape = program.tensor(name).shape if any(item.name == name for item in program.tensors) else None
            if shape is None:
                raise ScheduleError(
                    f"{source}: there is no tensor {name!r}; there are "
                    f"{', '.join(tensor.name for tensor in program.tensors)}"
                )
            if len(size) != len(shape):
                raise ScheduleError(f"{source} is {size}, but {name!r} has shape {shape}; give one size per dimension")
            # A size of 1 leaves the choice to the tensors that the dimension is tied to.
            asked += [((name, place), side, source) for place, side in enumerate(size) if side != 1]
            continue
        places = [
            (access.tensor, place)
            for statement in program.computations
            for access in (*statement.operands, statement.output)
            for place, index in enumerate(access.indices)
            if index == name
        ]
        if not places:
            known = dict.fromkeys(index for statement in program.computations for index in statement.indices)
            raise ScheduleError(
                f"{source}: no statement has an index variable {name!r}; there are {', '.join(known)}. For a tensor, "
                "give a tuple with one size per dimension"
            )
        asked += [(place, size, source) for place in dict.fromkeys(places)]
    return asked


def _tied(program: Program) -> dict[Dimension, Dimension]:
    """A representative of the dimensions that are cut alike, for every dimension."""
    parent: dict[Dimension, Dimension] = {
        (tensor.name, place): (tensor.name, place) for tensor in program.tensors for place in range(tensor.order)
    }

    def find(item: Dimension) -> Dimension:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for statement in program.computations:
        first: dict[str, Dimension] = {}
        for access in (*statement.operands, statement.output):
            for place, index in enumerate(access.indices):
                item = (access.tensor, place)
                parent[find(item)] = find(first.setdefault(index, item))
    return {item: find(item) for item in parent}
