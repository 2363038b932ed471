"""Publishers' layouts on a small catalogue entry: read, and refused where they are wrong."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from fuseflow.datasets import graph, load
from fuseflow.datasets.catalog import CATALOG
from fuseflow.errors import DataError


def write(path: Path, rows: list[list[float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalogue entries with four nodes and two features."""
    monkeypatch.setattr(graph, "find", lambda name: replace(CATALOG[name], nodes=4, features=2, stored_edges=6))


def collab(folder: Path) -> Path:
    raw = folder / "ogbl_collab" / "raw"
    write(raw / "edge.csv.gz", [[0, 1], [1, 2], [0, 1]])
    write(raw / "node-feat.csv.gz", [[0.5, 1], [1, 2], [2, 3], [3, 4]])
    return raw


def test_ogb_link_folder(tmp_path: Path, small: None) -> None:
    collab(tmp_path)
    data = load("collab", tmp_path)
    assert not data.synthetic
    wanted = np.zeros((4, 4), np.float32)
    wanted[[0, 1, 1, 2], [1, 0, 2, 1]] = 1
    np.testing.assert_array_equal(data.adjacency.toarray(), wanted)
    np.testing.assert_array_equal(data.features.toarray()[0], [0.5, 1])


def test_ogb_node_folder_stays_directed(tmp_path: Path, small: None) -> None:
    raw = tmp_path / "ogbn_mag" / "raw"
    write(raw / "relations" / "paper___cites___paper" / "edge.csv.gz", [[0, 1], [3, 2]])
    write(raw / "node-feat" / "paper" / "node-feat.csv.gz", [[1, 1]] * 4)
    write(raw / "node-label" / "paper" / "node-label.csv.gz", [[3], [2], [1], [0]])
    data = load("mag", tmp_path)
    assert data.adjacency.nnz == 2 and data.labels.tolist() == [3, 2, 1, 0]


def test_published_archive(tmp_path: Path, small: None) -> None:
    pattern = sparse.csr_array((np.ones(2), ([0, 1], [1, 2])), shape=(4, 4))
    features = sparse.csr_array(np.eye(4, 2))
    parts = {}
    for prefix, matrix in (("adj_", pattern), ("attr_", features)):
        parts |= {f"{prefix}{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        parts[f"{prefix}shape"] = np.array(matrix.shape)
    np.savez(tmp_path / "dblp.npz", **parts, labels=np.arange(4))
    data = load("dblp", tmp_path)
    assert not data.synthetic and data.adjacency.nnz == 4 and data.features.shape == (4, 2)


def test_what_is_refused(tmp_path: Path, small: None) -> None:
    raw = collab(tmp_path)
    write(raw / "edge.csv.gz", [[0, 4]])
    with pytest.raises(DataError, match="names node 4, but collab has 4 nodes"):
        load("collab", tmp_path)
    whole = (raw / "node-feat.csv.gz").read_bytes()
    write(raw / "edge.csv.gz", [[0, 1]])
    (raw / "node-feat.csv.gz").write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"node-feat\.csv\.gz cannot be read: .*cut off"):
        load("collab", tmp_path)
    write(raw / "node-feat.csv.gz", [[1, 2, 3]])
    with pytest.raises(DataError, match="holds 1 rows of 3 numbers, not 4 rows of 2"):
        load("collab", tmp_path)
    (raw / "node-feat.csv.gz").unlink()
    with pytest.raises(DataError, match="is missing: an OGB folder holds it below raw"):
        load("collab", tmp_path)
