"""Patterns: where a tensor stores elements, level by level, as conditions on index variables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fuseflow.dataflow.graph import Output
from fuseflow.estimate.query import ALWAYS, Atom, Condition, Counter, renamed
from fuseflow.estimate.relations import Relation, Var
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format, LevelKind
from fuseflow.formats.build import expand_levels


class Pattern(Protocol):
    """Where a stored tensor has elements."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes by dimension."""

    @property
    def mode_order(self) -> tuple[int, ...]:
        """``mode_order[l]`` is the dimension of level ``l``."""

    def condition(self, variables: Sequence[Var], counter: Counter) -> Condition:
        """When the outermost ``len(variables)`` levels store the coordinates ``variables``."""


@dataclass(frozen=True, slots=True, eq=False)
class TreePattern:
    """The pattern of data: exact. Relations are made when a level is first asked for."""

    tree: FiberTree
    relations: dict[int, Relation | None] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tree.shape

    @property
    def mode_order(self) -> tuple[int, ...]:
        return self.tree.format.mode_order

    def condition(self, variables: Sequence[Var], counter: Counter) -> Condition:
        relation = self._relation(len(variables) - 1)
        if relation is None:
            return ALWAYS
        return frozenset({Atom(relation, tuple(variables[: len(relation.sizes)]))})

    def _relation(self, level: int) -> Relation | None:
        if level < 0:
            return None
        if level not in self.relations:
            above = self._relation(level - 1)
            made: Relation | None = above
            storage = self.tree.levels[level]
            if not isinstance(storage, DenseLevel):
                sizes = tuple(self.tree.shape[mode] for mode in self.mode_order[: level + 1])
                columns = expand_levels(self.tree.levels[: level + 1], np.arange(len(storage.coordinates)))
                fresh = Relation(sizes, tuple(columns), parent=above)
                full_fibers = isinstance(storage, CompressedLevel) and bool(
                    (np.diff(storage.segments) == sizes[-1]).all()
                )
                made = above if full_fibers else fresh
            self.relations[level] = made
        return self.relations[level]


@dataclass(frozen=True, slots=True, eq=False)
class ResultPattern:
    """The pattern of a result of a graph, in terms of variables that stand for its dimensions.

    ``conditions`` belong to the levels as they were written (outermost first, in ``written`` mode order); ``format`` is
    what the result is stored as.
    """

    shape: tuple[int, ...]
    format: Format
    written: tuple[int, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def of(
        cls, output: Output, format: Format, path: Sequence[Var], conditions: Sequence[Condition]
    ) -> "ResultPattern":
        """Pattern of ``output``, whose coordinate streams stand on ``path``."""
        names = {
            variable: dimension(mode, output.shape) for variable, mode in zip(path, output.mode_order, strict=True)
        }
        found = tuple(renamed(condition, names) for condition in conditions)
        return cls(output.shape, format, output.mode_order, found)

    @property
    def mode_order(self) -> tuple[int, ...]:
        return self.format.mode_order

    def condition(self, variables: Sequence[Var], counter: Counter) -> Condition:
        modes = self.mode_order[: len(variables)]
        depth = len(modes)
        while depth and self.format.levels[depth - 1].kind is LevelKind.DENSE:
            depth -= 1
        if depth == 0:
            return ALWAYS
        known = self.mode_order[:depth]
        if set(known) == set(self.written[:depth]):
            found = self.conditions[depth - 1]
        else:
            hidden = [dimension(mode, self.shape) for mode in range(len(self.shape)) if mode not in known]
            found = counter.exists(self.conditions[-1], hidden)
        names = {dimension(mode, self.shape): variable for mode, variable in zip(modes, variables, strict=True)}
        return renamed(found, names)


def dimension(mode: int, shape: Sequence[int]) -> Var:
    """The variable that stands for a dimension in a :class:`ResultPattern`."""
    return (f"dimension {mode}", shape[mode])
