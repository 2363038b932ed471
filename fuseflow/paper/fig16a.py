"""Figure 16a: attention over 1 to 64 lanes of one index variable."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import Bar, Experiment, Mode, Request, Verdict
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.lanes import attention_point, short_runs, size_label
from fuseflow.paper.results import speedups

FACTORS = (1, 2, 4, 8, 16, 32, 64)
MEDIUM = (1, 4, 16, 64)


def declare(request: Request) -> tuple[Bar, ...]:
    """Lanes of the query rows, which the artifact's stream level 2 is."""
    factors = MEDIUM if request.mode is Mode.MEDIUM else FACTORS
    return tuple(
        Bar.of(attention_point(request, rows=factor), size=size_label(request), lanes=factor) for factor in factors
    )


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over one lane, and ``efficiency``, the speedup per lane."""
    made = speedups(frame, ["size"], "lanes", 1)  # type: ignore[arg-type]  # the baseline is a number here
    made["efficiency"] = made["speedup"] / made["lanes"]
    return made


def draw(frame: pd.DataFrame) -> Any:
    """Speedup against lanes, with the ideal."""
    return charts.lines(
        frame, x="lanes", y="speedup", series="size", log_x=True, log_y=True, ideal=True,
        x_title="lanes of query rows (log)",
        y_title="speedup over one lane (log)", title="Figure 16a: attention over parallel lanes (dashed: ideal)",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Near-linear: at least 80 % of the lanes' number."""
    reason = short_runs(request) or (
        "rows of a BigBird mask differ in length: the first two block rows keep every key. Lanes end when the "
        "fullest one does, and each lane has whole rows; the gather waits for the slowest."
    )
    return [
        near(f"{row.lanes} lanes", float(row.lanes), value_at(frame, "speedup", lanes=row.lanes), 0.2, reason)
        for row in frame.itertuples()
        if row.lanes > 1
    ]


EXPERIMENT = Experiment(
    "fig16a",
    "Figure 16a: parallel factor of BigBird attention",
    "Attention scales almost linearly with the parallel factor of one index variable, 1 to 64.",
    declare,
    derive,
    judge,
    draw,
)
