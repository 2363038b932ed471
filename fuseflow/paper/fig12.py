"""Figure 12: speedup of partial and full fusion over unfused execution, four models."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts, decoders, flips
from fuseflow.paper.accounting import account
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Configuration,
    Experiment,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Verdict,
)  # fmt: skip
from fuseflow.paper.graphs import PRESETS, SEEDS, graph_label, graph_model, seeds
from fuseflow.paper.judging import claimed, near, times, value_at
from fuseflow.paper.reference import ORDER, SAE_TEXT, graph_cycles
from fuseflow.paper.results import speedups, spread

GRAPHS = {
    Mode.FAST: ("cora", "cora_ml"),
    Mode.MEDIUM: ("cora", "cora_ml", "dblp", "collab"),
    Mode.COMPLETE: ("cora", "cora_ml", "dblp", "collab", "mag"),
}
IMAGES = {
    Mode.FAST: ("imagenet",),
    Mode.MEDIUM: ("imagenet", "luna16"),
    Mode.COMPLETE: ("imagenet", "luna16", "nih-cxr"),
}
LARGEST_IMAGE, LARGEST_GRAPH = "nih-cxr", "mag"
"""Run with one seed where that takes minutes and gigabytes: these pictures, and this graph fully fused."""
NAMES = {Kind.GCN: "GCN", Kind.GRAPHSAGE: "GraphSAGE"}
IMPLIED = {("cora", Base.UNFUSED): 0.525, ("cora", Base.PARTIAL): 0.58, ("cora_ml", Base.UNFUSED): 0.575,
           ("cora_ml", Base.PARTIAL): 0.63}  # fmt: skip
"""Zeros in the weights that Figure 12's cycles of the GCN imply: solved for in docs/fidelity.md."""
IDEAL, HBM = "ideal memory", "HBM"


def declare(request: Request) -> tuple[Bar, ...]:
    """Decoders, graphs and pictures on an ideal memory, then the memory model at sizes it can be simulated at."""
    flipped = flips.declare(request)
    models = (*decoders.declare(request, IDEAL), *_graphs(request), *_implied(request), *flipped, *_pictures(request))
    return (*models, *_memory(request))


def _pictures(request: Request) -> tuple[Bar, ...]:
    found = []
    for dataset in IMAGES[request.mode]:
        extra: dict[str, Any] = {"folder": f"{request.pictures}/{dataset}"} if request.pictures else {}
        label = dataset if extra else f"{dataset} (noise)"
        repeated = request.mode is Mode.COMPLETE and not extra and dataset != LARGEST_IMAGE
        for seed in SEEDS if repeated else (0,):
            model = ModelSpec.of(Kind.SAE, seed, dataset=dataset, **extra)
            found += [_bar(model, base, False, "SAE", label, seed) for base in PRESETS]
    return tuple(found)


def _graphs(request: Request) -> tuple[Bar, ...]:
    found = []
    for dataset in GRAPHS[request.mode]:
        for kind, name in NAMES.items():
            for seed in seeds(dataset) if request.mode is Mode.COMPLETE else (0,):
                model = graph_model(kind, dataset, request, seed)
                for base in PRESETS:
                    if base is Base.FULL and dataset == LARGEST_GRAPH and seed > 0:
                        continue
                    reference = graph_cycles(kind.value, dataset, base)
                    found.append(_bar(model, base, False, name, graph_label(dataset, request), seed, reference))
    return tuple(found)


def _implied(request: Request) -> tuple[Bar, ...]:
    """The GCN with weights as dense as the published cycles imply: the one thing flipped that accounts for the rest."""
    if request.configuration is not Configuration.ARTIFACT:
        return ()
    found = []
    for (dataset, base), sparsity in IMPLIED.items():
        model = graph_model(Kind.GCN, dataset, request, sparsity=sparsity)
        labels = _labels("GCN, implied weights", f"{graph_label(dataset, request)} {sparsity}", base, 0, IDEAL)
        found.append(Bar(labels, ((Point(model, ScheduleSpec(base)), 1),), graph_cycles("gcn", dataset, base)))
    return tuple(found)


def _memory(request: Request) -> tuple[Bar, ...]:
    """Three models at small sizes with the memory model off and on; both graph networks on Cora where there is time.

    The memory model takes requests of all readers in the order of their stamps, token by token, 4 to 14 million cycles
    a second, and keeps every stream of a kernel whole: one layer of Cora takes half a minute, both layers in one graph
    30 GB.
    """
    small: list[tuple[str, str, ModelSpec]] = [
        ("GCN", "cora, 100 nodes", _first(Kind.GCN, request)),
        ("GraphSAGE", "cora, 100 nodes", _first(Kind.GRAPHSAGE, request)),
        ("SAE", "24x24, hidden 32", ModelSpec.of(Kind.SAE, dataset="imagenet", side=24, hidden=32)),
    ]
    found = []
    for hbm in (False, True):
        for name, label, model in small:
            found += [_bar(model, base, hbm, f"{name}, small", label, 0) for base in PRESETS]
    if request.mode is Mode.COMPLETE:
        for kind, name in NAMES.items():
            whole, label = graph_model(kind, "cora", request), graph_label("cora", request)
            found += [
                _bar(whole, base, True, name, label, 0, graph_cycles(kind.value, "cora", base))
                for base in (Base.UNFUSED, Base.PARTIAL)
            ]
    return tuple(found)


def _first(kind: Kind, request: Request) -> ModelSpec:
    model = graph_model(kind, "cora", request)
    return ModelSpec(kind, tuple(sorted({**dict(model.arguments), "nodes": 100}.items())))


def _labels(model: str, dataset: str, base: Base, seed: int, memory: str) -> tuple[tuple[str, str | int], ...]:
    return (("model", model), ("dataset", dataset), ("schedule", base.value), ("run", seed), ("memory", memory))


def _bar(
    model: ModelSpec, base: Base, hbm: bool, name: str, dataset: str, seed: int, reference: float | None = None
) -> Bar:
    labels = _labels(name, dataset, base, seed, HBM if hbm else IDEAL)
    return Bar(labels, ((Point(model, ScheduleSpec(base), hbm), 1),), reference)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over unfused of the same seed and memory."""
    return speedups(frame, ["model", "dataset", "run", "memory"], "schedule", "unfused")


def draw(frame: pd.DataFrame) -> Any:
    """Panels by model: mean over seeds, with the range; the memory model in panels of its own."""
    kept = frame[(frame["schedule"] != "unfused") & ~frame["model"].str.contains("implied|flipped")]
    data = spread(kept, ["model", "dataset", "schedule", "memory"], "speedup")
    data["panel"] = [row.model if row.memory == IDEAL else f"{row.model}, HBM" for row in data.itertuples()]
    # A panel of one memory model stands beside the same without it.
    small = data[data["model"].str.contains("small") | (data["memory"] == HBM)]
    large = data.drop(small.index)
    settings: dict[str, Any] = {
        "group": "dataset", "series": "schedule", "value": "speedup", "panel": "panel", "low": "low", "high": "high",
        "y": "speedup over unfused (log)",
    }  # fmt: skip
    top = charts.bars(large, title="Figure 12: speedup of fusion, paper's sizes, ideal memory", **settings)
    small = small.sort_values("panel", kind="stable")
    below = charts.bars(small, title="The same with the memory model off and on, small sizes", **settings)
    return charts.stack([top, below])


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Winners and speedups by model and data set; cycles of the GCN in the artifact's configuration."""
    found: list[Verdict] = []
    main = frame[(frame["memory"] == IDEAL) & ~frame["model"].str.contains("small|implied|flipped")]
    for (model, dataset), part in main.groupby(["model", "dataset"], sort=False):
        found += _winner(str(model), str(dataset), part)
    for (model, dataset), part in main.groupby(["model", "dataset"], sort=False):
        found += _factors(str(model), str(dataset), part)
    if request.configuration is Configuration.ARTIFACT:
        found += [*_cycles(frame), *decoders.judge(frame)]
    return [*found, *flips.judge(frame), *_memory_order(frame)]


def _published(model: str, part: pd.DataFrame) -> dict[str, float]:
    if model == "SAE":
        return {base.value: value for base, value in SAE_TEXT.items()}
    values = {row.schedule: row.reference for row in part.itertuples() if pd.notna(row.reference)}
    return {name: values["unfused"] / value for name, value in values.items()} if "unfused" in values else {}


def _winner(model: str, dataset: str, part: pd.DataFrame) -> list[Verdict]:
    paper = _published(model, part)
    ours = {base.value: value_at(part, "speedup", schedule=base.value) for base in ORDER}
    if not paper:
        return []
    best = max(paper, key=lambda name: paper[name])
    if any(value is None for value in ours.values()):
        return [claimed(f"{model} {dataset}: winner", best, "missing", None, "a point of it is missing")]
    mine = max(ours, key=lambda name: ours[name] or 0.0)
    return [claimed(f"{model} {dataset}: winner", best, mine, best == mine, _WINNER.get(model, ""))]


def _factors(model: str, dataset: str, part: pd.DataFrame) -> list[Verdict]:
    paper = _published(model, part)
    tolerance = 0.1
    return [
        near(
            f"{model} {dataset}: {name}", value, value_at(part, "speedup", schedule=name), tolerance,
            _reason(model, dataset, name),
        )
        for name, value in paper.items()
        if name != "unfused"
    ]  # fmt: skip


_WINNER = {
    "SAE": "the paper's text has full fusion ahead, its plot data partial fusion (notes below).",
}


def _reason(model: str, dataset: str, schedule: str) -> str:
    if model.startswith("GPT-3"):
        return decoders.reason(model)
    if model == "GraphSAGE" and schedule == "partial":
        return (
            "the published second kernel is a first layer once more and its data generator cannot run, unfused "
            "kernels are "
            "counted twice or not at all (docs/fidelity.md); here partial fusion is the two real layers."
        )
    if "twin" in dataset and dataset.endswith("(twin)"):
        return flips.reason(model, dataset, schedule)
    if schedule == "full":
        return (
            "full fusion is decided by the scan of features for every two-step path, which does not depend on the "
            "weights; what unfused costs does (next line)."
        )
    return (
        "the density of the first layer's weights decides: `--configuration artifact` has the artifact's 60 % "
        "zeros, and "
        "its rows 'implied weights' show that with the density that the published cycles imply ours are theirs."
    )


def _cycles(frame: pd.DataFrame) -> list[Verdict]:
    found = []
    rows = frame[(frame["memory"] == IDEAL) & frame["model"].isin(["GCN", "GCN, implied weights"])]
    rows = rows[rows["dataset"].str.startswith("cora") & (rows["run"] == 0)]
    for row in rows.itertuples():
        reason = (
            "the scan of the first layer's weights sets the pace: nodes x features x (zeros left per row + 1) "
            "cycles; the "
            "row 'implied weights' changes the density alone and meets the published cycles (node by "
            "node)."
        )
        what = f"{row.model} {row.dataset} {row.schedule}: cycles"
        found.append(near(what, row.reference, row.cycles, 0.05, reason, unit="cycles"))
    return found


def _memory_order(frame: pd.DataFrame) -> list[Verdict]:
    """The README of the artifact says that the order of the schedules is the same without the memory model."""
    found = []
    for (model, dataset), slower in frame[frame["memory"] == HBM].groupby(["model", "dataset"], sort=False):
        schedules = list(slower["schedule"])
        part = frame[(frame["model"] == model) & (frame["dataset"] == dataset) & (frame["run"] == 0)]
        part = part[part["schedule"].isin(schedules)]
        place = str(model) if "small" in str(model) else f"{model} {dataset}"
        orders = []
        for memory in (IDEAL, HBM):
            rows = part[part["memory"] == memory]
            known = rows["cycles"].notna().all()
            orders.append(" < ".join(rows.sort_values("cycles")["schedule"]) if known else "missing")
        holds = None if "missing" in orders else orders[0] == orders[1]
        slow = [value_at(part, "cycles", memory=HBM, schedule=base) for base in schedules]
        fast = [value_at(part, "cycles", memory=IDEAL, schedule=base) for base in schedules]
        factors = [times(one / other) if one and other else "missing" for one, other in zip(slow, fast, strict=True)]
        found.append(
            claimed(
                f"{place}: order of schedules with HBM", orders[0], f"{orders[1]} (slower {', '.join(factors)})", holds,
                "fusion saves traffic, which only the memory model charges for, so the memory model can favour it "
                "more.",
            )
        )  # fmt: skip
    return found


EXPERIMENT = Experiment(
    "fig12",
    "Figure 12: speedup of fusion granularity",
    "The best granularity depends on the model: full fusion for GPT-3 (about 2.7x) and SAE (1.94x), partial fusion for "
    "GCN (up to 2.6x) and GraphSAGE (up to 3.9x), for which full fusion is a slowdown.",
    declare,
    derive,
    judge,
    draw,
    account,
    notes=(
        "With the memory model on: GCN, GraphSAGE and SAE at small sizes, and in the complete mode both graph networks "
        "on the whole of Cora, unfused and partially fused. It is simulated token by token and keeps the streams of a "
        "kernel whole: Cora fully fused would take 30 GB, and what is larger or has more cycles is not among them.",
        "For the autoencoder the paper contradicts itself: its text has full fusion 1.94x ahead, the data behind its "
        "plot have it at 0.67x and 0.63x with partial fusion as the winner. Those cycles are about 1e5, fewer than a "
        "batch has pixels, and the same for pictures of 262,144 and 1,048,576 pixels; they are not compared here.",
        "The rows 'implied weights' (artifact's configuration) are fitted: one density per published number, so that "
        "they meet it shows that weights alone can account for the difference, not that these were the weights. The "
        "FLOPs of Figure 14 imply others for the same Cora_ML (28.5 % and 47.5 % zeros).",
    ),
)
