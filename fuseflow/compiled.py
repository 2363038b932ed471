"""Compiling: a model and a schedule become one dataflow graph per fusion region."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from fuseflow.dataflow.graph import Graph, Output
from fuseflow.einsum import Program
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.formats import FiberTree, Format
from fuseflow.fusion import FusedRegion, fuse
from fuseflow.handle import RunHandle, TracedRun
from fuseflow.lowering import (
    Column,
    Copy,
    Fills,
    FusionTable,
    Lowered,
    OnCycle,
    copy_program,
    identity_tree,
    lower,
    spread,
)
from fuseflow.models import Model
from fuseflow.models.tiled import tiled
from fuseflow.run import Kernel, Run, execute
from fuseflow.schedule import Region, Schedule, check, named
from fuseflow.sim import Machine, TraceOptions
from fuseflow.watching import RunProgress, Watching

Engine = Literal["compiled", "interpreter"]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRegion:
    """One fusion region through every stage: fused expression, dataflow order, fusion table, graph.

    ``formats`` says how each result is stored. A region with ``is_copy`` stores a tensor again in another mode order.
    """

    region: Region
    lowered: Lowered
    formats: Mapping[str, Format]
    is_copy: bool = False

    @property
    def name(self) -> str:
        return self.region.name

    @property
    def fused(self) -> FusedRegion:
        return self.lowered.region

    @property
    def order(self) -> tuple[str, ...]:
        return self.lowered.order

    @property
    def table(self) -> FusionTable:
        return self.lowered.table

    @property
    def graph(self) -> Graph:
        return self.lowered.graph

    @property
    def copied(self) -> tuple[Copy, ...]:
        """Tensors stored again for this region, before it or (results) after it."""
        return (*self.lowered.copies, *self.lowered.restores)

    @property
    def recomputed(self) -> dict[str, tuple[str, ...]]:
        """Intermediates that are computed again for every coordinate of foreign index variables, and of which."""
        found: dict[str, tuple[str, ...]] = {}

        def visit(column: Column) -> None:
            for operand in column.operands:
                if isinstance(operand, Column):
                    fresh = tuple(name for name in operand.recomputed if name not in column.recomputed)
                    if fresh:
                        found[operand.name] = operand.recomputed
                    visit(operand)

        for root in self.lowered.roots:
            visit(root)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A model compiled under a schedule.

    ``regions`` stand in the order in which they run, copies included. Under a schedule with blocks, ``model`` is the
    blocked one: its program is over blocks, and its data are tiles. ``constants`` are tensors that the compiler
    added: identity matrices of the copies.
    """

    model: Model
    schedule: Schedule
    regions: tuple[CompiledRegion, ...]
    compile_seconds: float
    constants: Mapping[str, FiberTree]

    @property
    def nodes(self) -> int:
        """Blocks over all graphs."""
        return sum(len(region.graph) for region in self.regions)

    def __getitem__(self, name: str) -> CompiledRegion:
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(f"no region {name!r}; there are {', '.join(region.name for region in self.regions)}")

    def simulate(
        self,
        machine: Machine | None = None,
        *,
        engine: Engine = "compiled",
        progress: Callable[[RunProgress], None] | None = None,
        depths: Mapping[str, int] | None = None,
        trace: TraceOptions | None = None,
        values: bool = True,
        keep: bool = True,
    ) -> Run:
        """Run every region, one after the other, on ``machine`` (default: the reference's timing).

        ``depths`` bounds streams (see ``Watching``), ``trace`` records what every node does. An interruption from the
        keyboard raises RunInterrupted, which has the run so far. Without ``values`` (compiled engine only) cycles,
        counters and the structure of results are the same, and sooner there, but the values of a result mean nothing.
        Without ``keep`` a stored intermediate is freed after its last reader, which large models need: the run has its
        outputs, counters and cycles, but ``result.outputs`` of its kernels is empty.
        """
        return self._execute(machine, engine, Watching(progress, depths or {}, trace), values, keep)

    def start(
        self,
        machine: Machine | None = None,
        *,
        depths: Mapping[str, int] | None = None,
        engine: Engine = "compiled",
        trace: TraceOptions | None = None,
        progress: Callable[[RunProgress], None] | None = None,
    ) -> RunHandle:
        """As :meth:`simulate`, in the background."""
        return RunHandle(
            lambda watching: self._execute(machine, engine, watching), Watching(progress, depths or {}, trace)
        )

    def trace(
        self,
        machine: Machine | None = None,
        options: TraceOptions | None = None,
        *,
        depths: Mapping[str, int] | None = None,
    ) -> TracedRun:
        """Simulate while the frames of the trace are read: ``for frame in compiled.trace(): ...``."""
        return TracedRun(self.start(machine, depths=depths, trace=options or TraceOptions()))

    def _execute(
        self,
        machine: Machine | None,
        engine: Engine,
        watching: Watching,
        values: bool = True,
        keep: bool = True,
    ) -> Run:
        kernels = [Kernel(region.name, region.graph, region.formats) for region in self.regions]
        chosen = machine or Machine()
        constants, seconds = self.constants, self.compile_seconds
        return execute(
            self.model, self.schedule.name, kernels, chosen, engine, watching, seconds, constants, values, keep,
            lambda: self._work(chosen),
        )  # fmt: skip

    def _work(self, machine: Machine) -> list[float]:
        """Busy cycles that the estimate expects of all nodes together, by kernel: what simulating them takes."""
        from fuseflow.estimating import estimate  # which knows this class

        found = estimate(self, machine=machine)
        return [sum(node.busy_cycles for node in kernel.nodes) for kernel in found.kernels]

    def __repr__(self) -> str:
        lines = [
            f"Compiled {self.model.name}, schedule {self.schedule.name}: "
            f"{len(self.regions)} kernels, {self.nodes} nodes"
        ]
        for region in self.regions:
            lines.append(f"  {region.name}: {len(region.graph)} nodes, order {' '.join(region.order)}")
            lines += [f"    stores {copy.source.name} again" for copy in region.copied]
            lines += [f"    recomputes {name} for every {' '.join(over)}" for name, over in region.recomputed.items()]
        return "\n".join(lines)


def compile(model: Model, schedule: Schedule | str = "full", *, on_cycle: OnCycle | str = OnCycle.COPY) -> Compiled:
    """Compile ``model`` under ``schedule`` (a Schedule, or the name of a preset).

    Where storage orders contradict each other, the cheapest tensor that helps is stored again in another mode order, by
    a kernel of its own; with ``on_cycle="error"`` that is an error. Raises ScheduleError for an illegal schedule and
    FusionError for a region that cannot be lowered.
    """
    choice = OnCycle.of(on_cycle)
    chosen = named(schedule)(model.program) if isinstance(schedule, str) else schedule
    if not isinstance(chosen, Schedule):
        raise ScheduleError(f"a schedule is a Schedule or the name of one, not {type(schedule).__name__}")
    started = time.perf_counter()
    check(chosen, model.program)
    model = tiled(model, chosen.blocks) if chosen.blocks else model
    fills: Fills = {
        name: tuple(tree.fill(level) for level in range(len(tree.levels))) for name, tree in model.tensors.items()
    }
    stored = {name: tree.stored for name, tree in model.tensors.items()}
    regions: list[CompiledRegion] = []
    copied: dict[str, Copy] = {}
    program = model.program
    for region in check(chosen, program):
        lowered = spread(_lower(program, region, fills, choice, stored), model.tensors)
        fills = {**fills, **lowered.fills}
        fresh = [copy for copy in lowered.copies if copy.target.name not in copied]
        copied |= {copy.target.name: copy for copy in (*fresh, *lowered.restores)}
        formats = {item.tensor: _stored_as(item, program, lowered.restores) for item in lowered.graph.outputs}
        program = program.stored_as(formats)  # later regions read a result in the order it was computed in
        regions += [_copy_region(copy) for copy in fresh]
        regions.append(CompiledRegion(region, lowered, formats))
        regions += [_copy_region(copy) for copy in lowered.restores]
    constants = {item.name: identity_tree(item) for copy in copied.values() for item in copy.identities}
    return Compiled(model, chosen, tuple(regions), time.perf_counter() - started, constants)


def _lower(program: Program, region: Region, fills: Fills, on_cycle: OnCycle, stored: Mapping[str, int]) -> Lowered:
    """``region`` lowered, with what its results share computed once if that can be lowered."""
    fused = fuse(program, region)
    try:
        return lower(fused, region.order, fills, on_cycle, stored)
    except FusionError:
        if not fused.shared.merges.results:
            raise
        return lower(fuse(program, region, siblings=False), region.order, fills, on_cycle, stored)


def _copy_region(copy: Copy) -> CompiledRegion:
    program, region = copy_program(copy)
    lowered = lower(fuse(program, region), region.order, on_cycle=OnCycle.ERROR)
    return CompiledRegion(region, lowered, {copy.target.name: copy.target.format}, is_copy=True)


def _stored_as(output: Output, program: Program, restores: tuple[Copy, ...]) -> Format:
    for copy in restores:
        if copy.source.name == output.tensor:
            return copy.source.format
    return Format(program.tensor(output.tensor).format.levels, output.mode_order)
