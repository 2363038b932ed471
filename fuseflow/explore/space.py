"""The design space: what may vary between candidate schedules, and how many of them there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import product
from math import prod

from fuseflow.einsum import Program
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.explore.block_choices import BlockSpace, check_blocks
from fuseflow.explore.given import check_types
from fuseflow.fusion import FusedRegion, fuse
from fuseflow.fusion.count import count_orders
from fuseflow.schedule import GraphPass, Iteration, Lanes, Region, Scatter
from fuseflow.schedule.barriers import sources
from fuseflow.sim.machine import Machine

DOWNSETS_KEPT = 4096
"""Most sets of finished statements for which all dataflow-legal partitions are searched."""

PARTITIONS_COUNTED = 200_000
"""Partitions up to which partitions that are not contiguous are counted exactly; with more, these are a lower bound."""

SETS_COUNTED = 20_000
"""Downsets up to which the orders of one region are counted exactly."""


class Partitions(Enum):
    """Which fusion partitions are searched."""

    CONTIGUOUS = "contiguous"
    """Regions of consecutive statements."""
    LEGAL = "legal"
    """Every partition in which no two regions wait for each other."""

    @classmethod
    def of(cls, choice: "Partitions | str") -> "Partitions":
        try:
            return cls(choice)
        except ValueError:
            names = ", ".join(repr(item.value) for item in cls)
            raise ScheduleError(f"partitions must be one of {names}, not {choice!r}") from None


@dataclass(frozen=True, slots=True)
class Space:
    """What may vary. The default varies fusion partitions and dataflow orders.

    ``iterations`` are the iteration styles of a region; one without a chain of products is the same in both and has
    one. ``formats`` gives, by stored tensor, the formats it may be stored in. ``machines`` are tried one after the
    other. ``associations`` also tries other orders of multiplication in chains of products, which changes rounding: at
    most ``most_associations``, those few exchanges away from the program first (a chain of 6 matrices has 42, one of 7
    has 132). Statements in one tuple of ``together`` share a region; the two of a pair in ``apart`` never do.
    ``orders`` bounds how many dataflow orders of one region are estimated: all of them if there are no more, otherwise
    the best that a local search finds. ``lanes`` gives, by index variable, the numbers of parallel lanes that regions
    which iterate it are tried in besides one, at most ``most_lanes`` in all, dealt in every way of ``scatters``.
    ``passes`` are the sequences of graph passes to try, by default none. ``blocks`` are the block sizes of schedules
    (:meth:`fuseflow.Schedule.with_blocks`), of which 0 or None is without tiles: for the whole model, or choices by
    tensor (a number for its last two dimensions, or a tuple with one size per dimension) and index variable, of which
    every combination is tried. Options named twice count once. Presets that are not in the space (of another style, or
    without passes where all sequences have some) are no candidates.
    """

    partitions: Partitions | str = Partitions.CONTIGUOUS
    iterations: tuple[Iteration, ...] = (Iteration.FACTORED,)
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    machines: tuple[Machine, ...] = (Machine(),)
    associations: bool = False
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    orders: int = 32
    lanes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    scatters: tuple[Scatter, ...] = (Scatter.ROUND_ROBIN,)
    most_lanes: int = 64
    passes: tuple[tuple[GraphPass, ...], ...] = ((),)
    blocks: BlockSpace = (0,)
    most_associations: int = 32

    @property
    def styles(self) -> tuple[Iteration, ...]:
        """The iteration styles, each once."""
        return tuple(dict.fromkeys(self.iterations))

    @property
    def pass_choices(self) -> tuple[tuple[GraphPass, ...], ...]:
        """The sequences of graph passes, each once."""
        return tuple(dict.fromkeys(tuple(GraphPass.of(step) for step in sequence) for sequence in self.passes))

    def is_doubled(self, fused: FusedRegion, program: Program) -> bool:
        """Whether ``fused``, a region of ``program``, is the same in another style of the space, which stands for both.

        Without a chain of products global iteration is factored iteration.
        """
        if fused.region.iteration is not Iteration.GLOBAL or Iteration.FACTORED not in self.iterations:
            return False
        return fused.program.statements == program.statements

    def holds(self, region: Region, groups: list[set[str]]) -> bool:
        """Whether ``region`` of a given schedule, in an order of its own choice, is one that this space allows."""
        if region.iteration not in self.iterations or region.passes not in self.pass_choices:
            return False
        return self.allows(frozenset(region.statements), groups)

    def lane_choices(self, extents: Mapping[str, int]) -> list[tuple[Lanes, ...]]:
        """Ways to spread a region over lanes whose index variables have ``extents``; the first is not at all."""
        found: dict[tuple[Lanes, ...], None] = {(): None}
        indices = [index for index in self.lanes if index in extents]
        for counts in product(*(sorted({1, *self.lanes[index]}) for index in indices)):
            fits = all(count <= max(extents[index], 1) for index, count in zip(indices, counts, strict=True))
            if fits and prod(counts) <= self.most_lanes:
                for scatter in self.scatters:
                    spread = zip(indices, counts, strict=True)
                    found[tuple(Lanes(index, count, scatter) for index, count in spread if count > 1)] = None
        return list(found)

    def check(self, program: Program) -> None:
        """ScheduleError where the space is empty or contradicts itself for ``program``."""
        check_types(self)
        Partitions.of(self.partitions)
        names = [statement.name for statement in program.computations]
        for what, options in (("iteration style", self.iterations), ("machine", self.machines)):
            if not options:
                raise ScheduleError(f"the space is empty: it has no {what}; give at least one")
        if not names:
            raise ScheduleError("the space is empty: the program has no statements")
        self._check_lanes()
        check_blocks(program, self.blocks)
        for group in (*self.together, *self.apart):
            for name in group:
                if name not in names:
                    raise ScheduleError(
                        f"the space speaks of statement {name!r}, which the program lacks; it has {', '.join(names)}"
                    )
        for pair in self.apart:
            if len(set(pair)) != 2:
                raise ScheduleError(f"apart must hold pairs of two statements, not {pair!r}")
            joined = next((group for group in self.groups(program) if set(pair) <= group), None)
            if joined is not None:
                raise ScheduleError(
                    f"the space is empty: {pair[0]} and {pair[1]} must be apart, but together asks for one region "
                    f"with {', '.join(sorted(joined))}; leave one of the two out"
                )
        inputs = {tensor.name for tensor in program.inputs}
        for name, choices in self.formats.items():
            if name not in inputs:
                raise ScheduleError(
                    f"formats names {name!r}, which is no stored tensor of the program; it has "
                    f"{', '.join(sorted(inputs))}"
                )
            if not choices:
                raise ScheduleError(f"the space is empty: formats gives no format for {name!r}")

    def _check_lanes(self) -> None:
        if not self.scatters:
            raise ScheduleError("the space is empty: it has no way of dealing to lanes (scatters); give at least one")
        if not self.passes:
            raise ScheduleError("the space is empty: it has no sequence of graph passes; give ((),) for none")
        for index, counts in self.lanes.items():
            if not counts:
                raise ScheduleError(f"the space is empty: lanes gives no number of lanes for index {index!r}")
            for count in counts:
                Lanes(index, count)  # refuses what is no number of lanes
                if count > self.most_lanes:
                    raise ScheduleError(
                        f"the space asks for {count} lanes of index {index!r}, but most_lanes allows {self.most_lanes} "
                        f"in all; raise most_lanes, or leave {count} out"
                    )

    def groups(self, program: Program) -> list[set[str]]:
        """Statements that must share a region; other associations of products lack some that the space names."""
        names = {statement.name for statement in program.computations}
        found: list[set[str]] = []
        for group in self.together:
            merged = names & set(group)
            for other in [item for item in found if item & merged]:
                found.remove(other)
                merged |= other
            found.append(merged)
        return found

    def allows(self, statements: frozenset[str], groups: list[set[str]]) -> bool:
        """Whether a region of ``statements`` keeps to ``together`` and ``apart``."""
        if any(set(pair) <= statements for pair in self.apart):
            return False
        return all(group <= statements or not group & statements for group in groups)


@dataclass(frozen=True)
class Lattice:
    """Partitions as paths: from nothing done to everything done, a region a step.

    ``places`` are the sets of statements that may be done when a region begins, small ones first.
    """

    program: Program
    space: Space

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(statement.name for statement in self.program.computations)

    @cached_property
    def places(self) -> tuple[frozenset[str], ...]:
        if Partitions.of(self.space.partitions) is Partitions.CONTIGUOUS:
            return tuple(frozenset(self.names[:count]) for count in range(len(self.names) + 1))
        found = {frozenset[str]()}
        frontier = set(found)
        while frontier:
            larger = {
                done | {statement.name}
                for done in frontier
                for statement in self.program.computations
                if statement.name not in done and self._needs[statement.name] <= done
            }
            found |= larger
            if len(found) > DOWNSETS_KEPT:
                raise ScheduleError(
                    f"the program has more than {DOWNSETS_KEPT} sets of statements that may be finished first; search "
                    "contiguous partitions, or put statements together"
                )
            frontier = larger
        return tuple(sorted(found, key=lambda done: (len(done), [name in done for name in self.names])))

    @cached_property
    def _needs(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(tensor for tensor, _ in found) for name, found in self._sources.items()}

    @cached_property
    def _sources(self) -> dict[str, list[tuple[str, bool]]]:
        """By statement, the computed tensors that it reads, and whether a barrier lies between."""
        return {
            statement.name: [
                (tensor, barrier is not None)
                for access in statement.operands
                for tensor, barrier in sources(self.program, access.tensor)
            ]
            for statement in self.program.computations
        }

    def _across(self, statements: frozenset[str]) -> bool:
        """Whether a region of ``statements`` would reach across a barrier."""
        return any(barrier and tensor in statements for name in statements for tensor, barrier in self._sources[name])

    def steps(self, done: frozenset[str]) -> Iterator[tuple[str, ...]]:
        """Statements of the regions that may come next after ``done``, in program order."""
        groups = self.space.groups(self.program)
        for place in self.places:
            fresh = place - done
            if done < place and self.space.allows(fresh, groups) and not self._across(fresh):
                yield tuple(name for name in self.names if name in place and name not in done)

    def count(self, orders: "OrderCounts") -> tuple[int, int, bool]:
        """Number of partitions, number of schedules (partitions, orders and styles), and whether both are exact.

        Partitions that several paths lead to (two regions that do not depend on each other) are counted once.
        """
        exact = True
        contiguous = Partitions.of(self.space.partitions) is Partitions.CONTIGUOUS
        total = frozenset(self.names)
        partitions: dict[frozenset[str], int] = {frozenset(): 1}
        schedules: dict[frozenset[str], int] = {frozenset(): 1}
        if contiguous:
            for place in self.places:
                for statements in self.steps(place):
                    target = place | frozenset(statements)
                    number, known = orders.of(statements)
                    exact = exact and known
                    if not number:  # no style can fuse them
                        continue
                    partitions[target] = partitions.get(target, 0) + partitions.get(place, 0)
                    schedules[target] = schedules.get(target, 0) + schedules.get(place, 0) * number
            return partitions.get(total, 0), schedules.get(total, 0), exact
        found: dict[frozenset[str], set[frozenset[tuple[str, ...]]]] = {frozenset(): {frozenset()}}
        for place in self.places:
            for statements in self.steps(place):
                reached = found.setdefault(place | frozenset(statements), set())
                for partial in found.get(place, ()):
                    reached.add(partial | {statements})
                    if len(reached) > PARTITIONS_COUNTED:
                        return len(reached), len(reached), False
        number_of, count = 0, 0
        for partition in found.get(total, ()):
            ways = 1
            for statements in partition:
                number, known = orders.of(statements)
                exact = exact and known
                ways *= number
            number_of, count = number_of + bool(ways), count + ways
        return number_of, count, exact


@dataclass(slots=True)
class OrderCounts:
    """Numbers of dataflow orders of regions, each counted once. A region whose storage orders contradict each other has
    one: the order that a copy makes possible."""

    program: Program
    space: Space
    known: dict[tuple[str, ...], tuple[int, bool]] = field(default_factory=dict)

    def of(self, statements: tuple[str, ...]) -> tuple[int, bool]:
        if statements not in self.known:
            total, exact = 0, True
            for style in self.space.styles:
                try:
                    fused = fuse(self.program, Region("count", statements, iteration=style))
                except FusionError:
                    continue
                if self.space.is_doubled(fused, self.program):
                    continue
                spread = len(self.space.lane_choices(fused.extents)) * len(self.space.pass_choices)
                if not fused.partial_order.acyclic:
                    total += spread
                    continue
                found = count_orders(fused.partial_order, SETS_COUNTED)
                total, exact = total + found.orders * spread, exact and found.exact
            self.known[statements] = total, exact
        return self.known[statements]
