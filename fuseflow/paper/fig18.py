"""Figure 18: every dataflow order of a nested matrix product on KarateClub."""

from functools import lru_cache
from itertools import permutations
from typing import Any

import pandas as pd

from fuseflow.compiled import compile
from fuseflow.errors import FusionError
from fuseflow.paper import charts
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Experiment,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Verdict,
)
from fuseflow.paper.graphs import SEEDS
from fuseflow.paper.judging import near
from fuseflow.paper.recipes import build_model, build_schedule
from fuseflow.paper.results import spread

INDICES = "ikjl"
SPARSITY = 0.9
COLUMNS = {Mode.FAST: (16,), Mode.MEDIUM: (16, 28, 32), Mode.COMPLETE: (16, 28, 32)}
"""Columns of C: 16 as in the artifact, and 28 and 32, which move the factor to the paper's."""


@lru_cache(maxsize=1)
def legal_orders() -> tuple[str, ...]:
    """Orders of i, k, j, l in which the product fuses into one graph, each with operands stored to suit it."""
    found = []
    for order in permutations(INDICES):
        model = build_model(_model("".join(order), 0, COLUMNS[Mode.FAST][0]))
        try:
            compile(model, build_schedule(ScheduleSpec(Base.FULL, order=order), model.program))
        except FusionError:
            continue
        found.append("".join(order))
    return tuple(found)


def _model(order: str, seed: int, columns: int) -> ModelSpec:
    return ModelSpec.of(Kind.NESTED_MATMUL, seed, order=order, sparsity=SPARSITY, columns=columns)


def declare(request: Request) -> tuple[Bar, ...]:
    """T = (A·B)·C with operands stored so that the order contradicts none."""
    found = []
    for columns in COLUMNS[request.mode]:
        for seed in SEEDS if request.mode is Mode.COMPLETE else (0,):
            for name in legal_orders():
                order = tuple(name)
                point = Point(_model(name, seed, columns), ScheduleSpec(Base.FULL, order=order))
                found.append(Bar.of(point, columns=columns, order=name, run=seed))
    return tuple(found)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over the slowest order, where all have run."""
    made = frame.copy()
    made["speedup"] = float("nan")
    for _, part in made.groupby(["columns", "run"], sort=False):
        cycles = part["cycles"].astype("float64")
        if cycles.notna().all():  # which order is the slowest is known only when all are
            made.loc[part.index, "speedup"] = cycles.max() / cycles
    return made


def draw(frame: pd.DataFrame) -> Any:
    """A bar per order, best first."""
    data = spread(frame[frame["columns"] == COLUMNS[Mode.FAST][0]], ["order"], "speedup")
    data = data.sort_values("speedup", ascending=False, na_position="last").assign(series="speedup")
    return charts.bars(
        data, group="order", series="series", value="speedup", low="low", high="high", digits=".1f",
        title="Figure 18: dataflow orders of (A·B)·C on KarateClub", y="speedup over the slowest order (log)",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """The factor between the best and the worst order."""
    found = []
    reason = (
        "the worst orders have the columns of C outside of the product A·B and repeat it for each, so the factor is "
        "about the number of columns: 16 as in the artifact's model file gives this, 28 and 32 columns "
        "(`--mode medium`) give the paper's."
    )
    for columns, part in frame.groupby("columns", sort=False):
        best = part.groupby("run")["speedup"].max()
        ours = None if best.isna().any() else float(best.mean())
        found.append(near(f"best over worst order, C with {columns} columns", 29.0, ours, 0.1, reason))
    return found


EXPERIMENT = Experiment(
    "fig18",
    "Figure 18: dataflow orders of a nested matrix product",
    "The order of the loops changes the cycles by up to 29x from best to worst.",
    declare,
    derive,
    judge,
    draw,
    notes=(
        "19 of the 24 permutations; the other five (kilj, kjil, kjli, klji, lkji) do not fuse into one graph: A·B "
        "would have "
        "to accumulate over an index that is joined with C outside. The artifact runs 15.",
    ),
)
