"""What an unstored element means, statement by statement, in words.

The rules are those that lowering follows (``fuseflow/lowering/joins.py``): an unstored element is zero, or, behind a
mask, absent. Where an operation makes something else of a zero, every coordinate is computed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from fuseflow.einsum.masks import masked_tensors
from fuseflow.einsum.nodes import Access, Binary, Mask, Product, Program, Reduction, Statement, Unary
from fuseflow.einsum.operators import BinaryOp, ReduceOp
from fuseflow.einsum.show import show_statement


class Unstored(Enum):
    """What becomes of elements that are not stored."""

    SKIPPED = "skipped"
    """They are zero and contribute nothing, so they are not visited."""
    ZERO = "zero"
    """They are zero, and count as that where the other operand stores an element."""
    DENSIFIED = "densified"
    """They are zero, and the operation makes something else of it: every coordinate is computed."""
    ABSENT = "absent"
    """They are masked out and take no part."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Along ``indices`` of ``statement``, unstored elements are treated as ``unstored``, because of ``reason``."""

    statement: str
    indices: tuple[str, ...]
    unstored: Unstored
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The meaning of unstored elements in a whole program."""

    program: Program
    meanings: tuple[Meaning, ...]

    def of(self, statement: str) -> tuple[Meaning, ...]:
        """What holds for one statement, named by the tensor it defines."""
        return tuple(item for item in self.meanings if item.statement == statement)

    def __repr__(self) -> str:
        lines: list[str] = []
        for statement in self.program.statements:
            lines.append(show_statement(statement))
            for item in self.of(statement.name):
                along = f" along {', '.join(item.indices)}" if item.indices else ""
                lines.append(f"    unstored elements{along} are {item.unstored.value}: {item.reason}")
        return "\n".join(lines)


def explain(program: Program) -> Explanation:
    """What unstored elements mean in every statement of ``program``."""
    masked = masked_tensors(program)

    def masked_indices(access: Access) -> frozenset[str]:
        return frozenset(access.indices[dimension] for dimension in masked.get(access.tensor, ()))

    meanings: list[Meaning] = []
    for statement in program.statements:
        absent = frozenset().union(*(masked_indices(access) for access in statement.operands))
        for unstored, indices, reason in _rules(statement, absent):
            if indices:
                meanings.append(Meaning(statement.name, indices, unstored, reason))
    return Explanation(program, tuple(meanings))


def _rules(statement: Statement, absent: frozenset[str]) -> Iterator[tuple[Unstored, tuple[str, ...], str]]:
    masked = tuple(index for index in statement.indices if index in absent)
    free = tuple(index for index in statement.indices if index not in absent)
    match statement.expression:
        case Product():
            if masked and statement.reduced:
                yield Unstored.SKIPPED, masked, "a masked-out element counts as zero in a sum of products"
            elif masked:
                yield Unstored.ABSENT, masked, "what a mask removed stays removed"
            yield Unstored.SKIPPED, free, "a product with zero is zero"
        case Binary(op, left, right):
            yield Unstored.ABSENT, masked, "what a mask removed stays removed"
            if op is BinaryOp.DIV:
                yield Unstored.DENSIFIED, free, "a division by zero is not zero"
                return
            one_sided = tuple(index for index in free if index not in left.indices or index not in right.indices)
            lacking = left.tensor if any(index not in left.indices for index in one_sided) else right.tensor
            yield Unstored.DENSIFIED, one_sided, f"{lacking} is broadcast there, to every coordinate"
            both = tuple(index for index in free if index not in one_sided)
            yield Unstored.ZERO, both, f"{op.value} needs the coordinates of both operands"
        case Unary(op, _, scalar):
            yield Unstored.ABSENT, masked, "what a mask removed stays removed"
            if op.preserves_zero(scalar):
                yield Unstored.SKIPPED, free, f"{op.value} of zero is zero"
            else:
                yield Unstored.DENSIFIED, free, f"{op.value} of zero is not zero"
        case Reduction(ReduceOp.SUM, _):
            yield Unstored.ABSENT, masked, "a sum leaves out what a mask removed"
            yield Unstored.SKIPPED, free, "zeros add nothing"
        case Reduction(ReduceOp.MAX, _):
            yield Unstored.ABSENT, masked, "a maximum leaves out what a mask removed"
            folded = tuple(index for index in free if index in statement.reduced)
            yield Unstored.DENSIFIED, folded, "a zero may be the maximum"
            yield (
                Unstored.SKIPPED,
                tuple(index for index in free if index not in folded),
                "the maximum of zeros is zero",
            )
        case Mask(_, mask):
            yield Unstored.ABSENT, mask.indices, f"what {mask.tensor} does not store is masked out"
            yield (
                Unstored.ZERO,
                tuple(index for index in free if index not in mask.indices),
                "the mask has no say there",
            )
        case layout:
            moved = (index for access in statement.operands for index in access.indices if index not in masked)
            what = type(layout).__name__.lower()
            yield Unstored.ABSENT, masked, "what a mask removed stays removed"
            yield Unstored.SKIPPED, tuple(dict.fromkeys(moved)), f"a {what} moves what is stored and nothing else"
