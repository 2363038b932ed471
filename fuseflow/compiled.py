"""Compiling: a model and a schedule become one dataflow graph per fusion region."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fuseflow.dataflow.graph import Graph
from fuseflow.errors import ScheduleError
from fuseflow.fusion import FusedRegion, fuse
from fuseflow.lowering import Column, Fills, FusionTable, Lowered, lower
from fuseflow.models import Model
from fuseflow.run import Run, RunProgress, execute
from fuseflow.schedule import Region, Schedule, check, named
from fuseflow.sim import Machine

Engine = Literal["compiled", "interpreter"]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRegion:
    """One fusion region through every stage: fused expression, dataflow order, fusion table, graph."""

    region: Region
    lowered: Lowered

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

        visit(self.lowered.root)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A model compiled under a schedule. ``regions`` stand in the order in which they run."""

    model: Model
    schedule: Schedule
    regions: tuple[CompiledRegion, ...]
    compile_seconds: float

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
        values: bool = True,
    ) -> Run:
        """Run every region, one after the other, on ``machine`` (default: the reference's timing).

        Without ``values`` (compiled engine only) cycles, counters and the structure of results are the same, and
        sooner there, but every value of a result is NaN.
        """
        graphs = [(region.name, region.graph) for region in self.regions]
        return execute(
            self.model, self.schedule.name, graphs, machine or Machine(), engine, progress, self.compile_seconds, values
        )

    def __repr__(self) -> str:
        lines = [
            f"Compiled {self.model.name}, schedule {self.schedule.name}: "
            f"{len(self.regions)} kernels, {self.nodes} nodes"
        ]
        for region in self.regions:
            lines.append(f"  {region.name}: {len(region.graph)} nodes, order {' '.join(region.order)}")
            lines += [f"    recomputes {name} for every {' '.join(over)}" for name, over in region.recomputed.items()]
        return "\n".join(lines)


def compile(model: Model, schedule: Schedule | str = "full") -> Compiled:
    """Compile ``model`` under ``schedule`` (a Schedule, or the name of a preset).

    Raises ScheduleError for an illegal schedule and FusionError for a region that cannot be lowered.
    """
    chosen = named(schedule)(model.program) if isinstance(schedule, str) else schedule
    if not isinstance(chosen, Schedule):
        raise ScheduleError(f"a schedule is a Schedule or the name of one, not {type(schedule).__name__}")
    started = time.perf_counter()
    fills: Fills = {
        name: tuple(tree.fill(level) for level in range(len(tree.levels))) for name, tree in model.tensors.items()
    }
    regions = tuple(
        CompiledRegion(region, lower(fuse(model.program, region), region.order, fills))
        for region in check(chosen, model.program)
    )
    return Compiled(model, chosen, regions, time.perf_counter() - started)
