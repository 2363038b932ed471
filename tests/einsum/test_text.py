"""Text form: what the parser makes of it, and that the printer's text is read back to an equal program."""

import numpy as np
import pytest
from hypothesis import given

from fuseflow.einsum import Program, interpret, parse, show, verify
from fuseflow.formats import Format
from tests.einsum.programs import programs

RNG = np.random.default_rng(3)
SHAPES = {"A": (3, 4), "B": (3, 4), "C": (4, 3), "b": (3,), "d": (4,), "f": (3,), "s": (), "t": ()}
DATA = {name: RNG.normal(size=shape) for name, shape in SHAPES.items()}
FORMATS = {name: (shape, Format.dense(len(shape))) for name, shape in SHAPES.items()}


@given(programs())
def test_printed_text_reads_back(program: Program) -> None:
    verify(program)
    assert parse(show(program)) == program


def test_printed_form() -> None:
    text = """
        A[3,4]: "cc"
        X[4,2]: dense
        b[2]: "d"
        s: ""
        T[3,2]: "dc:1,0"
        T[i,j] = A[i,k] * X[k,j]
        H[i,j] = relu(T[i,j] + b[j]) * s
        m[i] = max[j](H[i,j])
        return m, H
    """
    assert show(parse(text)).splitlines() == [
        'A[3, 4]: "cc"',
        'X[4, 2]: "dd"',
        'b[2]: "d"',
        's: ""',
        'T[3, 2]: "dc:1,0"',
        "T[i,j] = A[i,k] * X[k,j]",
        "H_1[i,j] = T[i,j] + b[j]",
        "H_2[i,j] = relu(H_1[i,j])",
        "H[i,j] = H_2[i,j] * s",
        "m[i] = max[j](H[i,j])",
        "return m, H",
    ]


A, B, C, b, d, f, s, t = (DATA[name] for name in "ABCbdfst")
EXPONENTIALS = np.exp(A - A.max(1, keepdims=True))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("y[i] = s*C[j,i]*d[j] + t*f[i]", s * (C.T @ d) + t * f),
        ("y[i] = b[i] - A[i,j]*d[j]", b - A @ d),
        ("y[i] = A[i,j]", A.sum(1)),
        ("y[i] = b[i] + A[i,j]", b + A.sum(1)),
        ("y[j,i] = A[i,j]", A.T),
        ("y = A[i,j] * B[i,j]", (A * B).sum()),
        ("y = s * t", s * t),
        ("y = sum[i,j](A[i,j])", A.sum()),
        ("y = sum(A[i,j])", A.sum()),
        ("y[i,j] = b[i] * d[j]", np.outer(b, d)),
        ("y[i] = A[i,j] * B[i,j] * d[j]", (A * B) @ d),
        ("y[i,k] = A[i,j] * C[j,k]", A @ C),
        ("y[i] = 2*A[i,j]*d[j]", 2 * A @ d),
        ("y[i] = A[i,j]*d[j]*2 - 1", 2 * A @ d - 1),
        ("y[i] = 1 - b[i]", 1 - b),
        ("y[i] = 1 + b[i]", 1 + b),
        ("y[i] = -3 * b[i] / 4", -3 * b / 4),
        ("y[i] = -b[i] - -2", -b + 2),
        ("y[i] = -(A[i,j] * d[j])", -(A @ d)),
        ("y[i] = (A[i,j] + B[i,j]) * d[j]", (A + B) @ d),
        ("y[i] = A[i,j] / b[i] ", (A / b[:, None]).sum(1)),
        ("y[i,j] = A[i,j] * d[j] / b[i]", A * d / b[:, None]),
        ("y[i] = exp(A[i,j] * d[j])", np.exp(A @ d)),
        ("y[i] = exp(A[i,j]) + b[i]", np.exp(A).sum(1) + b),
        ("y[i,j] = max(A[i,j], d[j])", np.maximum(A, d)),
        ("y[i] = min(b[i], s)", np.minimum(b, s)),
        ("y[i] = max(A[i,j])", A.max(1)),
        ("y[i] = b[i] - max[j](A[i,j] + d[j])", b - (A + d).max(1)),
        ("y[i,j] = A[i,j] - max[i,j](A[i,j])", A - A.max()),
        (
            "y[i,j] = exp(A[i,j] - max[j](A[i,j])) / sum[j](exp(A[i,j] - max[j](A[i,j])))",
            EXPONENTIALS / EXPONENTIALS.sum(1, keepdims=True),
        ),
        ("y[i] = b[i] * sum[i](f[i])", b * f.sum()),
        ("y[i,j] = mask(A[i,j] * s, B[i,j]) + 0", A * s),
    ],
)  # fmt: skip
def test_nested_expressions(statement: str, expected: np.ndarray) -> None:
    program = parse(statement, FORMATS)
    assert parse(show(program)) == program
    used = {tensor.name: DATA[tensor.name] for tensor in program.inputs}
    np.testing.assert_allclose(interpret(program, used)["y"], expected, rtol=1e-12)


def test_intermediates_avoid_names_in_the_text() -> None:
    program = parse("y_1[i] = b[i] + 1\ny[i] = exp(y_1[i] * 2) + y_3[i]", {"b": FORMATS["b"], "y_3": FORMATS["b"]})
    assert [statement.name for statement in program.statements] == ["y_1", "y_2", "y_4", "y"]


def test_origin_names_kernel_and_line() -> None:
    program = parse("\ny[i] = relu(A[i,j] *\n    d[j])", FORMATS)
    assert {statement.origin.group for statement in program.statements} == {"y"}
    assert {statement.origin.source for statement in program.statements} == {"line 2: relu(A[i,j] * d[j])"}


def test_declarations_that_the_text_does_not_use_are_left_out() -> None:
    assert [tensor.name for tensor in parse("y[i] = b[i] + f[i]", FORMATS).inputs] == ["b", "f"]


def test_last_statement_is_the_output() -> None:
    assert parse("x[i] = b[i] + 1\ny[i] = x[i] * 2", FORMATS).outputs == ("y",)


def test_masked_results_are_stored_compressed() -> None:
    program = parse("m[i,j] = mask(A[i,j], B[i,j])\ny[i,j] = exp(m[i,j])\nz[i] = y[i,j] * d[j]", FORMATS)
    assert [str(program.tensor(name).format) for name in "myz"] == ["cc", "cc", "d"]


def test_lookups_name_what_there_is() -> None:
    program = parse("y[i] = b[i] + 1", FORMATS)
    assert program.statement("y").name == "y"
    assert program.readers("b") == program.statements
    assert program.tensor("b").order == 1
    assert repr(program) == 'b[3]: "d"\ny[i] = b[i] + 1.0\nreturn y'
    with pytest.raises(ValueError, match="the program has no tensor 'q'; it has b, y"):
        program.tensor("q")
    with pytest.raises(ValueError, match="no statement defines 'b'; statements define y"):
        program.statement("b")
