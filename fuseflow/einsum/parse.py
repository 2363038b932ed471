"""Parser of the text form.

Every line is one of
``A[6,6]: "cc"`` (a declaration: shape and format), ``T[i,j] = A[i,k] * X[k,j]`` (a statement), ``return T`` (the
outputs). ``Y[a,j] = slice[i, 0:4](X[i,j])``, ``reshape``, ``concat`` and ``gather`` move stored elements and stand
alone on a right-hand side. The text is Python syntax, so Python's own parser reads it and its errors carry a position.
A right-hand side may be nested; it is split into one statement per operator, and index variables that the output lacks
are summed within the product or term that has them (``x[i] = b[i] - C[i,j] * d[j]`` sums over ``j`` in the product
only).
"""

import ast
import re
import textwrap
from collections.abc import Mapping

from fuseflow.einsum.masks import default_format, masked_tensors
from fuseflow.einsum.nodes import Access, Origin, Program, Reduction, Statement, Tensor, Unary
from fuseflow.einsum.operators import ReduceOp, UnaryOp
from fuseflow.einsum.split import Splitter, fault_at
from fuseflow.einsum.verify import verify
from fuseflow.errors import FormatError, ProgramError
from fuseflow.formats import Format


def parse(text: str, tensors: Mapping[str, tuple[tuple[int, ...], Format]] | None = None) -> Program:
    """The program that ``text`` describes; ``tensors`` adds declarations (shape and format) by name.

    Without a ``return`` line the last statement is the output. Indentation that all lines share is ignored; an entry of
    ``tensors`` that the text does not use is left out. Raises ProgramError with line, column and the line itself.
    """
    text = textwrap.dedent(text)
    try:
        builder = _Builder(text, _module(text), dict(tensors or {}))
        builder.lines()
    except (RecursionError, MemoryError):
        raise ProgramError(
            "the program text is nested too deeply; split the longest right-hand side into several statements"
        ) from None
    program = builder.finish()
    try:
        verify(program)
    except ProgramError as error:
        raise ProgramError(f"{error}{_pointer(text, str(error))}") from None
    return program


def _pointer(text: str, message: str) -> str:
    """The line of ``text`` that ``message`` speaks of, with a caret under the last tensor it names."""
    found = re.search(r"\(line (\d+): ", message)
    if found is None:
        return ""
    line = text.splitlines()[int(found[1]) - 1]
    for name in reversed(re.findall(r"'(\w+)'", message)):
        place = re.search(rf"\b{name}\s*\[", line)
        if place is not None:
            return f"\n  {line}\n  {' ' * place.start()}^"
    return ""


def _module(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise fault_at(
            text, error.lineno or 1, max(0, (error.offset or 1) - 1), f"cannot be read: {error.msg}"
        ) from None
    except ValueError as error:  # a null byte, in some versions of Python
        raise ProgramError(f"the program text cannot be read: {error}; remove that character") from None


class _Builder(Splitter):
    """State of one parse: declarations with formats, and the outputs."""

    def __init__(self, text: str, module: ast.Module, declared: Mapping[str, tuple[tuple[int, ...], Format]]) -> None:
        super().__init__(text, module, {name: shape for name, (shape, _) in declared.items()})
        self.body = module.body
        self.formats = {name: declared[name][1] for name in self.shapes}
        self.outputs: tuple[str, ...] = ()

    def lines(self) -> None:
        for line in self.body:
            self.line(line)

    def line(self, line: ast.stmt) -> None:
        if self.outputs:
            raise self.fault(line, "nothing may follow the `return` line; name every output in it, as in `return T, U`")
        match line:
            case ast.AnnAssign(target=target, annotation=ast.Constant(value=str(spec)) as annotation, value=None):
                self.declare(target, annotation, spec)
            case ast.AnnAssign(target=target, annotation=ast.Name(id=spec) as annotation, value=None):
                self.declare(target, annotation, spec)
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value)
            case ast.Return(value=ast.Name() | ast.Tuple() as value):
                items = value.elts if isinstance(value, ast.Tuple) else [value]
                names = [item.id for item in items if isinstance(item, ast.Name)]
                if len(names) != len(items) or not names:
                    raise self.fault(value, "`return` names tensors without indices, as in `return T, U`")
                self.outputs = tuple(names)
            case ast.Expr(value=ast.Name(id=name)):
                raise self.fault(line, f"{name!r} alone says nothing; write `return {name}` to name an output")
            case ast.Return(value=value):
                raise self.fault(value or line, "`return` names tensors without indices, as in `return T, U`")
            case _:
                raise self.fault(line, 'expected `A[6,6]: "cc"`, `T[i,j] = ...` or `return T`')

    def declare(self, target: ast.expr, annotation: ast.expr, spec: str) -> None:
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
            raise self.fault(target, f"tensor {name!r} is declared twice; remove one declaration or rename a tensor")
        if any(statement.name == name for statement in self.statements):
            raise self.fault(target, f"tensor {name!r} is declared after its statement; move the declaration up")
        try:
            layout = Format.parse(spec, len(shape))
        except FormatError as error:
            raise self.fault(annotation, f"tensor {name!r}: {error}") from None
        self.declared.add(name)
        self.formats[name] = layout
        self.shapes[name] = shape

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        output = self.access(target)
        if any(statement.name == output.tensor for statement in self.statements):
            raise self.fault(target, f"tensor {output.tensor!r} is defined a second time; use a new name")
        first = len(self.statements)
        result = (
            self.layout(value, output)
            or self.reduction(value, output)
            or self.expression(value, set(output.indices), output.tensor)
        )
        if isinstance(result, float):
            raise self.fault(value, "a tensor cannot be a constant alone; declare an input that holds it")
        if isinstance(result, Access):
            extra = set(result.indices) - set(output.indices)
            result = Reduction(ReduceOp.SUM, result) if extra else Unary(UnaryOp.IDENTITY, result)
        self.add(output, result, value)
        source_line = " ".join((ast.get_source_segment(self.text, value) or "").split())
        origin = Origin(group=output.tensor, layer="", source=f"line {target.lineno}: {source_line}")
        for number in range(first, len(self.statements)):
            made = self.statements[number]
            self.statements[number] = Statement(made.output, made.expression, origin)

    def finish(self) -> Program:
        if not self.statements:
            raise ProgramError("the program has no statement; write e.g. T[i,j] = A[i,k] * X[k,j]")
        defined = [statement.name for statement in self.statements]
        inputs = [
            Tensor(name, self.shapes[name], layout) for name, layout in self.formats.items() if name not in defined
        ]
        results = [
            Tensor(name, self.shapes[name], default_format(len(self.shapes[name]), False))
            for name in dict.fromkeys(defined)
        ]
        program = Program((*inputs, *results), tuple(self.statements), self.outputs or (defined[-1],))
        masked = masked_tensors(program)
        chosen = [
            Tensor(
                item.name,
                item.shape,
                self.formats.get(item.name, default_format(item.order, item.name in masked)),
            )
            for item in results
        ]
        return Program((*inputs, *chosen), program.statements, program.outputs)
