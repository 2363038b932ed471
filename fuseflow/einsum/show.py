"""Printer of the text form; :func:`fuseflow.einsum.parse.parse` reads it back to an equal program."""

from fuseflow.einsum.masks import default_format, masked_tensors
from fuseflow.einsum.nodes import (
    Access,
    Binary,
    Concat,
    Expression,
    Gather,
    Mask,
    Product,
    Program,
    Reduction,
    Reshape,
    Slice,
    Statement,
    Unary,
)
from fuseflow.einsum.operators import BinaryOp, UnaryOp

SYMBOLS = {BinaryOp.ADD: "+", BinaryOp.SUB: "-", BinaryOp.DIV: "/"}
SCALAR_SYMBOLS = {UnaryOp.ADD_SCALAR: "+", UnaryOp.MUL_SCALAR: "*", UnaryOp.DIV_SCALAR: "/"}


def show(program: Program) -> str:
    """Declarations of the inputs (and of results not stored in the default format), statements, a ``return`` line."""
    masked = masked_tensors(program)
    inputs = {tensor.name for tensor in program.inputs}
    lines = []
    for tensor in program.tensors:
        if tensor.name in inputs or tensor.format != default_format(tensor.order, tensor.name in masked):
            shape = ", ".join(map(str, tensor.shape))
            name = f"{tensor.name}[{shape}]" if tensor.shape else tensor.name
            lines.append(f'{name}: "{tensor.format}"')
    lines += [show_statement(statement) for statement in program.statements]
    lines.append("return " + ", ".join(program.outputs))
    return "\n".join(lines)


def show_statement(statement: Statement) -> str:
    """One statement, e.g. ``T[i,j] = A[i,k] * X[k,j]``."""
    over = f"[{','.join(statement.reduced)}]"
    return f"{show_access(statement.output)} = {show_expression(statement.expression, over)}"


def show_access(access: Access) -> str:
    """``A[i,k]``, or the bare name of a tensor of order 0."""
    return f"{access.tensor}[{','.join(access.indices)}]" if access.indices else access.tensor


def show_expression(expression: Expression, over: str = "") -> str:
    """Right-hand side of a statement; ``over`` is the bracketed list of reduced indices."""
    match expression:
        case Product(left, right):
            return f"{show_access(left)} * {show_access(right)}"
        case Binary(op, left, right) if op in SYMBOLS:
            return f"{show_access(left)} {SYMBOLS[op]} {show_access(right)}"
        case Binary(op, left, right):
            return f"{op.value}({show_access(left)}, {show_access(right)})"
        case Unary(op, operand, scalar) if op in SCALAR_SYMBOLS:
            return f"{show_access(operand)} {SCALAR_SYMBOLS[op]} {scalar!r}"
        case Unary(op, operand, scalar) if op.takes_scalar:
            return f"{op.value}({show_access(operand)}, {scalar!r})"
        case Unary(op, operand, _):
            return f"{op.value}({show_access(operand)})"
        case Reduction(op, operand):
            return f"{op.value}{over}({show_access(operand)})"
        case Mask(operand, mask):
            return f"mask({show_access(operand)}, {show_access(mask)})"
        case Reshape(operand, order, shape):
            inner = ", ".join([show_access(operand), *map(str, shape)])
            return f"reshape[{','.join(order)}]({inner})" if order else f"reshape({inner})"
        case Concat(parts, index):
            return f"concat[{index}]({', '.join(map(show_access, parts))})"
        case Slice(operand, index, start, stop, step):
            bounds = f"{start}:{stop}" if step == 1 else f"{start}:{stop}:{step}"
            return f"slice[{index}, {bounds}]({show_access(operand)})"
        case Gather(operand, index, positions):
            return f"gather[{', '.join([index, *map(str, positions)])}]({show_access(operand)})"
