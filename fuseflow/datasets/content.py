"""The arrays of a graph file (``NAME.npz``): schema, reading, writing, checksum.

Schema, without pickles: ``adj_indptr``, ``adj_indices`` (int32 CSR pattern, values are 1), ``x_indptr``, ``x_indices``
(int32), ``x_data`` (float32 CSR features), ``shape`` (int64, [nodes, features]), ``labels`` (int32). Indices are
sorted within each row.
"""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.datasets.catalog import DataSet
from fuseflow.errors import DataError, FormatError
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format
from fuseflow.formats.atomic import replacing
from fuseflow.formats.npz import read_arrays

_TYPES: dict[str, str] = {
    "adj_indptr": "<i4",
    "adj_indices": "<i4",
    "x_indptr": "<i4",
    "x_indices": "<i4",
    "x_data": "<f4",
    "shape": "<i8",
    "labels": "<i4",
}


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """The arrays of the schema, in its order."""

    adj_indptr: NDArray[np.int32]
    adj_indices: NDArray[np.int32]
    x_indptr: NDArray[np.int32]
    x_indices: NDArray[np.int32]
    x_data: NDArray[np.float32]
    shape: NDArray[np.int64]
    labels: NDArray[np.int32]

    def adjacency(self) -> Any:
        """The pattern as a csr_array of float32 ones."""
        nodes = int(self.shape[0])
        ones = np.ones(len(self.adj_indices), np.float32)
        return sparse.csr_array((ones, self.adj_indices, self.adj_indptr), shape=(nodes, nodes))

    def feature_matrix(self) -> Any:
        """The features as a csr_array of float32."""
        return sparse.csr_array((self.x_data, self.x_indices, self.x_indptr), shape=tuple(self.shape.tolist()))


def content_of(adjacency: Any, features: Any, labels: NDArray[Any]) -> Content:
    """The arrays of a graph given as two scipy.sparse matrices: indices sorted, zeros and edge weights dropped."""
    pattern, x = sparse.csr_array(adjacency), sparse.csr_array(features, dtype=np.float32)
    for matrix in (pattern, x):
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    return Content(
        pattern.indptr.astype(np.int32),
        pattern.indices.astype(np.int32),
        x.indptr.astype(np.int32),
        x.indices.astype(np.int32),
        x.data,
        np.array(x.shape, np.int64),
        labels.astype(np.int32),
    )


def content_sha256(content: Content) -> str:
    """SHA-256 over the name and the little-endian bytes of each array, in schema order.

    Unlike the checksum of the file it does not depend on compression or dates in the archive.
    """
    digest = hashlib.sha256()
    for name, kind in _TYPES.items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(getattr(content, name), dtype=kind).tobytes())
    return digest.hexdigest()


def write_content(path: Path, content: Content) -> None:
    """Write the arrays as ``.npz``; the file is replaced as a whole."""
    arrays = {field.name: getattr(content, field.name) for field in fields(content)}
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_content(path: Path, entry: DataSet) -> Content:
    """Read and check a graph file.

    Raises DataError if the file is damaged, if an array is missing or inconsistent, if the sizes differ from the
    catalogue, or if the checksum does where the catalogue has one.
    """
    arrays = read_arrays(path)
    missing = [name for name in _TYPES if name not in arrays]
    if missing:
        raise DataError(f"{path} lacks the arrays {missing}: a graph file holds {list(_TYPES)}")
    for name, kind in _TYPES.items():
        array, allowed = arrays[name], "iuf" if kind == "<f4" else "iu"
        if array.ndim != 1 or array.dtype.kind not in allowed:
            raise DataError(
                f"array {name} of {path} has type {array.dtype} and shape {array.shape}: it must be 1-D {kind[1:]}"
            )
    content = Content(**{name: arrays[name].astype(kind[1:], copy=False) for name, kind in _TYPES.items()})
    check_content(content, entry, str(path))
    return content


def check_content(content: Content, entry: DataSet, where: str) -> None:
    """Raise DataError, naming ``where``, unless ``content`` is the graph that ``entry`` describes."""
    expected = [entry.nodes, entry.features]
    if content.shape.tolist() != expected:
        raise DataError(f"{where} has shape {content.shape.tolist()}, but {entry.name} has {expected}")
    _check_csr(content.adj_indptr, content.adj_indices, None, (entry.nodes, entry.nodes), f"adjacency of {where}")
    _check_csr(
        content.x_indptr, content.x_indices, content.x_data, (entry.nodes, entry.features), f"features of {where}"
    )
    labels = content.labels
    if len(labels) != entry.nodes:
        raise DataError(f"{where} has {len(labels)} labels, but {entry.name} has {entry.nodes} nodes")
    bad = np.flatnonzero((labels < 0) | (labels >= entry.classes))
    if len(bad):
        raise DataError(
            f"{where} has label {labels[bad[0]]} at node {bad[0]}, but labels of {entry.name} are "
            f"0 to {entry.classes - 1}"
        )
    found = content_sha256(content)
    if entry.content_sha256 is not None and found != entry.content_sha256:
        raise DataError(
            f"{where} has content checksum {found}, but the catalogue says {entry.content_sha256} for {entry.name}: "
            "the data were changed or prepared differently; get the file anew"
        )


def _check_csr(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    data: NDArray[np.float32] | None,
    shape: tuple[int, int],
    where: str,
) -> None:
    values = np.ones(len(indices), np.float32) if data is None else data
    try:
        FiberTree(
            shape,
            Format.parse("csr", 2),
            (DenseLevel(shape[0]), CompressedLevel(indptr.astype(np.int64), indices)),
            values,
        )
    except FormatError as error:
        raise DataError(f"{where}: {error}") from error
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        row = int(np.searchsorted(indptr, at, side="right")) - 1
        raise DataError(f"{where}: value {values[at]} at ({row}, {indices[at]}); values must be finite")
