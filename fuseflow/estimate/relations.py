"""Relations: sets of coordinate tuples, and the sums over them that every estimate is made of.

The coordinates that a stream visits are the solutions of a conjunction of relations, one per storage level that was
scanned. How many there are is a sum of products, computed one index variable at a time (variable elimination, as in the
evaluation of acyclic joins): a variable that only one relation knows costs one pass over it, so a chain of products
costs as much as its stored elements, and the number of paths of length two of a graph is the sum over its edges of the
degree. Only where relations form a cycle are two of them joined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count as numbers

import numpy as np
from numpy.typing import NDArray

Var = tuple[str, int]
"""An index variable and its size."""

Columns = tuple[NDArray[np.int64], ...]

PAIRS_JOINED = 8_000_000
"""Most pairs that a join of two relations writes down; a larger one is sampled."""

_serial = numbers()


class SampledError(Exception):
    """A join is so large that it would be sampled, and an exact answer was asked for."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Relation:
    """Distinct tuples over dimensions of the given ``sizes``, one column per dimension.

    ``weights`` is ``None`` unless the tuples are a sample: then each stands for that many. ``parent`` is a relation
    over the first columns that holds wherever this one does (the level above, for a stored level).
    """

    sizes: tuple[int, ...]
    columns: Columns
    weights: NDArray[np.float64] | None = None
    parent: "Relation | None" = None
    number: int = field(default_factory=lambda: next(_serial))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __lt__(self, other: "Relation") -> bool:
        return self.number < other.number

    @property
    def full(self) -> bool:
        """Whether it holds every tuple there is, so that it says nothing."""
        possible = 1.0
        for size in self.sizes:
            possible *= size
        return self.weights is None and len(self) == possible

    def __repr__(self) -> str:
        return f"Relation {self.number}: {len(self)} of {' x '.join(map(str, self.sizes))}"


@dataclass(frozen=True, slots=True)
class Factor:
    """A table under elimination: tuples of ``variables`` with weights; tuples may repeat and then add up."""

    variables: tuple[Var, ...]
    columns: Columns
    weights: NDArray[np.float64] | None

    def without(self, variable: Var) -> "Factor":
        kept = [place for place, name in enumerate(self.variables) if name != variable]
        return Factor(
            tuple(self.variables[place] for place in kept), tuple(self.columns[place] for place in kept), self.weights
        )

    def times(self, vector: NDArray[np.float64], variable: Var) -> "Factor":
        found = vector[self.columns[self.variables.index(variable)]]
        keep = found != 0
        if self.weights is not None:
            found = found * self.weights
        if keep.all():
            return Factor(self.variables, self.columns, found)
        return Factor(self.variables, tuple(column[keep] for column in self.columns), found[keep])

    def vector(self) -> NDArray[np.float64]:
        """A table of one variable as weights by coordinate."""
        return np.bincount(self.columns[0], weights=self.weights, minlength=self.variables[0][1]).astype(np.float64)

    def existing(self) -> NDArray[np.float64]:
        """A table of one variable as 1 for every coordinate that occurs (or the weight of a sampled one), else 0."""
        if self.weights is None:
            return (self.vector() > 0).astype(np.float64)
        found = np.zeros(self.variables[0][1])
        np.maximum.at(found, self.columns[0], self.weights)
        return found

    @property
    def total(self) -> float:
        return float(len(self.columns[0])) if self.weights is None else float(self.weights.sum())


@dataclass(slots=True)
class Elimination:
    """Sums a product of tables over variables, one after the other.

    ``boolean`` asks only whether there is a tuple: every tuple counts once (or as often as a sample says). ``exact``
    raises SampledError where a join would be sampled.
    """

    boolean: bool
    exact: bool = False
    vectors: dict[Var, NDArray[np.float64]] = field(default_factory=dict)
    tables: list[Factor] = field(default_factory=list)
    scalar: float = 1.0

    def add(self, factor: Factor) -> None:
        if not factor.variables:
            total = factor.total
            self.scalar *= float(total > 0) if self.boolean else total
        elif len(factor.variables) == 1:
            vector = factor.existing() if self.boolean else factor.vector()
            (variable,) = factor.variables
            self.vectors[variable] = self.vectors[variable] * vector if variable in self.vectors else vector
        else:
            self.tables.append(factor)

    def run(self, variables: Iterable[Var]) -> None:
        """Sum over ``variables``: always next the one that the fewest tables know."""
        left = list(variables)
        while left:
            cheapest = min(left, key=lambda name: sum(name in table.variables for table in self.tables))
            left.remove(cheapest)
            self._eliminate(cheapest)

    def _eliminate(self, variable: Var) -> None:
        vector = self.vectors.pop(variable, None)
        involved = [table for table in self.tables if variable in table.variables]
        if not involved:
            total = float(variable[1]) if vector is None else float(vector.sum())
            self.scalar *= float(total > 0) if self.boolean else total
            return
        self.tables = [table for table in self.tables if variable not in table.variables]
        if vector is not None:
            involved[0] = involved[0].times(vector, variable)
        while len(involved) > 1:
            involved.sort(key=lambda table: len(table.columns[0]))
            first, second = involved.pop(0), involved.pop(0)
            involved.append(join(first, second, self.exact))
        summed = involved[0].without(variable)
        if self.boolean and len(summed.variables) > 1:
            summed = distinct(summed)
        self.add(summed)


def _keys(factor: Factor, variables: Sequence[Var]) -> NDArray[np.int64]:
    """One integer per tuple that tells the values of ``variables`` apart."""
    key = np.zeros(len(factor.columns[0]), np.int64)
    for variable in variables:
        key = key * max(variable[1], 1) + factor.columns[factor.variables.index(variable)]
    return key


def distinct(factor: Factor) -> Factor:
    """Every tuple once; a sampled tuple keeps the largest weight it occurs with."""
    keys = _keys(factor, factor.variables)
    if factor.weights is None:
        _, first = np.unique(keys, return_index=True)
        return Factor(factor.variables, tuple(column[first] for column in factor.columns), None)
    order = np.lexsort((-factor.weights, keys))
    ordered = keys[order]
    first = order[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(order) else order
    return Factor(factor.variables, tuple(column[first] for column in factor.columns), factor.weights[first])


def join(left: Factor, right: Factor, exact: bool = False) -> Factor:
    """Pairs of tuples that agree on the variables both have, with the product of their weights.

    Where there are more than ``PAIRS_JOINED`` of them, only some coordinates of a variable that ``left`` alone has are
    joined, all their tuples of them, and weighted up; with ``exact``, SampledError is raised instead.
    """
    shared = [variable for variable in left.variables if variable in right.variables]
    left_keys, right_keys = _keys(left, shared), _keys(right, shared)
    order = np.argsort(right_keys, kind="stable")
    ordered = right_keys[order]
    start = np.searchsorted(ordered, left_keys, "left")
    lengths = np.searchsorted(ordered, left_keys, "right") - start
    chosen = np.arange(len(left_keys))
    scale = 1.0
    pairs = int(lengths.sum())
    if pairs > PAIRS_JOINED:
        if exact:
            raise SampledError(f"{pairs:,} pairs")
        own = next((place for place, name in enumerate(left.variables) if name not in shared), 0)
        size = left.variables[own][1]
        kept = np.zeros(size, np.bool_)
        kept[np.random.default_rng(0).permutation(size)[:: -(-pairs // PAIRS_JOINED)]] = True
        chosen = np.flatnonzero(kept[left.columns[own]])
        scale = pairs / max(int(lengths[chosen].sum()), 1)
    start, lengths = start[chosen], lengths[chosen]
    total = int(lengths.sum())
    picked = np.repeat(chosen, lengths)
    offsets = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    other = order[np.repeat(start, lengths) + offsets]
    extra = [place for place, variable in enumerate(right.variables) if variable not in shared]
    columns = (*(column[picked] for column in left.columns), *(right.columns[place][other] for place in extra))
    weights = None
    if left.weights is not None or right.weights is not None or scale != 1.0:
        weights = np.full(total, scale)
        if left.weights is not None:
            weights *= left.weights[picked]
        if right.weights is not None:
            weights *= right.weights[other]
    return Factor((*left.variables, *(right.variables[place] for place in extra)), columns, weights)
