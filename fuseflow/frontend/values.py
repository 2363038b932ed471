"""What a traced value is while a graph is translated: a tensor seen through a permutation of its dimensions."""

from dataclasses import dataclass

from fuseflow.einsum import Access


@dataclass(frozen=True, slots=True)
class Value:
    """Tensor ``tensor`` with its dimensions permuted: dimension ``d`` of the value is dimension ``axes[d]`` of it."""

    tensor: str
    axes: tuple[int, ...]
    shape: tuple[int, ...]

    def access(self, indices: tuple[str, ...]) -> Access:
        """Access to the tensor such that dimension ``d`` of the value has index ``indices[d]``."""
        return Access(self.tensor, tuple(indices[self.axes.index(dimension)] for dimension in range(len(self.axes))))

    def permuted(self, order: tuple[int, ...]) -> "Value":
        """The value with dimension ``d`` taken from its dimension ``order[d]``."""
        return Value(
            self.tensor, tuple(self.axes[dimension] for dimension in order), tuple(self.shape[d] for d in order)
        )
