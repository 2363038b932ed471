"""Columns: every view in the loop nest it is computed in (paper Algorithm 2; compiler notes §2.6).

An operation runs in the nest of its consumer as far as it must: down to the last foreign index variable that stands
outside of one of its own output variables. Those foreign variables are iterated around it, so it is recomputed for
each of their coordinates. Everything else is its own: it is computed once and its result stream is repeated.
"""

from dataclasses import dataclass

from fuseflow.errors import FusionError
from fuseflow.fusion import FusedRegion, Leaf, Operation
from fuseflow.fusion.views import View


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


def build_columns(region: FusedRegion, order: tuple[str, ...]) -> Column:
    """Column of the region's result, with those of everything under it.

    Raises FusionError where ``order`` cannot be lowered: a stored tensor would be read against its storage order, or
    a stream would have to be reordered.
    """
    rank = {variable: number for number, variable in enumerate(order)}
    known: dict[tuple[int, tuple[str, ...], int], Column] = {}

    def column(view: Operation, outer: tuple[str, ...], is_result: bool) -> Column:
        if is_result:
            outer = tuple(sorted((*view.variables, *view.reduced), key=rank.__getitem__))
            shared = next((number for number, name in enumerate(outer) if name in view.reduced), len(outer))
        else:
            shared = _shared_loops(view, outer, rank)
        rest = [name for name in (*view.variables, *view.reduced) if name not in outer[:shared]]
        loops = outer[:shared] + tuple(sorted(rest, key=rank.__getitem__))
        key = (id(view), loops, shared)
        if key not in known:
            operands = tuple(
                operand if isinstance(operand, Leaf) else column(operand, loops, False) for operand in view.operands
            )
            made = Column(view, loops, shared, operands)
            _check(made, outer, is_result, order)
            known[key] = made
        return known[key]

    return column(region.root, (), True)


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


def walk_columns(root: Column) -> list[tuple[View, Source, Column | None]]:
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

    visit(root, None)
    return found
