"""What optional graph passes do to a model's graphs and to one run of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fuseflow.compiled import Compiled, compile
from fuseflow.errors import SimulationError
from fuseflow.run import Run
from fuseflow.schedule import GraphPass, Region, Schedule
from fuseflow.sim import Machine

COLUMNS = ("passes", "nodes", "cycles", "bytes", "flops", "cycles_saved", "bytes_saved")


def passes_report(compiled: Compiled, *passes: GraphPass | str, machine: Machine | None = None) -> pd.DataFrame:
    """A row for the graphs without passes, one for each of ``passes`` (default: all) alone, one for all in turn.

    Every row is a simulation on ``machine``, whose results are compared bit by bit with those of the first;
    ``cycles_saved`` and ``bytes_saved`` are against it. Raises ScheduleError for an unknown pass and SimulationError if
    a pass changed a result.
    """
    steps = tuple(GraphPass.of(item) for item in passes) or tuple(GraphPass)
    rows = []
    plain: Run | None = None
    for choice in dict.fromkeys(((), *((step,) for step in steps), steps)):
        run = compile(compiled.model, _with(compiled.schedule, choice)).simulate(machine)
        words = " ".join(item.value for item in choice) or "none"
        plain = plain or run
        _check_equal(run, plain, words)
        saved = plain.cycles - run.cycles, plain.bytes - run.bytes
        rows.append((words, run.nodes, run.cycles, run.bytes, run.flops, *saved))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _with(schedule: Schedule, passes: tuple[GraphPass, ...]) -> Schedule:
    regions: tuple[Region, ...] = tuple(replace(region, passes=passes) for region in schedule.regions)
    return Schedule(schedule.name, regions)


def _check_equal(run: Run, plain: Run, passes: str) -> None:
    for name, wanted in plain.outputs.items():
        if not np.array_equal(run.outputs[name], wanted, equal_nan=True):
            raise SimulationError(
                f"graph passes {passes} changed result {name!r} of {plain.model.name}; this is a fault of fuseflow"
            )
