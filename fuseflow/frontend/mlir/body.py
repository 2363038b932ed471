"""Bodies of ``linalg.generic``: a list of scalar operations as one expression."""

import re
from dataclasses import dataclass

from fuseflow.einsum import BinaryOp, UnaryOp
from fuseflow.errors import ProgramError
from fuseflow.frontend.mlir.cursor import Cursor
from fuseflow.frontend.mlir.types import ELEMENT, NAME, Aliases, read_type

VALUE = re.compile(r"%[\w$.-]+(?:#\d+)?")
FLOAT = re.compile(r"-?(?:0x[0-9A-Fa-f]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)")
BOOLEAN = re.compile(r"true|false")

MOST_NODES = 200
"""Operators of one yielded term, shared ones counted as often as they are used: no real body comes near."""


@dataclass(frozen=True, slots=True)
class Operand:
    """Block argument ``number``: the inputs first, then the outputs."""

    number: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator on one or two expressions."""

    op: BinaryOp | UnaryOp
    operands: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """``left > right`` (or, ``less``, the other way round), as a select asks it."""

    less: bool
    left: "Term"
    right: "Term"


Term = Operand | Constant | Apply | Compare

_BINARY = {
    "arith.mulf": BinaryOp.MUL, "arith.addf": BinaryOp.ADD, "arith.subf": BinaryOp.SUB, "arith.divf": BinaryOp.DIV,
    "arith.maximumf": BinaryOp.MAX, "arith.maxnumf": BinaryOp.MAX, "arith.maxf": BinaryOp.MAX,
    "arith.minimumf": BinaryOp.MIN, "arith.minnumf": BinaryOp.MIN, "arith.minf": BinaryOp.MIN,
}  # fmt: skip
_UNARY = {
    "math.exp": UnaryOp.EXP, "math.rsqrt": UnaryOp.RSQRT, "math.sqrt": UnaryOp.SQRT, "math.log": UnaryOp.LOG,
    "math.tanh": UnaryOp.TANH, "math.absf": UnaryOp.ABS, "arith.negf": UnaryOp.NEG,
    "math.sin": UnaryOp.SIN, "math.cos": UnaryOp.COS,
}  # fmt: skip
_CASTS = ("arith.extf", "arith.truncf")
_GREATER = ("ogt", "ugt", "oge", "uge")
_LESS = ("olt", "ult", "ole", "ule")


def read_number(cursor: Cursor) -> float:
    """A literal; a hexadecimal one holds the bits of a float, as many as it has digits for."""
    import struct

    start = cursor.at
    text = cursor.take(FLOAT, "a number")
    if not text.lstrip("-").lower().startswith("0x"):
        return float(text)
    digits = text.lstrip("-")[2:]
    forms = {4: "<e", 8: "<f", 16: "<d"}
    if len(digits) not in forms:
        raise cursor.fault(f"{text:.40} does not hold the bits of a float16, float32 or float64", start)
    (value,) = struct.unpack(forms[len(digits)], bytes.fromhex(digits)[::-1])
    return float(value)


def read_body(cursor: Cursor, outer: dict[str, Constant], aliases: Aliases) -> tuple[Term, ...]:
    """The terms that the body yields; ``outer`` are constants from outside. Anything unknown is named with its line."""
    values: dict[str, Term] = dict(outer)
    sizes: dict[str, int] = {}
    cursor.expect("{")
    cursor.take(re.compile(r"\^[\w$.-]+"), "the block label of a body")
    cursor.expect("(")
    arguments = 0
    while not cursor.accept(")"):
        if arguments:
            cursor.expect(",")
        values[cursor.take(VALUE, "a block argument such as %in")] = Operand(arguments)
        cursor.expect(":")
        read_type(cursor, aliases)
        arguments += 1
    cursor.expect(":")
    for _ in range(MOST_NODES):
        if cursor.accept("linalg.yield"):
            found = [_operand(cursor, values)]
            while cursor.accept(","):
                found.append(_operand(cursor, values))
            cursor.expect(":")
            read_type(cursor, aliases)
            while cursor.accept(","):
                read_type(cursor, aliases)
            cursor.expect("}")
            return tuple(found)
        start = cursor.at
        name = cursor.take(VALUE, "an operation or linalg.yield")
        cursor.expect("=")
        values[name] = _operation(cursor, values)
        used = VALUE.findall(cursor.text, start, cursor.at)[1:]
        sizes[name] = 1 + sum(sizes.get(each, 0) for each in used)
        if sizes[name] > MOST_NODES:
            raise cursor.fault(f"{name} is made of more than {MOST_NODES} operations; split the body", start)
    raise cursor.fault(f"a body of more than {MOST_NODES} operations")


def _operand(cursor: Cursor, values: dict[str, Term]) -> Term:
    start = cursor.at
    name = cursor.take(VALUE, "a value such as %in")
    if name not in values:
        raise cursor.fault(f"{name} is not defined in this body, and is no constant outside of it", start)
    return values[name]


def _operation(cursor: Cursor, values: dict[str, Term]) -> Term:
    start = cursor.at
    op = cursor.take(NAME, "an operation such as arith.mulf")
    if op == "arith.constant":
        number = 1.0 if cursor.looking_at("true") else 0.0
        if cursor.match(BOOLEAN) is None:
            number = read_number(cursor)
            cursor.expect(":")
            cursor.take(ELEMENT, "a scalar type")
        return Constant(number)
    if op in _BINARY:
        left, right = _pair(cursor, values)
        _tail(cursor)
        return simplified(_BINARY[op], left, right)
    if op in _UNARY or op in _CASTS:
        operand = _operand(cursor, values)
        _tail(cursor)
        if op in _CASTS:
            return operand
        return sigmoid(Apply(_UNARY[op], (operand,)))
    if op == "arith.cmpf":
        kind = cursor.take(NAME, "a comparison such as ogt")
        cursor.expect(",")
        left, right = _pair(cursor, values)
        _tail(cursor)
        if kind not in (*_GREATER, *_LESS):
            raise cursor.fault(f"comparison {kind!r} is not read; only those of a maximum or minimum are", start)
        return Compare(kind in _LESS, left, right)
    if op == "arith.select":
        condition = _operand(cursor, values)
        cursor.expect(",")
        left, right = _pair(cursor, values)
        _tail(cursor)
        return _select(cursor, start, condition, left, right)
    raise cursor.fault(f"operation {op!r} in a body is not supported", start)


def _pair(cursor: Cursor, values: dict[str, Term]) -> tuple[Term, Term]:
    left = _operand(cursor, values)
    cursor.expect(",")
    return left, _operand(cursor, values)


def _tail(cursor: Cursor) -> None:
    """Flags and types behind the operands: ``fastmath<fast> : f64 to f32``."""
    if cursor.accept("fastmath"):
        cursor.skip_balanced()
    cursor.expect(":")
    cursor.take(ELEMENT, "a scalar type")
    if cursor.accept("to"):
        cursor.take(ELEMENT, "a scalar type")


def _select(cursor: Cursor, start: int, condition: Term, left: Term, right: Term) -> Term:
    """A maximum or minimum written as comparison and select; any other select is refused."""
    if isinstance(condition, Compare) and {condition.left, condition.right} == {left, right}:
        larger = (condition.left == left) != condition.less
        return simplified(BinaryOp.MAX if larger else BinaryOp.MIN, left, right)
    raise cursor.fault("this select is no maximum or minimum of the values that it compares", start)


def simplified(op: BinaryOp, left: Term, right: Term) -> Term:
    """``left op right``; a maximum with 0 is a relu, two constants a constant, ``1 / (1 + exp(-x))`` a sigmoid."""
    if op is BinaryOp.MAX and Constant(0.0) in (left, right):
        return Apply(UnaryOp.RELU, (right if left == Constant(0.0) else left,))
    if (
        isinstance(left, Constant)
        and isinstance(right, Constant)
        and op in _FOLD
        and not (op is BinaryOp.DIV and right.value == 0.0)
    ):
        return Constant(_FOLD[op](left.value, right.value))
    return sigmoid(Apply(op, (left, right)))


_FOLD = {
    BinaryOp.MUL: lambda a, b: a * b,
    BinaryOp.ADD: lambda a, b: a + b,
    BinaryOp.SUB: lambda a, b: a - b,
    BinaryOp.DIV: lambda a, b: a / b,
}


def sigmoid(term: Apply) -> Apply:
    """``1 / (1 + exp(-x))`` as one operator; any other term as it is."""
    match term:
        case Apply(
            BinaryOp.DIV,
            (Constant(1.0), Apply(BinaryOp.ADD, (Constant(1.0), Apply(UnaryOp.EXP, (Apply(UnaryOp.NEG, (x,)),))))),
        ) | Apply(
            BinaryOp.DIV,
            (Constant(1.0), Apply(BinaryOp.ADD, (Apply(UnaryOp.EXP, (Apply(UnaryOp.NEG, (x,)),)), Constant(1.0)))),
        ):
            return Apply(UnaryOp.SIGMOID, (x,))
        case _:
            return term


__all__ = ["Apply", "Compare", "Constant", "Operand", "ProgramError", "Term", "read_body", "read_number"]
