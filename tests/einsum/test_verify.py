"""Each rule of the program verifier, by the message that its breach gives."""

from dataclasses import replace

import pytest

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Mask,
    Origin,
    Product,
    Program,
    ReduceOp,
    Reduction,
    Statement,
    Unary,
    UnaryOp,
    verify,
)
from fuseflow.errors import ProgramError
from tests.einsum.programs import access, program

INPUTS = {"A": ((3, 4), "cc"), "B": ((4, 5), "dd"), "b": ((3,), "d"), "s": ((), "")}
MATRIX = {**INPUTS, "y": ((3, 4), "dd")}
VECTOR = {**INPUTS, "y": ((3,), "d")}
A, B, b, s = access("A[i,j]"), access("B[j,k]"), access("b[i]"), access("s")


def fault(item: Program) -> str:
    with pytest.raises(ProgramError) as caught:
        verify(item)
    return str(caught.value)


def statement(output: str, expression: Expression) -> Statement:
    return Statement(access(output), expression)


def test_well_formed_programs_pass() -> None:
    verify(program(VECTOR, statement("y[i]", Reduction(ReduceOp.SUM, A))))
    verify(program({**INPUTS, "y": ((5, 3), "dc")}, statement("y[k,i]", Product(A, B))))
    verify(program({**INPUTS, "y": ((3, 4), "cc")}, statement("y[i,j]", Mask(A, b))))


@pytest.mark.parametrize(
    ("tensors", "made", "message"),
    [
        (INPUTS, statement("y[i]", Unary(UnaryOp.NEG, b)), "`y[i] = neg(b[i])` defines 'y', which is not declared"),
        (
            VECTOR,
            statement("y[i]", Unary(UnaryOp.NEG, access("q[i]"))),
            "reads 'q' before anything defines it; known here",
        ),
        (
            VECTOR,
            statement("y[i]", Unary(UnaryOp.NEG, access("y[i]"))),
            "reads 'y' before anything defines it; known here",
        ),
        (
            VECTOR,
            statement("y[i]", Unary(UnaryOp.NEG, access("A[i]"))),
            "'A' has 2 dimensions (3, 4) but is used with 1",
        ),
        (MATRIX, statement("y[i]", Unary(UnaryOp.NEG, b)), "'y' has 2 dimensions (3, 4) but is used with 1 indices"),
        (
            VECTOR,
            statement("y[i]", Product(access("A[i,i]"), b)),
            "'A' is used with a repeated index ('i', 'i'); diagonals",
        ),
        (MATRIX, statement("y[i,i]", Unary(UnaryOp.NEG, b)), "'y' is used with a repeated index ('i', 'i')"),
        (
            VECTOR,
            statement("y[i]", Product(A, access("b[j]"))),
            "index 'j' has size 4 in 'A' but 3 in 'b'; both must be",
        ),
        (
            MATRIX,
            statement("y[i,k]", Product(A, b)),
            "output index 'k' occurs in no operand; its size is unknown. Known",
        ),
        (
            MATRIX,
            statement("y[i,j]", Reduction(ReduceOp.MAX, A)),
            "max reduces nothing, the output has every index of 'A'",
        ),
        (VECTOR, statement("y[i]", Unary(UnaryOp.EXP, A)), "index 'j' is missing from the output of an element-wise"),
        (
            VECTOR,
            statement("y[i]", Binary(BinaryOp.ADD, b, A)),
            "only products sum silently, write sum(...) or max(...)",
        ),
        (VECTOR, statement("y[i]", Mask(A, b)), "index 'j' is missing from the output of an element-wise operation"),
        (
            {**INPUTS, "y": ((4, 3), "dd")},
            statement("y[i,j]", Unary(UnaryOp.NEG, A)),
            "'y' is declared with shape (4, 3) but its indices ('i', 'j') have sizes (3, 4); declare that shape",
        ),
        (VECTOR, statement("y[i]", Binary(BinaryOp.MUL, b, b)), "multiplies with Binary; use Product"),
        (VECTOR, statement("y[i]", Unary(UnaryOp.RELU, b, 2.0)), "relu takes no constant but has 2.0; leave it out"),
        (
            VECTOR,
            statement("y[i]", Unary(UnaryOp.MUL_SCALAR, b, float("nan"))),
            "the constant of mul_scalar is nan; it must be finite",
        ),
        (VECTOR, statement("y[0]", Unary(UnaryOp.NEG, access("b[0]"))), "index '0' must be an identifier"),
        (
            MATRIX,
            statement("y[i,j]", Mask(A, b)),
            "'y' has masked-out elements but is stored as dd, whose innermost level",
        ),
    ],
)
def test_one_statement(tensors: dict[str, tuple[tuple[int, ...], str]], made: Statement, message: str) -> None:
    assert message in fault(program(tensors, made))


def test_several_statements() -> None:
    first = statement("y[i]", Unary(UnaryOp.NEG, b))
    assert "defines 'y' a second time; use a new name" in fault(program(VECTOR, first, first))
    computed = statement("z[i]", Mask(b, access("y[i]")))
    tensors = {**VECTOR, "z": ((3,), "c")}
    assert "the mask 'y' is computed; which of its elements are stored" in fault(program(tensors, first, computed))
    later = statement("z[i]", Unary(UnaryOp.NEG, access("y[i]")))
    assert "Declare it as an input or move the statement down" in fault(
        program({**VECTOR, "z": ((3,), "d")}, later, first)
    )


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ((), "the program returns nothing; name at least one output"),
        (("q",), "output 'q' is not defined; statements define y. Return one of these"),
        (("b",), "output 'b' is an input; statements define y. Return one of these"),
        (("y", "y"), "output 'y' is returned twice; return it once"),
    ],
)
def test_outputs(outputs: tuple[str, ...], message: str) -> None:
    assert fault(program(VECTOR, statement("y[i]", Unary(UnaryOp.NEG, b)), outputs=outputs)) == message


def test_declarations() -> None:
    good = program(VECTOR, statement("y[i]", Unary(UnaryOp.NEG, b)))
    twice = replace(good, tensors=(*good.tensors, good.tensor("b")))
    assert fault(twice) == "tensor 'b' is declared twice; give the second one another name"
    misfit = replace(good, tensors=(*good.tensors, replace(good.tensor("A"), name="c", shape=(3,))))
    assert fault(misfit) == (
        "tensor 'c' has 1 dimensions (3,) but format cc has 2 levels; give one level per dimension"
    )
    negative = replace(good, tensors=(*good.tensors, replace(good.tensor("b"), name="c", shape=(-3,))))
    assert fault(negative) == "tensor 'c' has a negative size: (-3,); sizes are 0 or more"
    for name in ("conv1.weight", "lambda", ""):
        odd = replace(good, tensors=(*good.tensors, replace(good.tensor("b"), name=name)))
        assert fault(odd) == f"tensor name {name!r} must be an identifier, such as conv1_weight; rename it"


def test_a_fault_names_the_source_line() -> None:
    made = Statement(Access("y", ("i",)), Unary(UnaryOp.EXP, A), Origin(source="net.py:12: y = torch.exp(a)"))
    assert fault(program(VECTOR, made)).startswith(
        "statement `y[i] = exp(A[i,j])` (net.py:12: y = torch.exp(a)): index 'j'"
    )
