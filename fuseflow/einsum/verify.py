"""Verifier of programs: names, ranks, shapes and the use of index variables.

It runs on every program that is parsed, traced or scheduled. It does not judge whether an order or a format can be
lowered: that is the schedule's and the fusion's business.
"""

import keyword
from math import isfinite

from fuseflow.einsum.layout import layout_fault, output_shape
from fuseflow.einsum.masks import masked_tensors
from fuseflow.einsum.nodes import Access, Binary, Mask, Product, Program, Reduction, Statement, Unary
from fuseflow.einsum.operators import BinaryOp, ReduceOp
from fuseflow.einsum.show import show_statement
from fuseflow.errors import ProgramError
from fuseflow.formats import LevelKind


def verify(program: Program) -> None:
    """Raise ProgramError at the first rule that ``program`` breaks, quoting the statement."""
    _check_declarations(program)
    inputs = {tensor.name for tensor in program.inputs}
    known = set(inputs)
    for statement in program.statements:
        for access in statement.operands:
            if access.tensor not in known:
                raise ProgramError(
                    f"{_where(statement)} reads {access.tensor!r} before anything defines it; known here: "
                    f"{', '.join(sorted(known)) or 'nothing'}. Declare it as an input or move the statement down"
                )
        _check_operator(statement)
        _check_accesses(program, statement)
        if statement.is_layout:
            _check_layout(program, statement)
        else:
            _check_indices(statement)
            _check_shape(program, statement)
            _check_maximum(program, statement)
        match statement.expression:
            case Mask(_, mask) if mask.tensor not in inputs:
                raise ProgramError(
                    f"{_where(statement)}: the mask {mask.tensor!r} is computed; which of its elements are stored is "
                    "then not defined. Mask with an input tensor"
                )
        known.add(statement.name)
    _check_masked_formats(program)
    _check_outputs(program)


def _check_outputs(program: Program) -> None:
    if not program.outputs:
        raise ProgramError("the program returns nothing; name at least one output")
    defined = [statement.name for statement in program.statements]
    for name in program.outputs:
        if name not in defined:
            what = "is an input" if any(tensor.name == name for tensor in program.inputs) else "is not defined"
            raise ProgramError(
                f"output {name!r} {what}; statements define {', '.join(defined) or 'nothing'}. Return one of these"
            )
    twice = [name for name in program.outputs if program.outputs.count(name) > 1]
    if twice:
        raise ProgramError(f"output {twice[0]!r} is returned twice; return it once")


def _check_declarations(program: Program) -> None:
    seen: set[str] = set()
    for tensor in program.tensors:
        _check_name(tensor.name, "tensor name")
        if tensor.name in seen:
            raise ProgramError(f"tensor {tensor.name!r} is declared twice; give the second one another name")
        seen.add(tensor.name)
        if tensor.format.order != tensor.order:
            raise ProgramError(
                f"tensor {tensor.name!r} has {tensor.order} dimensions {tensor.shape} but format {tensor.format} has "
                f"{tensor.format.order} levels; give one level per dimension"
            )
        if any(size < 0 for size in tensor.shape):
            raise ProgramError(f"tensor {tensor.name!r} has a negative size: {tensor.shape}; sizes are 0 or more")
    defined: set[str] = set()
    for statement in program.statements:
        if statement.name in defined:
            raise ProgramError(f"{_where(statement)} defines {statement.name!r} a second time; use a new name")
        defined.add(statement.name)
        if statement.name not in seen:
            raise ProgramError(
                f"{_where(statement)} defines {statement.name!r}, which is not declared; add its shape and format to "
                "the program's tensors"
            )


def _check_name(name: str, what: str) -> None:
    """The text form needs names that Python's parser takes for names."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ProgramError(f"{what} {name!r} must be an identifier, such as conv1_weight; rename it")


def _check_operator(statement: Statement) -> None:
    match statement.expression:
        case Binary(BinaryOp.MUL):
            raise ProgramError(f"{_where(statement)} multiplies with Binary; use Product")
        case Unary(op, _, scalar) if not isfinite(scalar):
            raise ProgramError(f"{_where(statement)}: the constant of {op.value} is {scalar}; it must be finite")
        case Unary(op, _, scalar) if scalar and not op.takes_scalar:
            raise ProgramError(f"{_where(statement)}: {op.value} takes no constant but has {scalar}; leave it out")


def _check_masked_formats(program: Program) -> None:
    for name in masked_tensors(program):
        layout = program.tensor(name).format
        if layout.levels and layout.levels[-1].kind is LevelKind.DENSE:
            raise ProgramError(
                f"tensor {name!r} has masked-out elements but is stored as {layout}, whose innermost level stores "
                f'every element; store it compressed, e.g. "{"c" * layout.order}"'
            )


def _check_accesses(program: Program, statement: Statement) -> None:
    sizes: dict[str, tuple[int, Access]] = {}
    for access in (*statement.operands, statement.output):
        for index in access.indices:
            _check_name(index, f"{_where(statement)}: index")
        shape = program.tensor(access.tensor).shape
        if len(access.indices) != len(shape):
            raise ProgramError(
                f"{_where(statement)}: {access.tensor!r} has {len(shape)} dimensions {shape} but is used with "
                f"{len(access.indices)} indices {access.indices}; give one index per dimension"
            )
        if len(set(access.indices)) != len(access.indices):
            raise ProgramError(
                f"{_where(statement)}: {access.tensor!r} is used with a repeated index {access.indices}; diagonals are "
                "not supported, extract the diagonal first"
            )
    for access in () if statement.is_layout else statement.operands:
        for index, size in zip(access.indices, program.tensor(access.tensor).shape, strict=True):
            known = sizes.setdefault(index, (size, access))
            if known[0] != size:
                raise ProgramError(
                    f"{_where(statement)}: index {index!r} has size {known[0]} in {known[1].tensor!r} but {size} in "
                    f"{access.tensor!r}; both must be equal"
                )


def _check_indices(statement: Statement) -> None:
    unknown = [index for index in statement.output.indices if index not in statement.indices]
    if unknown:
        raise ProgramError(
            f"{_where(statement)}: output index {unknown[0]!r} occurs in no operand; its size is unknown. Known "
            f"indices: {', '.join(statement.indices) or 'none'}"
        )
    match statement.expression:
        case Product():
            return
        case Reduction(op, operand):
            if not statement.reduced:
                raise ProgramError(
                    f"{_where(statement)}: {op.value} reduces nothing, the output has every index of "
                    f"{operand.tensor!r}; leave the reduced index out of the output"
                )
        case _:
            if statement.reduced:
                raise ProgramError(
                    f"{_where(statement)}: index {statement.reduced[0]!r} is missing from the output of an "
                    "element-wise operation; only products sum silently, write sum(...) or max(...)"
                )


def _check_layout(program: Program, statement: Statement) -> None:
    shapes = {access.tensor: program.tensor(access.tensor).shape for access in statement.operands}
    fault = layout_fault(statement, shapes)
    if fault is None and (made := output_shape(statement, shapes)) != program.tensor(statement.name).shape:
        declared = program.tensor(statement.name).shape
        fault = f"{statement.name!r} is declared with shape {declared} but this makes shape {made}; declare that shape"
    masked = masked_tensors(program)
    if fault is None and len({access.tensor in masked for access in statement.operands}) > 1:
        fault = "some operands have masked-out elements and others unstored zeros; stored together they look alike"
    if fault is not None:
        raise ProgramError(f"{_where(statement)}: {fault}")


def _check_maximum(program: Program, statement: Statement) -> None:
    match statement.expression:
        case Reduction(ReduceOp.MAX, _):
            empty = [index for index in statement.reduced if program.extents(statement)[index] == 0]
            if empty:
                raise ProgramError(
                    f"{_where(statement)}: index {empty[0]!r} has size 0, and the maximum of nothing is not defined; "
                    "give it at least one element"
                )
        case _:
            return


def _check_shape(program: Program, statement: Statement) -> None:
    sizes = program.extents(statement)
    wanted = tuple(sizes[index] for index in statement.output.indices)
    declared = program.tensor(statement.name).shape
    if wanted != declared:
        raise ProgramError(
            f"{_where(statement)}: {statement.name!r} is declared with shape {declared} but its indices "
            f"{statement.output.indices} have sizes {wanted}; declare that shape"
        )


def _where(statement: Statement) -> str:
    source = f" ({statement.origin.source})" if statement.origin.source else ""
    return f"statement `{show_statement(statement)}`{source}"
