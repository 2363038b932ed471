"""Which elements of a program's tensors are masked out."""

from fuseflow.einsum.nodes import Mask, Product, Program
from fuseflow.formats import Format


def masked_tensors(program: Program) -> dict[str, frozenset[int]]:
    """Results with masked-out elements, and along which dimensions: there, what is not stored is not zero but absent.

    A mask makes one, along its own index variables. Every operation on one makes another, except a product that sums:
    it counts what is absent as zero.
    """
    found: dict[str, frozenset[int]] = {}
    for statement in program.statements:
        indices: set[str] = set()
        for access in statement.operands:
            indices |= {access.indices[dimension] for dimension in found.get(access.tensor, ())}
        match statement.expression:
            case Mask(_, mask):
                indices |= set(mask.indices)
            case Product() if statement.reduced:
                indices = set()
            case _:
                pass
        dimensions = frozenset(number for number, index in enumerate(statement.output.indices) if index in indices)
        if dimensions:
            found[statement.name] = dimensions
    return found


def default_format(order: int, masked: bool) -> Format:
    """Format of a result that declares none: dense, or compressed where unstored elements are masked out."""
    return Format.parse("c" * order, order) if masked and order else Format.dense(order)
