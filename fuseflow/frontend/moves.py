"""Statements that only move elements: reshapes, slices, gathers and concatenations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fuseflow.einsum import Concat, Gather, Layout, Reshape, Slice
from fuseflow.frontend.recording import Recording
from fuseflow.frontend.values import Value


@dataclass(slots=True)
class Moves(Recording):
    """A recording that appends layout statements, which belong to no kernel and end a fusion region."""

    def move(self, name: str, indices: tuple[str, ...], expression: Layout) -> str:
        """Append a layout statement: a barrier, which belongs to no kernel."""
        return self.add(name, indices, expression, "")

    def reshaped(self, name: str, value: Value, shape: Sequence[int]) -> Value:
        """The elements of ``value`` in order, as a stored tensor of ``shape``."""
        for dimension, size in enumerate(value.shape):
            if value.axes[dimension] is None and size != 1:
                value = self.solid(name, value)
                break
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand = self.read(value, labels, names)
        order = tuple(names[label] for label in labels if label in names)
        made = self.move(name, self.fresh(len(shape)), Reshape(operand, order, tuple(shape)))
        return Value(made, tuple(range(len(shape))), tuple(shape))

    def dropped(self, value: Value, dimension: int) -> Value:
        """``value`` without a dimension of size 1."""
        if value.axes[dimension] is None:
            return value.without(dimension)
        kept = [other for other in value.real if other != dimension]
        made = self.reshaped(f"{value.tensor}_squeezed", value, [value.shape[other] for other in kept])
        axes = [kept.index(other) if other in kept else None for other in range(len(value.shape)) if other != dimension]
        return Value(made.tensor, tuple(axes), (*value.shape[:dimension], *value.shape[dimension + 1 :]))

    def solid(self, name: str, value: Value) -> Value:
        """``value`` with every dimension stored."""
        if None not in value.axes:
            return value
        shape = [value.shape[d] if axis is not None else 1 for d, axis in enumerate(value.axes)]
        made = self.reshaped(f"{name}_solid", Value(value.tensor, value.axes, tuple(shape)), shape)
        for dimension, size in enumerate(value.shape):
            if value.axes[dimension] is None and size != 1:
                made = self.gathered(f"{name}_solid", made, dimension, (0,) * size)
        return made

    def gathered(self, name: str, value: Value, dimension: int, positions: Sequence[int]) -> Value:
        """``positions`` of ``value`` along one dimension, by a slice where they are evenly spaced."""
        shape = (*value.shape[:dimension], len(positions), *value.shape[dimension + 1 :])
        if value.axes[dimension] is None:
            return Value(value.tensor, value.axes, shape)
        if tuple(positions) == tuple(range(value.shape[dimension])):
            return value
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand, index = self.read(value, labels, names), names[dimension]
        steps = {second - first for first, second in pairwise(positions)}
        (new,) = self.fresh()
        expression: Layout
        if positions and len(steps) <= 1 and min(steps, default=1) > 0:
            expression = Slice(operand, index, positions[0], positions[-1] + 1, steps.pop() if steps else 1)
        else:
            expression = Gather(operand, index, tuple(positions))
        names[dimension] = new
        return self.result(name, labels, shape, names, expression, "")

    def selected(self, name: str, value: Value, dimension: int, position: int) -> Value:
        """One position of ``value`` along ``dimension``, which the result lacks."""
        if value.axes[dimension] is None:
            return value.without(dimension)
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand = self.read(value, labels, names)
        expression = Slice(operand, names.pop(dimension), position, position + 1)
        shape = [1 if label == dimension else value.shape[label] for label in labels]
        return self.result(name, labels, shape, names, expression, "").without(dimension)

    def concatenated(self, name: str, values: Sequence[Value], dimension: int) -> Value:
        """``values`` one after the other along ``dimension``."""
        parts = [self.solid(name, value) for value in values]
        labels = range(len(parts[0].shape))
        (new,) = self.fresh()
        shared = self.bind((parts[0], labels))
        accesses = []
        for part in parts:
            for label in labels:
                if label != dimension and part.shape[label] != parts[0].shape[label]:
                    raise self.fault(f"shapes {parts[0].shape} and {part.shape} do not match along dimension {label}")
            (own,) = self.fresh()
            accesses.append(self.read(part, labels, {**shared, dimension: own}))
        size = sum(part.shape[dimension] for part in parts)
        shape = [size if label == dimension else parts[0].shape[label] for label in labels]
        names = {**shared, dimension: new}
        return self.result(name, labels, shape, names, Concat(tuple(accesses), new), "")
