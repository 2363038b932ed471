"""Global iteration: one loop nest over every index variable of a chain of products (paper Fig. 5; compiler notes §2.6).

Prior compilers fuse within one expression: ``Y[i,l] = A[i,k] * X[k,j] * W[j,l]`` is iterated as one space ``i k j l``
in which all three operands are multiplied, and summed at the end. Factored iteration sums ``A * X`` over ``k`` first.
Here a program is rewritten so that a product inside a region keeps its reduced indices and leaves the summation to the
product that reads it. What is not a sum of products (an activation, a maximum, a bias) ends the space.
"""

from dataclasses import replace

from fuseflow.einsum import Access, Product, Program, ReduceOp, Reduction, Statement, Tensor
from fuseflow.formats import Format
from fuseflow.schedule import Region, region_outputs


def globally_iterated(program: Program, region: Region) -> Program:
    """``program`` with the sums of ``region`` moved outwards as far as they go."""
    outputs = region_outputs(region, program)
    inside = set(region.statements)
    statements = {statement.name: statement for statement in program.statements}
    tensors = {tensor.name: tensor for tensor in program.tensors}
    for statement in program.statements:
        name = statement.name
        current = statements[name]
        readers = [reader for reader in program.readers(name) if reader.name in inside]
        if name not in inside or name in outputs or not current.reduced or not isinstance(current.expression, Product):
            continue
        if not all(_sums_products(reader) and _uses(reader, name) == 1 for reader in readers):
            continue
        sizes = Program(tuple(tensors.values()), (), ()).extents(current)
        moved = tuple(f"{index}_{name}" for index in current.reduced)
        renamed = dict(zip(current.reduced, moved, strict=True))
        shape = (*tensors[name].shape, *(sizes[index] for index in current.reduced))
        tensors[name] = Tensor(name, shape, Format.dense(len(shape)))
        expression = _renamed(current.expression, renamed)
        output = Access(name, (*current.output.indices, *moved))
        statements[name] = replace(current, output=output, expression=expression)
        for reader in readers:
            old = statements[reader.name]
            statements[reader.name] = replace(old, expression=_extended(old, name, moved))
    return Program(tuple(tensors.values()), tuple(statements.values()), program.outputs)


def _sums_products(statement: Statement) -> bool:
    """Whether a sum over an operand may as well be taken over the result."""
    match statement.expression:
        case Product():
            return True
        case Reduction(ReduceOp.SUM, _):
            return True
        case _:
            return False


def _uses(statement: Statement, name: str) -> int:
    return sum(access.tensor == name for access in statement.operands)


def _renamed(expression: Product, names: dict[str, str]) -> Product:
    def access(item: Access) -> Access:
        return Access(item.tensor, tuple(names.get(index, index) for index in item.indices))

    return Product(access(expression.left), access(expression.right))


def _extended(statement: Statement, name: str, moved: tuple[str, ...]) -> Product | Reduction:
    def access(item: Access) -> Access:
        return Access(item.tensor, (*item.indices, *moved)) if item.tensor == name else item

    match statement.expression:
        case Product(left, right):
            return Product(access(left), access(right))
        case Reduction(op, operand):
            return Reduction(op, access(operand))
        case _:
            raise AssertionError(statement.expression)  # checked by _sums_products
