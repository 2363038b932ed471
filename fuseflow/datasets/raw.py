"""Graphs as they lie on a disk after a download: OGB's folders, and the publisher's archive of DBLP.

OGB: ``ogbl_collab/raw`` with ``edge.csv.gz`` and ``node-feat.csv.gz``; ``ogbn_mag/raw`` with
``relations/paper___cites___paper/edge.csv.gz``, ``node-feat/paper/node-feat.csv.gz`` and
``node-label/paper/node-label.csv.gz``.
"""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.datasets.catalog import DataSet, Layout
from fuseflow.datasets.content import Content
from fuseflow.datasets.publisher import convert
from fuseflow.errors import DataError
from fuseflow.formats.npz import read_arrays

FOLDERS = {"collab": "ogbl_collab", "mag": "ogbn_mag"}
"""Folders of OGB by data set."""
PARTS = {
    "collab": ("edge.csv.gz", "node-feat.csv.gz", None),
    "mag": (
        "relations/paper___cites___paper/edge.csv.gz",
        "node-feat/paper/node-feat.csv.gz",
        "node-label/paper/node-label.csv.gz",
    ),
}
"""Files of edges, features and labels below ``raw``."""


def ogb_folder(folder: Path, name: str) -> Path | None:
    """OGB's folder of ``name`` in ``folder``, if it is there."""
    path = folder / FOLDERS[name] if name in FOLDERS else None
    return path if path is not None and path.is_dir() else None


def read_ogb(path: Path, entry: DataSet) -> tuple[Any, Any, NDArray[np.int32]]:
    """Adjacency (float32 ones, repeated edges once), features and labels (zeros where there are none) of an OGB folder.

    Raises DataError naming the file that is missing, damaged or of another size.
    """
    edges_file, features_file, labels_file = (
        None if part is None else path / "raw" / part for part in PARTS[entry.name]
    )
    edges = _table(edges_file, np.int64, (None, 2))
    if edges.size and not 0 <= edges.min() <= edges.max() < entry.nodes:
        raise DataError(f"{edges_file} names node {edges.max()}, but {entry.name} has {entry.nodes} nodes")
    features = _table(features_file, np.float32, (entry.nodes, entry.features))
    labels = np.zeros(entry.nodes, np.int32)
    if labels_file is not None:
        labels = _table(labels_file, np.int64, (entry.nodes, 1))[:, 0].astype(np.int32)
    pattern = sparse.csr_array(
        (np.ones(len(edges), np.float32), (edges[:, 0], edges[:, 1])), shape=(entry.nodes, entry.nodes)
    )
    if entry.symmetric:
        pattern = sparse.csr_array(pattern + pattern.T)
    pattern.sum_duplicates()
    pattern.data = np.ones(pattern.nnz, np.float32)
    pattern.indices, pattern.indptr = pattern.indices.astype(np.int32), pattern.indptr.astype(np.int32)
    return pattern, sparse.csr_array(features), labels


def read_archive(path: Path, entry: DataSet) -> Content | None:
    """The content of a publisher's ``.npz`` (two CSR matrices and labels); None where ``path`` is in our own schema."""
    if "adj_indptr" in (arrays := read_arrays(path)) and "x_indptr" in arrays:
        return None
    return convert(Layout.SCIPY_ARCHIVE, {path.name: path.read_bytes()})


def _table(path: Path | None, kind: Any, shape: tuple[int | None, int]) -> NDArray[Any]:
    assert path is not None  # narrowed for the type checker: only labels may be absent, and are asked for before
    try:
        found: NDArray[Any] = pd.read_csv(path, header=None, compression="gzip").to_numpy(kind)
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: an OGB folder holds it below raw; download the data set anew, or move the folder away "
            "to use a synthetic twin"
        ) from None
    except (OSError, EOFError, ValueError, zlib.error) as error:  # pandas' parser errors are ValueErrors
        raise DataError(f"{path} cannot be read: {error}; it is damaged or was cut off, get it anew") from None
    rows, columns = shape
    if found.shape[1] != columns or (rows is not None and len(found) != rows):
        wanted = f"{'any number of' if rows is None else rows} rows of {columns}"
        raise DataError(f"{path} holds {found.shape[0]} rows of {found.shape[1]} numbers, not {wanted}")
    return found
