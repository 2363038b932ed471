"""Candidates for one region: lowered and estimated once each, the dominated ones dropped with their reason."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from fuseflow.dataflow.graph import Graph
from fuseflow.einsum import Program
from fuseflow.errors import FuseflowError, FusionError, ScheduleError
from fuseflow.estimate import KernelEstimate, Statistics, estimate_kernel
from fuseflow.estimate.layout import moved_patterns
from fuseflow.estimate.patterns import Pattern, TreePattern
from fuseflow.explore.block_choices import WITHOUT
from fuseflow.explore.space import SETS_COUNTED, Space
from fuseflow.formats import FiberTree, Format
from fuseflow.fusion import FusedRegion, fuse
from fuseflow.fusion.count import count_orders
from fuseflow.lowering import Copy, Fills, Lowered, OnCycle, copy_program, identity_tree, lower, spread
from fuseflow.schedule import Iteration, Region
from fuseflow.schedule.blocks import BlockSizes
from fuseflow.sim.machine import Machine


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """What a region, copies included, is estimated to cost."""

    cycles: float
    bytes: float
    flops: float
    nodes: int
    fifo_tokens: float
    values_written: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.cycles + other.cycles,
            self.bytes + other.bytes,
            self.flops + other.flops,
            # Kernels run one after the other on the same area: the largest one decides.
            max(self.nodes, other.nodes),
            max(self.fifo_tokens, other.fifo_tokens),
            self.values_written + other.values_written,
        )


NOTHING = Cost(0.0, 0.0, 0.0, 0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class RegionCandidate:
    """A region in one order and style, with its cost; ``stored`` and ``patterns`` are what it leaves behind."""

    region: Region
    cost: Cost
    stored: tuple[tuple[str, Format], ...]
    patterns: Mapping[str, Pattern]
    limiting: str


@dataclass(frozen=True, slots=True)
class Pruned:
    """A candidate for a region that no further candidate is built from, and why.

    Where a choice of blocks does not fit at all, or orders of multiplication are not searched (without ``blocks``),
    ``statements`` are all of the program and ``iteration`` is ``None``.
    """

    statements: tuple[str, ...]
    order: tuple[str, ...] | None
    iteration: Iteration | None
    reason: str
    cycles: float | None = None
    blocks: BlockSizes = WITHOUT


@dataclass(slots=True, eq=False)
class Workbench:
    """Program, data and machine that candidates are judged on, and everything already known about regions."""

    program: Program
    tensors: Mapping[str, FiberTree]
    statistics: Statistics
    machine: Machine
    space: Space
    deadline: float = float("inf")
    estimated: int = 0
    seconds: float = 0.0
    pruned: list[Pruned] = field(default_factory=list)
    found: dict[tuple[object, ...], tuple[RegionCandidate, ...]] = field(default_factory=dict)
    extents: dict[str, int] = field(default_factory=dict)
    best: dict[int, tuple[RegionCandidate, ...]] = field(default_factory=dict)
    fills: Fills = field(init=False)
    stored: Mapping[str, int] = field(init=False)
    layouts: bool = field(init=False)

    def __post_init__(self) -> None:
        self.fills = {
            name: tuple(tree.fill(level) for level in range(len(tree.levels))) for name, tree in self.tensors.items()
        }
        self.stored = {name: tree.stored for name, tree in self.tensors.items()}
        self.layouts = any(statement.is_layout for statement in self.program.statements)

    def candidates(
        self, statements: tuple[str, ...], formats: Mapping[str, Format], patterns: Mapping[str, Pattern]
    ) -> tuple[RegionCandidate, ...]:
        """The candidates of a region of ``statements`` that no other one beats in every respect.

        ``formats`` and ``patterns`` say how the results of earlier regions that it reads are stored.
        """
        made = self.all_candidates(statements, formats, patterns)
        if id(made) not in self.best:
            self.best[id(made)] = tuple(self._undominated(made))
        return self.best[id(made)]

    def all_candidates(
        self, statements: tuple[str, ...], formats: Mapping[str, Format], patterns: Mapping[str, Pattern]
    ) -> tuple[RegionCandidate, ...]:
        """As :meth:`candidates`, those included that others beat."""
        read = {access.tensor for name in statements for access in self.program.statement(name).operands}
        key = (statements, tuple(sorted((name, str(formats[name])) for name in read if name in formats)))
        if key not in self.found:
            program = self.program.stored_as({name: formats[name] for name in read if name in formats})
            self.found[key] = tuple(
                candidate
                for style in self.space.styles
                for candidate in self._of_style(program, statements, style, patterns)
            )
        return self.found[key]

    def check_lanes(self) -> None:
        """ScheduleError where the space asks for lanes of an index that no region has."""
        for index in self.space.lanes:
            if index not in self.extents:
                raise ScheduleError(
                    f"the space spreads index {index!r} over lanes, but no region iterates it; they iterate "
                    f"{', '.join(sorted(self.extents))}"
                )

    def moved(self, patterns: dict[str, Pattern], formats: Mapping[str, Format]) -> dict[str, Pattern]:
        """``patterns`` with those of what layout statements make of them."""
        if not self.layouts:
            return patterns
        program = self.program.stored_as(formats)
        return patterns | moved_patterns(program, {**self.statistics.patterns, **patterns}, self.statistics.counter)

    def one(
        self, region: Region, formats: Mapping[str, Format], patterns: Mapping[str, Pattern]
    ) -> RegionCandidate | None:
        """The given region as it stands; ``None`` where it cannot be lowered."""
        program = self.program.stored_as(formats)
        try:
            lowered = lower(fuse(program, region), region.order, self.fills, OnCycle.COPY, self.stored)
        except FuseflowError:
            return None
        return self._judge(program, region, lowered, patterns)

    def _of_style(
        self, program: Program, statements: tuple[str, ...], style: Iteration, patterns: Mapping[str, Pattern]
    ) -> Iterator[RegionCandidate]:
        region = Region(statements[-1], statements, iteration=style)
        try:
            fused = fuse(program, region)
            lowered = lower(fused, None, self.fills, OnCycle.COPY, self.stored)
        except FuseflowError as error:
            self.pruned.append(Pruned(statements, None, style, f"cannot be lowered: {error}"))
            return
        if self.space.is_doubled(fused, program):
            self.pruned.append(Pruned(statements, None, style, "has no chain of products: both styles are the same"))
            return
        first, *spread_out = self._judged(program, region, lowered, patterns)
        yield first
        yield from spread_out
        if not fused.partial_order.acyclic:
            return
        count = count_orders(fused.partial_order, SETS_COUNTED)
        if count.orders <= self.space.orders:
            for order in fused.orders():
                if order != lowered.order:
                    yield from self._in_order(program, fused, order, patterns)
            return
        yield from self._climb(program, fused, lowered.order, first, patterns)

    def _climb(
        self,
        program: Program,
        fused: FusedRegion,
        order: tuple[str, ...],
        best: RegionCandidate,
        patterns: Mapping[str, Pattern],
    ) -> Iterator[RegionCandidate]:
        """Local search: of the orders one swap of neighbours away, go to the best, as long as that is better."""
        left = self.space.orders - 1
        seen = {order}
        while left > 0:
            better: tuple[RegionCandidate, tuple[str, ...]] | None = None
            for neighbour in _neighbours(order):
                if left == 0 or time.monotonic() > self.deadline:
                    return
                if neighbour in seen or not _legal(fused, neighbour):
                    continue
                seen.add(neighbour)
                left -= 1
                for candidate in self._in_order(program, fused, neighbour, patterns):
                    yield candidate
                    if candidate.cost.cycles < (better[0] if better else best).cost.cycles:
                        better = candidate, neighbour
            if better is None:
                return
            best, order = better

    def _in_order(
        self, program: Program, fused: FusedRegion, order: tuple[str, ...], patterns: Mapping[str, Pattern]
    ) -> Iterator[RegionCandidate]:
        region = Region(fused.name, fused.region.statements, order, fused.region.iteration)
        try:
            lowered = lower(fused, order, self.fills, OnCycle.COPY, self.stored)
        except FusionError as error:
            reason = f"cannot be lowered: {error}"
            self.pruned.append(Pruned(region.statements, order, region.iteration, reason))
            return
        yield from self._judged(program, region, lowered, patterns)

    def _judged(
        self, program: Program, region: Region, lowered: Lowered, patterns: Mapping[str, Pattern]
    ) -> Iterator[RegionCandidate]:
        """The lowered region in one lane, then in every number of lanes and with the passes that the space asks for."""
        self.extents |= {name: max(size, self.extents.get(name, 0)) for name, size in lowered.region.extents.items()}
        for lanes, passes in product(self.space.lane_choices(lowered.region.extents), self.space.pass_choices):
            chosen = replace(region, lanes=lanes, passes=passes)
            changed = replace(lowered, region=replace(lowered.region, region=chosen))
            yield self._judge(program, chosen, changed, patterns)

    def _judge(
        self, program: Program, region: Region, lowered: Lowered, patterns: Mapping[str, Pattern]
    ) -> RegionCandidate:
        started = time.perf_counter()
        kernels = list(kernels_of(program, spread(lowered, self.tensors)))
        known: dict[str, Pattern] = dict(patterns)
        for copy in (*lowered.copies, *lowered.restores):
            known |= {item.name: TreePattern(identity_tree(item)) for item in copy.identities}
        total = NOTHING
        slowest: KernelEstimate | None = None
        for graph, formats in kernels:
            estimated = estimate_kernel(graph, formats, self.statistics, self.machine, known)
            known |= estimated.patterns
            total += _cost(estimated.kernel)
            if slowest is None or estimated.kernel.cycles > slowest.cycles:
                slowest = estimated.kernel
        results = {name: layout for _, formats in kernels for name, layout in formats.items()}
        kept = {statement for statement in region.statements if statement in results}
        stored = tuple(sorted(((name, results[name]) for name in kept), key=lambda item: item[0]))
        self.estimated += 1
        self.seconds += time.perf_counter() - started
        assert slowest is not None  # a region has at least its own graph
        return RegionCandidate(region, total, stored, {name: known[name] for name in kept}, slowest.limiting.name)

    def _undominated(self, made: tuple[RegionCandidate, ...]) -> Iterator[RegionCandidate]:
        """Those that no other one with equally stored results beats; the others are noted as pruned."""
        for number, candidate in enumerate(made):
            rival = next((other for place, other in enumerate(made) if _beats(other, candidate, place < number)), None)
            if rival is None:
                yield candidate
                continue
            how = "order of its own choice" if rival.region.order is None else f"order {' '.join(rival.region.order)}"
            self.pruned.append(
                Pruned(
                    candidate.region.statements,
                    candidate.region.order,
                    candidate.region.iteration,
                    f"no better than {rival.region.iteration.value} iteration in {how} in any respect: "
                    f"{candidate.cost.cycles:,.0f} cycles against {rival.cost.cycles:,.0f}",
                    candidate.cost.cycles,
                )
            )


def kernels_of(program: Program, lowered: Lowered) -> Iterator[tuple[Graph, dict[str, Format]]]:
    """The graphs of a lowered region in the order in which they run, copies included, and how results are stored."""
    for copy in lowered.copies:
        yield _copy(copy)
    formats: dict[str, Format] = {}
    for output in lowered.graph.outputs:
        restored = next((copy for copy in lowered.restores if copy.source.name == output.tensor), None)
        formats[output.tensor] = (
            restored.source.format
            if restored is not None
            else Format(program.tensor(output.tensor).format.levels, output.mode_order)
        )
    yield lowered.graph, formats
    for copy in lowered.restores:
        yield _copy(copy)


def _copy(copy: Copy) -> tuple[Graph, dict[str, Format]]:
    program, region = copy_program(copy)
    lowered = lower(fuse(program, region), region.order, on_cycle=OnCycle.ERROR)
    return lowered.graph, {copy.target.name: copy.target.format}


def _cost(kernel: KernelEstimate) -> Cost:
    written = sum(node.values_written for node in kernel.nodes)
    return Cost(kernel.cycles, kernel.bytes, kernel.flops, len(kernel.nodes), kernel.fifo_tokens, written)


def _beats(one: RegionCandidate, other: RegionCandidate, earlier: bool) -> bool:
    """Whether ``one`` is at least as good in every respect and better in one (or the ``earlier`` of equals)."""
    if one is other or one.stored != other.stored:
        return False
    mine, theirs = (
        (item.cost.cycles, item.cost.bytes, item.cost.nodes, item.cost.fifo_tokens) for item in (one, other)
    )
    return all(a <= b for a, b in zip(mine, theirs, strict=True)) and (mine != theirs or earlier)


def _neighbours(order: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for place in range(len(order) - 1):
        yield (*order[:place], order[place + 1], order[place], *order[place + 2 :])


def _legal(fused: FusedRegion, order: tuple[str, ...]) -> bool:
    rank = {variable: number for number, variable in enumerate(order)}
    return all(rank[item.outer] < rank[item.inner] for item in fused.partial_order.constraints)
