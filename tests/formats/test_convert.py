"""numpy, scipy.sparse and torch, in and out."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.errors import FormatError
from fuseflow.formats import FiberTree, Format
from tests.formats.strategies import arrays_with_format

MATRIX = np.array([[0, 2, 0], [1, 0, 3]], np.float32)


@given(arrays_with_format())
def test_scipy_round_trip(case: tuple[NDArray[np.float32], Format]) -> None:
    array, format = case
    tree = FiberTree.from_dense(array, format)
    if array.ndim == 0:
        with pytest.raises(FormatError, match=r"a tensor of order 0 has no scipy.sparse form"):
            tree.to_scipy()
        return
    back = FiberTree.from_scipy(tree.to_scipy(), format)
    assert np.array_equal(back.to_dense(), array)


@given(arrays_with_format())
def test_torch_round_trip(case: tuple[NDArray[np.float32], Format]) -> None:
    array, format = case
    tree = FiberTree.from_dense(array, format)
    layouts = [None, torch.strided, torch.sparse_coo]
    if array.ndim == 2:
        layouts += [torch.sparse_csr, torch.sparse_csc]
    for layout in layouts:
        tensor = tree.to_torch(layout)
        assert tensor.shape == array.shape
        assert layout is None or tensor.layout == layout
        assert np.array_equal(FiberTree.from_torch(tensor, format).to_dense(), array)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_scipy_keeps_its_own_format(kind: str) -> None:
    for make in (sparse.csr_array, sparse.csr_matrix):
        tree = FiberTree.from_scipy(make(MATRIX).asformat(kind))
        assert tree.format == Format.parse(kind, 2)
        assert tree.to_scipy().format == kind
        assert np.array_equal(tree.to_dense(), MATRIX)


def test_other_scipy_formats_become_csr_and_other_orders_coo() -> None:
    assert FiberTree.from_scipy(sparse.lil_array(MATRIX)).format == Format.parse("csr", 2)
    assert FiberTree.from_scipy(sparse.coo_array(np.array([0.0, 1.0]))).format == Format.parse("coo", 1)
    assert FiberTree.from_scipy(sparse.csr_array(np.array([0.0, 1.0]))).format == Format.parse("coo", 1)


def test_scipy_explicit_zeros_stay_and_duplicates_are_refused() -> None:
    zero = sparse.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    assert FiberTree.from_scipy(zero).values.tolist() == [0, 1]
    assert FiberTree.from_scipy(zero).to_scipy().nnz == 2
    twice = sparse.csr_array((np.array([1.0, 1.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 2))
    with pytest.raises(FormatError, match=re.escape("graph has 1 repeated coordinates, first (0, 1)")):
        FiberTree.from_scipy(twice, name="graph")
    assert FiberTree.from_scipy(twice, sum_duplicates=True).values.tolist() == [2]


def test_scipy_refuses_other_things() -> None:
    with pytest.raises(FormatError, match=r"matrix must be a scipy.sparse matrix or array, not ndarray"):
        FiberTree.from_scipy(MATRIX)


@pytest.mark.parametrize(
    ("layout", "kind"), [("sparse_coo", "coo"), ("sparse_csr", "csr"), ("sparse_csc", "csc"), ("strided", "dense")]
)
def test_torch_keeps_its_own_layout(layout: str, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor = FiberTree.from_dense(MATRIX).to_torch(getattr(torch, layout))
    tree = FiberTree.from_torch(tensor)
    assert tree.format == Format.parse(kind, 2)
    assert tree.to_torch().layout == getattr(torch, layout)


def test_torch_details() -> None:
    weight = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.bfloat16))
    assert FiberTree.from_torch(weight).to_dense().tolist() == [[1, 1], [1, 1]]
    twice = torch.sparse_coo_tensor(torch.tensor([[0, 0]]), torch.tensor([1.0, 2.0]), (2,), check_invariants=True)
    with pytest.raises(FormatError, match="tensor has 1 repeated coordinates"):
        FiberTree.from_torch(twice)
    assert FiberTree.from_torch(twice, sum_duplicates=True).values.tolist() == [3]
    assert FiberTree.from_dense(MATRIX, "csc").to_torch(torch.sparse_coo).is_coalesced()


def test_torch_refusals() -> None:
    with pytest.raises(FormatError, match=r"tensor must be a torch.Tensor, not list"):
        FiberTree.from_torch([1])  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(FormatError, match=r"tensor has values of type torch.complex64"):
        FiberTree.from_torch(torch.zeros(2, dtype=torch.complex64))
    hybrid = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones(1, 3), (2, 3), check_invariants=True)
    with pytest.raises(FormatError, match="tensor is a hybrid COO tensor with 1 dense dimensions"):
        FiberTree.from_torch(hybrid)
    with pytest.raises(FormatError, match=r"tensor has layout torch.sparse_bsc: it must be strided"):
        FiberTree.from_torch(torch.eye(4).to_sparse_bsc((2, 2)))
    batched_blocks = torch.stack([torch.eye(4), torch.eye(4)]).to_sparse_bsr((2, 2))
    with pytest.raises(FormatError, match=re.escape("tensor has layout torch.sparse_bsr and shape (2, 4, 4): only")):
        FiberTree.from_torch(batched_blocks)
    batched = torch.stack([torch.eye(2), torch.eye(2)]).to_sparse_csr()
    with pytest.raises(FormatError, match=re.escape("tensor has layout torch.sparse_csr and shape (2, 2, 2): only")):
        FiberTree.from_torch(batched)
    cube = FiberTree.from_dense(np.ones((2, 2, 2)))
    with pytest.raises(FormatError, match=r"tree has order 3, but layout torch.sparse_csr is for order 2"):
        cube.to_torch(torch.sparse_csr)
    with pytest.raises(FormatError, match=r"tree cannot become a torch tensor of layout torch.sparse_bsr"):
        cube.to_torch(torch.sparse_bsr)


def test_torch_is_loaded_only_when_it_is_used() -> None:
    code = "import sys, fuseflow.formats.tree as t; t.FiberTree.from_dense([1]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
