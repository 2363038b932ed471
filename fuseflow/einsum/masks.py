"""Which elements of a program's tensors are masked out."""

from fuseflow.einsum.layout import along, target
from fuseflow.einsum.nodes import Concat, Gather, Mask, Product, Program, Reshape, Slice, Statement
from fuseflow.formats import Format


def masked_tensors(program: Program) -> dict[str, frozenset[int]]:
    """Results with masked-out elements, and along which dimensions: there, what is not stored is not zero but absent.

    A mask makes one, along its own index variables. Every operation on one makes another, except a product that sums:
    it counts what is absent as zero.
    """
    found: dict[str, frozenset[int]] = {}
    for statement in program.statements:
        if statement.is_layout:
            moved = _moved(statement, found)
            if moved:
                found[statement.name] = moved
            continue
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


def _moved(statement: Statement, found: dict[str, frozenset[int]]) -> frozenset[int]:
    """Dimensions of a layout's result along which elements may be masked out."""
    dimensions: set[int] = set()
    for access in statement.operands:
        masked = found.get(access.tensor, frozenset())
        match statement.expression:
            case Reshape():
                # Which of the new dimensions an old one went into does not matter: absent is absent along all of them.
                dimensions |= set(range(len(statement.output.indices))) if masked else set()
            case Concat() | Slice() | Gather():
                for dimension in masked:
                    place = target(statement) if dimension == along(statement, access) else None
                    index = access.indices[dimension]
                    if place is None and index in statement.output.indices:
                        place = statement.output.indices.index(index)
                    dimensions |= set() if place is None else {place}
            case _:
                pass
    return frozenset(dimensions)


def default_format(order: int, masked: bool) -> Format:
    """Format of a result that declares none: dense, or compressed where unstored elements are masked out."""
    return Format.parse("c" * order, order) if masked and order else Format.dense(order)
