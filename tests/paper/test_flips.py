"""Figure 12's causes: what the flipped twins are, and what the verdicts make of their cycles."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import fuseflow as ff
from fuseflow.datasets import GraphData, altered_twin
from fuseflow.errors import DataError
from fuseflow.paper import decoders, flips
from fuseflow.paper.experiment import Base, Configuration, Mode, Request
from fuseflow.paper.points import data_identity
from fuseflow.paper.recipes import build_model
from fuseflow.paper.results import speedups
from fuseflow.paper.runner import points_of

COMPLETE = Request(Mode.COMPLETE)


def paths(adjacency: object) -> int:
    """Two-step paths."""
    degrees = np.diff(adjacency.indptr)  # type: ignore[attr-defined]  # a csr_array
    return int(degrees[adjacency.indices].sum())  # type: ignore[attr-defined]  # a csr_array


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSEFLOW_DATA", raising=False)


def test_only_the_degree_law_is_flipped() -> None:
    usual, flat, even = (altered_twin("dblp", exponent=exponent) for exponent in (0.62, 0.574, 0.0))
    assert {(data.nodes, data.adjacency.nnz) for data in (usual, flat, even)} == {(17716, 105734)}
    assert paths(usual.adjacency) == 3_081_422
    assert abs(paths(flat.adjacency) * 1640 / 3_589_346_391 - 1) < 0.02, "the published cycles of full fusion"
    assert paths(even.adjacency) < paths(flat.adjacency) / 3
    assert (usual.features != even.features).nnz == 0 and np.array_equal(usual.labels, even.labels)


def test_a_citing_node_cites() -> None:
    data = altered_twin("cora", citing=2000)
    assert data.nodes == 2000 and data.adjacency.nnz == 10556
    assert np.diff(data.adjacency.indptr).min() >= 1
    with pytest.raises(DataError, match="it takes 2 nodes or more"):
        altered_twin("cora", citing=6000)


def test_flips_are_declared_where_a_twin_stands_in(no_data: None) -> None:
    bars = flips.declare(COMPLETE)
    assert {dict(bar.labels)["dataset"] for bar in bars} == {flip.label for flip in flips.FLIPS}
    assert not flips.declare(Request(Mode.FAST))
    assert not flips.declare(Request(Mode.COMPLETE, Configuration.ARTIFACT))
    assert {data_identity(point.model) for point in points_of(bars)} == {"twin"}


def test_the_recipe_flips_the_graph() -> None:
    point = next(point for point in points_of(flips.declare(COMPLETE)) if point.model.get("exponent") == 0.0)
    model = build_model(point.model)
    assert model.synthetic and model.dataset == "dblp"
    columns = model.tensors["adjacency"].levels[-1].coordinates  # type: ignore[union-attr]  # a compressed level
    assert np.array_equal(columns, altered_twin("dblp", exponent=0.0).adjacency.indices)


def test_verdicts_of_flips(no_data: None) -> None:
    rows = []
    for bar in flips.declare(COMPLETE):
        labels = dict(bar.labels)
        met = labels["dataset"] == flips.PATHS.label
        rows.append({**labels, "cycles": bar.reference if met else 100.0, "reference": bar.reference})
    frame = speedups(pd.DataFrame(rows), ["model", "dataset", "run", "memory"], "schedule", "unfused")
    found = {item.what: item for item in flips.judge(frame)}
    assert found[f"GCN {flips.PATHS.label}: full, cycles"].agrees is True
    assert found[f"GCN {flips.COLLAB_EVEN.label}: full, cycles"].agrees is False
    assert found["GCN dblp (twin, weights without zeros): partial, cycles at most"].agrees is False
    assert found[f"GCN {flips.EVEN.label}: full"].agrees is None
    frame[["cycles", "speedup"]] = None
    assert {item.agrees for item in flips.judge(frame)} == {None}
    assert flips.judge(frame.iloc[:0]) == []


@pytest.mark.parametrize("dataset", ["dblp (twin)", "collab (twin)", "mag (twin)"])
def test_every_twin_has_its_causes(dataset: str) -> None:
    texts = {flips.reason(model, dataset, base) for model in ("GCN", "GraphSAGE") for base in ("partial", "full")}
    assert len(texts) >= 2 and all(len(text) > 100 for text in texts)


def test_the_first_kernel_three_times() -> None:
    for base, plain, thrice in ((Base.PARTIAL, 12, 36), (Base.FULL, 1, 3)):
        parts = [decoders.decoder_parts(base, 64, True, first=first) for first in (1, 3)]
        assert [each[0][1] for each in parts] == [plain, thrice]
        assert parts[0][1:] == parts[1][1:]
    (unfused, _), *_ = decoders.decoder_parts(Base.UNFUSED, 64, True, projections=3)
    assert unfused.model["projections"] == 3 and parts[0][0][0].model["projections"] == 1


def test_totals_of_decoders_are_judged_with_all_choices_made() -> None:
    rows = [
        {"model": decoders.THRICE, "dataset": "block 64", "schedule": "partial", "reference": 100.0, "cycles": 101.0},
        {"model": decoders.THRICE, "dataset": "block 16", "schedule": "partial", "reference": 100.0, "cycles": 110.0},
        {"model": decoders.MODEL, "dataset": "block 64", "schedule": "partial", "reference": 100.0, "cycles": 101.0},
    ]
    assert [item.agrees for item in decoders.judge(pd.DataFrame(rows))] == [True, False]


@pytest.mark.parametrize(("citing", "others", "rows"), [(300, 0, 300), (300, 300, 600)])
def test_full_fusion_scans_all_rows_for_each_row_where_some_are_empty(citing: int, others: int, rows: int) -> None:
    """Why MAG fully fused takes nodes² here and citing nodes² where those that cite nothing are dropped."""
    nodes = citing + others
    adjacency = sparse.csr_array(
        (np.ones(2 * citing, np.float32),
         (np.repeat(np.arange(citing), 2), np.stack([np.roll(np.arange(citing), k) for k in (1, 2)], 1).ravel())),
        shape=(nodes, nodes),
    )  # fmt: skip
    features = sparse.csr_array(np.ones((nodes, 4), np.float32))
    data = GraphData("ring", True, adjacency, np.zeros(nodes, np.int32), 2, "made here", lambda: features)
    cycles = ff.compile(ff.models.gcn(data), "full").simulate().cycles
    assert rows * rows + rows <= cycles <= 1.05 * rows * rows
