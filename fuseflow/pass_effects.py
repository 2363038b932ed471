"""What optional graph passes do to a model's graphs and to one run of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fuseflow.compiled import compile
from fuseflow.errors import SimulationError
from fuseflow.models import Model
from fuseflow.run import Run
from fuseflow.schedule import GraphPass, Schedule, named
from fuseflow.sim import Machine

COLUMNS = ("passes", "nodes", "cycles", "bytes", "flops", "cycles_saved", "bytes_saved")


def passes_report(
    model: Model,
    schedule: Schedule | str = "full",
    passes: Sequence[GraphPass | str] = tuple(GraphPass),
    *,
    machine: Machine | None = None,
) -> pd.DataFrame:
    """A row for the graphs without passes, one for each of ``passes`` alone, and one for all of them in turn.

    Every row is a simulation on ``machine``, whose results are compared bit by bit with those of the first;
    ``cycles_saved`` and ``bytes_saved`` are against it. Raises ScheduleError for an unknown pass and SimulationError if
    a pass changed a result.
    """
    steps = tuple(GraphPass.of(item) for item in passes)
    chosen = named(schedule)(model.program) if isinstance(schedule, str) else schedule
    rows = []
    plain: Run | None = None
    for choice in dict.fromkeys(((), *((step,) for step in steps), steps)):
        run = compile(model, chosen.with_passes(*choice)).simulate(machine)
        words = " ".join(item.value for item in choice) or "none"
        plain = plain or run
        for name, wanted in plain.outputs.items():
            if not np.array_equal(run.outputs[name], wanted, equal_nan=True):
                raise SimulationError(
                    f"graph passes {words} changed result {name!r} of {model.name}; this is a fault of fuseflow"
                )
        saved = plain.cycles - run.cycles, plain.bytes - run.bytes
        rows.append((words, run.nodes, run.cycles, run.bytes, run.flops, *saved))
    return pd.DataFrame(rows, columns=list(COLUMNS))
