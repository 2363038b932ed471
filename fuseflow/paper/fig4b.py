"""Figure 4b: compilers before FuseFlow, which fuse within single expressions, on the GCN of OGB-Collab."""

from typing import Any

import pandas as pd

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
from fuseflow.paper.graphs import graph_label, graph_model, seeds
from fuseflow.paper.judging import claimed, near, times, value_at
from fuseflow.paper.results import speedups, spread

SERIES = {
    Base.UNFUSED: "unfused",
    Base.EXPRESSION_GLOBAL: "single expressions, global iteration",
    Base.EXPRESSION: "single expressions, rewritten by hand",
    Base.PARTIAL: "across expressions (ours)",
}
IDEAL, HBM = "ideal memory", "HBM"
PARTS = {Mode.FAST: (1000,), Mode.MEDIUM: (1000,), Mode.COMPLETE: (1000, 4000)}
"""Nodes of the parts of Collab that are run with and without the memory model: the one thing flipped."""
PAPER = {Base.EXPRESSION: 1.97, Base.PARTIAL: 2.63}


def declare(request: Request) -> tuple[Bar, ...]:
    """The GCN on Collab, in the fast mode on a part of it; and on a small part with the memory model off and on."""
    found = []
    for seed in seeds("collab") if request.mode is Mode.COMPLETE else (0,):
        model = graph_model(Kind.GCN, "collab", request, seed)
        for base, name in SERIES.items():
            point = Point(model, ScheduleSpec(base))
            label = graph_label("collab", request)
            found.append(Bar.of(point, dataset=label, compiler=name, run=seed, memory=IDEAL))
    for nodes in PARTS[request.mode]:
        arguments = {**dict(graph_model(Kind.GCN, "collab", request).arguments), "nodes": nodes}
        part = ModelSpec(Kind.GCN, tuple(sorted(arguments.items())))
        for hbm in (False, True):
            for base in (Base.UNFUSED, *PAPER):
                point = Point(part, ScheduleSpec(base), hbm)
                memory = HBM if hbm else IDEAL
                found.append(Bar.of(point, dataset=_part_label(nodes), compiler=SERIES[base], run=0, memory=memory))
    return tuple(found)


def _part_label(nodes: int) -> str:
    return f"collab, {nodes:,} nodes"


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over unfused."""
    return speedups(frame, ["dataset", "run", "memory"], "compiler", "unfused")


def draw(frame: pd.DataFrame) -> Any:
    """A bar per compiler."""
    parts = {_part_label(nodes) for sizes in PARTS.values() for nodes in sizes}
    named = [f"{row.dataset}, {row.memory}" if row.dataset in parts else row.dataset for row in frame.itertuples()]
    data = spread(frame.assign(dataset=named), ["dataset", "compiler"], "speedup")
    return charts.bars(
        data, group="dataset", series="compiler", value="speedup",
        title="Figure 4b: fusion before and across expressions",
        y="speedup over unfused", log=False, low="low", high="high",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """The two factors of the paper, and their ratio."""
    labels = [_part_label(nodes) for nodes in PARTS[request.mode]]
    main = frame[~frame["dataset"].isin(labels)]
    ours = {base: value_at(main, "speedup", compiler=name) for base, name in SERIES.items()}
    by_hand, across, globally = ours[Base.EXPRESSION], ours[Base.PARTIAL], ours[Base.EXPRESSION_GLOBAL]
    rewrite = (
        f"A·X·W in one loop nest is {times(globally)} unfused here: every stored edge meets every feature and every "
        f"weight. The paper's 'hand rewrite' is what makes it {times(by_hand)}: the same regions in factored "
        "iteration, a run that flips only that."
    )
    width = (
        "on an ideal memory what is left to fuse across expressions, bias, ReLU and softmax, is a hundredth of the "
        "cycles each. The traffic of the intermediates is what it saves, and only the memory model charges for that: "
        "next lines."
    )
    found = [
        near("prior compilers, rewritten by hand, over unfused", 1.97, by_hand, 0.1, rewrite),
        near("FuseFlow over unfused", 2.63, across, 0.1, width),
        near("FuseFlow over prior compilers", 1.33, _ratio(across, by_hand), 0.1, width),
    ]
    found.append(claimed("single expressions in one loop nest, no rewrite", "", times(globally), None, rewrite))
    held = (
        "with the one thing flipped, the memory, the gain grows, on parts of different size alike (these rows). How "
        "much traffic costs in the published run is not stated."
    )
    for label in labels:
        part = frame[frame["dataset"] == label]
        for memory, words, reason in ((IDEAL, "off", width), (HBM, "on", held)):
            fused, hand = (
                value_at(part, "speedup", compiler=SERIES[base], memory=memory)
                for base in (Base.PARTIAL, Base.EXPRESSION)
            )
            name = f"FuseFlow over prior compilers, memory model {words} ({label})"
            found.append(near(name, 1.33, _ratio(fused, hand), 0.1, reason))
    return found


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over and under else None


EXPERIMENT = Experiment(
    "fig4b",
    "Figure 4b: prior compilers and cross-expression fusion, GCN on OGB-Collab",
    "Prior compilers with a hand rewrite are 1.97x faster than unfused, FuseFlow another 1.33x, together 2.63x.",
    declare,
    derive,
    judge,
    draw,
)
