"""Which tensors of a program have masked-out elements."""

from fuseflow.einsum.nodes import Mask, Product, Program
from fuseflow.formats import Format


def masked_tensors(program: Program) -> frozenset[str]:
    """Results whose unstored elements are masked out rather than zero.

    A mask makes one; every operation on one makes another, except a product that sums, which counts them as zero.
    """
    found: set[str] = set()
    for statement in program.statements:
        match statement.expression:
            case Mask():
                found.add(statement.name)
            case Product() if statement.reduced:
                pass
            case _:
                if any(access.tensor in found for access in statement.operands):
                    found.add(statement.name)
    return frozenset(found)


def default_format(order: int, masked: bool) -> Format:
    """Format of a result that declares none: dense, or compressed where unstored elements are masked out."""
    return Format.parse("c" * order, order) if masked and order else Format.dense(order)
