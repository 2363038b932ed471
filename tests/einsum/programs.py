"""Random programs by hypothesis, and short ways to write small ones."""

from typing import Any

from hypothesis import strategies as st

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Mask,
    Product,
    Program,
    ReduceOp,
    Reduction,
    Statement,
    Tensor,
    Unary,
    UnaryOp,
    masked_tensors,
)
from fuseflow.einsum.masks import default_format
from fuseflow.formats import Format

SIZES = {"i": 2, "j": 3, "k": 1, "l": 4}
SPECS = {0: ("",), 1: ("d", "c"), 2: ("dd", "dc", "cc", "cs", "dd:1,0", "cc:1,0"), 3: ("ddd", "ccc:2,0,1", "dcs")}


def access(text: str) -> Access:
    """``access("A[i,k]")``."""
    name, _, indices = text.rstrip("]").partition("[")
    return Access(name, tuple(indices.split(",")) if indices else ())


def program(tensors: dict[str, tuple[tuple[int, ...], str]], *statements: Statement, outputs: Any = None) -> Program:
    """A program built by hand, not verified; ``tensors`` maps a name to its shape and format text."""
    declared = tuple(Tensor(name, shape, Format.parse(spec, len(shape))) for name, (shape, spec) in tensors.items())
    return Program(declared, statements, (statements[-1].name,) if outputs is None else tuple(outputs))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A well-formed program: up to three inputs, up to five statements, any operator, one or two outputs."""
    inputs: list[tuple[Access, str]] = []
    for number in range(draw(st.integers(1, 3))):
        indices = tuple(draw(st.lists(st.sampled_from(list(SIZES)), max_size=3, unique=True)))
        inputs.append((Access(f"A{number}", indices), draw(st.sampled_from(SPECS[len(indices)]))))
    known = [item for item, _ in inputs]
    statements: list[Statement] = []
    for number in range(draw(st.integers(1, 5))):
        indices, expression = draw(_expressions(known, [item for item, _ in inputs]))
        output = Access(f"T{number}", tuple(draw(st.permutations(indices))))
        statements.append(Statement(output, expression))
        known.append(output)
    tensors = [Tensor(item.tensor, _shape(item), Format.parse(spec, len(item.indices))) for item, spec in inputs]
    results = [Tensor(item.name, _shape(item.output), Format.dense(len(item.output.indices))) for item in statements]
    names = [item.name for item in statements]
    outputs = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
    draft = Program((*tensors, *results), tuple(statements), outputs)
    masked = masked_tensors(draft)
    stored = tuple(
        Tensor(item.name, item.shape, default_format(item.order, True))
        if item.name in masked
        else Tensor(item.name, item.shape, Format.parse(draw(st.sampled_from(SPECS[item.order])), item.order))
        for item in results
    )
    return Program((*tensors, *stored), draft.statements, outputs)


@st.composite
def _expressions(draw: st.DrawFn, known: list[Access], inputs: list[Access]) -> tuple[tuple[str, ...], Expression]:
    left, right = draw(st.sampled_from(known)), draw(st.sampled_from(known))
    union = tuple(dict.fromkeys((*left.indices, *right.indices)))
    kind = draw(st.sampled_from(["unary", "scalar", "reduction", "mask", "binary", "product"]))
    if len(union) > 3 or (kind == "reduction" and not left.indices):
        kind = "unary"
    match kind:
        case "unary":
            return left.indices, Unary(draw(st.sampled_from([op for op in UnaryOp if not op.takes_scalar])), left)
        case "scalar":
            op = draw(st.sampled_from([op for op in UnaryOp if op.takes_scalar]))
            return left.indices, Unary(op, left, draw(st.floats(allow_nan=False, allow_infinity=False)))
        case "reduction":
            kept = draw(st.lists(st.sampled_from(left.indices), max_size=len(left.indices) - 1, unique=True))
            return tuple(kept), Reduction(draw(st.sampled_from(ReduceOp)), left)
        case "mask":
            mask = draw(st.sampled_from(inputs))
            union = tuple(dict.fromkeys((*left.indices, *mask.indices)))
            return (union, Mask(left, mask)) if len(union) <= 3 else (left.indices, Unary(UnaryOp.NEG, left))
        case "binary":
            return union, Binary(draw(st.sampled_from([op for op in BinaryOp if op is not BinaryOp.MUL])), left, right)
        case _:
            kept = draw(st.lists(st.sampled_from(union), unique=True)) if union else []
            return tuple(kept), Product(left, right)


def _shape(item: Access) -> tuple[int, ...]:
    return tuple(SIZES[index] for index in item.indices)
