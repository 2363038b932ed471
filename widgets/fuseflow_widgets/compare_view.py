"""CompareView: two or more schedules side by side; the one that is chosen is what the other views show."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import traitlets

from fuseflow.comparison import Comparison, collect, compare
from fuseflow.compiled import Compiled
from fuseflow.errors import ScheduleError
from fuseflow.models import Model
from fuseflow.run import Run
from fuseflow.schedule import Schedule
from fuseflow_widgets import edits
from fuseflow_widgets.background import Background
from fuseflow_widgets.view import View, require

BUSIEST = 8
"""Nodes that the chart of cycles per node lists for each schedule."""
LABEL = 40
"""Longest name of a node in that chart, in characters."""

Addition = Callable[[], tuple[Compiled, Run]]


class CompareView(View):
    """Altair charts of a comparison: speedups, FLOPs against bytes, cycles per kernel and per node.

    Made from a Comparison, or from a model and schedules, or empty. ``comparison`` is the DataFrame behind the charts.
    ``chosen`` names the schedule that was clicked. ``source``, where given, is asked for what the button "add" adds.
    """

    page = "compare"
    charts = traitlets.Dict().tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = traitlets.Unicode("").tag(sync=True)
    can_add = traitlets.Bool(False).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        shown: Comparison | Model | None = None,
        schedules: Sequence[str | Schedule] = (),
        *,
        source: Addition | None = None,
        **traits: Any,
    ) -> None:
        self.comparison: Comparison | None = None
        self.source = source
        self.background = Background()
        super().__init__(can_add=source is not None, **traits)
        self.when_closed(self.background.close)
        if isinstance(shown, Model):
            shown = compare(shown, schedules) if schedules else compare(shown)
        if shown is not None:
            self.show(shown)

    def actions(self) -> dict[str, Callable[..., None]]:
        return {"add": self.add_current, "remove": self.remove}

    def show(self, comparison: Comparison) -> None:
        """Draw other schedules; the charts follow when they are laid out."""
        require(comparison, (Comparison,), "CompareView", "a model, or a comparison: ff.compare(model)")
        self.comparison = comparison
        self.rows = [
            {
                "schedule": row["schedule"], "kernels": row["kernels"], "nodes": row["nodes"], "cycles": row["cycles"],
                "speedup": row["speedup"], "flops": row["flops"], "bytes": row["bytes"], "error": row["max_rel_error"],
                "baseline": row["baseline"],
            }
            for row in comparison.records()
        ]  # fmt: skip
        if self.chosen not in {row["schedule"] for row in self.rows}:
            self.chosen = ""
        self.busy = True
        self.background.start(lambda job: draw(comparison), self._drawn, lambda words: self.say(words, "error"))

    def add(self, compiled: Compiled, run: Run, name: str | None = None) -> None:
        """One more schedule, under its own name or ``name``; a schedule of the same name is replaced."""
        known = {} if self.comparison is None else self.comparison.compiled
        runs = {} if self.comparison is None else self.comparison.runs
        label = name or compiled.schedule.name
        self.show(collect({**known, label: compiled}, {**runs, label: run}))
        self.chosen = label

    def add_current(self) -> None:
        """What ``source`` gives, numbered if another schedule has its name."""
        if self.source is None:
            raise ScheduleError("there is no current schedule here; use add(compiled, run)")
        compiled, run = self.source()
        known = {} if self.comparison is None else self.comparison.compiled
        for name, other in known.items():
            if edits.same(other.schedule, compiled.schedule):
                self.chosen = name
                self.say(f"this schedule is there already, as {name!r}")
                return
        name, number = compiled.schedule.name, 1
        while name in known:
            number += 1
            name = f"{compiled.schedule.name} {number}"
        self.say("")
        self.add(compiled, run, name)

    def remove(self, name: str) -> None:
        """One schedule less."""
        if self.comparison is None or name not in self.comparison.compiled:
            raise ScheduleError(f"no schedule {name!r} is compared")
        compiled, runs = self.comparison.compiled, self.comparison.runs
        compiled.pop(name)
        runs.pop(name)
        if compiled:
            self.show(collect(compiled, runs))
        else:
            self.comparison, self.rows, self.charts, self.chosen = None, [], {}, ""

    def _drawn(self, charts: dict[str, str]) -> None:
        with self.hold_sync():
            self.charts = charts
            self.busy = False

    def as_text(self) -> str:
        return "CompareView of nothing" if self.comparison is None else repr(self.comparison)

    def as_svg(self) -> str:
        return str(self.charts.get("speedups", ""))


def draw(comparison: Comparison) -> dict[str, str]:
    """SVG of every chart by name. Loads Altair, which takes a second the first time."""
    from fuseflow.report import charts
    from fuseflow.report.svg import chart_svg

    kernels = kernel_rows(comparison)
    pictures = {
        "speedups": charts.speedups(comparison),
        "work": charts.traffic(comparison),
        "kernels": charts.kernels(kernels),
        "nodes": _nodes_chart(comparison),
    }
    return {name: chart_svg(chart, f"{name}-") for name, chart in pictures.items()}


def kernel_rows(comparison: Comparison) -> pd.DataFrame:
    """One row per kernel of every schedule that is compared."""
    about = comparison.set_index("schedule")[["model", "dataset", "synthetic"]]
    rows = [
        {
            "schedule": name,
            "kernel": kernel.name,
            "position": position,
            "cycles": kernel.result.cycles,
            **about.loc[name],
        }
        for name in comparison.schedule
        for position, kernel in enumerate(comparison.runs[name].kernels)
    ]
    return pd.DataFrame(rows)


def node_rows(comparison: Comparison) -> pd.DataFrame:
    """The :data:`BUSIEST` nodes of every schedule: busy cycles, and the rest of the cycles of its kernel."""
    frames = []
    for name in comparison.schedule:
        table = comparison.runs[name].table().nlargest(BUSIEST, "busy_cycles")
        frames.append(table.assign(schedule=name, rank=range(1, len(table) + 1)))
    return pd.concat(frames, ignore_index=True)


def _nodes_chart(comparison: Comparison) -> Any:
    import altair as alt

    from fuseflow.report.charts import PALETTE, STYLE, subject

    data = node_rows(comparison)
    labels = data.node if data.kernel.nunique() == 1 else data.kernel + ": " + data.node
    data["label"] = [text if len(text) <= LABEL else f"{text[: LABEL - 1]}…" for text in labels]
    ticks = alt.Axis(labelExpr="format(datum.value, '~s')", tickCount=4)  # the format of an axis would write 0 as 0k
    base = alt.Chart(data).encode(
        y=alt.Y("rank:O", title=None, axis=None),
        x=alt.X("busy_cycles:Q", title="busy cycles", axis=ticks),
    )
    bars = base.mark_bar(color=PALETTE[4], opacity=0.45, height={"band": 0.85})
    labels = base.mark_text(align="left", dx=4, fontSize=11).encode(x=alt.datum(0), text="label:N")
    layers = alt.LayerChart(layer=[bars, labels], data=data).properties(width=270, height=alt.Step(19))
    header = alt.Header(labelFontSize=13, labelAnchor="start", labelColor="currentColor")
    facet = alt.Facet("schedule:N", title=None, sort=list(comparison.schedule), header=header)
    title = alt.Title(f"Busiest {BUSIEST} nodes", subtitle=subject(comparison), anchor="start", offset=10)
    # Rows that are full: beside an odd one out Vega would draw an axis under nothing.
    columns = 3 if len(comparison) in (3, 5, 6, 9) else 2 if len(comparison) % 2 == 0 else 1
    chart = layers.facet(facet=facet, columns=columns, title=title).resolve_scale(y="independent")
    return chart.properties(config=STYLE)
