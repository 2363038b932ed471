"""Views: the uses of tensors in a fused region, with the index variables of the region (paper §5).

A view is one tensor used with one tuple of index variables. Uses that agree on both are the same view, so sharing
shows as sharing, and a second use with other variables is a second view: a recomputation (compiler notes §2.1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fuseflow.einsum import Binary, Mask, Product, Reduction, Statement, Tensor, Unary

LeafKey = tuple[str, tuple[str, ...]]
"""A view by tensor name and index variables."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A stored tensor read with ``variables`` (by dimension).

    ``masked`` are the variables along which its unstored elements are masked out rather than zero.
    """

    tensor: Tensor
    variables: tuple[str, ...]
    masked: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.tensor.name

    @property
    def key(self) -> LeafKey:
        return (self.tensor.name, self.variables)

    @property
    def level_variables(self) -> tuple[str, ...]:
        """Index variables in storage order, outermost level first."""
        return tuple(self.variables[dimension] for dimension in self.tensor.format.mode_order)

    def level(self, variable: str) -> int:
        """Storage level that holds ``variable``."""
        return self.level_variables.index(variable)


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A statement computed inside the region: ``variables`` by output dimension, ``reduced`` folded away.

    ``masked`` are the variables along which unstored elements of the result are masked out rather than zero.
    """

    statement: Statement
    variables: tuple[str, ...]
    reduced: tuple[str, ...]
    operands: tuple["View", ...]
    masked: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "masked", self._masked())  # asked for often: kept

    @property
    def name(self) -> str:
        return self.statement.name

    def _masked(self) -> frozenset[str]:
        found: frozenset[str] = frozenset().union(*(view.masked for view in self.operands))
        match self.statement.expression:
            case Mask():
                found |= frozenset(self.operands[1].variables)
            case Product() if self.reduced:
                return frozenset()
            case Product() | Binary() | Unary() | Reduction():
                pass
        return found & frozenset(self.variables)


View = Leaf | Operation


def walk(root: View) -> Iterator[View]:
    """Every view under ``root`` once, operands before the operations that use them, left to right."""
    return walk_all((root,))


def walk_all(roots: Sequence[View]) -> Iterator[View]:
    """Every view under any of ``roots`` once, operands before the operations that use them."""
    seen: set[int] = set()

    def visit(view: View) -> Iterator[View]:
        if id(view) in seen:
            return
        seen.add(id(view))
        if isinstance(view, Operation):
            for operand in view.operands:
                yield from visit(operand)
        yield view

    for root in roots:
        yield from visit(root)


def below(view: View) -> set[int]:
    """Identities of every view under ``view``, itself included."""
    return {id(item) for item in walk(view)}
