"""Permuted copies: where storage orders contradict each other, and where a result is wanted in another order."""

from itertools import permutations

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.einsum import Tensor
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.formats import FiberTree, Format
from fuseflow.lowering import Copy, copy_program, identity_tree
from fuseflow.models import Model
from fuseflow.schedule import Schedule


def sparse(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(1, 9, shape) * (rng.random(shape) < 0.4)).astype(np.float32)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_every_permutation_stores_the_same_elements(order: int) -> None:
    rng = np.random.default_rng(order)
    shape = (3, 4, 2, 3)[:order]
    values = sparse(rng, *shape)
    for have in list(permutations(range(order)))[: 8 - 2 * order + 2]:
        for wanted in permutations(range(order)):
            if have == wanted:
                continue
            source = Tensor("A", shape, Format(Format.parse("c" * order, order).levels, have))
            target = Tensor("B", shape, Format(Format.parse("c" * order, order).levels, wanted))
            program, region = copy_program(Copy(source, target))
            data = {"A": FiberTree.from_dense(values, source.format)}
            data |= {item.name: identity_tree(item) for item in Copy(source, target).identities}
            model = Model("copy", program, data, lambda: {"B": values}, "the original")
            compiled = ff.compile(model, Schedule("copy", (region,)), on_cycle="error")
            run = compiled.simulate(engine="interpreter")
            assert run.compare().max_rel_error == 0.0
            assert run.kernels[0].result.output.stored == data["A"].stored


def contradicting() -> Model:
    rng = np.random.default_rng(0)
    a, b = sparse(rng, 5, 5), sparse(rng, 5, 5)
    trees = {
        "A": FiberTree.from_dense(a, Format.parse("cc", 2)),
        "B": FiberTree.from_dense(b, Format.parse("cc:1,0", 2)),
    }
    program = ff.parse('A[5,5]: cc\nB[5,5]: "cc:1,0"\nY[i,j] = A[i,j] + B[i,j]')
    return Model("sum", program, trees, lambda: {"Y": (a + b).astype(np.float64)}, "numpy")


def test_a_cycle_copies_the_cheapest_tensor() -> None:
    model = contradicting()
    compiled = ff.compile(model)
    smaller = min("AB", key=lambda name: model.tensors[name].stored)
    copies = [region for region in compiled.regions if region.is_copy]
    assert [region.name.split("_")[1] for region in copies] == [smaller]
    assert "stores " + smaller + " again" in repr(compiled)
    run = compiled.simulate()
    assert run.check().passed
    assert run.cycles == sum(kernel.result.cycles for kernel in run.kernels)
    assert run.kernels[0].result.bytes > 0  # the copy's traffic counts


def test_a_cycle_can_be_an_error() -> None:
    with pytest.raises(FusionError, match=r"A is stored i before j; j outside i, because B is stored j before i"):
        ff.compile(contradicting(), on_cycle="error")
    with pytest.raises(ScheduleError, match="on_cycle must be one of 'copy', 'error', not 'sometimes'"):
        ff.compile(contradicting(), on_cycle="sometimes")


def test_the_papers_example_of_a_cycle() -> None:
    # A = B*C and E = B*A, both as inner products: B is needed row by row and column by column (paper §5).
    rng = np.random.default_rng(1)
    b, c = sparse(rng, 4, 4), sparse(rng, 4, 4)
    text = 'B[4,4]: cc\nC[4,4]: "cc:1,0"\nA[i,j] = B[i,k] * C[k,j]\nE[i,j] = B[i,k] * A[k,j]'
    program = ff.parse(text)
    trees = {
        "B": FiberTree.from_dense(b, Format.parse("cc", 2)),
        "C": FiberTree.from_dense(c, Format.parse("cc:1,0", 2)),
    }
    model = Model("example", program, trees, lambda: {"E": (b @ b @ c).astype(np.float64)}, "numpy")
    for schedule in ("full", "unfused"):
        assert ff.compile(model, schedule).simulate(engine="interpreter").check().passed


def test_a_result_is_stored_in_the_order_asked_for() -> None:
    rng = np.random.default_rng(2)
    a = sparse(rng, 4, 5)
    program = ff.parse('A[4,5]: cc\nY[4,5]: "cc:1,0"\nY[i,j] = relu(A[i,j])')
    tree = FiberTree.from_dense(a, Format.parse("cc", 2))
    model = Model("turned", program, {"A": tree}, lambda: {"Y": a.astype(np.float64)}, "numpy")
    compiled = ff.compile(model)
    assert [region.is_copy for region in compiled.regions] == [False, True]
    assert compiled.simulate().check().passed


def test_csc_adjacency_in_every_schedule() -> None:
    rng = np.random.default_rng(3)
    a, x, w = sparse(rng, 6, 6), rng.random((6, 4), np.float32), rng.random((4, 3), np.float32)
    program = ff.parse(
        'A[6,6]: "dc:1,0"\nX[6,4]: dd\nW[4,3]: dd\nH[i,l] = relu(A[i,k] * X[k,j] * W[j,l])\nY[i,l] = A[i,k] * H[k,l]'
    )
    layouts = {"A": (a, "dc:1,0"), "X": (x, "dd"), "W": (w, "dd")}
    trees = {name: FiberTree.from_dense(data, Format.parse(layout, 2)) for name, (data, layout) in layouts.items()}
    wanted = (a @ np.maximum(a @ x @ w, 0)).astype(np.float64)
    model = Model("csc", program, trees, lambda: {"Y": wanted}, "numpy")
    for schedule in ("full", "partial", "unfused"):
        assert ff.compile(model, schedule).simulate().check().passed
