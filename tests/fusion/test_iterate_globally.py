"""Global iteration: sums move outwards as far as they go, and the result stays the same."""

import numpy as np

import fuseflow as ff
from fuseflow.einsum import show_statement
from fuseflow.fusion import fuse
from fuseflow.schedule import Iteration, Region, Schedule

CHAIN = "A[5,4]: cc\nX[4,3]: dd\nW[3,2]: cc\nT[i,j] = A[i,k] * X[k,j]\nY[i,l] = T[i,j] * W[j,l]"


def fused(text: str) -> list[str]:
    program = ff.parse(text)
    names = tuple(statement.name for statement in program)
    region = fuse(program, Region("all", names, iteration=Iteration.GLOBAL))
    return [show_statement(statement) for statement in region.program]


def test_a_chain_becomes_one_space() -> None:
    assert fused(CHAIN) == ["T[i,j,k_T] = A[i,k_T] * X[k_T,j]", "Y[i,l] = T[i,j,k_T] * W[j,l]"]


def test_an_activation_ends_the_space() -> None:
    text = CHAIN.replace("T[i,j] *", "relu(T[i,j]) *")
    assert fused(text)[0] == "T[i,j] = A[i,k] * X[k,j]"


def test_a_square_is_not_a_sum_of_squares() -> None:
    text = "A[5,4]: cc\nX[4,3]: dd\nT[i,j] = A[i,k] * X[k,j]\nY[i,j] = T[i,j] * T[i,j]"
    assert fused(text)[0] == "T[i,j] = A[i,k] * X[k,j]"


def test_same_result_and_more_work() -> None:
    rng = np.random.default_rng(0)
    data = {
        "A": (rng.random((5, 4)) < 0.6).astype(np.float32),
        "X": rng.random((4, 3)).astype(np.float32),
        "W": rng.random((3, 2)).astype(np.float32),
    }
    model = ff.einsum(CHAIN, **data)
    runs = {}
    for style in Iteration:
        schedule = Schedule(style.value, (Region("all", ("T", "Y"), iteration=style),))
        runs[style] = ff.compile(model, schedule).simulate()
        assert runs[style].check().passed
    assert runs[Iteration.GLOBAL].flops > runs[Iteration.FACTORED].flops
