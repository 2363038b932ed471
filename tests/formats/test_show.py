"""The printed form of a tree."""

import numpy as np

from fuseflow.formats import FiberTree


def test_small_tree() -> None:
    tree = FiberTree.from_dense([[0, 2, 0, 3.5], [0, 0, 0, 0], [4, 0, 0, 0]], "csr")
    assert repr(tree) == (
        "FiberTree 3 x 4, format dc, 3 stored\n├─ 0\n│  ├─ 1: 2\n│  └─ 3: 3.5\n├─ 1\n│  └─ (empty)\n└─ 2\n   └─ 0: 4"
    )


def test_coo_prints_one_branch_per_element() -> None:
    tree = FiberTree.from_dense([[1, 2]], "coo")
    assert repr(tree) == "FiberTree 1 x 2, format cs, 2 stored\n├─ 0\n│  └─ 0: 1\n└─ 0\n   └─ 1: 2"


def test_empty_and_scalar() -> None:
    assert repr(FiberTree.from_dense(np.zeros((2, 2)), "dcsr")) == ("FiberTree 2 x 2, format cc, 0 stored\n└─ (empty)")
    assert repr(FiberTree.from_dense(2.5)) == "FiberTree scalar, format scalar, 1 stored: 2.5"


def test_large_tree_is_one_line() -> None:
    assert repr(FiberTree.from_dense(np.ones((30, 30)), "csc")) == "FiberTree 30 x 30, format dc:1,0, 900 stored"
