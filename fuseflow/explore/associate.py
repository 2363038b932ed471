"""Other orders of multiplication: ``(A * X) * W`` as ``A * (X * W)``. The result is the same but for rounding."""

from collections.abc import Iterator
from dataclasses import replace

from fuseflow.einsum import Access, Product, Program, Statement, Tensor
from fuseflow.einsum.masks import default_format


def associations(program: Program, most: int | None = None) -> list[Program]:
    """``program`` and every program that re-associating its chains of products makes of it, or the first ``most``.

    Those fewer exchanges of neighbouring brackets away from ``program`` come first. A chain of ``n`` matrices has as
    many as the Catalan number of ``n - 1``.

    A chain is a product whose sum only another product reads. Steps without a shared index (outer products) are left
    out.
    """
    found = [program]
    shapes = {_shape(program)}
    for known in found:
        for other in _steps(known):
            if most is not None and len(found) >= most:
                return found
            if _shape(other) not in shapes:
                shapes.add(_shape(other))
                found.append(other)
    return found


def _shape(program: Program) -> frozenset[str]:
    """What multiplies what, whatever the products in between are called."""
    by_name = {statement.name: statement for statement in program.statements}

    def inside(name: str) -> bool:
        statement = by_name.get(name)
        chained = statement is not None and isinstance(statement.expression, Product) and bool(statement.reduced)
        readers = program.readers(name)
        product = len(readers) == 1 and isinstance(readers[0].expression, Product)
        return chained and product and name not in program.outputs

    def text(name: str) -> str:
        if not inside(name):
            return name
        return "(" + "*".join(sorted(text(access.tensor) for access in by_name[name].operands)) + ")"

    return frozenset(
        f"{name}={'*'.join(sorted(text(access.tensor) for access in statement.operands))}"
        for name, statement in by_name.items()
        if not inside(name)
    )


def _steps(program: Program) -> Iterator[Program]:
    for outer in program.statements:
        if not isinstance(outer.expression, Product):
            continue
        for inner_access, other in (
            (outer.expression.left, outer.expression.right),
            (outer.expression.right, outer.expression.left),
        ):
            inner = next((item for item in program.statements if item.name == inner_access.tensor), None)
            if inner is None or not isinstance(inner.expression, Product) or not inner.reduced:
                continue
            alone = len(program.readers(inner.name)) == 1 and inner_access.tensor != other.tensor
            if inner.name in program.outputs or not alone:
                continue
            left, right = _within(inner, inner_access, outer)
            for first, last in ((left, right), (right, left)):
                made = _regrouped(program, inner, outer, first, other, last)
                if made is not None:
                    yield made


def _within(inner: Statement, access: Access, outer: Statement) -> tuple[Access, Access]:
    """The operands of ``inner`` in the index variables of ``outer``, which reads it with ``access``."""
    names = dict(zip(inner.output.indices, access.indices, strict=True))
    taken = set(outer.indices)
    for index in inner.reduced:
        fresh, number = index, 2
        while fresh in taken:
            fresh, number = f"{index}{number}", number + 1
        names[index] = fresh
        taken.add(fresh)
    assert isinstance(inner.expression, Product)
    left, right = (
        Access(item.tensor, tuple(names[index] for index in item.indices))
        for item in (inner.expression.left, inner.expression.right)
    )
    return left, right


def _regrouped(
    program: Program, inner: Statement, outer: Statement, first: Access, second: Access, last: Access
) -> Program | None:
    """``outer = last * (first * second)``, or ``None`` where the two in brackets share no index."""
    if not set(first.indices) & set(second.indices):
        return None
    needed = {*last.indices, *outer.output.indices}
    union = tuple(dict.fromkeys((*first.indices, *second.indices)))
    kept = tuple(index for index in union if index in needed)
    if kept == union:
        return None
    name = f"{inner.name}_regrouped"
    while any(tensor.name == name for tensor in program.tensors):
        name += "_"
    sizes = {
        index: size
        for access in (first, second)
        for index, size in zip(access.indices, program.tensor(access.tensor).shape, strict=True)
    }
    made = Statement(Access(name, kept), Product(first, second), inner.origin)
    changed = replace(outer, expression=Product(last, made.output))
    tensor = Tensor(name, tuple(sizes[index] for index in kept), default_format(len(kept), masked=False))
    statements: list[Statement] = []
    for statement in program.statements:
        if statement.name == outer.name:
            statements += [made, changed]
        elif statement.name != inner.name:
            statements.append(statement)
    inputs = tuple(item for item in program.tensors if item.name != inner.name)
    place = next(number for number, item in enumerate(inputs) if item.name == outer.name)
    return Program((*inputs[:place], tensor, *inputs[place:]), tuple(statements), program.outputs)
