"""From the syntax of a right-hand side to statements, one per operator.

A nested expression gets a name and a statement of its own. Index variables that the output lacks are summed within the
product or term that has them; where that would be ambiguous, the text must say ``sum[k](...)``.
"""

import ast
from collections.abc import Mapping, Sequence
from math import isfinite

from fuseflow.einsum.layout import layout_fault, output_shape
from fuseflow.einsum.nodes import (
    Access,
    Binary,
    Concat,
    Expression,
    Gather,
    Mask,
    Product,
    Reduction,
    Reshape,
    Slice,
    Statement,
    Unary,
)
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import ProgramError

OPERATORS: dict[type[ast.operator], BinaryOp] = {
    ast.Add: BinaryOp.ADD,
    ast.Sub: BinaryOp.SUB,
    ast.Mult: BinaryOp.MUL,
    ast.Div: BinaryOp.DIV,
}
FUNCTIONS = {op.value: op for op in UnaryOp if not op.takes_scalar}
SCALAR_FUNCTIONS = {
    op.value: op for op in UnaryOp if op.takes_scalar and op.value.removesuffix("_scalar") not in ("add", "mul", "div")
}
"""Functions of a tensor and a constant, such as ``leaky_relu(x[i], 0.01)``."""
LAYOUTS = {
    "reshape": "Y[a,b] = reshape[i,j](X[i,j], 3, 4)",
    "concat": "Y[a,j] = concat[a](A[i,j], B[k,j])",
    "slice": "Y[a,j] = slice[i, 0:4](X[i,j])",
    "gather": "Y[a,j] = gather[i, 2, 0](X[i,j])",
}
"""Layout statements by name, and what one looks like."""


def fault_at(text: str, line: int, column: int, message: str) -> ProgramError:
    """ProgramError that quotes line ``line`` (from 1) with a caret under column ``column`` (from 0)."""
    lines = text.split("\n")
    line = max(1, min(line, len(lines)))
    return ProgramError(f"line {line}, column {column + 1}: {message}\n  {lines[line - 1]}\n  {' ' * column}^")


class Splitter:
    """Statements so far, the shape of every tensor known so far, and the text for messages.

    ``keep`` in the methods below are the index variables that must survive, ``base`` the tensor that is being defined:
    intermediates are called ``base_1``, ``base_2``, unless the text uses that name.
    """

    def __init__(self, text: str, module: ast.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.text = text
        self.written = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
        self.shapes = {name: shape for name, shape in shapes.items() if name in self.written}
        self.declared = set(self.shapes)
        self.statements: list[Statement] = []

    def fault(self, node: ast.AST, message: str) -> ProgramError:
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        # Python counts columns in bytes of UTF-8, a reader in characters.
        column = len(self.text.split("\n")[line - 1].encode()[:offset].decode(errors="replace"))
        return fault_at(self.text, line, column, message)

    def indices(self, node: ast.expr) -> tuple[str, ...]:
        items = node.elts if isinstance(node, ast.Tuple) else [node]
        names = tuple(item.id for item in items if isinstance(item, ast.Name))
        if len(names) != len(items):
            raise self.fault(node, "indices must be names, as in [i,j]")
        return names

    def access(self, node: ast.expr) -> Access:
        match node:
            case ast.Name(id=name):
                return Access(name, ())
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return Access(name, self.indices(index))
            case _:
                raise self.fault(node, "expected a tensor with indices, as in A[i,k]")

    def reduction(self, node: ast.expr, output: Access) -> Expression | None:
        """``sum(...)`` or ``max(...)`` as a whole right-hand side: reduces what the output lacks."""
        over: ast.expr | None = None
        match node:
            case ast.Call(func=ast.Name(id="sum" | "max" as function), args=[inner], keywords=[]):
                pass
            case ast.Call(
                func=ast.Subscript(value=ast.Name(id="sum" | "max" as function), slice=over), args=[inner], keywords=[]
            ):
                pass
            case _:
                return None
        names = set(output.indices) | _names(inner)
        operand = self.operand(self.tensor(inner, names, output.tensor), output.tensor, names, inner)
        reduced = tuple(index for index in operand.indices if index not in output.indices)
        if over is not None and set(self.indices(over)) != set(reduced):
            raise self.fault(
                node,
                f"{function} is over {_listed(self.indices(over))} but the output lacks {_listed(reduced)}; both must "
                "name the same indices",
            )
        return Reduction(ReduceOp(function), operand)

    def layout(self, node: ast.expr, output: Access) -> Expression | None:
        """A layout statement as a whole right-hand side: ``reshape``, ``concat``, ``slice`` or ``gather``."""
        match node:
            case ast.Call(
                func=ast.Subscript(value=ast.Name(id=function), slice=given), args=arguments, keywords=[]
            ) if function in LAYOUTS and arguments:
                items = list(given.elts) if isinstance(given, ast.Tuple) else [given]
            case ast.Call(func=ast.Name(id="reshape" as function), args=arguments, keywords=[]) if arguments:
                items = []
            case _:
                return None
        operand = self.read(arguments[0])
        match function, items:
            case "reshape", _:
                order = tuple(item.id for item in items if isinstance(item, ast.Name))
                made: Expression = Reshape(operand, order, self.numbers(arguments[1:]))
            case "concat", [ast.Name(id=index)]:
                made = Concat(tuple(self.read(argument) for argument in arguments), index)
            case "slice", [ast.Name(id=index), ast.Slice(lower=lower, upper=upper, step=step)] if lower and upper:
                bounds = self.numbers([lower, upper, *([step] if step else [])])
                made = Slice(operand, index, *bounds)
            case "gather", [ast.Name(id=index), *positions]:
                made = Gather(operand, index, self.numbers(positions))
            case _:
                raise self.fault(node, f"cannot be read; write {LAYOUTS[function]}")
        if (fault := layout_fault(Statement(output, made), self.shapes)) is not None:
            raise self.fault(node, fault)
        return made

    def numbers(self, nodes: Sequence[ast.expr]) -> tuple[int, ...]:
        found = []
        for node in nodes:
            if not isinstance(node, ast.Constant) or type(node.value) is not int:
                raise self.fault(node, "must be a whole number, 0 or more")
            found.append(node.value)
        return tuple(found)

    def nested_reduction(
        self, node: ast.expr, function: str, over: ast.expr, inner: ast.expr, keep: set[str], base: str
    ) -> Access:
        names = keep | _names(inner)
        operand = self.operand(self.tensor(inner, names, base), base, names, inner)
        unknown = [index for index in self.indices(over) if index not in operand.indices]
        if unknown:
            raise self.fault(
                node, f"{function} over {unknown[0]!r}, which its operand lacks; it has {_listed(operand.indices)}"
            )
        kept = tuple(index for index in operand.indices if index not in self.indices(over))
        return self.name(Reduction(ReduceOp(function), operand), base, kept, node)

    def expression(self, node: ast.expr, keep: set[str], base: str) -> Expression | Access | float:
        """Lower ``node``; index variables outside ``keep`` may be summed where a product allows it."""
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.constant(node, value)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                operand = self.expression(inner, keep, base)
                return (
                    -operand
                    if isinstance(operand, float)
                    else Unary(UnaryOp.NEG, self.operand(operand, base, keep, inner))
                )
            case ast.Name() | ast.Subscript():
                return self.read(node)
            case ast.Call(
                func=ast.Subscript(value=ast.Name(id="sum" | "max" as function), slice=over), args=[inner], keywords=[]
            ):
                return self.nested_reduction(node, function, over, inner, keep, base)
            case ast.Call(func=ast.Name(id="sum" | "max" as function), args=[_], keywords=[]):
                raise self.fault(node, f"inside an expression {function} must say over what, as in {function}[j](...)")
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self.call(node, function, arguments, keep, base)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return self.binary(node, OPERATORS[type(operator)], left, right, keep, base)
            case _:
                raise self.fault(node, "expected tensors, numbers, + - * / and functions")

    def constant(self, node: ast.expr, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if not isfinite(number):
            raise self.fault(node, "the constant is too large for a float64; scale the data instead")
        return number

    def read(self, node: ast.expr) -> Access:
        """A use of a tensor that is known by now, with as many indices as it has dimensions."""
        access = self.access(node)
        if access.tensor not in self.shapes:
            known = ", ".join(self.shapes) or "none"
            raise self.fault(
                node, f"tensor {access.tensor!r} is neither declared nor defined before; known are {known}"
            )
        shape = self.shapes[access.tensor]
        if len(shape) != len(access.indices):
            raise self.fault(
                node, f"tensor {access.tensor!r} has shape {shape} but is used with {len(access.indices)} indices"
            )
        return access

    def binary(
        self, node: ast.expr, op: BinaryOp, left: ast.expr, right: ast.expr, keep: set[str], base: str
    ) -> Expression | Access | float:
        wide = keep | _names(right) if op is BinaryOp.MUL else keep
        first = self.expression(left, wide, base)
        wide = keep | _names(left) if op is BinaryOp.MUL else keep
        second = self.expression(right, wide, base)
        if isinstance(first, float):
            if isinstance(second, float):
                raise self.fault(node, "an operation on two constants; write its result instead")
            return self.constant_first(node, op, first, self.operand(second, base, keep, right), base)
        if isinstance(second, float):
            return self.scaled(op, self.operand(first, base, keep, left), second)
        if op is BinaryOp.MUL:
            return Product(
                self.operand(first, base, keep | _names(right), left),
                self.operand(second, base, keep | _names(left), right),
            )
        divisor = self.whole if op is BinaryOp.DIV else self.term
        return Binary(op, self.term(first, base, keep, left), divisor(second, base, keep, right))

    def scaled(self, op: BinaryOp, operand: Access, constant: float) -> Expression:
        match op:
            case BinaryOp.SUB:
                return Unary(UnaryOp.ADD_SCALAR, operand, -constant)
            case BinaryOp.ADD:
                return Unary(UnaryOp.ADD_SCALAR, operand, constant)
            case BinaryOp.MUL:
                return Unary(UnaryOp.MUL_SCALAR, operand, constant)
            case _:
                return Unary(UnaryOp.DIV_SCALAR, operand, constant)

    def constant_first(self, node: ast.expr, op: BinaryOp, constant: float, operand: Access, base: str) -> Expression:
        match op:
            case BinaryOp.ADD | BinaryOp.MUL:
                return self.scaled(op, operand, constant)
            case BinaryOp.SUB:
                negated = self.name(Unary(UnaryOp.NEG, operand), base, operand.indices, node)
                return Unary(UnaryOp.ADD_SCALAR, negated, constant)
            case _:
                inverse = self.name(Unary(UnaryOp.RECIPROCAL, operand), base, operand.indices, node)
                return Unary(UnaryOp.MUL_SCALAR, inverse, constant)

    def call(self, node: ast.expr, function: str, arguments: list[ast.expr], keep: set[str], base: str) -> Expression:
        if function in ("max", "min") and len(arguments) == 2:
            pair = [self.whole(self.tensor(item, keep, base), base, keep, item) for item in arguments]
            return Binary(BinaryOp(function), pair[0], pair[1])
        if function == "mask" and len(arguments) == 2:
            pair = [self.whole(self.tensor(item, keep, base), base, keep, item) for item in arguments]
            return Mask(pair[0], pair[1])
        if len(arguments) == 1 and function in FUNCTIONS:
            only = arguments[0]
            return Unary(FUNCTIONS[function], self.operand(self.tensor(only, keep, base), base, keep, only))
        if len(arguments) == 2 and function in SCALAR_FUNCTIONS:
            inner = self.operand(self.tensor(arguments[0], keep, base), base, keep, arguments[0])
            scalar = self.expression(arguments[1], set(), base)
            if not isinstance(scalar, float):
                raise self.fault(arguments[1], f"the second operand of {function} is a constant")
            return Unary(SCALAR_FUNCTIONS[function], inner, scalar)
        known = ", ".join(sorted({*FUNCTIONS, *SCALAR_FUNCTIONS, *LAYOUTS, "max", "min", "sum", "mask"}))
        raise self.fault(node, f"{function!r} with {len(arguments)} operands is unknown; known are {known}")

    def tensor(self, node: ast.expr, keep: set[str], base: str) -> Expression | Access:
        result = self.expression(node, keep, base)
        if isinstance(result, float):
            raise self.fault(node, "expected a tensor, not a constant; write the result of the operation instead")
        return result

    def operand(self, value: Expression | Access, base: str, keep: set[str], node: ast.expr) -> Access:
        """``value`` as an access: a nested expression gets a name, with only the indices still needed."""
        if isinstance(value, Access):
            return value
        natural = _natural(value)
        summed = isinstance(value, Product | Reduction)
        return self.name(value, base, tuple(index for index in natural if not summed or index in keep), node)

    def term(self, value: Expression | Access, base: str, keep: set[str], node: ast.expr) -> Access:
        """``value`` as a term of a sum: index variables outside ``keep`` are summed within the term."""
        access = self.operand(value, base, keep, node)
        kept = tuple(index for index in access.indices if index in keep)
        if kept == access.indices:
            return access
        return self.name(Reduction(ReduceOp.SUM, access), base, kept, node)

    def whole(self, value: Expression | Access, base: str, keep: set[str], node: ast.expr) -> Access:
        """``value`` as an operand in which nothing may be summed silently, since the result would depend on where."""
        access = self.operand(value, base, keep, node)
        extra = [index for index in access.indices if index not in keep]
        if extra:
            raise self.fault(
                node, f"index {extra[0]!r} is missing from the result; write sum[{extra[0]}](...) where it is summed"
            )
        return access

    def name(self, value: Expression, base: str, indices: tuple[str, ...], node: ast.expr) -> Access:
        number = 1
        while f"{base}_{number}" in self.shapes or f"{base}_{number}" in self.written:
            number += 1
        access = Access(f"{base}_{number}", indices)
        self.add(access, value, node)
        return access

    def add(self, output: Access, expression: Expression, node: ast.expr) -> None:
        statement = Statement(output, expression)
        if statement.is_layout:
            shape = output_shape(statement, self.shapes)
        else:
            sizes: dict[str, int] = {}
            for access in statement.operands:
                sizes.update(zip(access.indices, self.shapes[access.tensor], strict=True))
            missing = [index for index in output.indices if index not in sizes]
            if missing:
                raise self.fault(
                    node,
                    f"output index {missing[0]!r} of {output.tensor!r} occurs in no operand; the operands have "
                    f"{_listed(list(sizes))}",
                )
            shape = tuple(sizes[index] for index in output.indices)
        if output.tensor in self.declared and self.shapes[output.tensor] != shape:
            declared = self.shapes[output.tensor]
            raise self.fault(
                node, f"tensor {output.tensor!r} is declared with shape {declared} but this makes shape {shape}"
            )
        self.shapes[output.tensor] = shape
        self.statements.append(statement)


def _names(node: ast.expr) -> set[str]:
    """Index variables that occur under ``node``, without those that a reduction inside it binds."""
    match node:
        case ast.Call(func=ast.Subscript(slice=over), args=[inner]):
            return _names(inner) - {item.id for item in ast.walk(over) if isinstance(item, ast.Name)}
        case ast.Subscript(slice=index):
            return {item.id for item in ast.walk(index) if isinstance(item, ast.Name)}
        case _:
            return {
                name for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for name in _names(child)
            }


def _listed(names: Sequence[str]) -> str:
    return f"[{','.join(names)}]" if names else "no index"


def _natural(expression: Expression) -> tuple[str, ...]:
    """Index variables of an expression before any sum."""
    return Statement(Access("", ()), expression).indices
