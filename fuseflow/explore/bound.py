"""Cycles that no schedule of a space can avoid, from the data alone.

A block that computes takes ``interval`` cycles per value, and has to see every point of its statement's index space at
which the operands have elements and the result is asked for: in whatever order, style and company, a schedule without
that point would give another result. Blocks of one region work at the same time, regions one after the other, so a
partition takes at least the sum, over its regions, of the busiest statement of each; the least such sum over all
partitions of the space bounds them all. Nothing here is an estimate; what cannot be counted exactly counts as nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Mask,
    Product,
    Program,
    Reduction,
    Statement,
    Unary,
    masked_tensors,
)
from fuseflow.estimate.patterns import TreePattern, dimension
from fuseflow.estimate.query import ALWAYS, NEVER, Condition, Counter, either, renamed, simplify
from fuseflow.estimate.relations import SampledError, Var
from fuseflow.explore.space import Lattice
from fuseflow.formats import FiberTree, LevelKind
from fuseflow.sim.machine import Machine


@dataclass(frozen=True, slots=True, order=True)
class Bound:
    """``cycles`` that every schedule takes at least; ``statements`` are the busiest of each region that says so."""

    cycles: float = 0.0
    statements: tuple[str, ...] = ()


def lower_bound(lattice: Lattice, tensors: Mapping[str, FiberTree], machine: Machine) -> Bound:
    """The bound for the schedules of ``lattice`` on ``machine``, on the data ``tensors``.

    More lanes divide it by the most that the space allows. ScheduleError where the space has no partition is left to
    the search; the bound is then 0.
    """
    points = necessary_points(lattice.program, tensors)
    space = lattice.space
    lanes = min(space.most_lanes, prod(max(counts) for counts in space.lanes.values()))
    work = {
        statement.name: points[statement.name] * _interval(statement, machine) / max(lanes, 1)
        for statement in lattice.program.computations
    }
    least: dict[frozenset[str], Bound] = {frozenset(): Bound()}
    for place in lattice.places:
        known = least.get(place)
        for statements in lattice.steps(place) if known is not None else ():
            assert known is not None  # the condition of the loop
            busiest = max(statements, key=lambda name: work[name])
            found = Bound(known.cycles + work[busiest], (*known.statements, busiest))
            target = place | frozenset(statements)
            least[target] = min(found, least.get(target, found))
    return least.get(frozenset(lattice.names), Bound())


def necessary_points(program: Program, tensors: Mapping[str, FiberTree]) -> dict[str, float]:
    """By statement, the points of its index space that every schedule computes (0 where they cannot be counted)."""
    counter = Counter(exact=True)
    stored = _stored(program, tensors, counter)
    found: dict[str, float] = {}
    wanted: dict[str, list[Condition]] = {name: [ALWAYS] for name in program.outputs}
    for statement in reversed(program.statements):
        if statement.is_layout:  # its operands are stored before it runs, all of them
            for access in statement.operands:
                wanted.setdefault(access.tensor, []).append(ALWAYS)
            continue
        sizes = program.extents(statement)
        asked = renamed(either(wanted.get(statement.name, [NEVER])), _names(statement.output, sizes, program))
        visited = simplify(_visited(statement, program, stored) | asked)
        try:
            found[statement.name] = counter.count(visited, [(index, sizes[index]) for index in statement.indices])
        except SampledError:
            found[statement.name] = 0.0
        for access in statement.operands:
            wanted.setdefault(access.tensor, []).append(_seen(access, visited, sizes, counter))
    return found


def _stored(program: Program, tensors: Mapping[str, FiberTree], counter: Counter) -> dict[str, Condition]:
    """Where every tensor has an element in every schedule, in the variables of :func:`_dimensions`."""
    found: dict[str, Condition] = {}
    for tensor in program.tensors:
        if tensor.name in tensors:
            pattern = TreePattern(tensors[tensor.name])
            names = _dimensions(tensor.shape)
            found[tensor.name] = pattern.condition([names[mode] for mode in pattern.mode_order], counter)
    for statement in program.statements:
        if statement.is_layout:  # what it makes is scanned as it is stored
            levels = program.tensor(statement.name).format.levels
            dense = all(level.kind is LevelKind.DENSE for level in levels)
            found[statement.name] = ALWAYS if dense else NEVER
            continue
        visited = _visited(statement, program, found)
        found[statement.name] = _seen(statement.output, visited, program.extents(statement), counter)
    return found


def _visited(statement: Statement, program: Program, stored: Mapping[str, Condition]) -> Condition:
    """The least set of points that ``statement`` has to compute, in its own index variables."""
    sizes = program.extents(statement)
    sides = [renamed(stored[access.tensor], _names(access, sizes, program)) for access in statement.operands]
    match statement.expression:
        case Binary(BinaryOp.ADD | BinaryOp.SUB, left, right):
            masked = masked_tensors(program)
            if left.tensor not in masked and right.tensor not in masked:
                return either(sides)
    return simplify(frozenset().union(*sides))


def _seen(access: Access, visited: Condition, sizes: Mapping[str, int], counter: Counter) -> Condition:
    """Elements of ``access`` that are at a point of ``visited``, in the variables of :func:`_dimensions`."""
    hidden = [(index, size) for index, size in sizes.items() if index not in access.indices]
    shape = [sizes[index] for index in access.indices]
    own = {(index, sizes[index]): place for index, place in zip(access.indices, _dimensions(shape), strict=True)}
    try:
        return renamed(counter.exists(visited, hidden), own)
    except SampledError:
        return NEVER


def _names(access: Access, sizes: Mapping[str, int], program: Program) -> dict[Var, Var]:
    shape = program.tensor(access.tensor).shape
    return {place: (index, sizes[index]) for place, index in zip(_dimensions(shape), access.indices, strict=True)}


def _dimensions(shape: Sequence[int]) -> list[Var]:
    return [dimension(mode, shape) for mode in range(len(shape))]


def _interval(statement: Statement, machine: Machine) -> int:
    """Least cycles per point of the block that computes ``statement``; a tile takes no fewer than a number."""
    match statement.expression:
        case Product():
            summed = machine.product or machine.binary
            return min(machine.binary.interval_cycles, summed.interval_cycles)
        case Binary():
            return machine.binary.interval_cycles
        case Unary():
            return machine.unary.interval_cycles
        case Reduction():
            return machine.reduce.interval_cycles
        case Mask():
            return 0  # a join of coordinates, no block of its own
    raise AssertionError(statement)
