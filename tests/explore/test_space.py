"""The design space: what it counts, and what it refuses."""

import pytest

from fuseflow.einsum import Program, parse
from fuseflow.errors import ScheduleError
from fuseflow.explore import Space
from fuseflow.explore.space import Lattice, OrderCounts
from fuseflow.schedule import Iteration

CHAIN = parse("a[3]: d\nb[i] = a[i] + 1\nc[i] = b[i] * 2\nd[i] = exp(c[i])\ne[i] = d[i] + b[i]")
DIAMOND = parse("a[3]: d\nb[i] = exp(a[i])\nc[i] = relu(a[i])\nd[i] = b[i] + c[i]")


def count(space: Space, program: Program = CHAIN) -> tuple[int, int, bool]:
    space.check(program)
    return Lattice(program, space).count(OrderCounts(program, space))


def test_counts() -> None:
    assert count(Space()) == (8, 8, True)
    both = Space(iterations=(Iteration.FACTORED, Iteration.GLOBAL))
    assert count(both) == (8, 8, True)  # no region has a chain of products: both styles are the same
    assert count(Space(iterations=(Iteration.GLOBAL,))) == (8, 8, True)
    # b,c,d in contiguous pieces: 4; not contiguous: {b,d},{c}, where c comes first.
    # A region of b and c has two results, each with an index variable of its own: two orders.
    assert count(Space(), DIAMOND) == (4, 5, True)
    assert count(Space("legal"), DIAMOND) == (5, 6, True)
    assert count(Space("legal")) == (8, 8, True)
    assert count(Space(together=(("b", "c"),))) == (4, 4, True)
    assert count(Space(apart=(("b", "c"),))) == (4, 4, True)
    assert count(Space(together=(("b", "d"),))) == (2, 2, True)


def test_orders_multiply() -> None:
    program = parse("A[3,3]: dd\nB[3,3]: dd\nx[i,j] = A[i,k] * B[k,j]\ny[i,j] = exp(x[i,j])")
    assert count(Space(), program) == (2, 1 + 1, True)
    free = parse("A[3]: d\nB[4]: d\nx[i,j] = A[i] * B[j]")
    assert count(Space(), free) == (1, 2, True)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (Space(iterations=()), "the space is empty: it has no iteration style"),
        (Space(machines=()), "the space is empty: it has no machine"),
        (Space(partitions="all"), "partitions must be one of 'contiguous', 'legal', not 'all'"),
        (Space(together=(("b", "zz"),)), "statement 'zz', which the program lacks; it has b, c, d, e"),
        (Space(apart=(("b", "b"),)), "apart must hold pairs of two statements"),
        (Space(together=(("b", "c"), ("c", "d")), apart=(("b", "d"),)), "b and d must be apart, but together asks"),
        (Space(formats={"b": ("d",)}), "'b', which is no stored tensor of the program; it has a"),
        (Space(formats={"a": ()}), "formats gives no format for 'a'"),
        (Space(orders=0), "orders must be 1 or more, not 0"),
    ],
)
def test_bad_spaces(space: Space, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        space.check(CHAIN)
