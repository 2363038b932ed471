"""Synthetic twins: random graphs with the exact sizes of real ones.

Same number of nodes, of stored edges and of feature nonzeros; power-law degrees; symmetric where the real graph is;
every node touches an edge. They do not imitate communities or correlate features with labels. A function of their
arguments: the same seed gives the same twin.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fuseflow.datasets.catalog import FeatureKind
from fuseflow.errors import DataError

RANK_EXPONENT = 0.62
"""Chance of the node of rank r is proportional to (r + 1) ** -0.62: degrees follow a power law with exponent 2.6.

Chosen so that the number of two-step paths, which decides what a fully fused graph network costs, is that of the real
Cora (115,158) and Cora_ML (292,482) to within a tenth.
"""

_EDGES, _FEATURES, _LABELS = range(3)
"""One random stream for each part, so that a part does not depend on which others were made."""


def adjacency(
    nodes: int,
    stored_edges: int,
    *,
    symmetric: bool,
    seed: int = 0,
    exponent: float = RANK_EXPONENT,
    out_everywhere: bool = False,
) -> Any:
    """A csr_array (nodes, nodes) of float32 ones without self loops, with exactly ``stored_edges`` stored.

    Every node has an edge (of either direction, if not ``symmetric``; with ``out_everywhere`` one that goes out).
    ``exponent`` is the steepness of the degree law, 0 for ends drawn evenly. Raises DataError if no such graph exists.
    """
    pairs = stored_edges // 2 if symmetric else stored_edges
    most = nodes * (nodes - 1) // (2 if symmetric else 1)
    least = nodes if out_everywhere else (nodes + 1) // 2
    if (symmetric and stored_edges % 2) or not least <= pairs <= most or nodes == 1:
        raise DataError(
            f"no {'symmetric' if symmetric else 'directed'} graph without self loops has {nodes} nodes, an edge at "
            f"each and {stored_edges} stored edges: it takes 2 nodes or more, and {least} to {most} "
            f"{'undirected edges, each stored twice' if symmetric else 'edges'}"
        )
    random = np.random.default_rng([seed, _EDGES])
    cover = _ring(random, nodes, symmetric) if out_everywhere else _cover(random, nodes, symmetric)
    drawn = _distinct(random, cover, pairs, nodes, symmetric, exponent)
    rows, columns = drawn // nodes, drawn % nodes
    if symmetric:
        rows, columns = np.concatenate((rows, columns)), np.concatenate((columns, rows))
    ones = np.ones(len(rows), np.float32)
    matrix = sparse.csr_array(sparse.coo_array((ones, (rows, columns)), shape=(nodes, nodes)))
    matrix.sort_indices()
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


def features(nodes: int, width: int, nonzeros: int, kind: FeatureKind, *, seed: int = 0) -> Any:
    """A csr_array (nodes, width) of float32 with exactly ``nonzeros`` stored, at least one per node, none zero.

    Columns of sparse kinds are used as words are: a few often, most of them seldom. Raises DataError if the count does
    not fit the sizes and the kind.
    """
    random = np.random.default_rng([seed, _FEATURES])
    if kind is FeatureKind.IDENTITY and not nodes == width == nonzeros:
        raise DataError(
            f"identity features of {nodes} nodes need {nodes} columns and nonzeros, not {width} x {nonzeros}"
        )
    if kind is FeatureKind.DENSE and nonzeros != nodes * width:
        raise DataError(f"dense features of {nodes} x {width} have {nodes * width} nonzeros, not {nonzeros}")
    if not nodes <= nonzeros <= nodes * width:
        raise DataError(f"features of {nodes} x {width} have {nodes} to {nodes * width} nonzeros, not {nonzeros}")
    if kind is FeatureKind.IDENTITY:
        return sparse.eye_array(nodes, dtype=np.float32, format="csr")
    if kind is FeatureKind.DENSE:
        values = random.standard_normal(nonzeros, dtype=np.float32)
        values[values == 0] = 1
        columns = np.tile(np.arange(width, dtype=np.int32), nodes)
        return sparse.csr_array((values, columns, _segments(np.full(nodes, width))), shape=(nodes, width))
    popularity = _by_rank(random, width)
    first = np.arange(nodes) * width + _draw(random, popularity, nodes)
    drawn = first
    while len(drawn) < nonzeros:
        missing = nonzeros - len(drawn)
        more = random.integers(nodes, size=missing + missing // 4 + 16) * width
        drawn = _first_distinct(np.concatenate((drawn, more + _draw(random, popularity, len(more)))), nonzeros)
        if len(drawn) - (nonzeros - missing) < missing // 16:
            # Popular columns are full: spread what is left evenly.
            popularity = np.linspace(1 / width, 1, width)
    drawn.sort()
    counts = np.bincount(drawn // width, minlength=nodes)
    values = np.ones(nonzeros, np.float32)
    if kind is FeatureKind.UNIT_ROWS:
        values = 1 - random.random(nonzeros, dtype=np.float32)
        lengths = np.sqrt(np.add.reduceat(values.astype(np.float64) ** 2, np.cumsum(counts) - counts))
        values = (values / np.repeat(lengths, counts)).astype(np.float32)
    return sparse.csr_array((values, (drawn % width).astype(np.int32), _segments(counts)), shape=(nodes, width))


def labels(nodes: int, classes: int, *, seed: int = 0) -> NDArray[np.int32]:
    """A class in 0..classes-1 for each node, classes as equal in size as can be, in random order."""
    random = np.random.default_rng([seed, _LABELS])
    return random.permutation(np.arange(nodes) % classes).astype(np.int32)


def _cover(random: np.random.Generator, nodes: int, symmetric: bool) -> NDArray[np.int64]:
    """Keys of (nodes + 1) // 2 edges that touch every node: random pairs, and one more for the odd node."""
    order = random.permutation(nodes)
    if nodes % 2:
        order = np.append(order, order[0])
    return _keys(order[0::2], order[1::2], nodes, symmetric)


def _ring(random: np.random.Generator, nodes: int, symmetric: bool) -> NDArray[np.int64]:
    """Keys of the edges of a ring through all nodes in random order: one leaves every node."""
    order = random.permutation(nodes)
    return _first_distinct(_keys(order, np.roll(order, -1), nodes, symmetric), nodes)


def _distinct(
    random: np.random.Generator, keys: NDArray[np.int64], count: int, nodes: int, symmetric: bool, exponent: float
) -> NDArray[np.int64]:
    """``count`` distinct edge keys, those given among them, the others with ends drawn by rank."""
    popularity = _by_rank(random, nodes, exponent)
    while len(keys) < count:
        missing = count - len(keys)
        size = missing + missing // 4 + 16
        starts, ends = _draw(random, popularity, size), _draw(random, popularity, size)
        proper = starts != ends
        more = _keys(starts[proper], ends[proper], nodes, symmetric)
        keys = _first_distinct(np.concatenate((keys, more)), count)
        if len(keys) - (count - missing) < missing // 16:
            # Popular nodes know each other already: spread what is left evenly.
            popularity = np.linspace(1 / nodes, 1, nodes)
    return keys


def _keys(starts: NDArray[np.int64], ends: NDArray[np.int64], nodes: int, symmetric: bool) -> NDArray[np.int64]:
    """One number per edge; for undirected edges whichever end comes first."""
    if symmetric:
        starts, ends = np.minimum(starts, ends), np.maximum(starts, ends)
    return starts.astype(np.int64) * nodes + ends


def _first_distinct(keys: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The first ``most`` different keys, in the order of their first appearance."""
    _, places = np.unique(keys, return_index=True)
    places.sort()
    return keys[places[:most]]


def _by_rank(random: np.random.Generator, count: int, exponent: float = RANK_EXPONENT) -> NDArray[np.float64]:
    """Cumulative chances of ``count`` things whose ranks are shuffled."""
    chance = (random.permutation(count) + 1.0) ** -exponent
    cumulative: NDArray[np.float64] = np.cumsum(chance)
    cumulative /= cumulative[-1]
    return cumulative


def _draw(random: np.random.Generator, cumulative: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """``count`` independent draws."""
    return np.searchsorted(cumulative, random.random(count), side="right").astype(np.int64)


def _segments(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    segments = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=segments[1:])
    return segments
