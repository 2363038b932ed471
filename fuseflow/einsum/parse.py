"""Parser of the text form.

Every line is one of
``A[6,6]: "cc"`` (a declaration: shape and format), ``T[i,j] = A[i,k] * X[k,j]`` (a statement), ``return T`` (the
outputs). The text is Python syntax, so Python's own parser reads it and its errors carry a position. A right-hand
side may be nested; it is split into one statement per operator, and index variables that the output lacks are summed
within the product or term that has them (``x[i] = b[i] - C[i,j] * d[j]`` sums over ``j`` in the product only).
"""

import ast
from collections.abc import Mapping

from fuseflow.einsum.masks import default_format, masked_tensors
from fuseflow.einsum.nodes import Access, Binary, Expression, Mask, Origin, Product, Program, Reduction, Statement, Tensor, Unary
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.einsum.verify import verify
from fuseflow.errors import ProgramError
from fuseflow.formats import Format

OPERATORS: dict[type[ast.operator], BinaryOp] = {
    ast.Add: BinaryOp.ADD,
    ast.Sub: BinaryOp.SUB,
    ast.Mult: BinaryOp.MUL,
    ast.Div: BinaryOp.DIV,
}
FUNCTIONS = {op.value: op for op in UnaryOp if not op.takes_scalar}


def parse(text: str, tensors: Mapping[str, tuple[tuple[int, ...], Format]] | None = None) -> Program:
    """The program that ``text`` describes; ``tensors`` adds declarations (shape and format) by name.

    Without a ``return`` line the last statement is the output. Raises ProgramError with line, column and the line
    itself.
    """
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise _fault(text, error.lineno or 1, (error.offset or 1) - 1, f"cannot be read: {error.msg}") from None
    except ValueError as error:
        raise ProgramError(f"the program text cannot be read: {error}") from None
    builder = _Builder(text, dict(tensors or {}))
    for line in module.body:
        builder.line(line)
    program = builder.finish()
    verify(program)
    return program


def _fault(text: str, line: int, column: int, message: str) -> ProgramError:
    lines = text.splitlines() or [""]
    quoted = lines[min(line, len(lines)) - 1]
    return ProgramError(f"line {line}, column {column + 1}: {message}\n  {quoted}\n  {' ' * column}^")


class _Builder:
    """State of one parse: declarations, statements so far, and the text for messages."""

    def __init__(self, text: str, declared: dict[str, tuple[tuple[int, ...], Format]]) -> None:
        self.text = text
        self.declared = declared
        self.shapes = {name: shape for name, (shape, _) in declared.items()}
        self.statements: list[Statement] = []
        self.outputs: tuple[str, ...] = ()

    def fault(self, node: ast.AST, message: str) -> ProgramError:
        return _fault(self.text, getattr(node, "lineno", 1), getattr(node, "col_offset", 0), message)

    def line(self, line: ast.stmt) -> None:
        match line:
            case ast.AnnAssign(target=target, annotation=ast.Constant(value=str(spec)), value=None):
                self.declare(target, spec)
            case ast.AnnAssign(target=target, annotation=ast.Name(id=spec), value=None):
                self.declare(target, spec)
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value)
            case ast.Return(value=ast.Name() | ast.Tuple() as value):
                items = value.elts if isinstance(value, ast.Tuple) else [value]
                self.outputs = tuple(self.access(item).tensor for item in items)
            case ast.Expr(value=ast.Name(id=name)):
                raise self.fault(line, f"{name!r} alone says nothing; write `return {name}` to name an output")
            case _:
                raise self.fault(line, 'expected `A[6,6]: "cc"`, `T[i,j] = ...` or `return T`')

    def declare(self, target: ast.expr, spec: str) -> None:
        match target:
            case ast.Name(id=name):
                shape: tuple[int, ...] = ()
            case ast.Subscript(value=ast.Name(id=name), slice=dims):
                items = dims.elts if isinstance(dims, ast.Tuple) else [dims]
                sizes = [item.value for item in items if isinstance(item, ast.Constant) and type(item.value) is int]
                if len(sizes) != len(items):
                    raise self.fault(target, f"the shape of {name!r} must be whole numbers, as in {name}[6,6]")
                shape = tuple(sizes)
            case _:
                raise self.fault(target, "a declaration names one tensor, as in A[6,6]")
        if name in self.declared:
            raise self.fault(target, f"tensor {name!r} is declared twice")
        self.declared[name] = (shape, Format.parse(spec, len(shape)))
        self.shapes[name] = shape

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        output = self.access(target)
        first = len(self.statements)
        result = self.reduction(value, output) or self.expression(value, set(output.indices), output.tensor)
        if isinstance(result, float):
            raise self.fault(value, "a tensor cannot be a constant alone")
        if isinstance(result, Access):
            extra = set(result.indices) - set(output.indices)
            result = Reduction(ReduceOp.SUM, result) if extra else Unary(UnaryOp.IDENTITY, result)
        self.add(output, result, value)
        source_line = ast.get_source_segment(self.text, value) or ""
        origin = Origin(group=output.tensor, layer="", source=f"line {target.lineno}: {source_line}")
        for number in range(first, len(self.statements)):
            made = self.statements[number]
            self.statements[number] = Statement(made.output, made.expression, origin)

    def reduction(self, node: ast.expr, output: Access) -> Expression | None:
        """``sum(...)`` or ``max(...)`` as a whole right-hand side: reduces what the output lacks."""
        match node:
            case ast.Call(func=ast.Name(id="sum" | "max" as function), args=[inner], keywords=[]):
                over = None
            case ast.Call(func=ast.Subscript(value=ast.Name(id="sum" | "max" as function), slice=over), args=[inner]):
                pass
            case _:
                return None
        names = set(output.indices) | _names(inner)
        operand = self.operand(self.tensor(inner, names, output.tensor), output.tensor, names, inner)
        reduced = tuple(index for index in operand.indices if index not in output.indices)
        if over is not None and set(self.indices(over)) != set(reduced):
            raise self.fault(node, f"{function} is over {self.indices(over)} but the output lacks {reduced}")
        return Reduction(ReduceOp(function), operand)

    def nested_reduction(
        self, node: ast.expr, function: str, over: ast.expr, inner: ast.expr, keep: set[str], base: str
    ) -> Access:
        names = keep | _names(inner)
        operand = self.operand(self.tensor(inner, names, base), base, names, inner)
        unknown = [index for index in self.indices(over) if index not in operand.indices]
        if unknown:
            raise self.fault(node, f"{function} over {unknown[0]!r}, which its operand {operand.indices} lacks")
        kept = tuple(index for index in operand.indices if index not in self.indices(over))
        return self.name(Reduction(ReduceOp(function), operand), base, kept, node)

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

    def expression(self, node: ast.expr, keep: set[str], base: str) -> Expression | Access | float:
        """Lower ``node``; index variables outside ``keep`` may be summed where a product allows it."""
        match node:
            case ast.Constant(value=int() | float()):
                return float(node.value)  # type: ignore[arg-type]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                operand = self.expression(inner, keep, base)
                return -operand if isinstance(operand, float) else Unary(UnaryOp.NEG, self.operand(operand, base, keep, inner))
            case ast.Name() | ast.Subscript():
                return self.access(node)
            case ast.Call(func=ast.Subscript(value=ast.Name(id="sum" | "max" as function), slice=over), args=[inner]):
                return self.nested_reduction(node, function, over, inner, keep, base)
            case ast.Call(func=ast.Name(id="sum" | "max" as function), args=[_], keywords=[]):
                raise self.fault(node, f"inside an expression {function} must say over what, as in {function}[j](...)")
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self.call(node, function, arguments, keep, base)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return self.binary(node, OPERATORS[type(operator)], left, right, keep, base)
            case _:
                raise self.fault(node, "expected tensors, numbers, + - * / and functions")

    def binary(
        self, node: ast.expr, op: BinaryOp, left: ast.expr, right: ast.expr, keep: set[str], base: str
    ) -> Expression | Access | float:
        wide = keep | _names(right) if op is BinaryOp.MUL else keep
        first = self.expression(left, wide, base)
        wide = keep | _names(left) if op is BinaryOp.MUL else keep
        second = self.expression(right, wide, base)
        if isinstance(first, float) and isinstance(second, float):
            raise self.fault(node, "an operation on two constants; write the result")
        if isinstance(second, float) and not isinstance(first, float):
            return self.scaled(op, self.operand(first, base, keep, left), second)
        if isinstance(first, float) and not isinstance(second, float):
            return self.constant_first(node, op, first, self.operand(second, base, keep, right), base)
        assert not isinstance(first, float) and not isinstance(second, float)
        if op is BinaryOp.MUL:
            return Product(
                self.operand(first, base, keep | _names(right), left), self.operand(second, base, keep | _names(left), right)
            )
        return Binary(op, self.term(first, base, keep, left), self.term(second, base, keep, right))

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
                raise self.fault(node, "a constant divided by a tensor is not supported; multiply by a reciprocal tensor")

    def call(
        self, node: ast.expr, function: str, arguments: list[ast.expr], keep: set[str], base: str
    ) -> Expression:
        if function in ("max", "min") and len(arguments) == 2:
            pair = [self.term(self.tensor(item, keep, base), base, keep, item) for item in arguments]
            return Binary(BinaryOp(function), pair[0], pair[1])
        if function == "mask" and len(arguments) == 2:
            pair = [self.term(self.tensor(item, keep, base), base, keep, item) for item in arguments]
            return Mask(pair[0], pair[1])
        if len(arguments) == 1 and function in FUNCTIONS:
            inner = arguments[0]
            return Unary(FUNCTIONS[function], self.operand(self.tensor(inner, keep, base), base, keep, inner))
        known = ", ".join(sorted({*FUNCTIONS, "max", "min", "sum", "mask"}))
        raise self.fault(node, f"{function!r} with {len(arguments)} arguments is unknown; known are {known}")

    def tensor(self, node: ast.expr, keep: set[str], base: str) -> Expression | Access:
        result = self.expression(node, keep, base)
        if isinstance(result, float):
            raise self.fault(node, "expected a tensor, not a constant")
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

    def name(self, value: Expression, base: str, indices: tuple[str, ...], node: ast.expr) -> Access:
        number = 1
        while f"{base}_{number}" in self.shapes:
            number += 1
        access = Access(f"{base}_{number}", indices)
        self.add(access, value, node)
        return access

    def add(self, output: Access, expression: Expression, node: ast.expr) -> None:
        statement = Statement(output, expression)
        sizes: dict[str, int] = {}
        for access in statement.operands:
            if access.tensor not in self.shapes:
                raise self.fault(node, f"tensor {access.tensor!r} is neither declared nor defined before")
            sizes.update(zip(access.indices, self.shapes[access.tensor], strict=False))
        missing = [index for index in output.indices if index not in sizes]
        if missing:
            raise self.fault(node, f"output index {missing[0]!r} of {output.tensor!r} occurs in no operand")
        self.shapes[output.tensor] = tuple(sizes[index] for index in output.indices)
        self.statements.append(statement)

    def finish(self) -> Program:
        if not self.statements:
            raise ProgramError("the program has no statement; write e.g. T[i,j] = A[i,k] * X[k,j]")
        defined = [statement.name for statement in self.statements]
        inputs = [
            Tensor(name, shape, layout) for name, (shape, layout) in self.declared.items() if name not in defined
        ]
        results = [Tensor(name, self.shapes[name], default_format(len(self.shapes[name]), False)) for name in dict.fromkeys(defined)]
        program = Program((*inputs, *results), tuple(self.statements), self.outputs or (defined[-1],))
        masked = masked_tensors(program)
        chosen = [
            Tensor(
                item.name,
                item.shape,
                self.declared[item.name][1]
                if item.name in self.declared
                else default_format(item.order, item.name in masked),
            )
            for item in results
        ]
        return Program((*inputs, *chosen), program.statements, program.outputs)


def _names(node: ast.expr) -> set[str]:
    """Index variables that occur under ``node``, without those that a reduction inside it binds."""
    match node:
        case ast.Call(func=ast.Subscript(slice=over), args=[inner]):
            return _names(inner) - {item.id for item in ast.walk(over) if isinstance(item, ast.Name)}
        case ast.Subscript(slice=index):
            return {item.id for item in ast.walk(index) if isinstance(item, ast.Name)}
        case _:
            return {name for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for name in _names(child)}


def _natural(expression: Expression) -> tuple[str, ...]:
    """Index variables of an expression before any sum."""
    return Statement(Access("", ()), expression).indices
