"""Figure 15: speedup of fusion against the sparsity and the pattern of the adjacency."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import Bar, Experiment, Kind, Mode, ModelSpec, Point, Request, ScheduleSpec, Verdict
from fuseflow.paper.graphs import PRESETS, SEEDS, weights
from fuseflow.paper.judging import claimed, times, value_at
from fuseflow.paper.results import speedups, spread

PATTERNS = ("uniform", "power law", "block diagonal")
SPARSITIES = {
    Mode.FAST: (0.5, 0.7, 0.9, 0.95),
    Mode.MEDIUM: (0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    Mode.COMPLETE: (0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
}
NODES = {Mode.FAST: 100, Mode.MEDIUM: 500, Mode.COMPLETE: 500}
FEATURES = 128
CLASSES = 16
DEPENDS = 0.05
"""A gain that differs by less between patterns does not depend on them."""


def declare(request: Request) -> tuple[Bar, ...]:
    """Two layers, 500 nodes (100 in the fast mode), 128 features; three seeds in the complete mode."""
    found = []
    for pattern in PATTERNS:
        for seed in SEEDS if request.mode is Mode.COMPLETE else (0,):
            for sparsity in SPARSITIES[request.mode]:
                model = ModelSpec.of(
                    Kind.PATTERN_GCN,
                    seed,
                    nodes=NODES[request.mode],
                    features=FEATURES,
                    classes=CLASSES,
                    pattern=pattern,
                    density=round(1 - sparsity, 4),
                    weight_sparsity=weights(request),
                )
                for base in PRESETS:
                    point = Point(model, ScheduleSpec(base))
                    found.append(
                        Bar.of(point, pattern=pattern, sparsity=sparsity, schedule=base.value, run=seed)
                    )  # fmt: skip
    return tuple(found)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over unfused."""
    return speedups(frame, ["pattern", "sparsity", "run"], "schedule", "unfused")


def draw(frame: pd.DataFrame) -> Any:
    """A panel per pattern, a line per schedule, the range over seeds."""
    kept = frame[frame["schedule"] != "unfused"]
    data = spread(kept, ["pattern", "sparsity", "schedule"], "speedup")
    return charts.lines(
        data, x="sparsity", y="speedup", series="schedule", panel="pattern", low="low", high="high", log_y=True,
        title="Figure 15: speedup of fusion against the sparsity of the adjacency", x_title="zeros in the adjacency",
        x_format=".0%",
        y_title="speedup over unfused (log)",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """The paper prints no numbers for this figure: what is judged is its trend."""
    found = []
    for pattern in PATTERNS:
        part = frame[frame["pattern"] == pattern]
        at = sorted(set(part["sparsity"]))
        partial = [value_at(part, "speedup", sparsity=item, schedule="partial") for item in at]
        full = [value_at(part, "speedup", sparsity=item, schedule="full") for item in at]
        known = [item for item in (*partial, *full) if item is not None]
        if len(known) < 2 * len(at):
            found.append(claimed(f"{pattern}: trend", "", "missing", None))
            continue
        ahead = all((one or 0) > 1 and (one or 0) > (other or 0) for one, other in zip(partial, full, strict=True))
        found.append(
            claimed(
                f"{pattern}: partial fusion wins at every sparsity", "wins",
                f"{times(partial[0])} at {at[0]:.0%}, {times(partial[-1])} at {at[-1]:.0%}", ahead,
                "where few edges are left, both layers in one graph repeat little and save a kernel.",
            )
        )  # fmt: skip
        grows = (full[-1] or 0) > (full[0] or 0)
        found.append(
            claimed(
                f"{pattern}: full fusion gains with sparsity (fewer two-step paths)", "grows",
                f"{times(full[0])} at {at[0]:.0%}, {times(full[-1])} at {at[-1]:.0%}", grows,
            )
        )  # fmt: skip
    return [*found, *_judge_patterns(frame)]


def _judge_patterns(frame: pd.DataFrame) -> list[Verdict]:
    """Whether what a schedule gains depends on the pattern, by the largest ratio between two patterns."""
    found = []
    for schedule in ("partial", "full"):
        apart: list[tuple[float, float]] = []
        for sparsity in sorted(set(frame["sparsity"])):
            gains = [
                value_at(frame, "speedup", pattern=item, sparsity=sparsity, schedule=schedule) for item in PATTERNS
            ]
            known = [gain for gain in gains if gain is not None]
            if len(known) == len(PATTERNS):
                apart.append((max(known) / min(known), sparsity))
        what = f"{schedule}: the gain depends on the pattern"
        if not apart:
            found.append(claimed(what, "depends", "missing", None))
            continue
        most, where = max(apart)
        shown = f"up to {times(most)} between patterns, at {where:.0%}"
        found.append(
            claimed(
                what, "depends", shown, most > 1 + DEPENDS,
                "a product that is not fused with the next takes as many cycles as there are edges times features, "
                "wherever the edges are; with as many edges all patterns cost the same. Only full fusion, which walks "
                "two-step paths, sees where they are.",
            )
        )  # fmt: skip
    return found


EXPERIMENT = Experiment(
    "fig15",
    "Figure 15: fusion against sparsity, GCN with 500 nodes and 128 features",
    "What fusion gains depends on how sparse the adjacency is (50% to 95% zeros) and on its pattern (uniform, power "
    "law, "
    "block diagonal); full fusion recomputes per two-step path and so gains with sparsity.",
    declare,
    derive,
    judge,
    draw,
    notes=(
        "The paper prints no numbers for this figure; the trend is judged.",
        "A block diagonal consists of full blocks of one size and a smaller last one, so that the sparsity is the one "
        "stated; the graph is the same for every seed, only weights and features differ. The other patterns are drawn "
        "anew.",
    ),
)
