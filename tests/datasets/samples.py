"""A small graph with its catalogue entry, and the same graph in the layouts of the publishers."""

import io
import os
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from fuseflow.datasets import DIRECTORY_VARIABLE
from fuseflow.datasets.catalog import CATALOG, DataSet, Layout
from fuseflow.datasets.content import Content, content_of, content_sha256

REAL_DATA = os.environ.get(DIRECTORY_VARIABLE)
"""Read when this module is, since the tests themselves run without it (conftest.py)."""

EDGES = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (1, 4)]
NODES = 6
FEATURES = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]], np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.int32)


def small_graph() -> Content:
    rows, columns = np.array(EDGES).T
    half = sparse.coo_array((np.ones(len(EDGES)), (rows, columns)), shape=(NODES, NODES))
    return content_of(half + half.T, sparse.csr_array(FEATURES), LABELS)


def small_entry(layout: Layout | None = None, urls: tuple[str, ...] = ()) -> DataSet:
    return DataSet(
        "small",
        nodes=NODES,
        stored_edges=2 * len(EDGES),
        features=4,
        feature_nonzeros=int((FEATURES != 0).sum()),
        classes=3,
        source="test",
        licence="none",
        urls=urls,
        layout=layout,
        content_sha256=content_sha256(small_graph()),
    )


PLANETOID_URLS = tuple(url.replace("cora", "small") for url in CATALOG["cora"].urls)
PLANETOID = small_entry(Layout.PLANETOID, PLANETOID_URLS)
ARCHIVE = small_entry(Layout.SCIPY_ARCHIVE, ("https://example.org/data/small_graph.npz",))
UNVERIFIED = replace(ARCHIVE, content_sha256=None)


class _OldMatrix:
    """Pickles as scipy's csr_matrix did when the published files were made."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def __reduce__(self) -> Any:
        state = {part: getattr(self.matrix, part) for part in ("data", "indices", "indptr")}
        return _named, (), {**state, "_shape": self.matrix.shape, "maxprint": 50}


def _named() -> None:
    """Stands for scipy.sparse.csr.csr_matrix in the pickled bytes; renamed there."""


def dumps(value: Any) -> bytes:
    """Protocol 0 and the module names of Python 2, as published."""
    data = pickle.dumps(_OldMatrix(value) if sparse.issparse(value) else value, protocol=0, fix_imports=True)
    here = f"c{_named.__module__}\n_named\n".encode()
    return data.replace(here, b"cscipy.sparse.csr\ncsr_matrix\n").replace(b"numpy._core", b"numpy.core")


def planetoid_files(test_order: tuple[int, ...] = (5, 4)) -> dict[str, bytes]:
    """The small graph with nodes 4 and 5 as test nodes, stored in the order of ``test.index``."""
    one_hot = np.eye(3)[LABELS]
    graph: dict[int, list[int]] = {node: [] for node in range(NODES)}
    for start, end in EDGES:
        graph[start].append(end)
    graph[0] += [0, 1]  # a self loop and a repeated edge, as the published files have
    order = list(test_order)
    return {
        "ind.small.allx": dumps(sparse.csr_matrix(FEATURES[:4])),
        "ind.small.tx": dumps(sparse.csr_matrix(FEATURES[order])),
        "ind.small.ally": dumps(one_hot[:4]),
        "ind.small.ty": dumps(one_hot[order]),
        "ind.small.graph": dumps(graph),
        "ind.small.test.index": "".join(f"{node}\n" for node in order).encode(),
    }


def archive_bytes(separators: tuple[str, str] = ("adj_matrix.", "attr_matrix."), **changed: Any) -> bytes:
    """The small graph as a scipy archive; ``changed`` replaces arrays (None leaves one out)."""
    content = small_graph()
    arrays: dict[str, Any] = {"labels": LABELS.astype(np.int64), "node_names": np.array(["a", None], object)}
    for prefix, matrix in zip(separators, (content.adjacency(), content.feature_matrix()), strict=True):
        arrays |= {f"{prefix}{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}
        arrays[f"{prefix}shape"] = np.array(matrix.shape)
    arrays |= changed
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file.getvalue()
