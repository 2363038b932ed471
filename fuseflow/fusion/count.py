"""How many dataflow orders a partial order allows (paper Table 4; compiler notes §2.4).

A linear extension adds one variable after the other; what may come next depends only on the set placed so far. So they
are counted over these sets (downsets), not over the orders. Parts of the graph that no constraint connects are counted
apart and interleaved freely. Where there are too many sets, the number is estimated from random orders (Knuth's
estimator: the product of the number of choices at every step is right on average).
"""

from dataclasses import dataclass
from itertools import pairwise
from math import comb, sqrt
from random import Random

import networkx as nx

from fuseflow.fusion.order import Constraint, PartialOrder
from fuseflow.fusion.views import Leaf, Operation, View

SETS_COUNTED = 1_000_000
"""Most downsets of one size for which the count stays exact."""

ORDERS_SAMPLED = 4_000


@dataclass(frozen=True, slots=True)
class OrderCount:
    """Number of legal dataflow orders: exact, or an estimate with its relative standard error."""

    orders: int
    exact: bool = True
    relative_error: float = 0.0

    def __repr__(self) -> str:
        return f"{self.orders:,}" if self.exact else f"about {self.orders:.3g} (± {self.relative_error:.0%})"


def count_orders(order: PartialOrder, sets_counted: int = SETS_COUNTED) -> OrderCount:
    """Number of orders that :meth:`PartialOrder.orders` enumerates.

    Exact unless more than ``sets_counted`` downsets of one size occur. Raises FusionError for a cyclic order.
    """
    order.require_acyclic()
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(order.variables)
    graph.add_edges_from((item.outer, item.inner) for item in order.constraints)
    total, placed, exact, variance = 1, 0, True, 0.0
    for part in nx.connected_components(graph):
        chosen = tuple(name for name in order.variables if name in part)
        constraints = [item for item in order.constraints if item.outer in part]
        found = _count_connected(chosen, constraints, sets_counted)
        placed += len(chosen)
        total *= found.orders * comb(placed, len(chosen))
        exact, variance = exact and found.exact, variance + found.relative_error**2
    return OrderCount(total, exact, sqrt(variance))


def _count_connected(variables: tuple[str, ...], constraints: list[Constraint], limit: int) -> OrderCount:
    place = {name: number for number, name in enumerate(variables)}
    outer = [0] * len(variables)
    for item in constraints:
        outer[place[item.inner]] |= 1 << place[item.outer]
    ways = {0: 1}
    for _ in variables:
        larger: dict[int, int] = {}
        for chosen, count in ways.items():
            for number, needed in enumerate(outer):
                bit = 1 << number
                if not chosen & bit and needed & ~chosen == 0:
                    larger[chosen | bit] = larger.get(chosen | bit, 0) + count
        if len(larger) > limit:
            return _sampled(outer)
        ways = larger
    return OrderCount(next(iter(ways.values())))


def _sampled(outer: list[int]) -> OrderCount:
    random = Random(0)
    products: list[float] = []
    for _ in range(ORDERS_SAMPLED):
        chosen, product = 0, 1.0
        for _ in outer:
            ready = [
                number for number, needed in enumerate(outer) if not chosen >> number & 1 and needed & ~chosen == 0
            ]
            product *= len(ready)
            chosen |= 1 << random.choice(ready)
        products.append(product)
    mean = sum(products) / len(products)
    variance = sum((item - mean) ** 2 for item in products) / (len(products) - 1)
    return OrderCount(int(mean), False, sqrt(variance / len(products)) / mean)


def published_order(roots: tuple[Operation, ...], kept: frozenset[tuple[str, tuple[str, ...], str]]) -> PartialOrder:
    """The partial order as the published compiler builds it, for its counts: storage orders alone, and every use of a
    result instantiated anew with reduced variables of its own, even where the uses agree.

    ``kept`` are reductions over a variable of their consumer (statement, variables, index), which stay shared.
    """
    variables: dict[str, None] = {}
    constraints: dict[tuple[str, str], Constraint] = {}
    used: dict[str, int] = {}

    def instance(view: View, names: dict[str, str]) -> None:
        if isinstance(view, Leaf):
            levels = [names.get(name, name) for name in view.level_variables]
            variables.update(dict.fromkeys(levels))
            for outer, inner in pairwise(levels):
                constraints.setdefault((outer, inner), Constraint(outer, inner, f"{view.name} is stored so"))
            return
        inside = dict(names)
        for index, variable in zip(view.statement.reduced, view.reduced, strict=True):
            if (view.name, view.variables, index) not in kept:
                used[variable] = used.get(variable, 0) + 1
                if used[variable] > 1:
                    inside[variable] = f"{variable}'{used[variable]}"
        for operand in view.operands:
            instance(operand, inside)

    for root in roots:
        instance(root, {})
    return PartialOrder(tuple(variables), tuple(constraints.values()))
