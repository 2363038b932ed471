"""Search over whole schedules: kernels run one after the other, so their estimates add up and the best partitions come
from dynamic programming over the statements that are done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fuseflow.errors import ScheduleError
from fuseflow.estimate.patterns import Pattern
from fuseflow.explore.regions import NOTHING, Cost, RegionCandidate, Workbench
from fuseflow.explore.space import Lattice
from fuseflow.formats import Format
from fuseflow.schedule import Region, Schedule


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """Some regions, and what they leave behind for the others."""

    regions: tuple[RegionCandidate, ...]
    cost: Cost
    formats: Mapping[str, Format]
    patterns: Mapping[str, Pattern]

    @property
    def key(self) -> frozenset[tuple[object, ...]]:
        """Equal for the same regions in another order."""
        return frozenset(
            (item.region.statements, item.region.order, item.region.iteration.value, item.region.lanes)
            for item in self.regions
        )

    def schedule(self, name: str) -> Schedule:
        """The schedule, with a name for every region after the last tensor it makes."""
        return Schedule(name, tuple(item.region for item in self.regions))


@dataclass(frozen=True, slots=True)
class Search:
    """Best schedules by estimate. ``kept`` is how many are kept for every set of statements done and way of storing."""

    bench: Workbench
    lattice: Lattice
    kept: int = 8

    def run(self) -> list[Partial]:
        """The best schedules by cycles and the best by bytes, best cycles first; ScheduleError if there is none."""
        start = Partial((), NOTHING, {}, self.bench.moved({}, {}))
        states: dict[frozenset[str], dict[tuple[object, ...], list[Partial]]] = {frozenset(): {(): [start]}}
        for place in self.lattice.places:
            arrived = states.pop(place, {})
            if len(place) == len(self.lattice.names):
                return self._distinct([item for group in arrived.values() for item in group])
            for statements in self.lattice.steps(place) if arrived else ():
                target = states.setdefault(place | frozenset(statements), {})
                for group in arrived.values():
                    self._extend(group, statements, place, target)
        raise ScheduleError(
            "the space holds no schedule that can be lowered; allow more partitions, or see the reasons in .regions"
        )

    def _extend(
        self,
        group: list[Partial],
        statements: tuple[str, ...],
        place: frozenset[str],
        target: dict[tuple[object, ...], list[Partial]],
    ) -> None:
        first = group[0]  # all of a group store alike what is read later
        done = place | frozenset(statements)
        for candidate in self.bench.candidates(statements, first.formats, first.patterns):
            for partial in group:
                formats = {**partial.formats, **dict(candidate.stored)}
                live = {name: layout for name, layout in formats.items() if self._read_later(name, done)}
                patterns = self.bench.moved({**partial.patterns, **candidate.patterns}, formats)
                key = tuple(sorted((name, str(layout)) for name, layout in live.items()))
                made = Partial(
                    (*partial.regions, candidate),
                    partial.cost + candidate.cost,
                    live,
                    {name: known for name, known in patterns.items() if name in live or name not in formats},
                )
                target[key] = self._best([*target.get(key, ()), made])

    def _read_later(self, name: str, done: frozenset[str]) -> bool:
        return any(reader.name not in done for reader in self.bench.program.readers(name))

    def _best(self, found: list[Partial]) -> list[Partial]:
        by_cycles = sorted(self._distinct(found), key=lambda item: (item.cost.cycles, item.cost.bytes))
        by_bytes = sorted(by_cycles, key=lambda item: (item.cost.bytes, item.cost.cycles))
        kept = by_cycles[: self.kept]
        others = [*by_bytes[: max(1, self.kept // 4)], *smaller(by_cycles)[: self.kept]]
        return list({id(item): item for item in (*kept, *others)}.values())

    def _distinct(self, found: list[Partial]) -> list[Partial]:
        known = {item.key: item for item in reversed(found)}
        return sorted(known.values(), key=lambda item: (item.cost.cycles, item.cost.bytes))


def smaller(by_cycles: Sequence[Partial]) -> list[Partial]:
    """Of those in ascending cycles, each that has fewer nodes than all before: what less area costs in cycles."""
    found: list[Partial] = []
    for item in by_cycles:
        if not found or item.cost.nodes < found[-1].cost.nodes:
            found.append(item)
    return found


def estimated_as(bench: Workbench, schedule_regions: tuple[Region, ...]) -> tuple[Cost | None, str]:
    """Cost of given regions, in running order, by the same estimate, and what limits the slowest of them.

    No cost where a region cannot be lowered.
    """
    formats: dict[str, Format] = {}
    patterns: dict[str, Pattern] = bench.moved({}, formats)
    made: list[RegionCandidate] = []
    total = NOTHING
    for region in schedule_regions:
        found = bench.one(region, formats, patterns)
        if found is None:
            return None, ""
        formats |= dict(found.stored)
        patterns = bench.moved({**patterns, **found.patterns}, formats)
        total += found.cost
        made.append(found)
    return total, limit_of(made, total)


def limit_of(regions: Sequence[RegionCandidate], total: Cost) -> str:
    """What limits the slowest of ``regions``."""
    slowest = max(regions, key=lambda item: item.cost.cycles)
    share = slowest.cost.cycles / total.cycles if total.cycles else 1.0
    return f"{slowest.region.name} ({share:.0%} of the cycles) is limited by {slowest.limiting}"
