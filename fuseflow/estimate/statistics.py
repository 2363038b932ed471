"""Statistics of tensors: of real data, or of data of which only size and sparsity are known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, prod, sqrt
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import Tensor
from fuseflow.errors import DataError
from fuseflow.estimate.patterns import Pattern, TreePattern
from fuseflow.estimate.query import Counter
from fuseflow.formats import FiberTree, LevelKind


class Sparsity(Enum):
    """How stored elements are spread (paper Fig. 15)."""

    UNIFORM = "uniform"
    """Every element is stored with the same probability."""
    POWER_LAW = "power law"
    """Rows and columns of rank r are drawn with a weight of r to the power of minus an exponent: few have most
    elements, as in graphs (in a square matrix, the same of both, and none empty if there are two elements per row). An
    exponent of 0.5 is a graph whose degrees have the density d^-3, 1.0 one with d^-2."""
    BLOCK_DIAGONAL = "block diagonal"
    """Full square blocks along the diagonal."""

    @classmethod
    def of(cls, choice: "Sparsity | str") -> "Sparsity":
        try:
            return cls(choice)
        except ValueError:
            names = ", ".join(repr(item.value) for item in cls)
            raise DataError(f"a pattern of sparsity is one of {names}, not {choice!r}") from None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Statistics:
    """What the estimate knows of the stored tensors.

    ``rates`` overrides, by index variable, the fraction of the sparser operand's coordinates that an intersection
    leaves. ``counter`` remembers what was counted: estimates that share a ``Statistics`` share that work.
    """

    patterns: Mapping[str, Pattern]
    rates: Mapping[str, float] = field(default_factory=dict)
    counter: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for index, rate in self.rates.items():
            given: Any = rate
            if not isinstance(given, int | float) or not 0 <= given <= 1:
                raise DataError(
                    f"the intersection rate at index {index!r} is {rate!r}; it must be a number from 0 to 1"
                )

    @classmethod
    def of(cls, tensors: Mapping[str, FiberTree], rates: Mapping[str, float] | None = None) -> "Statistics":
        """Statistics of data: every stored level is known, so counts of coordinates come out exactly."""
        return cls({name: TreePattern(tree) for name, tree in tensors.items()}, rates or {})

    @classmethod
    def sizes(
        cls,
        tensors: Iterable[Tensor],
        densities: Mapping[str, float],
        spread: Sparsity | str | Mapping[str, Sparsity | str] = Sparsity.UNIFORM,
        rates: Mapping[str, float] | None = None,
        exponent: float = 0.5,
    ) -> "Statistics":
        """Statistics from sizes and sparsity alone: data with these properties are drawn, always the same.

        ``densities`` gives the stored fraction by tensor; tensors of dense levels need none. ``spread`` says how stored
        elements are spread, for all tensors or by tensor (uniform where it does not say), and ``exponent`` how steep a
        power law is. Raises DataError for a density that is missing or not a fraction, a name that no tensor has, a
        negative exponent, and a pattern that a tensor cannot have.
        """
        tensors = tuple(tensors)
        for what, named in (("densities", densities), ("spread", spread if isinstance(spread, Mapping) else {})):
            unknown = sorted(set(named) - {tensor.name for tensor in tensors})
            if unknown:
                raise DataError(
                    f"{what} names {unknown[0]!r}, which is none of the tensors "
                    f"{', '.join(tensor.name for tensor in tensors)}"
                )
        found: dict[str, Pattern] = {}
        for tensor in tensors:
            if all(level.kind is LevelKind.DENSE for level in tensor.format.levels):
                continue
            chosen = spread.get(tensor.name, Sparsity.UNIFORM) if isinstance(spread, Mapping) else spread
            if tensor.name not in densities:
                raise DataError(
                    f"tensor {tensor.name!r} is stored as {tensor.format} and has no density; add it to densities"
                )
            found[tensor.name] = TreePattern(draw(tensor, densities[tensor.name], Sparsity.of(chosen), exponent))
        return cls(found, rates or {})

    def __repr__(self) -> str:
        return f"Statistics of {', '.join(self.patterns) or 'nothing'}; {len(self.counter.counts)} counts known"


def draw(tensor: Tensor, density: float, spread: Sparsity, exponent: float = 0.5) -> FiberTree:
    """Data for ``tensor`` with a fraction ``density`` of stored elements, the same on every call."""
    if exponent < 0:
        raise DataError(f"the exponent of a power law must be 0 or more, not {exponent}")
    given: Any = density
    if not isinstance(given, int | float) or not 0 <= given <= 1:
        raise DataError(f"the density of {tensor.name!r} is {density!r}; it must be a number from 0 to 1")
    total = prod(tensor.shape)
    stored = round(density * total)
    random = np.random.default_rng(crc32(tensor.name.encode()))
    if spread is not Sparsity.UNIFORM and tensor.order != 2:
        raise DataError(f"{tensor.name!r} is of order {tensor.order}; a {spread.value} pattern needs a matrix")
    match spread:
        case Sparsity.UNIFORM:
            flat = _distinct(random, total, stored)
        case Sparsity.POWER_LAW:
            flat = _power_law(random, tensor.shape, stored, exponent)
        case Sparsity.BLOCK_DIAGONAL:
            flat = _block_diagonal(tensor.shape, stored)
    coordinates = np.stack(np.unravel_index(flat, tensor.shape)) if tensor.order else np.zeros((0, stored), np.int64)
    return FiberTree.from_coordinates(coordinates, np.ones(len(flat), np.float32), tensor.shape, tensor.format)


def _distinct(random: np.random.Generator, total: int, wanted: int) -> NDArray[np.int64]:
    """``wanted`` different numbers below ``total``."""
    if wanted * 3 > total:
        return np.sort(random.permutation(total)[:wanted])
    found = np.unique(random.integers(0, max(total, 1), wanted))
    while len(found) < wanted:
        more = random.integers(0, total, wanted - len(found))
        found = np.unique(np.concatenate([found, more]))
    return found


def _power_law(random: np.random.Generator, shape: tuple[int, ...], wanted: int, exponent: float) -> NDArray[np.int64]:
    rows, columns = shape
    ranked = [np.arange(1.0, size + 1) ** -exponent for size in shape]
    row_shares, column_shares = (weights / weights.sum() for weights in ranked)
    row_names, column_names = random.permutation(rows), random.permutation(columns)
    if rows == columns:  # a graph: the same nodes have many edges in and out
        column_names = row_names
    found = np.empty(0, np.int64)
    if rows == columns and wanted >= 2 * rows:  # in a graph whose edges allow it, every node has one in and one out
        partners = column_names[random.choice(columns, rows, p=column_shares)]
        nodes = np.arange(rows)
        found = np.union1d(nodes * columns + partners, partners * columns + nodes)
    for _ in range(64):
        if len(found) >= wanted:
            break
        missing = wanted - len(found)
        row = row_names[random.choice(rows, 2 * missing, p=row_shares)]
        column = column_names[random.choice(columns, 2 * missing, p=column_shares)]
        fresh = np.setdiff1d(np.unique(row * columns + column), found)
        found = np.union1d(found, random.permutation(fresh)[:missing])
    if len(found) < wanted:  # the heavy rows are full
        rest = np.setdiff1d(np.arange(rows * columns), found)
        found = np.union1d(found, random.permutation(rest)[: wanted - len(found)])
    return found


def _block_diagonal(shape: tuple[int, ...], wanted: int) -> NDArray[np.int64]:
    """Full blocks along the diagonal, as few as make ``wanted`` elements: all of one size but for a smaller last one.

    The number of elements comes as near to ``wanted`` as whole rows and columns allow.
    """
    rows, columns = shape
    if wanted == 0:
        return np.empty(0, np.int64)
    share = wanted / (rows * columns)
    sought = max(1, ceil(1 / share - 1e-9))
    blocks = min(sought, *shape)
    # Sizes a, ..., a, b of a unit square: (blocks - 1) a + b = 1 and (blocks - 1) a^2 + b^2 = share.
    equal = blocks - 1
    size = 1.0 if equal == 0 else (equal + sqrt(max(0.0, equal**2 - equal * blocks * (1 - share)))) / (equal * blocks)
    ends = np.append(size * np.arange(blocks), 1.0)
    row_ends, column_ends = (np.rint(ends * extent).astype(np.int64) for extent in shape)
    block = np.searchsorted(row_ends, np.arange(rows), side="right") - 1
    first, length = column_ends[block], column_ends[block + 1] - column_ends[block]
    row = np.repeat(np.arange(rows), length)
    column = np.arange(len(row)) - np.repeat(np.cumsum(length) - length - first, length)
    flat = np.asarray(row * columns + column, np.int64)
    if blocks < sought:  # no smaller blocks than these: some of their elements stay away
        flat = flat[np.linspace(0, len(flat) - 1, min(wanted, len(flat))).round().astype(np.int64)]
    return flat
