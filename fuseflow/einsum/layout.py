"""Layout statements: what they do to shapes, to dense arrays, and to stored tensors.

They re-index elements exactly: a sparse tensor stays sparse, and an explicit zero stays stored. They run between
fusion regions and cost no cycles.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum.nodes import Access, Concat, Gather, Layout, Reshape, Slice, Statement
from fuseflow.formats import FiberTree, Format

Element = TypeVar("Element", bound=np.generic)
Coordinates = NDArray[np.int64]


def layout(statement: Statement) -> Layout:
    """The expression of a layout statement; TypeError for another one."""
    expression = statement.expression
    if not isinstance(expression, Reshape | Concat | Slice | Gather):
        raise TypeError(f"{statement.name!r} computes, it is no layout statement")
    return expression


def along(statement: Statement, part: Access) -> int:
    """Dimension of ``part`` that a concatenation joins, a slice cuts or a gather picks from."""
    match layout(statement):
        case Concat():
            return next(d for d, index in enumerate(part.indices) if index not in statement.output.indices)
        case Slice(_, index, _, _, _) | Gather(_, index, _):
            return part.indices.index(index)
        case Reshape():
            raise TypeError("a reshape has no dimension of its own")


def target(statement: Statement) -> int | None:
    """Output dimension of the joined, cut or picked index; None for a reshape and where a slice drops it."""
    match layout(statement):
        case Concat(_, index):
            return statement.output.indices.index(index)
        case Slice(operand) | Gather(operand):
            fresh = [d for d, index in enumerate(statement.output.indices) if index not in operand.indices]
            return fresh[0] if fresh else None
        case Reshape():
            return None


def output_shape(statement: Statement, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Shape of the result, given those of the operands."""
    sizes: dict[str, int] = {}
    for access in statement.operands:
        sizes.update(zip(access.indices, shapes[access.tensor], strict=True))
    match layout(statement):
        case Reshape(_, _, shape):
            return shape
        case Concat(parts, index):
            sizes[index] = sum(shapes[part.tensor][along(statement, part)] for part in parts)
        case Slice() | Gather() as moved:
            place = target(statement)
            if place is not None:
                sizes[statement.output.indices[place]] = len(moved.positions)
    return tuple(sizes[index] for index in statement.output.indices)


def layout_fault(statement: Statement, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """What is wrong with the indices and sizes of a layout statement, None if nothing is."""
    made = statement.output.indices
    match layout(statement):
        case Reshape(operand, order, shape):
            count = prod(shapes[operand.tensor])
            if sorted(order) != sorted(operand.indices) or set(made) & set(order):
                return f"reshape names every index of {operand.tensor!r} once, and the output has new ones"
            if prod(shape) != count or len(shape) != len(made) or min(shape, default=0) < 0:
                return f"{count} elements of {operand.tensor!r} do not fill shape {shape} with indices {made}"
        case Concat(parts, index):
            if index not in made:
                return f"the output lacks the index {index!r} that is concatenated"
            rest = set(made) - {index}
            for part in parts:
                if len(part.indices) != len(made) or not rest <= set(part.indices):
                    return (
                        f"{part.tensor!r} must have the indices {', '.join(sorted(rest)) or 'none'} and one of its own"
                    )
                for name, size in zip(part.indices, shapes[part.tensor], strict=True):
                    first = parts[0]
                    if name in rest and shapes[first.tensor][first.indices.index(name)] != size:
                        return f"index {name!r} has another size in {part.tensor!r} than in {first.tensor!r}"
        case Slice(operand, index) | Gather(operand, index) as moved:
            if index not in operand.indices:
                return f"{operand.tensor!r} lacks the index {index!r}"
            size = shapes[operand.tensor][operand.indices.index(index)]
            if isinstance(moved, Slice) and moved.step < 1:
                return f"the step must be at least 1, not {moved.step}"
            outside = [place for place in moved.positions if not 0 <= place < size]
            if outside:
                return f"position {outside[0]} of index {index!r} is outside its size {size}"
            rest = set(operand.indices) - {index}
            fresh = [name for name in made if name not in rest]
            dropped = not fresh and isinstance(moved, Slice) and len(moved.positions) == 1
            if not rest <= set(made) or fresh == [index] or (len(fresh) != 1 and not dropped):
                return (
                    f"the output must have the indices {', '.join(sorted(rest)) or 'none'} and a new one for {index!r}"
                )
    return None


def move_array(statement: Statement, arrays: Sequence[NDArray[Element]], shape: tuple[int, ...]) -> NDArray[Element]:
    """Result of a layout statement on dense ``arrays``, one per operand."""
    made = statement.output.indices
    match layout(statement):
        case Reshape(operand, order, _):
            ordered = arrays[0].transpose([operand.indices.index(index) for index in order])
            return ordered.reshape(shape)
        case Concat(parts, index):
            turned = []
            for part, array in zip(parts, arrays, strict=True):
                own = part.indices[along(statement, part)]
                turned.append(array.transpose([part.indices.index(own if name == index else name) for name in made]))
            return np.concatenate(turned, axis=made.index(index))
        case Slice(operand, index) | Gather(operand, index) as moved:
            taken = arrays[0].take(list(moved.positions), axis=along(statement, operand))
            place = target(statement)
            if place is None:
                taken = taken.squeeze(axis=along(statement, operand))
                names = tuple(name for name in operand.indices if name != index)
            else:
                names = tuple(made[place] if name == index else name for name in operand.indices)
            return taken.transpose([names.index(name) for name in made])


def move_tree(statement: Statement, trees: Sequence[FiberTree], shape: tuple[int, ...], chosen: Format) -> FiberTree:
    """Result of a layout statement on stored tensors, one per operand, stored in format ``chosen``."""
    if chosen.is_dense:
        return FiberTree.from_dense(
            move_array(statement, [tree.to_dense() for tree in trees], shape), chosen, allow_nonfinite=True
        )
    moved = [
        _move_elements(statement, access, tree, number, trees, shape)
        for number, (access, tree) in enumerate(zip(statement.operands, trees, strict=True))
    ]
    coordinates = np.concatenate([item[0] for item in moved], axis=1)
    values = np.concatenate([item[1] for item in moved])
    return FiberTree.from_coordinates(coordinates, values, shape, chosen, allow_nonfinite=True)


def _move_elements(
    statement: Statement,
    access: Access,
    tree: FiberTree,
    number: int,
    trees: Sequence[FiberTree],
    shape: tuple[int, ...],
) -> tuple[Coordinates, NDArray[np.float32]]:
    coordinates, values = tree.elements()
    expression = layout(statement)
    if isinstance(expression, Reshape):
        places = [access.indices.index(index) for index in expression.order]
        flat = np.zeros(coordinates.shape[1], np.int64)
        for place in places:
            flat = flat * tree.shape[place] + coordinates[place]
        places_made = np.zeros((len(shape), flat.size), np.int64)
        for dimension in reversed(range(len(shape))):
            flat, places_made[dimension] = np.divmod(flat, max(shape[dimension], 1))
        return places_made, values
    own = along(statement, access)
    named = dict(zip(access.indices, coordinates, strict=True))
    column = named.pop(access.indices[own])
    made = target(statement)
    if isinstance(expression, Concat):
        before = zip(expression.parts[:number], trees[:number], strict=True)
        column = column + sum(earlier.shape[along(statement, part)] for part, earlier in before)
    elif isinstance(expression, Slice | Gather):
        # Every wanted position takes the elements that stand there, which lie together once sorted.
        positions = np.asarray(expression.positions, np.int64)
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        first = np.searchsorted(ordered, positions, side="left")
        count = np.searchsorted(ordered, positions, side="right") - first
        start = np.repeat(first - np.concatenate(([0], np.cumsum(count)[:-1])), count) if len(count) else count
        taken = order[start + np.arange(int(count.sum()))]
        column = np.repeat(np.arange(len(positions)), count)
        named = {index: values_of[taken] for index, values_of in named.items()}
        values = values[taken]
    rows = [column if dimension == made else named[index] for dimension, index in enumerate(statement.output.indices)]
    return np.stack(rows) if rows else np.zeros((0, len(values)), np.int64), values
