"""Figure 4b: compilers before FuseFlow, which fuse within single expressions, on the GCN of OGB-Collab."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import Bar, Base, Experiment, Kind, Mode, Point, Request, ScheduleSpec, Verdict
from fuseflow.paper.graphs import graph_label, graph_model, seeds
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.results import speedups, spread

SERIES = {
    Base.UNFUSED: "unfused",
    Base.EXPRESSION_GLOBAL: "single expressions, global iteration",
    Base.EXPRESSION: "single expressions, rewritten by hand",
    Base.PARTIAL: "across expressions (ours)",
}
PAPER = {Base.EXPRESSION: 1.97, Base.PARTIAL: 2.63}


def declare(request: Request) -> tuple[Bar, ...]:
    """The GCN on Collab; in the fast mode on a part of it."""
    found = []
    for seed in seeds("collab") if request.mode is Mode.COMPLETE else (0,):
        model = graph_model(Kind.GCN, "collab", request, seed)
        for base, name in SERIES.items():
            point = Point(model, ScheduleSpec(base))
            found.append(Bar.of(point, dataset=graph_label("collab", request), compiler=name, run=seed))
    return tuple(found)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over unfused."""
    return speedups(frame, ["dataset", "run"], "compiler", "unfused")


def draw(frame: pd.DataFrame) -> Any:
    """A bar per compiler."""
    data = spread(frame, ["dataset", "compiler"], "speedup")
    return charts.bars(
        data, group="dataset", series="compiler", value="speedup",
        title="Figure 4b: fusion before and across expressions",
        y="speedup over unfused", log=False, low="low", high="high",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """The two factors of the paper, and their ratio."""
    ours = {base: value_at(frame, "speedup", compiler=name) for base, name in SERIES.items()}
    by_hand, across, globally = ours[Base.EXPRESSION], ours[Base.PARTIAL], ours[Base.EXPRESSION_GLOBAL]
    rewrite = (
        "A·X·W in one loop nest is {:.2g}x unfused here: every stored edge meets every feature and every weight. "
        "The paper's "
        "'hand rewrite' is what makes it {:.2g}x: the same regions in factored iteration, a run that flips only that."
    ).format(globally or float("nan"), by_hand or float("nan"))
    width = (
        "A·X and its product with the weights overlap when fused: with 128 features and 16 hidden units they cost "
        "about the "
        "same, so fusing them halves the cycles and little is left for bias, ReLU and softmax (a hundredth each). The "
        "published cycles are 1.6x ours unfused and 1.2x fused, more than one token per cycle needs, under "
        "conditions that "
        "are not published (memory model, classes, edges)."
    )
    return [
        near("prior compilers, rewritten by hand, over unfused", 1.97, by_hand, 0.1, rewrite + " " + width),
        near("FuseFlow over unfused", 2.63, across, 0.1, width),
        near("FuseFlow over prior compilers", 1.33, across / by_hand if across and by_hand else None, 0.1, width),
    ]


EXPERIMENT = Experiment(
    "fig4b",
    "Figure 4b: prior compilers and cross-expression fusion, GCN on OGB-Collab",
    "Prior compilers with a hand rewrite are 1.97x faster than unfused, FuseFlow another 1.33x, together 2.63x.",
    declare,
    derive,
    judge,
    draw,
)
