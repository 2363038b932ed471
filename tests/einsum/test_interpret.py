"""The dense interpreter against numpy and torch, operator by operator, and what masks mean."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fuseflow.einsum import BinaryOp, UnaryOp, interpret, parse
from fuseflow.einsum.operators import apply_unary
from fuseflow.errors import ProgramError
from fuseflow.formats import FiberTree, Format

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4))
MASK = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float64)
DECLARED = "A[3,4]: dd\nB[3,4]: dd\nM[3,4]: cc\n"

UNARY: dict[UnaryOp, Callable[[np.ndarray], np.ndarray]] = {
    UnaryOp.IDENTITY: lambda x: x,
    UnaryOp.NEG: lambda x: 0 - x,
    UnaryOp.RELU: lambda x: np.where(x > 0, x, 0),
    UnaryOp.EXP: np.exp,
    UnaryOp.LOG: np.log,
    UnaryOp.SQRT: np.sqrt,
    UnaryOp.RSQRT: lambda x: x**-0.5,
    UnaryOp.SIGMOID: lambda x: torch.sigmoid(torch.from_numpy(x)).numpy(),
    UnaryOp.TANH: np.tanh,
    UnaryOp.SIN: np.sin,
    UnaryOp.COS: np.cos,
    UnaryOp.ABS: np.abs,
    UnaryOp.SQUARE: lambda x: x**2,
    UnaryOp.RECIPROCAL: lambda x: 1 / x,
    UnaryOp.GELU: lambda x: F.gelu(torch.from_numpy(x)).numpy(),
    UnaryOp.GELU_TANH: lambda x: F.gelu(torch.from_numpy(x), approximate="tanh").numpy(),
    UnaryOp.SILU: lambda x: F.silu(torch.from_numpy(x)).numpy(),
}
WITH_CONSTANT: dict[UnaryOp, Callable[[np.ndarray], np.ndarray]] = {
    UnaryOp.POW_SCALAR: lambda x: x**0.75,
    UnaryOp.MAX_SCALAR: lambda x: np.where(x > 0.75, x, 0.75),
    UnaryOp.MIN_SCALAR: lambda x: np.where(x < 0.75, x, 0.75),
    UnaryOp.LEAKY_RELU: lambda x: F.leaky_relu(torch.from_numpy(x), 0.75).numpy(),
    UnaryOp.ELU: lambda x: F.elu(torch.from_numpy(x), 0.75).numpy(),
}
BINARY: dict[BinaryOp, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    BinaryOp.MUL: ("A[i,j] * B[i,j]", lambda x, y: x * y),
    BinaryOp.ADD: ("A[i,j] + B[i,j]", lambda x, y: x + y),
    BinaryOp.SUB: ("A[i,j] - B[i,j]", lambda x, y: x - y),
    BinaryOp.DIV: ("A[i,j] / B[i,j]", lambda x, y: x / y),
    BinaryOp.MAX: ("max(A[i,j], B[i,j])", lambda x, y: np.where(x > y, x, y)),
    BinaryOp.MIN: ("min(A[i,j], B[i,j])", lambda x, y: np.where(x < y, x, y)),
}


def run(text: str, **data: np.ndarray | FiberTree) -> dict[str, np.ndarray]:
    program = parse(DECLARED + text)
    given = {"A": A, "B": B, "M": MASK, **data}
    return interpret(program, given)


@pytest.mark.parametrize("op", [op for op in UnaryOp if not op.takes_scalar])
def test_unary(op: UnaryOp) -> None:
    positive = np.abs(A) if op in (UnaryOp.LOG, UnaryOp.SQRT, UnaryOp.RSQRT) else A
    found = run(f"y[i,j] = {op.value}(A[i,j])", A=positive)["y"]
    np.testing.assert_allclose(found, UNARY[op](positive), rtol=1e-12)


@pytest.mark.parametrize("op", list(WITH_CONSTANT))
def test_functions_with_a_constant(op: UnaryOp) -> None:
    values = np.abs(A) + 0.01 if op is UnaryOp.POW_SCALAR else A
    found = run(f"y[i,j] = {op.value}(A[i,j], 0.75)", A=values)["y"]
    np.testing.assert_allclose(found, WITH_CONSTANT[op](values), rtol=1e-12)


@pytest.mark.parametrize("op", list(UnaryOp))
@pytest.mark.parametrize("scalar", [-1.5, 0.0, 0.5])
def test_what_keeps_zero(op: UnaryOp, scalar: float) -> None:
    constant = scalar if op.takes_scalar else 0.0
    with np.errstate(all="ignore"):
        at_zero = apply_unary(op, np.zeros(1), constant)[0]
    assert op.preserves_zero(constant) == (at_zero == 0.0)


@pytest.mark.parametrize(("symbol", "expected"), [("+", A + 2.5), ("*", A * 2.5), ("/", A / 2.5), ("-", A - 2.5)])
def test_constants(symbol: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(run(f"y[i,j] = A[i,j] {symbol} 2.5")["y"], expected, rtol=1e-15)


@pytest.mark.parametrize("op", list(BinaryOp))
def test_binary(op: BinaryOp) -> None:
    text, expected = BINARY[op]
    np.testing.assert_allclose(run(f"y[i,j] = {text}")["y"], expected(A, B), rtol=1e-12)
    np.testing.assert_allclose(run(f"y[j,i] = {text}")["y"], expected(A, B).T, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y[i] = sum(A[i,j])", A.sum(1)),
        ("y[j] = max(A[i,j])", A.max(0)),
        ("y = max(A[i,j])", A.max()),
        ("y[k,i] = A[i,j] * B[k,j]", B @ A.T),
        ("y = A[i,j] * B[k,l]", A.sum() * B.sum()),
        ("r[i] = sum(A[i,j])\ny[i,j] = A[i,j] / r[i]", A / A.sum(1, keepdims=True)),
        ("s = sum(A[i,j])\nt = exp(s * 0.01)\ny[i,j] = B[i,j] * t", B * np.exp(A.sum() * 0.01)),
    ],
)
def test_reductions_and_broadcasts(text: str, expected: np.ndarray) -> None:
    found = run(text)["y"]
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


SOFTMAX = """
    m[i,j] = mask(A[i,j], M[i,j])
    h[i] = max(m[i,j])
    e[i,j] = exp(m[i,j] - h[i])
    t[i] = sum(e[i,j])
    p[i,j] = e[i,j] / t[i]
    y[i,k] = p[i,j] * B[k,j]
"""


def test_masked_softmax_is_torchs_with_minus_infinity() -> None:
    found = interpret(
        parse("A[3,4]: dd\nB[3,4]: dd\nM[3,4]: cc" + SOFTMAX.replace("\n    ", "\n")), dict(A=A, B=B, M=MASK)
    )
    scores = torch.from_numpy(A).masked_fill(torch.from_numpy(MASK) == 0, -torch.inf)
    expected = torch.softmax(scores, dim=1).numpy()
    full = MASK.any(1)
    np.testing.assert_allclose(found["p"][full], expected[full], rtol=1e-12)
    np.testing.assert_allclose(found["y"][full], (expected @ B.T)[full], rtol=1e-12)


def test_a_fully_masked_row_is_empty_not_nan() -> None:
    found = run(SOFTMAX.replace("\n    ", "\n"))
    for name in "mhetpy":
        assert not found[name][1].any(), name
    assert not np.isnan(found["y"]).any()


def test_masked_elements_count_as_zero_in_results_and_products_only() -> None:
    found = run("m[i,j] = mask(A[i,j], M[i,j])\ne[i,j] = exp(m[i,j]) + B[i,j]\nx[i] = max(m[i,j])\ny = e[i,j] * B[i,j]")
    inside = MASK != 0
    np.testing.assert_allclose(found["e"], np.where(inside, np.exp(A) + B, 0))
    np.testing.assert_allclose(found["x"], np.where(inside.any(1), np.where(inside, A, -np.inf).max(1), 0))
    np.testing.assert_allclose(found["y"], (np.where(inside, np.exp(A) + B, 0) * B).sum())


def test_masks_meet_and_broadcast() -> None:
    other = MASK[:, ::-1].copy()
    data = {"A": A, "B": B, "M": MASK, "N": other, "r": np.array([1.0, 0, 2])}
    text = (
        "N[3,4]: cc\nr[3]: c\nm[i,j] = mask(A[i,j], M[i,j])\nn[i,j] = mask(B[i,j], N[i,j])\ny[i,j] = m[i,j] + n[i,j]\n"
    )
    text += "twice[i,j] = mask(m[i,j], N[i,j])\nrows[i,j] = mask(A[i,j], r[i])\nreturn y, twice, rows"
    found = interpret(parse(DECLARED + text), data)
    np.testing.assert_allclose(found["y"], np.where((MASK != 0) & (other != 0), A + B, 0))
    np.testing.assert_allclose(found["twice"], np.where((MASK != 0) & (other != 0), A, 0))
    np.testing.assert_allclose(found["rows"], A * np.array([[1], [0], [1]]))


def test_a_mask_keeps_stored_zeros() -> None:
    tree = FiberTree.from_coordinates(
        np.array([[0, 2], [1, 3]]), np.zeros(2, np.float32), (3, 4), Format.parse("cc", 2)
    )
    found = run("y[i,j] = mask(A[i,j], M[i,j])", M=tree)["y"]
    assert [tuple(place) for place in np.argwhere(found)] == [(0, 1), (2, 3)]


def test_dtype_and_fiber_trees() -> None:
    program = parse("A[3,4]: cc\ny[i,j] = A[i,j] * 2")
    found = interpret(program, {"A": FiberTree.from_dense(A.astype(np.float32), Format.parse("cc", 2))}, np.float32)[
        "y"
    ]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, A.astype(np.float32) * 2)


def test_many_index_variables() -> None:
    names = [f"n{number}" for number in range(30)]
    program = parse(f"a[{','.join('1' * 15)}]: {'d' * 15}\nb[{','.join('1' * 15)}]: {'d' * 15}\n"
                    f"y = a[{','.join(names[:15])}] * b[{','.join(names[15:])}]")  # fmt: skip
    found = interpret(program, {"a": np.full((1,) * 15, 2.0), "b": np.full((1,) * 15, 3.0)})
    assert found["y"] == 6.0


def test_data_that_do_not_fit() -> None:
    program = parse("A[3,4]: cc\ny[i,j] = A[i,j] * 2")
    with pytest.raises(ProgramError, match=r"no data for input 'A' of shape \(3, 4\); given are B"):
        interpret(program, {"B": A})
    with pytest.raises(ProgramError, match=r"no data for input 'A' of shape \(3, 4\); given are none"):
        interpret(program, {})
    with pytest.raises(ProgramError, match=r"data of input 'A' have shape \(4, 3\) but the program declares \(3, 4\)"):
        interpret(program, {"A": A.T})
