"""What a traced value is while a graph is translated: a tensor seen through an index map."""

from collections.abc import Sequence
from dataclasses import dataclass

from fuseflow.einsum import Access


@dataclass(frozen=True, slots=True)
class Value:
    """Tensor ``tensor``, permuted and broadcast: dimension ``d`` of the value is dimension ``axes[d]`` of it.

    Where ``axes[d]`` is None the tensor has no such dimension: every position along it holds the same. Every dimension
    of the tensor occurs once in ``axes``.
    """

    tensor: str
    axes: tuple[int | None, ...]
    shape: tuple[int, ...]

    @property
    def real(self) -> tuple[int, ...]:
        """Dimensions of the value that the tensor has."""
        return tuple(dimension for dimension, axis in enumerate(self.axes) if axis is not None)

    @property
    def is_plain(self) -> bool:
        """Whether the value is the tensor as it stands."""
        return self.axes == tuple(range(len(self.axes)))

    def access(self, indices: Sequence[str]) -> Access:
        """Access to the tensor such that the real dimensions of the value have ``indices``, in order."""
        placed = {self.axes[dimension]: index for dimension, index in zip(self.real, indices, strict=True)}
        return Access(self.tensor, tuple(placed[axis] for axis in range(len(placed))))

    def permuted(self, order: Sequence[int]) -> "Value":
        """The value with dimension ``d`` taken from its dimension ``order[d]``."""
        return Value(self.tensor, tuple(self.axes[old] for old in order), tuple(self.shape[old] for old in order))

    def widened(self, place: int, size: int = 1) -> "Value":
        """The value with a new dimension of ``size`` at ``place``, along which it is broadcast."""
        return Value(
            self.tensor,
            (*self.axes[:place], None, *self.axes[place:]),
            (*self.shape[:place], size, *self.shape[place:]),
        )

    def without(self, dimension: int) -> "Value":
        """The value without a dimension that the tensor lacks."""
        if self.axes[dimension] is not None:
            raise ValueError(f"dimension {dimension} of {self} is real")
        return Value(
            self.tensor,
            (*self.axes[:dimension], *self.axes[dimension + 1 :]),
            (*self.shape[:dimension], *self.shape[dimension + 1 :]),
        )

    def resized(self, dimension: int, size: int) -> "Value":
        """The value broadcast to ``size`` along a dimension that the tensor lacks."""
        return Value(self.tensor, self.axes, (*self.shape[:dimension], size, *self.shape[dimension + 1 :]))
