"""Edits of a schedule as pure functions: cut and merge at an edge of the einsum graph, group, order, and their history.

An edge ``(producer, consumer)`` says that statement ``consumer`` reads the tensor that ``producer`` defines. Nothing
here judges legality: that is what :func:`fuseflow.compile` does with the schedule that comes back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import networkx as nx

from fuseflow.einsum import Program
from fuseflow.errors import ScheduleError
from fuseflow.schedule import Region, Schedule

Edge = tuple[str, str]
CUSTOM = "custom"
"""Name of a schedule that was edited by hand."""


def edges(program: Program) -> tuple[Edge, ...]:
    """Every (producer, consumer) of ``program``, once, in program order of the consumers; barriers are drawn too."""
    defined = {statement.name for statement in program.statements}
    found = (
        (access.tensor, statement.name)
        for statement in program.statements
        for access in statement.operands
        if access.tensor in defined
    )
    return tuple(dict.fromkeys(found))


def home(schedule: Schedule, statement: str) -> Region:
    """The region that holds ``statement``; ScheduleError if none does."""
    for region in schedule.regions:
        if statement in region.statements:
            return region
    names = ", ".join(name for region in schedule.regions for name in region.statements)
    raise ScheduleError(f"schedule {schedule.name!r} has no statement {statement!r}; it has {names}")


def fused(schedule: Schedule, edge: Edge) -> bool:
    """Whether both ends of ``edge`` are in one region. A barrier (a layout statement) is in none."""
    return any(set(edge) <= set(region.statements) for region in schedule.regions)


def toggle(schedule: Schedule, program: Program, edge: Edge) -> Schedule:
    """:func:`cut` at a fused edge, :func:`merge` at any other."""
    return cut(schedule, program, edge) if fused(schedule, edge) else merge(schedule, program, edge)


def merge(schedule: Schedule, program: Program, edge: Edge) -> Schedule:
    """The regions at both ends of ``edge`` as one region. Both keep no order: that of the whole is chosen anew."""
    _require_edge(program, edge)
    barriers = [name for name in edge if program.statement(name).is_layout]
    if barriers:
        raise ScheduleError(
            f"{barriers[0]} is a barrier: it moves stored elements between regions, which cannot be fused"
        )
    first, second = home(schedule, edge[0]), home(schedule, edge[1])
    if first == second:
        raise ScheduleError(f"{edge[0]} and {edge[1]} are in region {first.name!r} already; cut there, or pick another")
    statements = _in_program_order((*first.statements, *second.statements), program)
    joined = replace(_part(first, statements), orders=(*first.orders, *second.orders))
    rest = [joined if region == first else region for region in schedule.regions if region != second]
    return _custom(rest, program, schedule)


def cut(schedule: Schedule, program: Program, edge: Edge) -> Schedule:
    """The region around ``edge`` in two: what the producer needs of it, with the producer; and the rest."""
    _require_edge(program, edge)
    region = home(schedule, edge[0])
    if region != home(schedule, edge[1]):
        raise ScheduleError(
            f"there is a boundary between {edge[0]} and {edge[1]} already; merge there, or pick another"
        )
    inside = _graph(program, region.statements)
    upper = {edge[0], *nx.ancestors(inside, edge[0])}
    rest = tuple(name for name in region.statements if name not in upper)
    above = _part(region, _in_program_order(upper, program))
    below = replace(_part(region, rest), name=_unused(f"from {rest[0]}", schedule))
    regions = [piece for item in schedule.regions for piece in ((above, below) if item == region else (item,))]
    return _custom(regions, program, schedule)


def group(schedule: Schedule, program: Program, statements: Iterable[str]) -> Schedule:
    """``statements`` as one region; what they leave behind stays together where it is still connected."""
    chosen = _in_program_order(statements, program)
    if not chosen:
        raise ScheduleError("nothing is selected; drag over statements, or select them with Space, then fuse")
    taken = set(chosen)
    regions: list[Region] = []
    for region in schedule.regions:
        left = [name for name in region.statements if name not in taken]
        if len(left) == len(region.statements):
            regions.append(region)
            continue
        pieces = [_in_program_order(each, program) for each in nx.weakly_connected_components(_graph(program, left))]
        for number, piece in enumerate(sorted(pieces, key=lambda each: left.index(each[0]))):
            name = region.name if number == 0 else _unused(f"from {piece[0]}", schedule, regions)
            regions.append(replace(_part(region, piece), name=name))
    name = home(schedule, chosen[0]).name
    if any(region.name == name for region in regions):
        name = _unused(f"from {chosen[0]}", schedule, regions)
    return _custom([*regions, Region(name, chosen)], program, schedule)


def same(one: Schedule, other: Schedule) -> bool:
    """Whether both make the same graphs, whatever their names."""
    return one.regions == other.regions and one.blocks == other.blocks


def reorder(schedule: Schedule, region: str, order: tuple[str, ...] | None) -> Schedule:
    """``region`` in dataflow order ``order``, or in the first legal one."""
    return change(schedule, region, order=order)


def named_region(schedule: Schedule, name: str) -> Region:
    """The region called ``name``; ScheduleError if there is none."""
    for region in schedule.regions:
        if region.name == name:
            return region
    names = ", ".join(item.name for item in schedule.regions)
    raise ScheduleError(f"schedule {schedule.name!r} has no region {name!r}; it has {names}")


def change(schedule: Schedule, region: str, **fields: object) -> Schedule:
    """``region`` with other values of its fields; ScheduleError if there is no such region."""
    named_region(schedule, region)
    regions = tuple(
        replace(item, **fields) if item.name == region else item  # type: ignore[arg-type]  # fields differ in type
        for item in schedule.regions
    )
    return replace(schedule, name=CUSTOM, regions=regions)


@dataclass(frozen=True, slots=True)
class History:
    """Schedules that were shown: those before, the present one, and those undone."""

    present: Schedule
    past: tuple[Schedule, ...] = ()
    future: tuple[Schedule, ...] = ()

    def push(self, schedule: Schedule) -> "History":
        """``schedule`` as the present; what was undone is gone. The same again changes nothing."""
        return self if schedule == self.present else History(schedule, (*self.past, self.present))

    def undo(self) -> "History":
        """One step back; the same if there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> "History":
        """One step forward again; the same if there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])


def _part(region: Region, statements: tuple[str, ...]) -> Region:
    """``region`` with ``statements`` instead: its settings stay, but not its order and its
    lanes, which name other indices."""
    orders = tuple(each for each in region.orders if each[0] in statements)
    return replace(region, statements=statements, order=None, orders=orders, lanes=())


def _require_edge(program: Program, edge: Edge) -> None:
    if edge not in edges(program):
        raise ScheduleError(f"{edge[1]} does not read {edge[0]}; pick an edge of the einsum graph")


def _graph(program: Program, statements: Iterable[str]) -> "nx.DiGraph[str]":
    inside = set(statements)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(inside)
    graph.add_edges_from(edge for edge in edges(program) if inside.issuperset(edge))
    return graph


def _in_program_order(names: Iterable[str], program: Program) -> tuple[str, ...]:
    wanted = set(names)
    known = [statement.name for statement in program.computations]
    if not wanted.issubset(known):
        raise ScheduleError(
            f"the program has no statement {min(wanted.difference(known))!r}; it has {', '.join(known)}"
        )
    return tuple(name for name in known if name in wanted)


def _custom(regions: list[Region], program: Program, before: Schedule) -> Schedule:
    """``regions`` in program order of their first statements, with the blocks of the schedule ``before``."""
    known = [statement.name for statement in program.statements]
    ordered = tuple(sorted(regions, key=lambda region: known.index(region.statements[0])))
    return Schedule(CUSTOM, ordered, before.blocks)


def _unused(name: str, schedule: Schedule, also: Iterable[Region] = ()) -> str:
    taken = {region.name for region in (*schedule.regions, *also)}
    key, number = name, 2
    while key in taken:
        key, number = f"{name} ({number})", number + 1
    return key
