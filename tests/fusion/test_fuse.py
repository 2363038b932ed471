"""Cross-expression fusion: views, sharing, and what constrains the order."""

import pytest

import fuseflow as ff
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.fusion import FusedRegion, Leaf, fuse
from fuseflow.schedule import Region, Schedule


def fused(text: str) -> FusedRegion:
    program = ff.parse(text)
    return fuse(program, Schedule.full(program).regions[0])


def views(region: FusedRegion) -> list[str]:
    return [f"{view.name}[{','.join(view.variables)}]" for view in region.views]


def test_fresh_variables_for_reductions() -> None:
    region = fused("A[4,4]: cc\nT[i,j] = A[i,k] * A[k,j]\nY[i,j] = A[i,k] * T[k,j]")
    assert views(region) == ["A[i,k]", "A[k,k2]", "A[k2,j]", "T[k,j]", "Y[i,j]"]


def test_equal_uses_are_one_view() -> None:
    region = fused("A[4,4]: cc\nX[4,2]: dd\nT[i,j] = A[i,k] * X[k,j]\nY[i,j] = T[i,j] * T[i,j]")
    assert views(region).count("T[i,j]") == 1


def test_softmax_runs_over_one_variable() -> None:
    region = fused("X[3,4]: dd\nE[i,j] = exp(X[i,j] - max[j](X[i,j]))\nY[i,j] = E[i,j] / sum[j](E[i,j])")
    assert region.partial_order.variables == ("i", "j")
    assert [view.name for view in region.views if isinstance(view, Leaf)] == ["X"]


def test_filtered_softmax_keeps_its_own_variable() -> None:
    # M stores fewer columns than X: the maximum must still be over all of X.
    region = fused("X[3,4]: dd\nM[3,4]: cc\nD[i,j] = X[i,j] - max[j](X[i,j])\nY[i,j] = D[i,j] * M[i,j]")
    assert region.partial_order.variables == ("i", "j", "j2")


def test_storage_orders_that_contradict_each_other() -> None:
    text = 'A[3,3]: cc\nB[3,3]: "cc:1,0"\nY[i,j] = A[i,j] * B[i,j]'
    with pytest.raises(FusionError, match=r"A is stored i before j; j outside i, because B is stored j before i"):
        fused(text).partial_order.require_acyclic()


def test_maximum_is_innermost() -> None:
    with pytest.raises(FusionError, match="i outside j, because the maximum Y is taken over innermost fibers"):
        fused('X[3,4]: "dd:1,0"\nY[i] = max(X[i,j])').partial_order.require_acyclic()


def test_a_result_that_the_region_reads_on_is_computed_once() -> None:
    program = ff.parse("A[3]: d\nT[i] = exp(A[i])\nU[i] = relu(T[i])\nY[i] = T[i] + U[i]")
    region = fuse(program, Region("both", ("T", "U")))
    assert [root.name for root in region.roots] == ["U", "T"]
    assert views(region) == ["A[i]", "T[i]", "U[i]"]


def test_a_result_that_is_only_read_in_part_is_computed_apart() -> None:
    program = ff.parse("A[3]: d\nM[3]: c\nT[i] = exp(A[i])\nU[i] = T[i] * M[i]\nreturn T, U")
    region = fuse(program, Region("both", ("T", "U")))
    assert views(region) == ["A[i]", "T[i]", "M[i]", "U[i]", "A[i2]", "T[i2]"]


def test_orders_of_statements() -> None:
    program = ff.parse("A[4,4]: dd\nX[4,2]: dd\nT[i,j] = A[i,k] * X[k,j]")
    names = ("T",)
    assert list(fuse(program, Region("all", names)).orders()) == [("i", "k", "j")]
    with pytest.raises(ScheduleError, match="order i j of T must name every index variable of the statement once: i k"):
        fuse(program, Region("all", names, orders=(("T", ("i", "j")),)))
    contradicting = fuse(program, Region("all", names, orders=(("T", ("i", "j", "k")),)))
    with pytest.raises(FusionError, match="X is stored k before j"):
        contradicting.partial_order.require_acyclic()


def test_results_that_sum_what_is_made_of_one_tensor_share_it() -> None:
    text = "A[4,4]: cc\nX[4,2]: dd\nT[i,k] = A[i,j] * X[j,k]\nP[i] = sum[k](exp(T[i,k]))\nQ[i] = sum[k](relu(T[i,k]))"
    program = ff.parse(text + "\nreturn P, Q")
    region = fuse(program, Schedule.full(program).regions[0])
    assert [view for view in views(region) if view.startswith("T")] == ["T[i,k]"]


def test_a_region_that_computes_a_tensor_too_often_is_refused() -> None:
    lines = ["A[4,4]: cc", "X0[4,2]: dd"]
    lines += [f"X{n + 1}[i,k] = X{n}[i,k] + relu(A[i,j] * X{n}[j,k])" for n in range(11)]
    with pytest.raises(FusionError, match=r"would compute more than 1500 tensors, '.*' alone .* times"):
        fused("\n".join(lines))
    chain = ["X0[4]: d"] + [f"X{n + 1}[i] = tanh(X{n}[i])" for n in range(200)]
    with pytest.raises(FusionError, match="more than 150 statements one inside the other; end it at"):
        fused("\n".join(chain))


def test_repr_shows_views_and_reasons() -> None:
    text = repr(fused("A[4,4]: cc\nX[4,2]: dd\nT[i,j] = A[i,k] * X[k,j]"))
    assert "T[i,j] from A[i,k], X[k,j] over k" in text
    assert "i -> k: A is stored i before k" in text
