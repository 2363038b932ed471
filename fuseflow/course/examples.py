"""Small data and programs that the lessons share. Functions, so that every notebook gets its own."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.formats import FiberTree
from fuseflow.models import Model, from_text

MATRIX = ((0, 2, 0, 1), (0, 0, 0, 0), (3, 0, 0, 0), (0, 0, 4, 5))
"""Five nonzeros in three of four rows: every special case of a sparse matrix on a postcard."""
VECTOR = (1, 0, 2, 3)


def dense() -> NDArray[np.float32]:
    """:data:`MATRIX` as an array."""
    return np.array(MATRIX, np.float32)


def band(size: int = 8) -> NDArray[np.float32]:
    """A matrix with nonzeros on the diagonal and beside it."""
    return np.asarray(sum(np.eye(size, k=k) for k in (-1, 0, 1)), np.float32)


def matrix(format: str = "csr") -> FiberTree:
    """:data:`MATRIX` stored in ``format``."""
    return FiberTree.from_dense(dense(), format)


def matvec(matrix_format: str = "csr", vector_format: str = "c") -> Model:
    """``y[i] = A[i,j] * x[j]`` on the example data."""
    vector = FiberTree.from_dense(np.array(VECTOR, np.float32), vector_format)
    return from_text("y[i] = A[i,j] * x[j]", A=matrix(matrix_format), x=vector)


def matmul(left: str = "csr", right: str = "csr") -> Model:
    """``Y[i,k] = A[i,j] * B[j,k]`` with both operands the example matrix."""
    return from_text("Y[i,k] = A[i,j] * B[j,k]", A=matrix(left), B=matrix(right))


def chain(width: int = 2) -> Model:
    """``Y = A X W`` as two statements: A 4×4 sparse, X 4×3 and W 3×``width`` dense."""
    random = np.random.default_rng(3)
    return from_text(
        "T[i,k] = A[i,j] * X[j,k]\nY[i,l] = T[i,k] * W[k,l]",
        A=matrix(),
        X=random.random((4, 3)).astype(np.float32),
        W=random.random((3, width)).astype(np.float32),
    )


def centred(rows: int = 3, columns: int = 8) -> Model:
    """Rows minus their maximum, the first half of a softmax: a stream that has to wait for its own reduction."""
    values = np.random.default_rng(7).random((rows, columns)).astype(np.float32)
    return from_text("M[i] = max[j](X[i,j])\nC[i,j] = X[i,j] - M[i]", X=values)
