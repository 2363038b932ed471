"""What masked-out elements are in PyTorch, and which operations therefore mean the same on both sides.

In PyTorch a mask before a softmax sets elements to minus infinity, and the softmax makes them zero. The program says
instead that they are masked out (:class:`fuseflow.einsum.Mask`): they take no part in anything, and count as zero in a
product and in a result. An operation for which the two differ is refused, so that nothing is computed wrongly.
"""

from enum import Enum
from typing import TYPE_CHECKING

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Mask,
    Product,
    ReduceOp,
    Reduction,
    Statement,
    Unary,
    UnaryOp,
)
from fuseflow.errors import TraceError

if TYPE_CHECKING:
    from fuseflow.frontend.recording import Recording
    from fuseflow.frontend.values import Value


class Hidden(Enum):
    """What PyTorch has where an element is masked out."""

    INFINITE = "minus infinity"
    ZERO = "zero"


def check_hidden(recording: "Recording", statement: Statement) -> None:
    """Note what the masked-out elements of a new statement's result are; TraceError if the two sides would differ."""
    if isinstance(statement.expression, Mask):
        if recording.hidden.get(statement.operands[0].tensor) is Hidden.ZERO:
            raise _fault(recording, Hidden.ZERO)
        recording.hidden[statement.name] = Hidden.INFINITE
        return
    states = {recording.hidden[access.tensor] for access in statement.operands if access.tensor in recording.hidden}
    if not states:
        return
    found = _after(recording, statement, statement.expression)
    if found is None and not _clean(statement.expression, bool(statement.reduced)):
        raise _fault(recording, Hidden.INFINITE if Hidden.INFINITE in states else Hidden.ZERO)
    if found is not None:
        recording.hidden[statement.name] = found
    for access in statement.operands:
        if access.tensor in recording.kept and access.indices == statement.output.indices:
            recording.kept[statement.name] = recording.kept[access.tensor]


def require_something_left(recording: "Recording", value: "Value", place: int) -> None:
    """TraceError if a mask leaves nothing along dimension ``place`` of ``value`` somewhere, before a softmax there."""
    keep = recording.kept.get(value.tensor)
    if keep is None or not value.is_plain:
        return
    if not bool(keep.expand(value.shape).any(dim=place).all()):
        raise recording.fault(
            "the mask leaves nothing in some row of the softmax, of which PyTorch makes NaN or equal weights; keep at "
            "least one element everywhere (in a graph, add self loops)"
        )


def _after(recording: "Recording", statement: Statement, expression: Expression) -> Hidden | None:
    """State of the result; None if it has no masked-out elements, or if the operation is not allowed."""

    def state(access: Access) -> Hidden | None:
        return recording.hidden.get(access.tensor)

    match expression:
        case Unary(UnaryOp.EXP | UnaryOp.SIGMOID, operand) if state(operand) is Hidden.INFINITE:
            return Hidden.ZERO
        case Unary(UnaryOp.ADD_SCALAR | UnaryOp.IDENTITY, operand) if state(operand) is Hidden.INFINITE:
            return Hidden.INFINITE
        case Unary(UnaryOp.MUL_SCALAR | UnaryOp.DIV_SCALAR, operand, scalar) if scalar > 0:
            return state(operand)
        case Unary(op, operand, scalar) if state(operand) is Hidden.ZERO and op.preserves_zero(scalar):
            return Hidden.ZERO
        case Binary(BinaryOp.SUB, left, right) if state(left) is Hidden.INFINITE and state(right) is None:
            return Hidden.INFINITE
        case Binary(BinaryOp.ADD, left, right) if Hidden.ZERO not in (state(left), state(right)):
            return Hidden.INFINITE
        case Binary(BinaryOp.DIV, left, right) if state(left) is Hidden.ZERO and state(right) is None:
            return Hidden.ZERO
        case Product(left, right) if Hidden.INFINITE not in (state(left), state(right)) and not statement.reduced:
            return Hidden.ZERO
        case _ if statement.is_layout:
            return state(statement.operands[0])
        case _:
            return None


def _clean(expression: Expression, reduced: bool) -> bool:
    """Whether the operation leaves no masked-out element that the two sides could differ in."""
    match expression:
        case Reduction(ReduceOp.MAX | ReduceOp.SUM, _):
            return True
        case Product():
            return reduced
        case _:
            return False


def _fault(recording: "Recording", hidden: Hidden) -> TraceError:
    if hidden is Hidden.INFINITE:
        return recording.fault(
            "the operand is masked with minus infinity, which this operation would see; only a softmax (or exp, "
            "sigmoid) may follow such a mask. To set elements to zero, multiply by the mask instead"
        )
    return recording.fault(
        "the operand is the result of a masked softmax, whose masked-out elements are not stored; this operation would "
        "need them as zeros. Only products, sums and operations that keep zero may follow"
    )
