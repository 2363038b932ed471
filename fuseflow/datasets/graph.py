"""Loading a graph by name: real data where the user has them, a labelled synthetic twin otherwise."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.datasets import twin
from fuseflow.datasets.catalog import DataSet, find
from fuseflow.datasets.content import Content, read_content
from fuseflow.datasets.raw import ogb_folder, read_archive, read_ogb
from fuseflow.errors import DataError

DIRECTORY_VARIABLE = "FUSEFLOW_DATA"
"""Environment variable with the folder that holds the real graphs, as ``NAME.npz``."""


@dataclass(frozen=True, eq=False, repr=False)
class GraphData:
    """A graph with features and labels.

    ``adjacency`` is a csr_array (nodes, nodes), float32, all stored values 1; ``labels`` int32 (nodes,), each in
    0..classes-1. ``synthetic`` tells a twin from real data; ``source`` says where they come from. ``features``, a
    csr_array (nodes, features) of float32, are made by ``make_features`` when first asked for and then kept.
    """

    name: str
    synthetic: bool
    adjacency: Any
    labels: NDArray[np.int32]
    classes: int
    source: str
    make_features: Callable[[], Any]

    @cached_property
    def features(self) -> Any:
        """The features, a csr_array (nodes, features) of float32."""
        return self.make_features()

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return int(self.adjacency.shape[0])

    def __repr__(self) -> str:
        kind = "synthetic twin" if self.synthetic else "real"
        return (
            f"GraphData {self.name} ({kind}): {self.nodes} nodes, {self.adjacency.nnz} stored edges, "
            f"{self.classes} classes; {self.source}"
        )


def load(name: str, directory: str | Path | None = None, *, seed: int = 0) -> GraphData:
    """The graph called ``name``: karate, cora, cora_ml, dblp, collab or mag.

    Read from ``NAME.npz`` (our schema; for dblp also the publisher's archive) or OGB's folder (``ogbl_collab``,
    ``ogbn_mag``) in ``directory`` (default: the folder that FUSEFLOW_DATA names) if one is there, and
    otherwise a synthetic twin of the same size, made from ``seed`` and marked ``synthetic``. karate is built in.
    Raises DataError for an unknown name, a folder that does not exist, and a file that is damaged or holds other data;
    such a file is never replaced by a twin.
    """
    entry = find(name)
    path = find_file(name, directory)
    if name == "karate":
        return _karate(entry)
    if path is not None and path.is_dir() and path.suffix == ".npz":
        raise DataError(f"{path} is a folder, but {name} is read from a file of that name; put the file there")
    if path is not None and path.is_dir():
        adjacency, features, labels = read_ogb(path, entry)
        return GraphData(entry.name, False, adjacency, labels, entry.classes, f"{entry.source}, raw", lambda: features)
    if path is not None:
        published = read_archive(path, entry) if entry.content_sha256 is None else None
        if published is not None:
            return _from_published(entry, published, path)
        return _from_content(entry, read_content(path, entry), path)
    return _twin(entry, seed)


def find_file(name: str, directory: str | Path | None = None) -> Path | None:
    """The file, or OGB's folder, that :func:`load` would read ``name`` from; None where it would make a twin.

    Raises DataError for an unknown name and for a folder that does not exist.
    """
    find(name)
    chosen = directory if directory is not None else os.environ.get(DIRECTORY_VARIABLE)
    folder = Path(chosen) if chosen else None
    if folder is not None and not folder.is_dir():
        origin = "directory" if directory is not None else DIRECTORY_VARIABLE
        raise DataError(
            f"{origin} names {chosen}, which is not a folder: make it, or leave it out to use synthetic twins"
        )
    path = folder / f"{name}.npz" if folder is not None and name != "karate" else None
    # A link that leads nowhere is a damaged file, not an absent one.
    if path is not None and os.path.lexists(path):
        return path
    return None if folder is None else ogb_folder(folder, name)


def _from_published(entry: DataSet, content: Content, path: Path) -> GraphData:
    """From a publisher's archive: symmetrised where the data set is."""
    adjacency = symmetrise(content.adjacency()) if entry.symmetric else content.adjacency()
    features = content.feature_matrix()
    if adjacency.shape[0] != entry.nodes or features.shape != (entry.nodes, entry.features):
        raise DataError(
            f"{path} holds {adjacency.shape[0]} nodes with {features.shape[1]} features, but {entry.name} has "
            f"{entry.nodes} with {entry.features}: it is another graph"
        )
    return GraphData(entry.name, False, adjacency, content.labels, entry.classes, entry.source, lambda: features)


def _from_content(entry: DataSet, content: Content, path: Path) -> GraphData:
    adjacency, features = content.adjacency(), content.feature_matrix()
    if entry.symmetrised:
        adjacency = symmetrise(adjacency)
    if adjacency.nnz != entry.stored_edges:
        raise DataError(
            f"{path} holds {adjacency.nnz} stored edges, but {entry.name} has {entry.stored_edges}: "
            "it is another graph or was prepared differently"
        )
    return GraphData(entry.name, False, adjacency, content.labels, entry.classes, entry.source, lambda: features)


def _twin(entry: DataSet, seed: int) -> GraphData:
    return GraphData(
        entry.name,
        True,
        twin.adjacency(entry.nodes, entry.stored_edges, symmetric=entry.symmetric, seed=seed),
        twin.labels(entry.nodes, entry.classes, seed=seed),
        entry.classes,
        f"synthetic twin of {entry.name}, seed {seed}",
        lambda: twin.features(entry.nodes, entry.features, entry.feature_nonzeros, entry.feature_kind, seed=seed),
    )


def altered_twin(
    name: str, *, seed: int = 0, exponent: float = twin.RANK_EXPONENT, citing: int | None = None
) -> GraphData:
    """The twin of ``name`` with one thing flipped, to see what that one thing does, whatever files there are.

    ``exponent`` is the steepness of its degree law (0: ends of edges drawn evenly), everything else the same.
    ``citing`` keeps that many nodes, each with an edge that goes out, and the edges: what is left where nodes without
    one are dropped. Raises DataError for an unknown name, and where no such graph exists.
    """
    entry = find(name)
    nodes = entry.nodes if citing is None else citing
    whole = _twin(replace(entry, nodes=nodes, feature_nonzeros=entry.feature_nonzeros * nodes // entry.nodes), seed)
    edges = twin.adjacency(
        nodes, entry.stored_edges, symmetric=entry.symmetric, seed=seed, exponent=exponent,
        out_everywhere=citing is not None,
    )  # fmt: skip
    return replace(whole, adjacency=edges, source=f"{whole.source}, exponent {exponent:g}, {nodes} nodes")


def _karate(entry: DataSet) -> GraphData:
    graph = nx.karate_club_graph()
    adjacency = sparse.csr_array(nx.to_scipy_sparse_array(graph, weight=None, dtype=np.float32, format="csr"))
    clubs = sorted({club for _, club in graph.nodes(data="club")})
    labels = np.array([clubs.index(club) for _, club in graph.nodes(data="club")], np.int32)
    return GraphData(
        entry.name,
        False,
        adjacency,
        labels,
        entry.classes,
        entry.source,
        lambda: sparse.eye_array(entry.nodes, dtype=np.float32, format="csr"),
    )


def symmetrise(adjacency: Any) -> Any:
    """The union of the pattern with its transpose, float32 ones, sorted; no self loops are added or removed."""
    both = sparse.csr_array(adjacency + adjacency.T)
    both.sort_indices()
    both.data = np.ones(both.nnz, np.float32)
    return both
