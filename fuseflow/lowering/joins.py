"""Join trees: which coordinates a level iterates, following the expression (compiler notes §2.3, repaired).

A product intersects its operands, a sum unites them, and an operation that does not map zero to zero needs every
coordinate. The tree of a level is folded from the whole expression above it, so ``(A*B) + (C*D)`` becomes a union of
two intersections.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fuseflow.einsum import Binary, BinaryOp, Mask, Product, ReduceOp, Reduction, Unary
from fuseflow.errors import FusionError
from fuseflow.formats import Fill
from fuseflow.fusion import Leaf
from fuseflow.lowering.columns import Column, Source

__all__ = [
    "All",
    "Everything",
    "Fill",
    "FillOf",
    "JoinTree",
    "Of",
    "Some",
    "complete",
    "fill_of",
    "includes",
    "join_tree",
    "unite",
]


@dataclass(frozen=True, slots=True)
class Of:
    """Coordinates of one source: a stored level, or the coordinates an accumulator produces."""

    source: Source


@dataclass(frozen=True, slots=True)
class Everything:
    """Every coordinate of the index variable, stored or not."""


@dataclass(frozen=True, slots=True)
class All:
    """Intersection."""

    parts: tuple["JoinTree", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Union."""

    parts: tuple["JoinTree", ...]


JoinTree = Of | Everything | All | Some
FillOf = Callable[[Source], Fill]


def join_tree(column: Column, variable: str, fill: FillOf) -> JoinTree:
    """Coordinates of ``variable`` that ``column`` iterates, given how full each source is."""
    trees = [_operand_tree(operand, variable, fill) for operand in column.operands]
    tree = _combine(column, variable, trees, fill)
    if isinstance(tree, Some) and variable not in column.view.masked:
        _refuse_masked(column, variable, tree)
    return tree


def complete(tree: JoinTree, fill: FillOf) -> JoinTree:
    """``tree`` with every source reachable unfiltered where several operands need it.

    In ``S*B + S*C`` the first intersection drops elements of ``S`` that the second product needs. ``S`` then joins the
    union itself; the coordinates this adds compute to zero.
    """
    found = occurrences(tree)
    filtered = [source for source in dict.fromkeys(item for item, _ in found)]
    needed = [
        source
        for source in filtered
        if sum(item is source for item, _ in found) > 1 and all(hidden for item, hidden in found if item is source)
    ]
    return unite([tree, *(Of(source) for source in needed)], fill) if needed else tree


def occurrences(tree: JoinTree, in_union: bool = False, hidden: bool = False) -> list[tuple[Source, bool]]:
    """Every use of a source in ``tree`` and whether an intersection inside a union filters it."""
    match tree:
        case Of(source):
            return [(source, hidden)]
        case Everything():
            return []
        case All(parts):
            return [item for part in parts for item in occurrences(part, in_union, hidden or in_union)]
        case Some(parts):
            return [item for part in parts for item in occurrences(part, True, hidden)]


def _combine(column: Column, variable: str, trees: list["JoinTree | None"], fill: FillOf) -> JoinTree:
    present = [tree for tree in trees if tree is not None]
    match column.view.statement.expression:
        case Product() | Binary() if variable in column.view.masked:
            # Where one operand is masked in, an unstored element of the other counts as the zero it is.
            kept = [
                tree if variable in _masked(operand) else _with_zeros(column, operand, variable, tree, fill)
                for operand, tree in zip(column.operands, trees, strict=True)
                if tree is not None
            ]
            return intersect(kept, fill)
        case Product():
            return intersect(present, fill)
        case Mask():
            # Where the mask stores an element, the operand counts even if it is an unstored zero.
            operand, mask = trees
            if operand is not None and mask is not None and variable not in _masked(column.operands[0]):
                operand = _with_zeros(column, column.operands[0], variable, operand, fill)
            return intersect([tree for tree in (operand, mask) if tree is not None], fill)
        case Binary(op, _, _):
            everything = len(present) < 2 or op is BinaryOp.DIV
            return unite([*present, Everything()] if everything else present, fill)
        case Unary(op, _, scalar):
            dense = not op.preserves_zero(scalar) and variable not in column.view.masked
            return unite([*present, Everything()] if dense else present, fill)
        case Reduction(op, _):
            absent = variable in _masked(column.operands[0])
            # A maximum looks at zeros; and a sum of nothing but zeros is there, unlike a sum of absent elements.
            matters = op is ReduceOp.MAX or bool(column.view.masked)
            dense = matters and variable in column.view.reduced and not absent
            return unite([*present, Everything()] if dense else present, fill)
        case layout:
            raise FusionError(f"{column.name}: {layout} only moves elements; end the region before it")


def _with_zeros(column: Column, operand: Source, variable: str, tree: JoinTree, fill: FillOf) -> JoinTree:
    """``tree`` of an operand with its unstored zeros."""
    wider = unite([tree, Everything()], fill)
    if isinstance(operand, Column) and wider != tree and _iterates_masked(operand, variable):
        raise _masked_fault(column, operand, variable)
    return wider


def _masked(operand: Source) -> frozenset[str]:
    return operand.masked if isinstance(operand, Leaf) else operand.view.masked


def _refuse_masked(column: Column, variable: str, tree: Some) -> None:
    """A union would compute a masked operand where it is masked out, as if it were zero there."""
    for operand in column.operands:
        if isinstance(operand, Column) and variable in operand.variables and _iterates_masked(operand, variable):
            raise _masked_fault(column, operand, variable)


def _masked_fault(column: Column, operand: Column, variable: str) -> FusionError:
    return FusionError(
        f"{operand.name} depends on masked-out elements along {variable}, and {column.name} needs more "
        f"coordinates of {variable} than the mask has. End the region at {operand.name}"
    )


def _iterates_masked(column: Column, variable: str) -> bool:
    if variable in column.produced:
        return False
    inner = [item for item in column.operands if isinstance(item, Column) and variable in item.variables]
    return variable in column.view.masked or any(_iterates_masked(item, variable) for item in inner)


def _operand_tree(operand: Source, variable: str, fill: FillOf) -> JoinTree | None:
    """Tree of an operand, ``None`` if it does not depend on ``variable``."""
    if variable not in operand.variables:
        return None
    if isinstance(operand, Leaf) or variable in operand.produced:
        return Of(operand)
    return join_tree(operand, variable, fill)


def intersect(parts: list[JoinTree], fill: FillOf) -> JoinTree:
    """Intersection of ``parts``: flat, without repeats, without ``Everything`` and what amounts to it."""
    flat = _flat(parts, All)
    kept = [part for part in flat if not isinstance(part, Everything) and not _absorbed(part, flat)]
    if not kept:
        return Everything()
    return kept[0] if len(kept) == 1 else All(tuple(kept))


def _absorbed(part: JoinTree, others: list[JoinTree]) -> bool:
    """Whether ``part`` is a union with everything, all of whose sources the intersection has anyway."""
    if not isinstance(part, Some) or Everything() not in part.parts:
        return False
    return all(item in others for item in part.parts if not isinstance(item, Everything))


def unite(parts: list[JoinTree], fill: FillOf) -> JoinTree:
    """Union of ``parts``: flat, without repeats, with ``Everything`` only where no part is full already."""
    flat = _flat(parts, Some)
    if any(not isinstance(part, Everything) and fill_of(part, fill) is Fill.FULL for part in flat):
        flat = [part for part in flat if not isinstance(part, Everything)]
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def _flat(parts: list[JoinTree], kind: type[All] | type[Some]) -> list[JoinTree]:
    found: list[JoinTree] = []
    for part in parts:
        inner = list(part.parts) if isinstance(part, kind) else [part]
        found += [item for item in inner if item not in found]
    return found


def includes(tree: JoinTree, other: JoinTree, fill: FillOf) -> bool:
    """Whether every coordinate of ``other`` is certainly one of ``tree``."""
    if tree == other or fill_of(tree, fill) is Fill.FULL:
        return True
    match other:
        case Some(parts):
            return all(includes(tree, part, fill) for part in parts)
        case All(parts) if any(includes(tree, part, fill) for part in parts):
            return True
        case _:
            pass
    match tree:
        case Some(parts):
            return any(includes(part, other, fill) for part in parts)
        case All(parts):
            return all(includes(part, other, fill) for part in parts)
        case _:
            return False


def fill_of(tree: JoinTree, fill: FillOf) -> Fill:
    """What is known about the fibers that ``tree`` iterates."""
    match tree:
        case Of(source):
            return fill(source)
        case Everything():
            return Fill.FULL
        case All(parts):
            fills = [fill_of(part, fill) for part in parts]
            weak = [item for item in fills if item is not Fill.FULL]
            return Fill.FULL if not weak else weak[0] if len(weak) == 1 else Fill.UNKNOWN
        case Some(parts):
            return Fill(max(fill_of(part, fill) for part in parts))
