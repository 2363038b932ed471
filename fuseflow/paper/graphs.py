"""What the figures about graph networks share: data sets by mode, seeds, and the published cycles."""

from fuseflow.datasets.catalog import CATALOG
from fuseflow.datasets.graph import find_file
from fuseflow.paper.experiment import Base, Configuration, Kind, Mode, ModelSpec, Request

PRESETS = (Base.UNFUSED, Base.PARTIAL, Base.FULL)
SEEDS = (0, 1, 2)
"""Of synthetic data, each with weights of its own."""

STATED_SPARSITY = 0.5
"""Zeros in the weights of graph networks as the paper and the scripts' labels state them."""
ARTIFACT_SPARSITY = 0.6
"""Zeros that the artifact's generator draws whatever the label says (experiments notes §2)."""

FAST_NODES = {"dblp": 2000, "collab": 4000, "mag": 4000}
"""Nodes that the fast mode takes of the larger graphs."""


def weights(request: Request) -> float:
    """Fraction of zeros in the weights of graph networks."""
    return STATED_SPARSITY if request.configuration is Configuration.SAME_WORK else ARTIFACT_SPARSITY


def seeds(dataset: str) -> tuple[int, ...]:
    """One seed for real data, three where a twin stands in."""
    return (0,) if find_file(dataset) is not None or dataset == "karate" else SEEDS


def graph_model(kind: Kind, dataset: str, request: Request, seed: int = 0, sparsity: float | None = None) -> ModelSpec:
    """``kind`` on ``dataset``; in the fast mode on the first nodes of a large one."""
    chosen = weights(request) if sparsity is None else sparsity
    if request.mode is Mode.FAST and dataset in FAST_NODES:
        nodes = FAST_NODES[dataset]
        return ModelSpec.of(kind, seed, dataset=dataset, weight_sparsity=chosen, nodes=nodes)
    return ModelSpec.of(kind, seed, dataset=dataset, weight_sparsity=chosen)


def graph_label(dataset: str, request: Request) -> str:
    """The data set as a chart names it: a twin and a part are marked."""
    twin = "" if find_file(dataset) is not None or dataset == "karate" else " (twin)"
    part = request.mode is Mode.FAST and dataset in FAST_NODES
    size = f", {FAST_NODES[dataset]:,} of {CATALOG[dataset].nodes:,} nodes" if part else ""
    return f"{dataset}{twin}{size}"
