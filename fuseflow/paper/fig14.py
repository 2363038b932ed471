"""Figure 14: FLOPs against memory accesses of the GCN in five fusion configurations."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Configuration,
    Experiment,
    Kind,
    Mode,
    Point,
    Request,
    ScheduleSpec,
    Verdict,
)  # fmt: skip
from fuseflow.paper.graphs import graph_label, graph_model
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.reference import FIGURE_14

SERIES = {
    Base.FULL: "both layers in one graph",
    Base.FIRST: "first layer fused",
    Base.LAST: "second layer fused",
    Base.PARTIAL: "each layer fused",
    Base.UNFUSED: "unfused",
}
DATASETS = {
    Mode.FAST: ("cora_ml",),
    Mode.MEDIUM: ("cora_ml", "dblp"),
    Mode.COMPLETE: ("cora_ml", "dblp", "collab"),
}
IMPLIED = {"cora_ml": (0.278, 0.470)}
"""Zeros in the weights that the published FLOPs imply, in the unfused kernels and in the fused layer.

A·X costs 2·edges·features operations and the product with the weights 2·nodes·features·(weights left per feature):
solved for the weights left of Cora_ML's 292,409,800 unfused and 240,409,687 fused operations."""


def declare(request: Request) -> tuple[Bar, ...]:
    """Five schedules per graph; in the artifact's configuration also with the weights that its FLOPs imply."""
    found = []
    for dataset in DATASETS[request.mode]:
        label = graph_label(dataset, request)
        for base, name in SERIES.items():
            point = Point(graph_model(Kind.GCN, dataset, request), ScheduleSpec(base))
            found.append(Bar.of(point, dataset=label, configuration=name, weights="one draw"))
    if request.configuration is Configuration.ARTIFACT:
        for dataset, (unfused, fused) in IMPLIED.items():
            for base, name in SERIES.items():
                sparsity = unfused if base in (Base.UNFUSED, Base.LAST) else fused
                point = Point(graph_model(Kind.GCN, dataset, request, sparsity=sparsity), ScheduleSpec(base))
                found.append(Bar.of(point, dataset=dataset, configuration=name, weights="as FLOPs imply"))
    return tuple(found)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds words accessed, and FLOPs and accesses over those of unfused, with the published ratios."""
    made = frame.copy()
    made["accesses"] = made["bytes"].astype("float64") / 4
    for column, quantity in (("flops_ratio", "flops"), ("bytes_ratio", "bytes")):
        made[column] = float("nan")
        for _, part in made.groupby(["dataset", "weights"], sort=False):
            base = part.loc[part["configuration"] == SERIES[Base.UNFUSED], quantity].astype("float64")
            if len(base):
                made.loc[part.index, column] = part[quantity].astype("float64") / float(base.iloc[0])
    made["operations_per_access"] = made["flops"].astype("float64") / made["accesses"]
    return made


def draw(frame: pd.DataFrame) -> Any:
    """A panel per graph, both axes normalised to unfused."""
    data = frame[frame["weights"] == "one draw"]
    return charts.scatter(
        data, x="bytes_ratio", y="flops_ratio", series="configuration", panel="dataset",
        title="Figure 14: work and memory traffic of the GCN", x_title="bytes / bytes unfused (log)",
        y_title="FLOPs / FLOPs unfused (log)",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Ratios of FLOPs and bytes, within 5 %."""
    found = []
    for (dataset, weights), part in frame.groupby(["dataset", "weights"], sort=False):
        name = str(dataset).partition(" ")[0].rstrip(",")
        published = FIGURE_14[name]
        for base, label in SERIES.items():
            if base is Base.UNFUSED:
                continue
            for quantity, column in enumerate(("flops_ratio", "bytes_ratio")):
                paper = published[base.value][quantity] / published["unfused"][quantity]
                what = f"{dataset} {label}{', weights as FLOPs imply' if weights != 'one draw' else ''}: " + (
                    "FLOPs" if quantity == 0 else "bytes"
                )
                ours = value_at(part, column, configuration=label)
                found.append(near(what, paper, ours, 0.05, _reason(str(dataset), quantity)))
    return found


def _reason(dataset: str, quantity: int) -> str:
    if "twin" in dataset:
        return "a synthetic twin, whose two-step paths are not those of the real graph."
    if quantity == 0:
        return (
            "fusing a layer changes no product, so FLOPs stay the same when every kernel reads the same weights. The "
            "published 0.82 needs weights of another density in the fused kernel: with one draw per kernel "
            "(`--configuration artifact`, rows 'as FLOPs imply') ours follow."
        )
    return (
        "bytes here count coordinates that compressed scanners read, which the simulator's branch behind the published "
        "figure leaves out or names differently (experiments notes §5, Figure 14), and weights of one density "
        "throughout."
    )


EXPERIMENT = Experiment(
    "fig14",
    "Figure 14: FLOPs and memory accesses of the GCN",
    "Full fusion costs 8.5x / 11.7x / 18.6x the FLOPs and 6.9x / 10.3x / 15.8x the bytes of unfused execution on "
    "Cora_ML, "
    "DBLP and Collab; fusing each layer keeps the FLOPs at 0.82 / 1.00 / 1.00 and cuts bytes to 0.62 / 0.78 / 0.79.",
    declare,
    derive,
    judge,
    draw,
)
