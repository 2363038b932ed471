"""Table 2: the data sets, measured."""

import pandas as pd

from fuseflow.datasets import load
from fuseflow.datasets.graph import find_file
from fuseflow.datasets.images import IMAGES
from fuseflow.models.bigbird import bigbird_mask
from fuseflow.paper.experiment import Bar, Experiment, Mode, Request, Verdict
from fuseflow.paper.judging import claimed, number
from fuseflow.paper.reference import TABLE_2

GRAPHS = {
    Mode.FAST: ("cora", "cora_ml", "dblp"),
    Mode.MEDIUM: ("cora", "cora_ml", "dblp", "collab"),
    Mode.COMPLETE: ("cora", "cora_ml", "dblp", "collab", "mag"),
}


def graphs(request: Request) -> tuple[str, ...]:
    """The graphs that are measured."""
    return GRAPHS[request.mode]


def declare(request: Request) -> tuple[Bar, ...]:
    """No simulation: the data themselves are measured."""
    return ()


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """A row per data set: what the loader gives, counted."""
    rows = []
    for name in graphs(request):
        data = load(name)
        features = data.features
        rows.append(
            {
                "name": name,
                "data": "real" if find_file(name) is not None else "twin",
                "rows": data.nodes,
                "columns": features.shape[1],
                "stored": int(data.adjacency.nnz),
                "sparsity": 1 - data.adjacency.nnz / data.nodes**2,
                "feature_sparsity": 1 - features.nnz / (features.shape[0] * features.shape[1]),
                "two_step_paths": int((data.adjacency @ data.adjacency.sum(axis=1)).sum()),
            }
        )
    for image in IMAGES.values():
        rows.append({"name": image.name, "data": "noise", "rows": image.side, "columns": image.side})
    for block in (16, 32, 64):
        mask = bigbird_mask(1024, block)
        rows.append(
            {
                "name": f"BigBird mask, block {block}", "data": "rule", "rows": 1024, "columns": 1024,
                "stored": int(mask.sum()), "sparsity": 1 - float(mask.mean()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Sizes exactly, sparsity to the digits that the paper prints."""
    found = []
    for row in frame.itertuples():
        if row.name not in TABLE_2:
            continue
        nodes, features, sparsity = TABLE_2[row.name]
        same = (row.rows, row.columns) == (nodes, features)
        reason = (
            "1,939,743 is the number of all nodes of OGB-MAG; its paper-cites-paper graph, the only one with "
            "features, has "
            "736,389."
        )
        found.append(
            claimed(
                f"{row.name} ({row.data}): size", f"{nodes:,} x {features:,}", f"{row.rows:,} x {row.columns:,}", same,
                reason
            )
        )  # fmt: skip
        close = abs(row.sparsity - sparsity) < 0.001
        why = f"of the adjacency; of the features {row.feature_sparsity:.2%} are zeros; the paper does not say which."
        found.append(
            claimed(f"{row.name}: zeros in the adjacency", f"{sparsity:.1%}", f"{row.sparsity:.4%}", close, why)
        )
    masks = frame[frame["name"].str.startswith("BigBird")]["sparsity"]
    inside = masks.min() >= 0.539 - 0.001 and masks.max() <= 0.865 + 0.002
    low, high = number(masks.min()), number(masks.max())
    found.append(claimed("attention masks: fraction of zeros", "0.539 to 0.865", f"{low} to {high}", bool(inside)))
    return found


EXPERIMENT = Experiment(
    "table2",
    "Table 2: data sets",
    "Sizes and sparsities of the data sets.",
    declare,
    derive,
    judge,
    graphs=graphs,
    notes=("The paper's IMDB text decides nothing: a decoder reads embeddings, here noise, and a mask by rule.",),
)
