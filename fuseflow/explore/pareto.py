"""The Pareto front: candidates that no other one beats in every respect."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pareto_front(costs: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """Which rows of ``costs`` (smaller is better in every column) no other row beats.

    A row beats another one that it is nowhere worse and somewhere better than. Rows with NaN are on no front.
    """
    table = np.asarray(costs, np.float64).reshape(len(costs), len(costs[0]) if costs else 0)
    front: NDArray[np.bool_] = np.logical_not(np.isnan(table).any(axis=1))
    for row in np.flatnonzero(front):
        others = table[front]
        beaten = (others <= table[row]).all(axis=1) & (others < table[row]).any(axis=1)
        front[row] = not beaten.any()
    return front
