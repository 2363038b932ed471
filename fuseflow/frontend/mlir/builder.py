"""From terms over loops to statements: one per operator, each new result once however often it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Mask,
    Origin,
    Product,
    ReduceOp,
    Reduction,
    Statement,
    Unary,
    UnaryOp,
)
from fuseflow.errors import ProgramError
from fuseflow.formats import Format
from fuseflow.frontend.mlir.body import Apply, Compare, Constant, Operand, Term

INDEX_NAMES = "ijklmnopqr"
"""Names of the loops of an operation, in their order."""


@dataclass(slots=True)
class Leaf:
    """A tensor that the text does not compute: its shape, and its format and data if the text says them."""

    shape: tuple[int, ...]
    format: Format | None
    data: NDArray[np.float32] | None = None
    argument: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A value of the text: ``dims[d]`` is the dimension of ``tensor`` that dimension ``d`` is, None for one that only
    repeats it (or has size 1)."""

    tensor: str
    dims: tuple[int | None, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Splat:
    """A tensor of one number throughout; None where it has not been filled."""

    value: float | None
    shape: tuple[int, ...]


Value = View | Splat
Operands = Sequence[Access | float]


@dataclass(slots=True)
class Builder:
    """Leaves and statements so far. ``masks`` names leaves whose products are masks."""

    masks: frozenset[str]
    leaves: dict[str, Leaf] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    known: dict[tuple[Expression, tuple[str, ...]], str] = field(default_factory=dict)

    def leaf(self, name: str, leaf: Leaf) -> View:
        """A new leaf, under a name that is not taken."""
        taken = self.fresh(name)
        self.leaves[taken] = leaf
        self.shapes[taken] = leaf.shape
        return View(taken, tuple(range(len(leaf.shape))), leaf.shape)

    def fresh(self, name: str) -> str:
        taken, number = name, 2
        while taken in self.shapes:
            taken, number = f"{name}_{number}", number + 1
        return taken

    def add(self, name: str, expression: Expression, indices: tuple[str, ...], origin: Origin) -> Access:
        """``name[indices] = expression``, or what computes the same already."""
        key = (expression, indices)
        if key not in self.known:
            sizes: dict[str, int] = {}
            draft = Statement(Access("", indices), expression)
            for access in draft.operands:
                sizes.update(zip(access.indices, self.shapes[access.tensor], strict=True))
            taken = self.fresh(name)
            self.shapes[taken] = tuple(sizes[index] for index in indices)
            self.statements.append(Statement(Access(taken, indices), expression, origin))
            self.known[key] = taken
        return Access(self.known[key], indices)

    def expression(self, term: Term, operands: Operands, name: str, origin: Origin) -> Expression | Access | float:
        """``term`` with its operands put in; nested operators become statements of their own."""
        match term:
            case Operand(number):
                return operands[number]
            case Constant(value):
                return value
            case Compare():
                raise ProgramError("a comparison alone is no value")
            case Apply(op=UnaryOp() as op, operands=(inner,)):
                access = self.access(inner, operands, name, origin)
                if isinstance(access, float):
                    raise ProgramError(f"{op.value} of a constant; write its result instead")
                return Unary(op, access)
            case Apply(op=BinaryOp() as op, operands=(left, right)):
                first = self.access(left, operands, name, origin)
                second = self.access(right, operands, name, origin)
                return self.binary(op, first, second, name, origin)
            case _:
                raise AssertionError(term)

    def access(self, term: Term, operands: Operands, name: str, origin: Origin) -> Access | float:
        """``term`` as an access, a statement of its own if it is an operator."""
        found = self.expression(term, operands, name, origin)
        if isinstance(found, Access | float):
            return found
        return self.add(name, found, natural(found), origin)

    def binary(
        self, op: BinaryOp, left: Access | float, right: Access | float, name: str, origin: Origin
    ) -> Expression | float:
        """One operator; a constant operand makes it a unary one."""
        if isinstance(left, Access) and isinstance(right, Access):
            if op is not BinaryOp.MUL:
                return Binary(op, left, right)
            for operand, mask in ((left, right), (right, left)):
                if mask.tensor in self.masks:
                    return Mask(operand, mask)
            return Product(left, right)
        if isinstance(right, float) and isinstance(left, Access):
            return scaled(op, left, right)
        if isinstance(left, float) and isinstance(right, Access):
            if op is BinaryOp.SUB:
                negated = self.add(name, Unary(UnaryOp.NEG, right), right.indices, origin)
                return Unary(UnaryOp.ADD_SCALAR, negated, left)
            if op is not BinaryOp.DIV:
                return scaled(op, right, left)
            inverse = Unary(UnaryOp.RECIPROCAL, right)
            if left == 1.0:
                return inverse
            return Unary(UnaryOp.MUL_SCALAR, self.add(name, inverse, right.indices, origin), left)
        raise ProgramError("an operator on two constants; write its result instead")

    def reduced(
        self,
        op: ReduceOp,
        term: Term,
        operands: Operands,
        name: str,
        kept: tuple[str, ...],
        origin: Origin,
    ) -> Expression:
        """``term`` summed, or its maximum taken, over the index variables that are not ``kept``."""
        found = self.expression(term, operands, name, origin)
        if isinstance(found, float):
            raise ProgramError("a reduction of a constant; write its result instead")
        if isinstance(found, Product) and op is ReduceOp.SUM:
            return found
        access = found if isinstance(found, Access) else self.add(name, found, natural(found), origin)
        return Reduction(op, access)

    def live(self, outputs: Sequence[str]) -> tuple[Statement, ...]:
        """The statements that ``outputs`` need, in order."""
        needed = set(outputs)
        kept: list[Statement] = []
        for statement in reversed(self.statements):
            if statement.name in needed:
                kept.insert(0, statement)
                needed |= {access.tensor for access in statement.operands}
        return tuple(kept)


def scaled(op: BinaryOp, operand: Access, constant: float) -> Expression:
    """``operand op constant`` as an operator with a constant; a maximum with 0 is a relu."""
    match op:
        case BinaryOp.ADD:
            return Unary(UnaryOp.ADD_SCALAR, operand, constant)
        case BinaryOp.SUB:
            return Unary(UnaryOp.ADD_SCALAR, operand, -constant)
        case BinaryOp.MUL:
            return Unary(UnaryOp.MUL_SCALAR, operand, constant)
        case BinaryOp.DIV:
            return Unary(UnaryOp.DIV_SCALAR, operand, constant)
        case BinaryOp.MAX:
            return Unary(UnaryOp.RELU, operand) if constant == 0.0 else Unary(UnaryOp.MAX_SCALAR, operand, constant)
        case BinaryOp.MIN:
            return Unary(UnaryOp.MIN_SCALAR, operand, constant)


def natural(expression: Expression) -> tuple[str, ...]:
    """Index variables of an expression, in the order of the loops."""
    found = set(Statement(Access("", ()), expression).indices)
    return tuple(index for index in INDEX_NAMES if index in found)


def access_of(view: View, loops: Sequence[int | None], sizes: Mapping[int, int]) -> Access | None:
    """``view`` indexed by ``loops`` (None is the constant 0); None if a constant is at a dimension of more than 1."""
    indices: dict[int, str] = {}
    for place, (dimension, loop) in enumerate(zip(view.dims, loops, strict=True)):
        if dimension is None:
            continue
        chosen = loop
        if chosen is None:  # keep-dim notation: position and loop coincide (compiler §2.2)
            if view.shape[place] != 1 or sizes.get(place, 1) != 1:
                return None
            chosen = place
        indices[dimension] = INDEX_NAMES[chosen]
    return Access(view.tensor, tuple(indices[dimension] for dimension in sorted(indices)))
