"""Comparing schedules: one model compiled and simulated under each, checked, side by side in a DataFrame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fuseflow.compiled import Compiled, Engine, compile
from fuseflow.errors import ScheduleError
from fuseflow.models import Model
from fuseflow.report import reference_cycles
from fuseflow.run import Run, RunProgress
from fuseflow.schedule import PRESETS, Schedule, named
from fuseflow.sim import Machine

if TYPE_CHECKING:
    import altair

COLUMNS = (
    "model", "dataset", "synthetic", "schedule", "kernels", "nodes", "cycles", "speedup", "baseline", "flops", "bytes",
    "max_rel_error", "compile_seconds", "simulate_seconds", "machine", "reference_cycles", "ratio_to_reference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparisonProgress:
    """Where a comparison stands: schedule number ``index`` of ``schedules``; ``run`` is None when it has just begun."""

    schedule: str
    index: int
    schedules: int
    run: RunProgress | None = None

    @property
    def fraction(self) -> float:
        """Estimated part of the whole that is done, in [0, 1]; see RunProgress.run_fraction."""
        within = 0.0 if self.run is None else (self.run.run_fraction or 0.0)
        return (self.index + within) / self.schedules


class Comparison(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """One row per schedule, with the columns :data:`COLUMNS`; slices and copies keep what was compiled and run.

    ``speedup`` is over the schedule that ``baseline`` names. ``reference_cycles`` is the reference's value for the
    same model, data set, schedule and machine, NaN where it has none, and ``ratio_to_reference`` ours over it.
    """

    _metadata = ("_compiled", "_runs")
    _compiled: dict[str, Compiled] = {}  # noqa: RUF012 - never changed in place; pandas needs the attribute to exist
    _runs: dict[str, Run] = {}  # noqa: RUF012 - as above

    @property
    def _constructor(self) -> type["Comparison"]:
        return Comparison

    @property
    def compiled(self) -> dict[str, Compiled]:
        """What was compiled, by schedule; also for rows that were sliced away."""
        return dict(self._compiled)

    @property
    def runs(self) -> dict[str, Run]:
        """What was run, by schedule; also for rows that were sliced away."""
        return dict(self._runs)

    def __repr__(self) -> str:
        if tuple(self.columns) != COLUMNS or self.empty:
            return str(super().__repr__())
        first = self.iloc[0]
        data = f" on {first.dataset}{' (synthetic twin)' if first.synthetic else ''}" if first.dataset else ""
        shown = [*COLUMNS[3:8], "flops", "bytes", "max_rel_error", "ratio_to_reference"]
        formats = {"max_rel_error": "{:.1e}".format, "speedup": "{:.3g}".format, "ratio_to_reference": "{:.3g}".format}
        table = pd.DataFrame(self)[shown].to_string(index=False, formatters=formats, line_width=None)
        return f"Comparison of {first.model}{data}, speedups over {first.baseline}\n{table}"

    def chart(self) -> "altair.LayerChart":
        """Speedups as an Altair chart."""
        from fuseflow.report.charts import speedups

        return speedups(self)

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain Python values, ready for JSON: None for a missing number, whole reference cycles."""
        rows: list[dict[str, Any]] = []
        for row in self.astype(object).to_dict("records"):
            plain: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
            if plain.get("reference_cycles") is not None:
                plain["reference_cycles"] = int(plain["reference_cycles"])
            rows.append(plain)
        return rows

    def report(self, folder: str | Path) -> Path:
        """Write ``report.html`` into ``folder``; see :func:`fuseflow.report.write_report`."""
        from fuseflow.report import write_report

        return write_report(self, folder)


def compare(
    model: Model,
    schedules: Sequence[str | Schedule] = tuple(PRESETS),
    *,
    machine: Machine | None = None,
    engine: Engine = "compiled",
    progress: Callable[[ComparisonProgress], None] | None = None,
) -> Comparison:
    """Compile ``model`` under each of ``schedules`` (names of presets, paths of .json files, Schedules) and run it.

    All are compiled before the first is run. Speedups are over ``unfused`` if it is among them and over the first
    otherwise. Raises ScheduleError for an illegal schedule, none, or two of the same name, and SimulationError if a
    result differs from the model's reference.
    """
    chosen = [schedules] if isinstance(schedules, str | Schedule) else schedules
    wanted = [named(each)(model.program) if isinstance(each, str) else each for each in chosen]
    _require_distinct(wanted)
    used = machine or Machine()
    compiled = {schedule.name: compile(model, schedule) for schedule in wanted}
    runs: dict[str, Run] = {}
    for index, (name, item) in enumerate(compiled.items()):
        relay = None
        if progress is not None:
            progress(ComparisonProgress(name, index, len(compiled)))
            relay = _relay(progress, name, index, len(compiled))
        runs[name] = item.simulate(used, engine=engine, progress=relay)
        runs[name].check()
    return collect(compiled, runs)


def collect(compiled: Mapping[str, Compiled], runs: Mapping[str, Run]) -> Comparison:
    """The comparison of schedules that have been run already, by the names they shall have in it.

    Speedups as in :func:`compare`. Raises ScheduleError for nothing to compare and SimulationError if a result differs
    from the model's reference.
    """
    if not compiled:
        raise ScheduleError(f"nothing to compare: no schedule given; name at least one of {', '.join(PRESETS)}")
    rows = [
        {**_row(item, runs[name], runs[name].check().max_rel_error), "schedule": name}
        for name, item in compiled.items()
    ]
    baseline = "unfused" if "unfused" in compiled else next(iter(compiled))
    frame = Comparison(rows)
    frame["speedup"] = runs[baseline].cycles / frame["cycles"]
    frame["baseline"] = baseline
    frame["ratio_to_reference"] = frame["cycles"] / frame["reference_cycles"]
    frame = Comparison(frame[list(COLUMNS)])
    frame._compiled, frame._runs = dict(compiled), dict(runs)
    return frame


def _row(compiled: Compiled, run: Run, error: float) -> dict[str, Any]:
    model = compiled.model
    # The reference's values are about the reference's machine.
    comparable = run.machine == Machine() and not compiled.schedule.blocks
    reference = reference_cycles(model, compiled.schedule) if comparable else None
    machine = f"{run.machine.name}, tiles with {run.machine.tiles}" if compiled.schedule.blocks else run.machine.name
    return {
        "model": model.name,
        "dataset": model.dataset,
        "synthetic": model.synthetic,
        "schedule": compiled.schedule.name,
        "kernels": len(run.kernels),
        "nodes": run.nodes,
        "cycles": run.cycles,
        "flops": run.flops,
        "bytes": run.bytes,
        "max_rel_error": error,
        "compile_seconds": compiled.compile_seconds,
        "simulate_seconds": run.simulate_seconds,
        "machine": machine,
        "reference_cycles": float("nan") if reference is None else float(reference),
    }


def _relay(
    progress: Callable[[ComparisonProgress], None], name: str, index: int, schedules: int
) -> Callable[[RunProgress], None]:
    return lambda run: progress(ComparisonProgress(name, index, schedules, run))


def _require_distinct(schedules: Sequence[Schedule]) -> None:
    if not schedules:
        raise ScheduleError(f"nothing to compare: no schedule given; name at least one of {', '.join(PRESETS)}")
    names = [schedule.name for schedule in schedules]
    for name in names:
        if names.count(name) > 1:
            raise ScheduleError(
                f"{names.count(name)} schedules are called {name!r}; leave one out, or give it another "
                '"name" (in its file, or Schedule(name, regions))'
            )
