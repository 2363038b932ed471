"""Why Figure 12 differs on the graphs that have a twin: runs of the GCN that change one thing, and what they show."""

from dataclasses import dataclass

import pandas as pd

from fuseflow.datasets.graph import find_file
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Configuration,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Value,
    Verdict,
)
from fuseflow.paper.graphs import weights
from fuseflow.paper.judging import claimed, near, number, times, value_at
from fuseflow.paper.reference import graph_cycles

MODEL = "GCN, one thing flipped"
MAG_CITING = 431_036
"""n of n * n + n + 38,567, MAG's published fully fused cycles: that a remainder of up to 862,072 is so small is a hint
that the published run scans n rows for each of n rows, as that of Collab scans all 235,868."""


@dataclass(frozen=True, slots=True)
class Flip:
    """``words`` name what is changed on the twin of ``dataset``, ``change`` is the argument of the model."""

    dataset: str
    words: str
    change: tuple[str, Value]
    bases: tuple[Base, ...]

    @property
    def label(self) -> str:
        return f"{self.dataset} (twin, {self.words})"


_FUSED = (Base.UNFUSED, Base.FULL)
EVEN = Flip("dblp", "even degrees", ("exponent", 0.0), _FUSED)
BETWEEN = Flip("dblp", "degree exponent 0.42", ("exponent", 0.42), _FUSED)
PATHS = Flip("dblp", "degree exponent 0.574", ("exponent", 0.574), _FUSED)
DENSE = tuple(
    Flip(name, "weights without zeros", ("weight_sparsity", 0.0), (Base.UNFUSED, Base.PARTIAL))
    for name in ("dblp", "collab")
)
COLLAB_EVEN = Flip("collab", "even degrees", ("exponent", 0.0), _FUSED)
COLLAB_WEIGHTS = Flip("collab", "31.1% zeros in the weights", ("weight_sparsity", 0.311), (Base.PARTIAL,))
MAG_ROWS = Flip("mag", f"the {MAG_CITING:,} nodes that cite", ("citing", MAG_CITING), _FUSED)
FLIPS = (EVEN, BETWEEN, PATHS, COLLAB_EVEN, COLLAB_WEIGHTS, *DENSE, MAG_ROWS)


def declare(request: Request) -> tuple[Bar, ...]:
    """A bar per flip and schedule: in the complete mode, where a twin stands in."""
    if request.mode is not Mode.COMPLETE or request.configuration is not Configuration.SAME_WORK:
        return ()
    found = []
    for flip in FLIPS:
        if find_file(flip.dataset) is not None:
            continue
        arguments = {"dataset": flip.dataset, "weight_sparsity": weights(request), **dict([flip.change])}
        for base in flip.bases:
            point = Point(ModelSpec.of(Kind.GCN, 0, **arguments), ScheduleSpec(base))
            labels = {"model": MODEL, "dataset": flip.label, "schedule": base.value, "run": 0, "memory": "ideal memory"}
            found.append(Bar.of(point, graph_cycles("gcn", flip.dataset, base), **labels))
    return tuple(found)


def judge(frame: pd.DataFrame) -> list[Verdict]:
    """What the flips show; nothing where there are none."""
    rows = frame[frame["model"] == MODEL]
    if rows.empty:
        return []
    found = [_cycles(rows, flip, Base.FULL) for flip in (PATHS, COLLAB_EVEN, MAG_ROWS)]
    found.append(_cycles(rows, COLLAB_WEIGHTS, Base.PARTIAL))
    found += [_factor(rows, flip) for flip in (EVEN, BETWEEN)]
    found += [_most(rows, flip, base) for flip in DENSE for base in flip.bases]
    return [item for item in found if item is not None]


def _cycles(rows: pd.DataFrame, flip: Flip, base: Base) -> Verdict | None:
    """Whether the published cycles are met."""
    published = graph_cycles("gcn", flip.dataset, base)
    if published is None or not (rows["dataset"] == flip.label).any():
        return None
    ours = value_at(rows, "cycles", dataset=flip.label, schedule=base.value)
    return near(f"GCN {flip.label}: {base.value}, cycles", published, ours, 0.02, unit="")


def _factor(rows: pd.DataFrame, flip: Flip) -> Verdict | None:
    """The factor of full fusion; judged where the flip was chosen to meet it."""
    cycles = [graph_cycles("gcn", flip.dataset, base) for base in _FUSED]
    if None in cycles or not (rows["dataset"] == flip.label).any():
        return None
    paper = (cycles[0] or 0) / (cycles[1] or 1)
    ours = value_at(rows, "speedup", dataset=flip.label, schedule=Base.FULL.value)
    what = f"GCN {flip.label}: full"
    return near(what, paper, ours, 0.1) if flip is BETWEEN else claimed(what, times(paper), times(ours), None)


def _most(rows: pd.DataFrame, flip: Flip, base: Base) -> Verdict | None:
    """Whether any zeros in the weights can give the published cycles: no more than without a zero."""
    published = graph_cycles("gcn", flip.dataset, base)
    if published is None or not (rows["dataset"] == flip.label).any():
        return None
    ours = value_at(rows, "cycles", dataset=flip.label, schedule=base.value)
    return claimed(
        f"GCN {flip.label}: {base.value}, cycles at most", number(published), number(ours),
        None if ours is None else published <= ours * 1.02,
        "no zeros in the weights, not even none, give as many cycles as are published on a graph with these nodes, "
        "edges and features: the published run had another graph or more than the kernels named. What, is not known.",
    )  # fmt: skip


def reason(model: str, dataset: str, schedule: str) -> str:
    """Why the factor of ``schedule`` on the twin of ``dataset`` is not the published one."""
    name = dataset.partition(" ")[0]
    if (model, name, schedule) == ("GraphSAGE", "mag", "full"):
        return _SUSPECT
    return _FULL[name] if schedule == "full" else _PARTIAL[name]


_ROWS = f"(rows '{MODEL}')"
_FULL = {
    "dblp": (
        "two things. Fully fused, the scan of 1,640 tokens of features for every two-step path decides, so the second "
        "moment of the degrees: the published cycles are those of 2,188,626 paths, our twin, whose degree law was "
        f"fitted to Cora and Cora_ML, has 3,081,422. Flipped {_ROWS}: with a flatter law, exponent 0.574 for 0.62, "
        "full fusion takes the published cycles; with 0.42 it has the published factor, with even degrees more than "
        "that. What remains of the factor is that the published unfused cycles are 2.14 times ours: next line."
    ),
    "collab": (
        "the fully fused cycles agree, to 1e-5: a scan of all 235,868 rows for each of 235,868 rows, which no edge "
        f"changes (flipped {_ROWS}: even degrees, the same cycles). The factor differs by the unfused cycles alone, "
        "of which the published are 1.6 times (GraphSAGE: also 1.6 times) ours: next line."
    ),
    "mag": (
        "full fusion scans n rows for each of n rows. The twin has all 736,389 nodes, and those that cite nothing must "
        "have an output too (repair 1, docs/fidelity.md); the artifact stores the adjacency compressed in both levels "
        f"and drops them. Flipped {_ROWS}: with n = {MAG_CITING:,} nodes, solved for from the published cycles, each "
        "of which cites, full fusion takes them. What remains is that the published unfused cycles are 3.8 times ours "
        "(next line)."
    ),
}
_SUSPECT = (
    "the published 849,409,284,934 cycles end in the digits of the published unfused 29,409,284,934, and are neither "
    "the GCN's, as on DBLP and to 1e-7 on Collab, nor a scan of n rows for each of n: they cannot be told from a slip."
)
_PARTIAL = {
    "dblp": (
        "not explained. The published partial cycles are 21.6 per node and feature; hidden width 16 takes at most 17, "
        f"without a zero in the weights (flipped {_ROWS}: still below the published). Read as the scan of the "
        "neighbours' features they are 378,862 edges, where DBLP has 105,734, and so many edges have no fewer than "
        "8.1 million two-step paths, where the fully fused cycles have 2.2: no one graph gives all three."
    ),
    "collab": (
        f"partial fusion takes the published cycles with 31.1 % zeros in the weights (flipped {_ROWS}). The published "
        "unfused cycles are above ours even without a zero; about one more product with the adjacency (304 million "
        "cycles) would be missing. Why, is not known."
    ),
    "mag": (
        "the published unfused and partial cycles are 3.8 and 2.6 times ours. Table 2 of the paper has 1,939,743 "
        "nodes, all kinds of MAG's, where the citing papers that the artifact loads are 736,389: as many nodes would "
        "take 2.6 times the cycles wherever a kernel goes by nodes, as all that decide partial fusion do. That is "
        "counted, not run: it would not fit into the memory. The unfused cycles are not explained by it."
    ),
}
