"""Loading graphs: karate, real files, twins, damaged files."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuseflow.datasets import CATALOG, DIRECTORY_VARIABLE, load
from fuseflow.datasets.content import Content, content_sha256, read_content, write_content
from fuseflow.errors import DataError
from tests.datasets.samples import FEATURES, LABELS, REAL_DATA, UNVERIFIED, small_entry, small_graph


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the graph "small", which the catalogue then knows."""
    monkeypatch.setitem(CATALOG, "small", small_entry())
    write_content(tmp_path / "small.npz", small_graph())
    return tmp_path


def rewrite(path: Path, **changed: Any) -> None:
    """Write the small graph with some arrays replaced (None leaves one out)."""
    content = small_graph()
    arrays = {field.name: getattr(content, field.name) for field in fields(Content)} | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_karate() -> None:
    graph = load("karate")
    assert not graph.synthetic
    assert (graph.nodes, graph.adjacency.nnz, graph.classes) == (34, 156, 2)
    assert (graph.adjacency.data == 1).all() and abs(graph.adjacency - graph.adjacency.T).nnz == 0
    assert np.array_equal(graph.features.toarray(), np.eye(34))
    # The instructor (node 0) and the president (node 33) lead the two clubs.
    assert graph.labels[0] != graph.labels[33] and sorted(np.bincount(graph.labels)) == [17, 17]
    assert repr(graph) == "GraphData karate (real): 34 nodes, 156 stored edges, 2 classes; Zachary 1977, as in networkx"


def test_a_real_file(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for graph in (load("small", small), load("small", str(small))):
        assert not graph.synthetic and graph.source == "test"
        assert graph.adjacency.toarray()[0].tolist() == [0, 1, 0, 0, 0, 1]
        assert np.array_equal(graph.features.toarray(), FEATURES)
        assert np.array_equal(graph.labels, LABELS)
        assert graph.features is graph.features
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(small))
    assert not load("small").synthetic


def test_a_twin_where_the_file_is_absent(tmp_path: Path) -> None:
    graph = load("cora", tmp_path)
    assert graph.synthetic
    assert repr(graph) == (
        "GraphData cora (synthetic twin): 2708 nodes, 10556 stored edges, 7 classes; synthetic twin of cora, seed 0"
    )


def test_unknown_names_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match='data set must be one of karate, cora, cora_ml, dblp, collab, mag, not "x"'):
        load("x")
    absent = tmp_path / "absent"
    with pytest.raises(DataError, match=re.escape(f"directory names {absent}, which is not a folder: make it, or")):
        load("cora", absent)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(absent))
    with pytest.raises(DataError, match=re.escape(f"FUSEFLOW_DATA names {absent}, which is not a folder")):
        load("karate")


def test_a_damaged_file_is_never_replaced_by_a_twin(small: Path) -> None:
    path = small / "small.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=re.escape(f"cannot read {path} as .npz: ")):
        load("small", small)
    path.unlink()
    path.symlink_to(small / "nowhere")
    with pytest.raises(DataError, match=re.escape(f"cannot read {path}: there is no such file")):
        load("small", small)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": None}, "lacks the arrays ['labels']: a graph file holds"),
        ({"labels": np.zeros((6, 1), int)}, "array labels of"),
        ({"labels": np.zeros(6)}, "has type float64 and shape (6,): it must be 1-D i4"),
        ({"labels": np.zeros(5, int)}, "has 5 labels, but small has 6 nodes"),
        ({"labels": np.array([0, 1, 2, 3, 0, 0])}, "has label 3 at node 3, but labels of small are 0 to 2"),
        ({"shape": np.array([6, 5])}, "has shape [6, 5], but small has [6, 4]"),
        ({"adj_indptr": np.array([0, 1])}, "has 2 segment entries, but 6 fibers need 7"),
        ({"x_indices": np.full(10, 9)}, "has coordinate 9 at position 0, outside 0..3"),
        ({"x_data": np.array([1, np.nan, *[1] * 8])}, "value nan at (0, 3); values must be finite"),
        ({"x_data": np.full(10, 2.0)}, "has content checksum"),
    ],
)
def test_inconsistent_files(changed: dict[str, Any], message: str, small: Path) -> None:
    rewrite(small / "small.npz", **changed)
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        load("small", small)
    assert str(small / "small.npz") in str(caught.value)


def test_another_graph_of_the_same_size(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOG, "small", UNVERIFIED)
    rewrite(small / "small.npz", adj_indptr=np.zeros(7, int), adj_indices=np.zeros(0, int))
    with pytest.raises(DataError, match="holds 0 stored edges, but small has 14: it is another graph or was prepared"):
        load("small", small)


def test_content_checksum_does_not_depend_on_the_file(tmp_path: Path) -> None:
    rewrite(tmp_path / "small.npz", labels=LABELS.astype(np.int64))
    assert content_sha256(read_content(tmp_path / "small.npz", small_entry())) == content_sha256(small_graph())


@pytest.mark.parametrize("name", ["cora", "cora_ml"])
def test_published_graphs(name: str) -> None:
    folder = REAL_DATA
    if not folder or not (Path(folder) / f"{name}.npz").exists():
        pytest.skip(f"{DIRECTORY_VARIABLE} has no {name}.npz")
    graph = load(name, folder)
    entry = CATALOG[name]
    assert not graph.synthetic
    assert (graph.nodes, graph.adjacency.nnz) == (entry.nodes, entry.stored_edges)
    assert abs(graph.adjacency - graph.adjacency.T).nnz == 0 and graph.adjacency.diagonal().sum() == 0
    assert graph.features.nnz == entry.feature_nonzeros
