"""Other associations of products: all of them found, all of them right."""

import numpy as np

import fuseflow as ff
from fuseflow.einsum import interpret, verify
from fuseflow.explore.associate import associations


def test_a_chain_of_three() -> None:
    rng = np.random.default_rng(0)
    data = {"A": rng.random((4, 5)), "X": rng.random((5, 6)), "W": rng.random((3, 6))}
    model = ff.einsum("t[i,k] = A[i,j] * X[j,k]\ny[i,l] = t[i,k] * W[l,k]", **data)
    original, other = associations(model.program)
    assert original is model.program
    assert "t_regrouped[j,l] = X[j,k] * W[l,k]" in repr(other)
    verify(other)
    wanted = interpret(original, model.tensors)["y"]
    np.testing.assert_allclose(interpret(other, model.tensors)["y"], wanted)


def test_a_chain_of_four_has_five() -> None:
    data = {name: np.ones((2, 2)) for name in "ABCD"}
    text = "t[i,k] = A[i,j] * B[j,k]\nu[i,l] = t[i,k] * C[k,l]\ny[i,m] = u[i,l] * D[l,m]"
    found = associations(ff.einsum(text, **data).program)
    assert len(found) == 5
    for program in found:
        verify(program)


def test_what_is_read_twice_stays() -> None:
    data = {name: np.ones((2, 2)) for name in "AB"}
    text = "t[i,k] = A[i,j] * B[j,k]\nu[i,l] = t[i,k] * B[k,l]\ny[i,l] = u[i,l] + t[i,l]"
    assert len(associations(ff.einsum(text, **data).program)) == 1
