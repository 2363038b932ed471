"""Synthetic twins: exact sizes, degrees, symmetry, determinism."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuseflow.datasets import CATALOG, load, twin
from fuseflow.datasets.catalog import FeatureKind
from fuseflow.errors import DataError

SMALL = ["cora", "cora_ml", "dblp"]


def degrees(matrix: Any) -> Any:
    return np.diff(matrix.indptr)


def equal(left: Any, right: Any) -> bool:
    return all(np.array_equal(getattr(left, part), getattr(right, part)) for part in ("indptr", "indices", "data"))


def check_adjacency(matrix: Any, stored_edges: int, symmetric: bool) -> None:
    assert matrix.nnz == stored_edges
    assert (matrix.data == 1).all() and matrix.data.dtype == np.float32
    assert matrix.has_canonical_format and matrix.diagonal().sum() == 0
    if symmetric:
        assert equal(matrix, matrix.T.tocsr())
    out, into = degrees(matrix), np.bincount(matrix.indices, minlength=matrix.shape[0])
    assert ((out > 0) | (into > 0)).all()


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int, bool]:
    nodes = draw(st.integers(2, 12))
    symmetric = draw(st.booleans())
    most = nodes * (nodes - 1) // (2 if symmetric else 1)
    pairs = draw(st.integers((nodes + 1) // 2, most))
    return nodes, pairs * (2 if symmetric else 1), symmetric


@settings(max_examples=60)
@given(sizes(), st.integers(0, 5))
def test_any_possible_graph_is_made(size: tuple[int, int, bool], seed: int) -> None:
    nodes, stored_edges, symmetric = size
    check_adjacency(twin.adjacency(nodes, stored_edges, symmetric=symmetric, seed=seed), stored_edges, symmetric)


@settings(max_examples=60)
@given(st.integers(1, 10), st.integers(1, 10), st.data())
def test_any_possible_features_are_made(nodes: int, width: int, data: st.DataObject) -> None:
    nonzeros = data.draw(st.integers(nodes, nodes * width))
    made = twin.features(nodes, width, nonzeros, FeatureKind.UNIT_ROWS)
    assert made.nnz == nonzeros and (made.data > 0).all() and made.has_canonical_format
    assert degrees(made).min() >= 1
    assert np.allclose((made.toarray() ** 2).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_twins_of_the_catalogue(name: str) -> None:
    entry, graph = CATALOG[name], load(name)
    assert graph.synthetic
    check_adjacency(graph.adjacency, entry.stored_edges, entry.symmetric)
    assert graph.features.shape == (entry.nodes, entry.features)
    assert graph.features.nnz == entry.feature_nonzeros
    assert graph.features.data.dtype == np.float32
    if entry.feature_kind is FeatureKind.BINARY:
        assert (graph.features.data == 1).all()
    assert graph.labels.shape == (entry.nodes,) and graph.labels.dtype == np.int32
    assert set(graph.labels.tolist()) == set(range(entry.classes))


def test_degrees_follow_a_power_law() -> None:
    # With exponent 2.6 the chance of a degree of d or more falls as d ** -1.6.
    found = degrees(load("dblp").adjacency)
    assert found.max() > 20 * found.mean()
    tail = np.array([(found >= degree).mean() for degree in (10, 20, 40, 80)])
    slopes = np.diff(np.log(tail)) / np.log(2)
    assert (slopes > -2.6).all() and (slopes < -1.2).all()


def test_a_directed_twin_is_not_symmetric_and_may_have_empty_rows() -> None:
    matrix = twin.adjacency(2000, 9000, symmetric=False)
    check_adjacency(matrix, 9000, symmetric=False)
    assert not equal(matrix, matrix.T.tocsr())
    assert degrees(matrix).min() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["collab", "mag"])
def test_large_twins(name: str) -> None:
    entry, graph = CATALOG[name], load(name)
    check_adjacency(graph.adjacency, entry.stored_edges, entry.symmetric)
    assert "features" not in vars(graph), "features of a large twin must wait until they are asked for"


def test_dense_features() -> None:
    made = twin.features(50, 8, 400, FeatureKind.DENSE)
    assert made.nnz == 400 and (made.data != 0).all() and (made.data < 0).any()


def test_the_same_seed_gives_the_same_twin() -> None:
    first, again, other = load("cora"), load("cora"), load("cora", seed=1)
    assert equal(first.adjacency, again.adjacency) and equal(first.features, again.features)
    assert np.array_equal(first.labels, again.labels)
    assert not equal(first.adjacency, other.adjacency) and not equal(first.features, other.features)
    assert not np.array_equal(first.labels, other.labels)


@pytest.mark.parametrize(
    ("nodes", "stored_edges", "symmetric", "message"),
    [
        (4, 5, True, "no symmetric graph without self loops has 4 nodes, an edge at each and 5 stored edges"),
        (4, 14, True, "it takes 2 nodes or more, and 2 to 6 undirected edges, each stored twice"),
        (4, 1, False, "no directed graph without self loops has 4 nodes, an edge at each and 1 stored edges"),
        (1, 1, False, "no directed graph without self loops has 1 nodes"),
    ],
)
def test_impossible_graphs(nodes: int, stored_edges: int, symmetric: bool, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        twin.adjacency(nodes, stored_edges, symmetric=symmetric)


@pytest.mark.parametrize(
    ("nonzeros", "kind", "message"),
    [
        (5, FeatureKind.IDENTITY, "identity features of 3 nodes need 3 columns and nonzeros, not 4 x 5"),
        (5, FeatureKind.DENSE, "dense features of 3 x 4 have 12 nonzeros, not 5"),
        (13, FeatureKind.BINARY, "features of 3 x 4 have 3 to 12 nonzeros, not 13"),
        (2, FeatureKind.BINARY, "features of 3 x 4 have 3 to 12 nonzeros, not 2"),
    ],
)
def test_impossible_features(nonzeros: int, kind: FeatureKind, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        twin.features(3, 4, nonzeros, kind)
