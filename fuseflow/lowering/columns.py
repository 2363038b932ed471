"""Columns: every view in the loop nest it is computed in (paper Algorithm 2; compiler notes §2.6).

An operation runs in the nest of its consumer as far as it must: down to the last foreign index variable that stands
outside of one of its own output variables. Those foreign variables are iterated around it, so it is recomputed for
each of their coordinates. Everything else is its own: it is computed once and its result stream is repeated.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from fuseflow.dataflow.verify import MAX_DEPTH
from fuseflow.einsum import Mask
from fuseflow.errors import FusionError
from fuseflow.fusion import FusedRegion, Leaf, Operation
from fuseflow.fusion.views import LeafKey, View
from fuseflow.lowering.copies import Copy, permuted


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """An operation with its loop nest.

    ``loops`` are the index variables it iterates, outermost first; the first ``shared`` of them are iterated together
    with its consumer. ``operands`` are columns, or leaves for stored tensors.
    """

    view: Operation
    loops: tuple[str, ...]
    shared: int
    operands: tuple["Column | Leaf", ...]

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def variables(self) -> tuple[str, ...]:
        return self.view.variables

    @property
    def produced(self) -> tuple[str, ...]:
        """Output variables that the operation's own reduction produces, outermost first."""
        return tuple(loop for loop in self.loops[self.shared :] if loop in self.view.variables)

    @property
    def result_path(self) -> tuple[str, ...]:
        """Loops over which the result stream is nested."""
        return self.loops[: self.shared] + self.produced

    @property
    def recomputed(self) -> tuple[str, ...]:
        """Foreign index variables for whose every coordinate the operation is computed again."""
        return tuple(loop for loop in self.loops[: self.shared] if loop not in self.view.variables)


Source = Column | Leaf


@dataclass(frozen=True, slots=True)
class Nests:
    """The columns of a region: ``roots`` are those of its results; ``copies`` the tensors it wants stored again."""

    roots: tuple[Column, ...]
    copies: tuple[Copy, ...]


def build_columns(region: FusedRegion, order: tuple[str, ...], free: Set[LeafKey] = frozenset()) -> Nests:
    """Columns of the region's results, with those of everything under them.

    Views in ``free`` are read from a copy where ``order`` goes against their storage order. Raises FusionError where
    ``order`` cannot be lowered: a stored tensor would be read against its storage order, or a stream would have to be
    reordered.
    """
    rank = {variable: number for number, variable in enumerate(order)}
    known: dict[tuple[int, tuple[str, ...], int], Column] = {}
    masks = {
        view.operands[1].key
        for view in region.views
        if isinstance(view, Operation)
        and isinstance(view.statement.expression, Mask)
        and isinstance(view.operands[1], Leaf)
    }
    copies: dict[str, Copy] = {}
    copied: dict[LeafKey, Leaf] = {}

    def leaf(view: Leaf) -> Leaf:
        if view.key not in free:
            return view
        if view.key not in copied:
            modes = tuple(sorted(range(len(view.variables)), key=lambda mode: rank[view.variables[mode]]))
            copied[view.key] = view
            if modes != view.tensor.format.mode_order:
                copy = permuted(view.tensor, modes, exact=bool(view.masked) or view.key in masks)
                copies[copy.target.name] = copy
                copied[view.key] = Leaf(copy.target, view.variables, view.masked)
        return copied[view.key]

    def column(view: Operation, outer: tuple[str, ...], is_result: bool) -> Column:
        if is_result:
            outer = tuple(sorted((*view.variables, *view.reduced), key=rank.__getitem__))
            shared = next((number for number, name in enumerate(outer) if name in view.reduced), len(outer))
        else:
            shared = _shared_loops(view, outer, rank)
        rest = [name for name in (*view.variables, *view.reduced) if name not in outer[:shared]]
        loops = outer[:shared] + tuple(sorted(rest, key=rank.__getitem__))
        if len(loops) > MAX_DEPTH:
            raise FusionError(
                f"{view.name} would be computed in a nest of {len(loops)} index variables ({' '.join(loops)}); streams "
                f"nest at most {MAX_DEPTH} deep. End a region at {view.name}, or before it"
            )
        key = (id(view), loops, shared)
        if key not in known:
            operands = tuple(
                leaf(operand) if isinstance(operand, Leaf) else column(operand, loops, False)
                for operand in view.operands
            )
            made = Column(view, loops, shared, operands)
            _check(made, outer, is_result, order)
            known[key] = made
        return known[key]

    roots = tuple(column(root, (), True) for root in region.roots)
    return Nests(roots, tuple(copies.values()))


def _shared_loops(view: Operation, outer: tuple[str, ...], rank: dict[str, int]) -> int:
    positions = [outer.index(variable) for variable in view.variables]
    last = max(positions, default=-1) + 1
    foreign = [number for number in range(last) if outer[number] not in view.variables]
    shared = foreign[-1] + 1 if foreign else 0
    first_reduced = min((rank[variable] for variable in view.reduced), default=len(rank))
    while shared < last and rank[outer[shared]] < first_reduced:
        shared += 1
    return shared


def _check(column: Column, outer: tuple[str, ...], is_result: bool, order: tuple[str, ...]) -> None:
    text = " ".join(order)
    both = [name for name in column.view.reduced if name in column.loops[: column.shared]]
    if both:
        raise FusionError(
            f"order {text} cannot be lowered: {column.name} reduces over {both[0]}, but would be computed again for "
            f"every {both[0]} of its consumer; iterate {both[0]} further in"
        )
    for operand in column.operands:
        if isinstance(operand, Leaf):
            place = [column.loops.index(variable) for variable in operand.level_variables]
            if place != sorted(place):
                raise FusionError(
                    f"order {text} cannot be lowered: {column.name} iterates {' '.join(column.loops)}, but "
                    f"{operand.name} is stored {' '.join(operand.level_variables)}. Store it in another mode order, or "
                    f"end a region at {column.name}"
                )
    if not is_result:
        wanted = tuple(name for name in outer if name in column.variables and name not in outer[: column.shared])
        if wanted != column.produced:
            raise FusionError(
                f"order {text} cannot be lowered: {column.name} produces {' '.join(column.produced)}, but its consumer "
                f"iterates {' '.join(wanted)}. End a region at {column.name}, or store its operands in another order"
            )


def walk_columns(roots: Sequence[Column]) -> list[tuple[View, Source, Column | None]]:
    """Columns of the table, operands first: (view, source, consumer), a leaf once per nest that reads it."""
    found: list[tuple[View, Source, Column | None]] = []
    seen: set[object] = set()

    def visit(source: Source, consumer: Column | None) -> None:
        if isinstance(source, Leaf):
            assert consumer is not None  # only operations are results
            key: object = (id(source), consumer.loops)
            view: View = source
        else:
            key, view = id(source), source.view
        if key in seen:
            return
        seen.add(key)
        if isinstance(source, Column):
            for operand in source.operands:
                visit(operand, source)
        found.append((view, source, consumer))

    for root in roots:
        visit(root, None)
    return found
