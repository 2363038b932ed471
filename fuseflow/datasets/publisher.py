"""From the files of the publishers to the arrays of our schema, without running anything those files contain."""

import io
import pickle
from collections import defaultdict
from collections.abc import Callable, Mapping
from copyreg import _reconstructor  # type: ignore[attr-defined]  # private, and what pickles of scipy call
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.datasets.catalog import Layout
from fuseflow.datasets.content import Content, content_of
from fuseflow.errors import DataError
from fuseflow.formats.npz import ARCHIVE_ERRORS, open_archive


def convert(layout: Layout, files: Mapping[str, bytes]) -> Content:
    """The arrays of a graph from its published files, by file name.

    Raises DataError, naming the file, if it is damaged or its layout is not the one expected.
    """
    match layout:
        case Layout.PLANETOID:
            return _planetoid(files)
        case Layout.SCIPY_ARCHIVE:
            name, data = next(iter(files.items()))
            return _scipy_archive(name, data)


def _scipy_archive(name: str, data: bytes) -> Content:
    try:
        with open_archive(io.BytesIO(data)) as archive:
            for prefixes in (("adj_matrix.", "attr_matrix."), ("adj_", "attr_")):
                if {f"{prefix}{part}" for prefix in prefixes for part in _CSR_PARTS} <= set(archive.files):
                    adjacency, features = (
                        _csr({part: archive[f"{prefix}{part}"] for part in _CSR_PARTS}, name) for prefix in prefixes
                    )
                    return content_of(adjacency, features, _labels(archive["labels"], name))
            raise DataError(
                f"{name} has arrays {sorted(archive.files)}: a layout that is not known; expected adj_matrix.data or "
                "adj_data, with indices, indptr and shape, the same for attr, and labels"
            )
    except ARCHIVE_ERRORS as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as an .npz archive: {error}; get it anew") from error


_CSR_PARTS = ("data", "indices", "indptr", "shape")


def _csr(parts: Mapping[str, Any], name: str) -> Any:
    try:
        matrix = sparse.csr_array(
            (parts["data"], parts["indices"], parts["indptr"]), shape=tuple(int(size) for size in parts["shape"])
        )
        matrix.check_format(full_check=True)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise DataError(f"{name} holds a CSR matrix that is not consistent: {error}; get it anew") from error
    return matrix


def _labels(labels: Any, name: str) -> NDArray[np.int32]:
    """Labels as numbers; rows of one-hot labels are read as the place of their largest entry."""
    if not isinstance(labels, np.ndarray) or labels.ndim not in (1, 2) or labels.dtype.kind not in "iuf":
        raise DataError(f"{name} has labels of {type(labels).__name__}: numbers of one or two dimensions are expected")
    return (labels.argmax(axis=1) if labels.ndim == 2 else labels).astype(np.int32)


def _planetoid(files: Mapping[str, bytes]) -> Content:
    """Planetoid: test nodes are stored in the order of ``test.index`` and belong at those numbers."""
    parts: dict[str, tuple[str, Any]] = {}
    for name, data in files.items():
        part = name.split(".", 2)[-1]
        parts[part] = (name, _indices(name, data) if part == "test.index" else _unpickle(name, data))
    missing = [part for part in ("allx", "tx", "ally", "ty", "graph", "test.index") if part not in parts]
    if missing:
        raise DataError(f"planetoid files {sorted(files)} lack the parts {missing}")
    (allx_name, allx), (tx_name, tx) = parts["allx"], parts["tx"]
    top, bottom = _matrix(allx_name, allx), _matrix(tx_name, tx)
    known, test = top.shape[0], parts["test.index"][1]
    if not np.array_equal(np.sort(test), np.arange(known, known + bottom.shape[0])):
        raise DataError(
            f"{parts['test.index'][0]} must name each node from {known} to {known + bottom.shape[0] - 1} once: "
            f"it has {len(test)} entries"
        )
    labels = [_labels(parts[part][1], parts[part][0]) for part in ("ally", "ty")]
    if [len(some) for some in labels] != [known, bottom.shape[0]] or top.shape[1] != bottom.shape[1]:
        raise DataError(
            f"planetoid parts do not fit: allx {top.shape}, tx {bottom.shape}, {len(labels[0])} and {len(labels[1])} "
            "labels; get the files anew"
        )
    place = np.concatenate((np.arange(known), test))
    back = np.argsort(place)
    features = sparse.csr_array(sparse.vstack((top, bottom), format="csr")[back])
    adjacency = _neighbours(parts["graph"][0], parts["graph"][1], len(place))
    return content_of(adjacency, features, np.concatenate(labels)[back])


def _neighbours(name: str, graph: Any, nodes: int) -> Any:
    """The undirected pattern of a dict from node to its neighbours, without self loops."""
    try:
        edges = [(int(node), int(other)) for node, others in graph.items() for other in others]
        table = np.array(edges, np.int64).reshape(-1, 2)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{name} must hold a dict from node to a list of nodes, not {type(graph).__name__}") from error
    if len(table) and (table.min() < 0 or table.max() >= nodes):
        raise DataError(f"{name} names nodes {table.min()} to {table.max()}, but there are {nodes}; get it anew")
    table = table[table[:, 0] != table[:, 1]]
    pattern = sparse.coo_array((np.ones(len(table)), (table[:, 0], table[:, 1])), shape=(nodes, nodes)).tocsr()
    return pattern + pattern.T


def _indices(name: str, data: bytes) -> NDArray[np.int64]:
    try:
        return np.array([int(line) for line in data.decode("ascii").split()], np.int64)
    except ValueError as error:
        raise DataError(f"{name} must hold one node number per line: {error}") from error


class _CsrState:
    """Stands in for scipy's csr_matrix while unpickling: keeps its state and runs nothing."""

    state: Mapping[str, Any]

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def _matrix(name: str, pickled: Any) -> Any:
    state = getattr(pickled, "state", None)
    if not isinstance(pickled, _CsrState) or state is None:
        raise DataError(f"{name} must hold a CSR matrix, not {type(pickled).__name__}")
    shape = state.get("_shape", state.get("shape"))
    missing = [part for part in ("data", "indices", "indptr") if part not in state]
    if missing or shape is None:
        raise DataError(f"{name} holds a CSR matrix without {missing or ['shape']}; get it anew")
    return _csr({**state, "shape": shape}, name)


def _latin1(text: str, encoding: str) -> bytes:
    """What protocol 2 pickles made by Python 3 call to get bytes; no other codec is admitted."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"codec {encoding} is not admitted")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What the same pickles call for empty bytes."""
    return b""


_RECONSTRUCT: Any = np.array(0).__reduce__()[0]

_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("scipy.sparse.csr", "csr_matrix"): _CsrState,
    ("scipy.sparse._csr", "csr_matrix"): _CsrState,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "defaultdict"): defaultdict,
    ("__builtin__", "list"): list,
    ("builtins", "list"): list,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}
"""All that a Planetoid file may name; none of these runs code of the file's choosing."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not admitted")
        return _ADMITTED[module, name]


def _unpickle(name: str, data: bytes) -> Any:
    try:
        return _Unpickler(io.BytesIO(data), encoding="latin1", fix_imports=False).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise DataError(
            f"{name} cannot be read as a pickle of numpy arrays and CSR matrices: {error}; get it anew"
        ) from error
