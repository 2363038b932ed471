"""Numbers of dataflow orders: against enumeration, and against the published counts."""

from itertools import combinations

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.fusion import Constraint, OrderCount, PartialOrder, count_orders, fuse
from fuseflow.schedule import Schedule


def order(variables: str, *edges: str) -> PartialOrder:
    return PartialOrder(tuple(variables), tuple(Constraint(edge[0], edge[1], "stored") for edge in edges))


def test_counts_are_those_of_the_enumeration() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        size = int(rng.integers(0, 7))
        names = "abcdef"[:size]
        edges = [first + second for first, second in combinations(names, 2) if rng.random() < 0.3]
        found = order(names, *edges)
        assert count_orders(found) == OrderCount(sum(1 for _ in found.orders()))


def test_parts_without_constraints_between_them_interleave() -> None:
    assert count_orders(order("abcdefghijklmnopqrst")).orders == 2432902008176640000
    assert count_orders(order("abxy", "ab", "xy")).orders == 6


def test_estimate_where_there_are_too_many_sets() -> None:
    edges = [f"{a}{b}" for a, b in ("ab", "bc", "cz", "dz", "ez", "fz", "gz", "hz", "iz")]
    exact = count_orders(order("abcdefghiz", *edges))
    rough = count_orders(order("abcdefghiz", *edges), sets_counted=10)
    assert exact.exact and not rough.exact
    assert rough.orders == pytest.approx(exact.orders, rel=5 * rough.relative_error)
    assert repr(rough).startswith("about")


def full(program: ff.Program) -> tuple[int, int]:
    """Orders with duplicates merged, and as the published compiler counts them."""
    region = fuse(program, Schedule.full(program).regions[0])
    return region.count_orders().orders, region.count_orders(duplicates=True).orders


def test_chains_have_one_order() -> None:
    assert full(ff.parse("A[4,4]: cc\nX[4,2]: dd\nT[i,j] = A[i,k] * X[k,j]")) == (1, 1)
    chain = "A[4,4]: cc\nX[4,2]: dd\nW[2,3]: cc\nY[i,l] = A[i,k] * X[k,j] * W[j,l]"
    assert full(ff.parse(chain)) == (1, 1)


def test_nested_matmul_without_constraints() -> None:
    program = ff.parse("A[4,4]: cc\nX[4,2]: dd\nW[2,3]: cc\nY[i,l] = A[i,k] * X[k,j] * W[j,l]")
    fused = fuse(program, Schedule.full(program).regions[0])
    assert fused.count_orders(constrained=False).orders == 24


def test_table_4() -> None:
    # Paper: GCN 2e8 (where its count was capped) and 6.3e7, GraphSAGE 3.9e7 and 1.1e3.
    counts = {}
    for name in ("gcn", "graphsage"):
        model = getattr(ff.models, name)("karate")
        fused = fuse(model.program, Schedule.full(model).regions[0])
        columns = [fused.count_orders(duplicates=True, constrained=constrained) for constrained in (False, True)]
        counts[name] = [column.orders for column in columns]
    assert counts == {"gcn": [6_402_373_705_728_000, 63_063_000], "graphsage": [39_916_800, 1134]}
    # The GCN's are one and the same order once uses that agree are one; GraphSAGE has no such duplicates.
    assert [full(getattr(ff.models, name)("karate").program)[0] for name in counts] == [1, 1134]


def test_gcn() -> None:
    model = ff.models.gcn("karate")
    assert full(model.program) == (1, 63_063_000)  # compiler notes §2.4; paper Table 4: 6.3e7
    second = Schedule.partial(model).regions[1]
    assert fuse(model.program, second).count_orders(duplicates=True).orders == 2520
