"""Layout statements: text form, verifier, dense meaning, and stored tensors, which stay as sparse as they were."""

import numpy as np
import pytest

from fuseflow.einsum import interpret, masked_tensors, move_tree, parse, show
from fuseflow.errors import ProgramError
from fuseflow.formats import FiberTree, Format

RNG = np.random.default_rng(3)
X = (RNG.normal(size=(4, 6)) * (RNG.random((4, 6)) > 0.5)).astype(np.float32)
B = RNG.normal(size=(2, 6)).astype(np.float32)
DECLARED = 'X[4, 6]: "cc"\nB[2, 6]: "dd"\n'
CASES = {
    "reshape": ("Y[a,b] = reshape[i,j](X[i,j], 3, 8)", X.reshape(3, 8)),
    "reshape of a permutation": ("Y[a,b,c] = reshape[j,i](X[i,j], 2, 3, 4)", X.T.reshape(2, 3, 4)),
    "concat": ("Y[a,j] = concat[a](X[i,j], B[k,j])", np.concatenate([X, B])),
    "concat permuted": ("Y[j,a] = concat[a](B[k,j], X[i,j], B[l,j])", np.concatenate([B, X, B]).T),
    "slice": ("Y[a,j] = slice[i, 1:4:2](X[i,j])", X[1:4:2]),
    "slice permuted": ("Y[j,a] = slice[i, 2:4](X[i,j])", X[2:4].T),
    "select": ("Y[i] = slice[j, 5:6](X[i,j])", X[:, 5]),
    "gather": ("Y[i,a] = gather[j, 5, 0, 5, 2](X[i,j])", X[:, [5, 0, 5, 2]]),
    "gather nothing": ("Y[i,a] = slice[j, 2:2](X[i,j])", X[:, 2:2]),
}


@pytest.mark.parametrize("name", list(CASES))
def test_meaning(name: str) -> None:
    text, expected = CASES[name]
    program = parse(DECLARED + text)
    assert parse(show(program)) == program
    statement = program.statements[0]
    assert statement.is_layout
    assert program.computations == ()
    np.testing.assert_array_equal(interpret(program, {"X": X, "B": B}, np.float32)["Y"], expected)
    trees = {"X": FiberTree.from_dense(X, "cc"), "B": FiberTree.from_dense(B, "dd")}
    parts = [trees[access.tensor] for access in statement.operands]
    for letter in "cd":
        chosen = Format.parse(letter * expected.ndim, expected.ndim)
        moved = move_tree(statement, parts, expected.shape, chosen)
        np.testing.assert_array_equal(moved.to_dense(), expected)
        assert moved.format == chosen
        if letter == "c":
            assert moved.stored == np.count_nonzero(expected)


def test_explicit_zeros_stay_stored() -> None:
    tree = FiberTree.from_coordinates([[0, 1], [2, 3]], [0.0, 1.0], (4, 6), "cc")
    statement = parse(DECLARED + "Y[a,b] = reshape[i,j](X[i,j], 8, 3)").statements[0]
    assert move_tree(statement, [tree], (8, 3), Format.parse("cc", 2)).stored == 2


def test_what_is_masked_out_stays_so() -> None:
    program = parse(
        "S[4,6]: dd\nM[4,6]: cc\nP[i,j] = mask(S[i,j], M[i,j])\nQ[a,j] = slice[i, 0:2](P[i,j])\n"
        "R[b] = reshape[a,j](Q[a,j], 12)\ny = max(R[b])"
    )
    assert masked_tensors(program) == {"P": {0, 1}, "Q": {0, 1}, "R": {0}}
    assert str(program.tensor("R").format) == "c"
    scores = -np.ones((4, 6), np.float32)
    scores[3] = 5
    mask = np.zeros((4, 6), np.float32)
    mask[0, 0] = mask[3, 3] = 1
    assert interpret(program, {"S": scores, "M": mask})["y"] == -1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Y[a,b] = reshape[i,j](X[i,j], 5, 5)", "24 elements of 'X' do not fill shape (5, 5)"),
        ("Y[a,j] = reshape[i,j](X[i,j], 4, 6)", "reshape names every index of 'X' once, and the output has new ones"),
        ("Y[a,b] = reshape[i](X[i,j], 4, 6)", "reshape names every index of 'X' once"),
        ("Y[a,j] = slice[i, 2:5](X[i,j])", "position 4 of index 'i' is outside its size 4"),
        ("Y[a,j] = gather[i, 9](X[i,j])", "position 9 of index 'i' is outside its size 4"),
        ("Y[a,j] = slice[i, 0:4:0](X[i,j])", "the step must be at least 1, not 0"),
        ("Y[i,j] = slice[i, 0:2](X[i,j])", "the output must have the indices j and a new one for 'i'"),
        ("Y[j] = slice[i, 0:2](X[i,j])", "the output must have the indices j and a new one for 'i'"),
        ("Y[a,j] = slice[k, 0:2](X[i,j])", "'X' lacks the index 'k'"),
        ("Y[b,j] = concat[a](X[i,j], B[k,j])", "the output lacks the index 'a' that is concatenated"),
        ("Y[a,j] = concat[a](X[i,j], B[j,k])", "index 'j' has another size in 'B' than in 'X'"),
        ("Y[a,j] = concat[a](X[i,j], B[k,l])", "'B' must have the indices j and one of its own"),
        ("Y[a,j] = gather[i, -1](X[i,j])", "must be a whole number, 0 or more"),
        ("Y[a,j] = gather[0, 1](X[i,j])", "cannot be read; write Y[a,j] = gather[i, 2, 0](X[i,j])"),
        (
            "P[i,j] = mask(X[i,j], X[i,j])\nY[a,j] = concat[a](P[i,j], B[k,j])",
            "some operands have masked-out elements and others unstored zeros",
        ),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse(DECLARED + text)
    assert message in str(caught.value)
