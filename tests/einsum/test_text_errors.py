"""Every error of the parser, by its message, line, column and caret."""

import pytest

from fuseflow.einsum import parse
from fuseflow.errors import ProgramError

DECLARED = "A[3,4]: cc\nb[3]: d\n"


@pytest.mark.parametrize(
    ("line", "marked", "message"),
    [
        ("y[i] = b[i] +", None, "cannot be read: invalid syntax"),
        ("y[i] = (b[i]", None, "cannot be read: '(' was never closed"),
        ("x[3]: cx", "cx", "tensor 'x': format \"cx\" is not known: use a name"),
        ('x[3]: "dd"', '"dd"', "tensor 'x': format \"dd\" has 2 levels, but the tensor has order 1"),
        ('x[3,3]: "dd:0,0"', '"dd:0,0"', "tensor 'x': mode order must be a permutation of 0..1, not (0, 0)"),
        ("x[n]: c", "x[n]", "the shape of 'x' must be whole numbers, as in x[6,6]"),
        ("x[-3]: c", "x[-3]", "the shape of 'x' must be whole numbers, as in x[6,6]"),
        ("x[2.5]: c", "x[2.5]", "the shape of 'x' must be whole numbers, as in x[6,6]"),
        ("x.y: c", "x.y", "a declaration names one tensor, as in A[6,6]"),
        ("b[3]: c", "b[3]", "tensor 'b' is declared twice; remove one declaration or rename a tensor"),
        ("x[3]: c = b", "x[3]", 'expected `A[6,6]: "cc"`, `T[i,j] = ...` or `return T`'),
        ("for i in b: pass", "for", 'expected `A[6,6]: "cc"`, `T[i,j] = ...` or `return T`'),
        ("x = y = b", "x", 'expected `A[6,6]: "cc"`, `T[i,j] = ...` or `return T`'),
        ("y", "y", "'y' alone says nothing; write `return y` to name an output"),
        ("return", "return", "`return` names tensors without indices, as in `return T, U`"),
        ("return A[i]", "A[i]", "`return` names tensors without indices, as in `return T, U`"),
        ("return b, A[i]", "b, A[i]", "`return` names tensors without indices, as in `return T, U`"),
        ("return ()", "()", "`return` names tensors without indices, as in `return T, U`"),
        ("y[i] = 3", "3", "a tensor cannot be a constant alone; declare an input that holds it"),
        ("y[i] = 2 * 3", "2 * 3", "an operation on two constants; write its result instead"),
        ("y[i] = exp(2)", "2", "expected a tensor, not a constant; write the result of the operation instead"),
        ("y[i] = b[i] * 1e999", "1e999", "the constant is too large for a float64; scale the data instead"),
        ("y[i] = b[i] * 1" + "0" * 400, "10", "the constant is too large for a float64; scale the data instead"),
        ("y[i] = b[i] * True", "True", "expected tensors, numbers, + - * / and functions"),
        ("y[i] = b[i] ** 2", "b[i] ** 2", "expected tensors, numbers, + - * / and functions"),
        ("y[i] = b[i] @ b[i]", "b[i] @ b[i]", "expected tensors, numbers, + - * / and functions"),
        ("y[i] = max[j](A[i,j], axis=1)", "max[j]", "expected tensors, numbers, + - * / and functions"),
        ("y[i] = elu(b[i], b[i])", "b[i])", "the second operand of elu is a constant"),
        ("y[i] = slice[k, 0:2](b[i])", "slice", "'b' lacks the index 'k'"),
        ("y[k] = slice[i](b[i])", "slice", "cannot be read; write Y[a,j] = slice[i, 0:4](X[i,j])"),
        ("y[0] = b[i]", "0", "indices must be names, as in [i,j]"),
        ("y[i] = b[i+1]", "i+1", "indices must be names, as in [i,j]"),
        ("(y) [i][j] = b[i]", "(y)", "expected a tensor with indices, as in A[i,k]"),
        ("y[i] = b[i] + c[i]", "c[i]", "tensor 'c' is neither declared nor defined before; known are A, b"),
        ("y[i] = b[i] + A[i]", "A[i]", "tensor 'A' has shape (3, 4) but is used with 1 indices"),
        ("y[i,k] = A[i,j] * b[i]", "A[i,j]", "output index 'k' of 'y' occurs in no operand; the operands have [i,j]"),
        ("A[i,j] = b[i] * b[j]", "b[i]", "tensor 'A' is declared with shape (3, 4) but this makes shape (3, 3)"),
        ("y[i] = foo(b[i])", "foo", "'foo' with 1 operands is unknown; known are abs, concat, cos, elu, exp, gather"),
        ("y[i] = exp(b[i], b[i])", "exp", "'exp' with 2 operands is unknown; known are abs, concat"),
        ("y[i] = b[i] + sum(A[i,j])", "sum", "inside an expression sum must say over what, as in sum[j](...)"),
        ("y[i] = sum[i](A[i,j])", "sum", "sum is over [i] but the output lacks [j]; both must name the same indices"),
        ("y[i] = b[i] + sum[k](A[i,j])", "sum", "sum over 'k', which its operand lacks; it has [i,j]"),
        (
            "y[i] = b[i] / A[i,j]",
            "A[i,j]",
            "index 'j' is missing from the result; write sum[j](...) where it is summed",
        ),
        ("y[i] = max(A[i,j], b[i])", "A[i,j]", "index 'j' is missing from the result; write sum[j](...)"),
        ("y[i] = mask(A[i,j], b[i])", "A[i,j]", "index 'j' is missing from the result; write sum[j](...)"),
        ("  y[i] = b[i] * 2", None, "cannot be read: unexpected indent"),
    ],
)
def test_message_and_caret(line: str, marked: str | None, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse(DECLARED + line)
    first, quoted, caret = str(caught.value).split("\n")
    assert message in first
    assert first.startswith("line 3, column ")
    assert quoted == f"  {line}"
    column = caret.index("^") - 2
    assert first.startswith(f"line 3, column {column + 1}: ")
    if marked is not None:
        assert line[column:].startswith(marked)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("y[i] = b[i] + 1\ny[i] = b[i] + 2", "line 4, column 1: tensor 'y' is defined a second time; use a new name"),
        (
            "y[i] = b[i] + 1\ny[3]: c",
            "line 4, column 1: tensor 'y' is declared after its statement; move the declaration",
        ),
        ("y[i] = b[i] + 1\nreturn y\nreturn b", "line 5, column 1: nothing may follow the `return` line"),
        ("# only\n# comments", "the program has no statement; write e.g. T[i,j] = A[i,k] * X[k,j]"),
        ("y[i] = " + "-" * 3000 + "b[i]", "the program text is nested too deeply; split the longest right-hand side"),
        ("y[i] = b[i]" + " + b[i]" * 3000, "the program text is nested too deeply; split the longest right-hand side"),
        ("y[i] = b[i]\x00", "null bytes"),
    ],
)
def test_faults_of_several_lines(lines: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse(DECLARED + lines)
    assert message in str(caught.value)


def test_shared_indentation_is_no_fault_and_columns_count_characters() -> None:
    with pytest.raises(ProgramError, match="line 3, column 15: tensor 'x' is neither declared") as caught:
        parse("""
            é[3]: c
            y[i] = é[i] * x[i]
        """)
    assert str(caught.value).endswith("\n  y[i] = é[i] * x[i]\n                ^")


def test_the_verifier_quotes_the_line() -> None:
    with pytest.raises(ProgramError) as caught:
        parse("A[3,4]: cc\nB[5,3]: dd\ny[i,k] = A[i,j] * B[j,k]")
    assert str(caught.value) == (
        "statement `y[i,k] = A[i,j] * B[j,k]` (line 3: A[i,j] * B[j,k]): index 'j' has size 4 in 'A' but 5 in 'B'; both "
        "must be equal\n  y[i,k] = A[i,j] * B[j,k]\n                    ^"
    )
