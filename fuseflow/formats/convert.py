"""Views of numpy, scipy.sparse and torch tensors as coordinates, and the way back.

torch is imported only by the functions that need it.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.errors import FormatError
from fuseflow.formats.build import Integers, Values
from fuseflow.formats.format import Format

if TYPE_CHECKING:
    import torch

CSR, CSC = Format.parse("csr", 2), Format.parse("csc", 2)


class Elements(NamedTuple):
    """A sparse tensor taken apart: coordinates by dimension (order, count), its values, and its natural format."""

    coordinates: NDArray[Any]
    values: NDArray[Any]
    shape: tuple[int, ...]
    format: str


def float32_values(values: NDArray[Any], name: str) -> Values:
    """``values`` in float32; FormatError if their type is not real. Numbers beyond float32 become infinite."""
    if values.dtype.kind not in "biuf":
        raise FormatError(f"{name} has values of type {values.dtype}: they must be real numbers or booleans")
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def scipy_elements(matrix: Any, name: str) -> Elements:
    """Stored elements of any scipy.sparse matrix or array, repeated ones and explicit zeros included."""
    if not sparse.issparse(matrix):
        raise FormatError(
            f"{name} must be a scipy.sparse matrix or array, not {type(matrix).__name__}: use from_dense for arrays"
        )
    by_name = matrix.format in ("csr", "csc", "coo") and matrix.ndim == 2
    elements = matrix.tocoo()
    coordinates = np.stack([np.asarray(column) for column in elements.coords])
    natural = matrix.format if by_name else "csr" if matrix.ndim == 2 else "coo"
    return Elements(coordinates, elements.data, tuple(matrix.shape), natural)


def to_scipy(coordinates: Integers, values: Values, shape: tuple[int, ...], format: Format) -> Any:
    """csr_array or csc_array for those formats, coo_array otherwise (order 1 and up)."""
    if not shape:
        raise FormatError("a tensor of order 0 has no scipy.sparse form: use to_dense()")
    matrix = sparse.coo_array((values, tuple(coordinates)), shape=shape)
    if format == CSR:
        return matrix.tocsr()
    if format == CSC:
        return matrix.tocsc()
    return matrix


def torch_elements(tensor: "torch.Tensor", name: str) -> Elements | NDArray[Any]:
    """Stored elements of a sparse tensor (COO, CSR, CSC), or the array of a strided one; gradients are dropped."""
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise FormatError(f"{name} must be a torch.Tensor, not {type(tensor).__name__}")
    tensor = tensor.detach().cpu()
    if tensor.is_complex():
        raise FormatError(f"{name} has values of type {tensor.dtype}: they must be real numbers or booleans")
    if tensor.layout == torch.strided:
        return _array(tensor)
    shape = tuple(tensor.shape)
    if tensor.layout == torch.sparse_coo:
        if tensor.dense_dim():
            raise FormatError(
                f"{name} is a hybrid COO tensor with {tensor.dense_dim()} dense dimensions: all must be sparse; "
                "use tensor.to_dense() with a format of your choice"
            )
        return Elements(tensor._indices().numpy(), _array(tensor._values()), shape, "coo")
    if tensor.layout == torch.sparse_bsr:
        return _bsr_elements(tensor, name)
    if tensor.layout not in (torch.sparse_csr, torch.sparse_csc):
        raise FormatError(
            f"{name} has layout {tensor.layout}: it must be strided, sparse_coo, sparse_csr, sparse_csc or sparse_bsr"
        )
    if tensor.ndim != 2 or tensor.values().ndim != 1:
        raise FormatError(f"{name} has layout {tensor.layout} and shape {shape}: only plain matrices are read")
    by_row = tensor.layout == torch.sparse_csr
    segments = (tensor.crow_indices() if by_row else tensor.ccol_indices()).numpy()
    inner = (tensor.col_indices() if by_row else tensor.row_indices()).numpy()
    outer = np.repeat(np.arange(len(segments) - 1), np.diff(segments))
    coordinates = np.stack((outer, inner) if by_row else (inner, outer))
    return Elements(coordinates, _array(tensor.values()), shape, "csr" if by_row else "csc")


def _bsr_elements(tensor: "torch.Tensor", name: str) -> Elements:
    """Elements of a blocked matrix: every element of a stored block is stored, zeros included."""
    blocks = tensor.values()
    if tensor.ndim != 2 or blocks.ndim != 3:
        raise FormatError(f"{name} has layout {tensor.layout} and shape {tuple(tensor.shape)}: only matrices are read")
    segments, columns = tensor.crow_indices().numpy(), tensor.col_indices().numpy()
    rows = np.repeat(np.arange(len(segments) - 1), np.diff(segments))
    height, width = blocks.shape[1:]
    inside = np.indices((height, width)).reshape(2, -1)
    coordinates = np.stack(
        (
            (rows[:, None] * height + inside[0]).reshape(-1),
            (columns[:, None].astype(np.int64) * width + inside[1]).reshape(-1),
        )
    )
    return Elements(coordinates, _array(blocks).reshape(-1), tuple(tensor.shape), "csr")


def _array(tensor: "torch.Tensor") -> NDArray[Any]:
    """A numpy array of the values; half precisions that numpy lacks become float32."""
    array: NDArray[Any] = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array


def sparse_to_torch(
    coordinates: Integers, values: Values, shape: Sequence[int], layout: "torch.layout", name: str
) -> "torch.Tensor":
    """A sparse tensor of ``layout`` from coordinates by dimension."""
    import torch

    if layout == torch.sparse_coo:
        indices = torch.from_numpy(np.ascontiguousarray(coordinates))
        made = torch.sparse_coo_tensor(indices, torch.from_numpy(values), tuple(shape), check_invariants=True)
        # Coordinates that come from row-major storage are sorted and different, which is what coalesced means.
        return made.coalesce()
    if layout not in (torch.sparse_csr, torch.sparse_csc):
        raise FormatError(
            f"{name} cannot become a torch tensor of layout {layout}: use torch.strided, torch.sparse_coo, "
            "torch.sparse_csr or torch.sparse_csc"
        )
    if len(shape) != 2:
        raise FormatError(f"{name} has order {len(shape)}, but layout {layout} is for order 2: use torch.sparse_coo")
    matrix = to_scipy(coordinates, values, tuple(shape), CSR if layout == torch.sparse_csr else CSC)
    matrix.sort_indices()
    make = torch.sparse_csr_tensor if layout == torch.sparse_csr else torch.sparse_csc_tensor
    segments, inner = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CS[RC] tensor support is in beta state")
        return make(segments, inner, torch.from_numpy(matrix.data), tuple(shape), check_invariants=True)
