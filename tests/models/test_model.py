"""Models from text and from modules: data, reference, and the message for data that do not fit."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from torch import nn

import fuseflow as ff
from fuseflow.einsum import interpret
from fuseflow.errors import FormatError, ProgramError
from fuseflow.formats import FiberTree, Format
from tests.frontend.modules import Call, data

A = np.array([[1, 0, 2], [0, 0, 3]], dtype=np.float32)
X = np.arange(6, dtype=np.float32).reshape(3, 2)
TEXT = "Y[i,j] = A[i,k] * X[k,j]"


@pytest.mark.parametrize(
    ("a", "layout"),
    [
        (A, "dd"),
        (A.tolist(), "dd"),
        (scipy.sparse.csr_array(A), "dc"),
        (scipy.sparse.csc_array(A), "dc:1,0"),
        (FiberTree.from_dense(A, Format.parse("cc:1,0", 2)), "cc:1,0"),
    ],
)
def test_data_decide_the_format(a: Any, layout: str) -> None:
    model = ff.einsum(TEXT, A=a, X=X)
    assert str(model.program.tensor("A").format) == layout
    np.testing.assert_array_equal(model.tensors["A"].to_dense(), A)
    np.testing.assert_array_equal(model.reference()["Y"], A @ X)
    assert model.reference_name == "the dense interpreter in float64"
    assert repr(model).startswith("Model einsum\n  A[2, 3] ")


@pytest.mark.parametrize("a", [A, scipy.sparse.csr_array(A), FiberTree.from_dense(A, Format.dense(2))])
def test_a_declaration_decides_over_the_data(a: Any) -> None:
    model = ff.einsum('A[2,3]: "cc:1,0"\n' + TEXT, A=a, X=X)
    assert str(model.tensors["A"].format) == "cc:1,0"
    assert model.tensors["A"].stored == 3


def test_scalars() -> None:
    model = ff.einsum("y = s * t", s=2.0, t=np.float32(3))
    assert model.reference()["y"] == 6


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        (TEXT, {"A": A}, "line 1, column 19: tensor 'X' is neither declared nor defined before; known are A"),
        ("X[3,2]: dd\n" + TEXT, {"A": A}, "no data for input 'X'; pass X=..."),
        ("A[3,3]: dd\n" + TEXT, {"A": A, "X": X}, "input 'A' has shape (2, 3), the program declares (3, 3)"),
        (TEXT, {"A": A, "X": X.T}, "index 'k' has size 3 in 'A' but 2 in 'X'; both must be equal"),
        (TEXT, {"A": A, "X": X, "Z": X}, "data for 'Z', which the program does not read"),
        (TEXT, {"A": A, "X": X, "Y": X}, "tensor 'Y' is declared with shape (3, 2) but this makes shape (2, 2)"),
        (TEXT, {"A": A, "X": X, "Y": np.zeros((2, 2))}, "data for 'Y', which the program does not read"),
        (TEXT, {"A": A[0], "X": X}, "tensor 'A' has shape (3,) but is used with 2 indices"),
        ("A[2,3]: crs\n" + TEXT, {"A": A, "X": X}, "line 1, column 9: tensor 'A': format \"crs\" is not known"),
    ],
)
def test_data_that_do_not_fit(text: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises((ProgramError, FormatError)) as caught:
        ff.einsum(text, **given)
    assert message in str(caught.value)


def test_traced_models() -> None:
    x, y = data(4, 3), data(4, 3, seed=9)
    model = ff.trace(Call(lambda a, b: (a + b, a @ b.T)), (x, y), {"inputs_0": "cc"}, name="pair")
    found = interpret(model.program, model.tensors)
    for name, expected in model.reference().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6)
    assert model.name == "pair"
    assert ff.trace(nn.Linear(3, 2), (x,)).name == "Linear"
