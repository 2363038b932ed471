"""Figure 16b: attention over lanes of two index variables."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import Bar, Configuration, Experiment, Mode, Request, Verdict
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.lanes import attention_point, short_runs, size_label
from fuseflow.paper.reference import FIGURE_16B

FACTORS = ((1, 1), (2, 1), (4, 1), (1, 2), (1, 4), (2, 2), (4, 4))


def declare(request: Request) -> tuple[Bar, ...]:
    """Lanes of the heads and of the query rows, one, two and four."""
    published = request.configuration is Configuration.ARTIFACT and request.mode is not Mode.FAST
    return tuple(
        Bar.of(
            attention_point(request, heads, rows),
            FIGURE_16B.get((heads, rows)) if published else None,
            size=size_label(request),
            heads=heads,
            rows=rows,
            lanes=f"{heads} x {rows}",
        )
        for heads, rows in FACTORS
    )


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over one lane."""
    made = frame.copy()
    base = value_at(frame, "cycles", heads=1, rows=1)
    made["speedup"] = [
        base / float(cycles) if base is not None and pd.notna(cycles) else float("nan") for cycles in made["cycles"]
    ]
    return made


def draw(frame: pd.DataFrame) -> Any:
    """A bar per pair of factors."""
    return charts.bars(
        frame.assign(series="speedup"), group="lanes", series="series", value="speedup", log=False,
        title=f"Figure 16b: lanes of heads x lanes of query rows ({frame['size'].iloc[0]})",
        y="speedup over one lane",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """The paper's 15.9x with both at four, and the single factors."""
    reason = short_runs(request) or (
        "the published constants come from a dense score product (806,101,226 = 12·1024·1024·64 and a little), in "
        "which every row costs the same; with same work the mask samples the scores and rows differ. "
        "`--configuration artifact` has the dense one."
    )
    found = []
    for (heads, rows), cycles in FIGURE_16B.items():
        if (heads, rows) == (1, 1):
            continue
        paper = FIGURE_16B[1, 1] / cycles
        ours = value_at(frame, "speedup", heads=heads, rows=rows)
        found.append(near(f"{heads} lanes of heads, {rows} of rows", paper, ours, 0.05, reason))
    for row in frame.itertuples():
        if pd.notna(row.reference):
            found.append(near(f"{row.lanes}: cycles", row.reference, row.cycles, 0.05, reason, unit="cycles"))
    return found


EXPERIMENT = Experiment(
    "fig16b",
    "Figure 16b: parallelising two index variables of BigBird attention",
    "Factors multiply across index variables: both at four give about 15.9x.",
    declare,
    derive,
    judge,
    draw,
)
