"""Programs that once gave a wrong graph, as small as they could be made, in both engines."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import FusionError
from fuseflow.fusion import fuse
from fuseflow.models import Model
from fuseflow.schedule import Region, Schedule


def check(model: Model, schedule: str = "full") -> None:
    compiled = ff.compile(model, schedule)
    for engine in ("compiled", "interpreter"):
        assert compiled.simulate(engine=engine).check().passed


def matrix(rows: int, columns: int, *elements: tuple[int, int, float]) -> np.ndarray:
    values = np.zeros((rows, columns), np.float32)
    for row, column, value in elements:
        values[row, column] = value
    return values


def test_two_products_need_the_same_operand() -> None:
    # S*B + S*C: the intersection with B drops elements of S that S*C needs.
    text = """
    S[4]: c
    B[4]: c
    C[4]: c
    Y[i] = S[i] * B[i] + S[i] * C[i]
    """
    values = {"S": [1, 2, 0, 4], "B": [5, 0, 6, 0], "C": [0, 7, 8, 0]}
    check(ff.einsum(_dedent(text), **{name: np.array(data, np.float32) for name, data in values.items()}))


def test_union_of_intersections() -> None:
    text = "A[4]: c\nB[4]: c\nC[4]: c\nD[4]: c\nY[i] = A[i] * B[i] + C[i] * D[i]"
    rng = np.random.default_rng(0)
    for _ in range(10):
        data = {name: (rng.random(4) < 0.5).astype(np.float32) * 3 for name in "ABCD"}
        check(ff.einsum(text, **data))


def test_addition_with_different_empty_rows() -> None:
    text = "A[3,3]: cc\nB[3,3]: cc\nY[i,j] = A[i,j] + B[i,j]"
    check(ff.einsum(text, A=matrix(3, 3, (0, 1, 2.0)), B=matrix(3, 3, (2, 0, 3.0), (2, 2, 1.0))))


def test_bias_reaches_absent_rows() -> None:
    text = "A[3,3]: cc\nX[3,2]: dd\nb[2]: d\nT[i,j] = A[i,k] * X[k,j]\nY[i,j] = T[i,j] + b[j]"
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    check(ff.einsum(text, A=matrix(3, 3, (0, 1, 2.0)), X=x, b=np.array([1, -1], np.float32)))


def test_maximum_counts_unstored_zeros() -> None:
    check(ff.einsum("A[2,3]: dc\nY[i] = max(A[i,j])", A=matrix(2, 3, (0, 0, -1.0), (1, 2, 5.0))))


def test_maximum_is_not_shared_with_a_consumer_that_iterates_less() -> None:
    text = "A[3,2]: dc\nM[i] = max(A[i,k])\nY[i,k] = A[i,k] * M[i]"
    check(ff.einsum(text, A=matrix(3, 2, (0, 0, -3.0), (1, 1, 3.0))))


def test_reduction_is_not_shared_against_the_storage_order() -> None:
    # T reduces over k, its consumer iterates k outside of l: T cannot be ready in time.
    text = "A[2,3]: cc\nT[l] = A[k,l] * A[k,l]\nY[l] = T[l] * A[k,l]"
    check(ff.einsum(text, A=np.arange(6, dtype=np.float32).reshape(2, 3)))


def test_reduction_is_not_shared_with_an_index_it_is_recomputed_for() -> None:
    text = "A[3,1]: cd\nB[3]: c\nC[1,4]: dd\nT[m] = A[l,m] * B[i]\nU[j] = C[m,j] * T[m]\nY[i,j] = B[i] * U[j]"
    a, c = np.ones((3, 1), np.float32), np.ones((1, 4), np.float32)
    check(ff.einsum(text, A=a, B=np.array([1, 0, 2], np.float32), C=c))


def test_reduction_is_not_shared_through_another_reduction() -> None:
    text = "A[3]: d\nB[3]: d\nC[4]: c\nT[l] = A[i] * B[l]\nU[j] = B[l] * C[j]\nY[j,l] = T[l] * U[j]"
    check(ff.einsum(text, A=np.ones(3), B=np.array([1, 2, 3]), C=np.array([0, 1, 0, 2])))


def test_accumulator_of_order_two_has_no_row_without_a_value() -> None:
    text = (
        'A[1,3]: "cc:1,0"\nB[2,1]: dc\ns: ""\nT[k,m] = A[m,l] * B[k,m]\nU[k,m] = s - T[k,m]\nY[k,m] = T[k,m] + U[k,m]'
    )
    check(ff.einsum(text, A=np.array([[1, 0, 2]]), B=np.array([[0], [3]]), s=np.array(1.0)))


def test_locate_below_the_outermost_level_counts_from_its_parent() -> None:
    text = "X[3,4]: dd\nW[4,2]: cc\nY[i,j] = X[i,k] * W[k,j]"
    model = ff.einsum(text, X=np.arange(12).reshape(3, 4), W=matrix(4, 2, (1, 0, 1.0), (3, 1, 2.0)))
    graph = ff.compile(model).regions[0].graph
    assert any(node.block.kind == "locate" and len(node.inputs) == 3 for node in graph)
    check(model)


def test_mask_counts_unstored_zeros_of_its_operand() -> None:
    text = "A[4]: c\nM[4]: c\nT[j] = mask(A[j], M[j])\nY = max(T[j])"
    check(ff.einsum(text, A=np.array([-2, 0, 0, 0]), M=np.array([1, 1, 0, 0])))


def test_product_with_a_masked_operand_counts_unstored_zeros() -> None:
    text = "A[3]: d\nB[3]: c\nM[3]: c\nT[i] = mask(A[i], M[i])\nU[i] = T[i] * B[i]\nY[i] = exp(U[i])"
    check(ff.einsum(text, A=np.ones(3), B=np.array([0, 0, 2.0]), M=np.array([1, 0, 1])))


def test_masked_softmax_with_an_empty_row() -> None:
    text = """
    S[3,3]: dd
    M[3,3]: cc
    V[3,2]: dd
    P[m,n] = mask(S[m,n], M[m,n])
    E[m,n] = exp(P[m,n] - max[n](P[m,n]))
    R[m,n] = E[m,n] / sum[n](E[m,n])
    O[m,e] = R[m,n] * V[n,e]
    """
    rng = np.random.default_rng(1)
    data = {"S": rng.normal(size=(3, 3)), "V": rng.normal(size=(3, 2))}
    check(ff.einsum(_dedent(text), M=matrix(3, 3, (0, 0, 1.0), (0, 2, 1.0), (2, 1, 1.0)), **data))


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("P[i,j,k] = -c[i,j,k]\nT[i,l] = A[l,k] * P[i,j,k]", {"A": (4, 2), "c": (0, 3, 2)}),
        ("P[i,k,l,m] = -b[i,k,l,m]\nT[k,l] = A[k,m] * P[i,k,l,m]", {"A": (3, 4), "b": (0, 3, 4, 4)}),
        ("P[i,j] = b[i,k] * c[k,j]\nT[i,j] = exp(P[i,j])", {"b": (3, 0), "c": (0, 4)}),
    ],
)
@pytest.mark.parametrize("schedule", ["unfused", "full"])
def test_dimensions_of_size_zero(text: str, shapes: dict[str, tuple[int, ...]], schedule: str) -> None:
    check(ff.einsum(text, **{name: np.ones(shape) for name, shape in shapes.items()}), schedule)


def test_sum_of_nothing_is_refused_where_it_would_become_a_number() -> None:
    text = "A[2,2]: dd\nM[2]: c\nT[i,l] = mask(A[i,l], M[l])\nU[i] = sum(T[i,l])\nY[i] = sigmoid(U[i])"
    model = ff.einsum(text, A=np.ones((2, 2)), M=np.zeros(2))
    with pytest.raises(FusionError, match="take the reduction of nothing for a number"):
        ff.compile(model)


def test_sum_of_zeros_that_a_mask_keeps_is_there() -> None:
    # A stores nothing, but along j the mask does: T[j] is 0 there, not absent, and takes part in the maximum.
    text = """
    A[1]: c
    M[3,4]: dc
    B[4,3]: dc
    S[l,m,j] = mask(A[m], M[l,j])
    T[j] = sum[l,m](S[l,m,j])
    Y[l,j] = max(B[j,l], T[j])
    """
    mask = matrix(3, 4, (0, 2, 2.0), (0, 3, 1.0), (2, 2, 1.0))
    values = matrix(4, 3, (0, 1, 2.0), (2, 0, -3.0), (2, 1, -2.0), (3, 0, -2.0), (3, 1, 2.0))
    check(ff.einsum(_dedent(text), A=np.zeros(1, np.float32), M=mask, B=values))


def test_outer_level_of_an_accumulator_inside_a_larger_join() -> None:
    text = """
    A[3,2,4]: ccd
    v[3]: c
    B[4,2,3]: "ccc:1,0,2"
    S[j,k] = A[l,k,j] * A[l,k,j]
    T[k,j] = A[l,k,j] * v[l]
    Y[j,k] = max(T[k,j], S[j,k]) * B[j,k,l]
    """
    rng = np.random.default_rng(0)
    data = {"A": rng.random((3, 2, 4)), "v": rng.random(3), "B": rng.random((4, 2, 3)) * (rng.random((4, 2, 3)) < 0.5)}
    check(ff.einsum(_dedent(text), **{name: item.astype(np.float32) for name, item in data.items()}))


def test_a_result_that_lost_its_empty_fibers_is_not_full() -> None:
    # Row 1 of A is empty, so row 1 of T is dropped: later kernels must not take the rows of T for complete.
    text = """
    A[3,1]: dc
    v[4]: c
    T[i,j,m] = mask(v[j], A[i,m])
    U[i,j] = T[i,j,m] * v[j]
    Y[m,j,i] = A[i,m] - U[i,j]
    """
    data = {"A": matrix(3, 1, (0, 0, 2.0), (2, 0, 3.0)), "v": np.array([1, 0, 2, 3], np.float32)}
    check(ff.einsum(_dedent(text), **data), "unfused")


def test_a_sum_of_masked_products_is_zero_where_the_mask_stores_nothing() -> None:
    text = """
    A[1]: c
    M[3,2]: dc
    N[2,2]: cc
    S[k,m,l] = mask(A[m], M[l,k])
    T[k,l] = S[k,m,l] * S[k,m,l]
    Y[l,k,i] = mask(T[k,l], N[i,k])
    """
    data = {"A": np.ones(1, np.float32), "M": matrix(3, 2, (2, 0, 1.0)), "N": matrix(2, 2, (0, 0, 1.0), (0, 1, 2.0))}
    model = ff.einsum(_dedent(text), **data)
    check(model, "unfused")
    region = Schedule.full(model).regions[0]
    for order in fuse(model.program, region).orders():
        try:
            compiled = ff.compile(model, Schedule("all", (Region("all", region.statements, order),)))
        except FusionError:
            continue
        assert compiled.simulate(engine="interpreter").check().passed, order


def _dedent(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
