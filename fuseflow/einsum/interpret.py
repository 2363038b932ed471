"""Dense reference interpreter: what a program means, on numpy arrays.

Every later stage is compared with it. A masked tensor travels as its values and a boolean array of the elements that
are present; see :class:`fuseflow.einsum.nodes.Mask`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_letters
from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fuseflow.einsum.layout import move_array
from fuseflow.einsum.nodes import Access, Binary, Mask, Product, Program, Reduction, Statement, Unary
from fuseflow.einsum.operators import BINARY, ReduceOp, Values, apply_unary
from fuseflow.errors import ProgramError
from fuseflow.formats import FiberTree

Element = TypeVar("Element", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Masked:
    """Values and, where some elements are masked out, which ones are present."""

    values: Values
    present: NDArray[np.bool_] | None = None

    @property
    def filled(self) -> Values:
        """Values with masked-out elements as zero."""
        return self.values if self.present is None else np.where(self.present, self.values, self.values.dtype.type(0))


def interpret(
    program: Program, inputs: Mapping[str, Values | FiberTree], dtype: DTypeLike = np.float64
) -> dict[str, Values]:
    """Every tensor that ``program`` defines, by name, masked-out elements as zero.

    ``inputs`` holds one array (shape as declared) or fiber tree per input tensor; a mask given as an array stores its
    nonzero elements. Raises ProgramError for a missing input or a shape that does not fit.
    """
    known: dict[str, Masked] = {}
    stored: dict[str, NDArray[np.bool_]] = {}
    for tensor in program.inputs:
        if tensor.name not in inputs:
            raise ProgramError(
                f"no data for input {tensor.name!r} of shape {tensor.shape}; given are {', '.join(inputs) or 'none'}"
            )
        data = inputs[tensor.name]
        values = data.to_dense() if isinstance(data, FiberTree) else np.asarray(data)
        if values.shape != tensor.shape:
            raise ProgramError(
                f"data of input {tensor.name!r} have shape {values.shape} but the program declares {tensor.shape}; "
                "change the data or the declaration"
            )
        known[tensor.name] = Masked(values.astype(dtype))
        stored[tensor.name] = data.stored_mask() if isinstance(data, FiberTree) else values != 0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for statement in program.statements:
            if statement.is_layout:
                known[statement.name] = _moved(statement, known, program.tensor(statement.name).shape)
            else:
                known[statement.name] = _evaluate(statement, known, stored)
            if statement.name not in stored:
                stored[statement.name] = known[statement.name].filled != 0
    return {statement.name: np.asarray(known[statement.name].filled) for statement in program.statements}


def _evaluate(statement: Statement, known: Mapping[str, Masked], stored: Mapping[str, NDArray[np.bool_]]) -> Masked:
    space = statement.indices
    output = statement.output.indices
    match statement.expression:
        case Product(left, right) if statement.reduced:
            letters = {index: ascii_letters[number] for number, index in enumerate(space)}
            subscripts = [
                "".join(letters[index] for index in indices) for indices in (left.indices, right.indices, output)
            ]
            values = np.einsum(
                f"{subscripts[0]},{subscripts[1]}->{subscripts[2]}",
                known[left.tensor].filled,
                known[right.tensor].filled,
            )
            return Masked(np.asarray(values))
        case Product(left, right):
            pair = [_spread(access, known[access.tensor], output) for access in (left, right)]
            return _combine(pair, pair[0].values * pair[1].values)
        case Binary(op, left, right):
            pair = [_spread(access, known[access.tensor], output) for access in (left, right)]
            return _combine(pair, BINARY[op](pair[0].values, pair[1].values))
        case Unary(op, operand, scalar):
            moved = _spread(operand, known[operand.tensor], output)
            return Masked(apply_unary(op, moved.values, scalar), moved.present)
        case Reduction(op, operand):
            return _reduce(op, _spread(operand, known[operand.tensor], (*output, *statement.reduced)), len(output))
        case Mask(operand, mask):
            moved = _spread(operand, known[operand.tensor], output)
            present = _place(mask, stored[mask.tensor], output)
            if moved.present is not None:
                present = np.asarray(present & moved.present)
            shape = np.broadcast_shapes(moved.values.shape, present.shape)
            return Masked(np.broadcast_to(moved.values, shape), np.broadcast_to(present, shape))
        case layout:
            raise TypeError(f"{layout!r} computes nothing")


def _moved(statement: Statement, known: Mapping[str, Masked], shape: tuple[int, ...]) -> Masked:
    parts = [known[access.tensor] for access in statement.operands]
    values = move_array(statement, [part.values for part in parts], shape)
    if all(part.present is None for part in parts):
        return Masked(values)
    masks = [np.ones(part.values.shape, np.bool_) if part.present is None else part.present for part in parts]
    return Masked(values, move_array(statement, masks, shape))


def _combine(pair: list[Masked], values: Values) -> Masked:
    masks = [item.present for item in pair if item.present is not None]
    if not masks:
        return Masked(values)
    present = masks[0] if len(masks) == 1 else np.asarray(masks[0] & masks[1])
    return Masked(values, np.broadcast_to(present, values.shape))


def _reduce(op: ReduceOp, moved: Masked, keep: int) -> Masked:
    axes = tuple(range(keep, moved.values.ndim))
    present = None if moved.present is None else np.asarray(moved.present.any(axis=axes))
    if op is ReduceOp.SUM:
        return Masked(np.asarray(moved.filled.sum(axis=axes)), present)
    lowest = -np.inf
    values = moved.values if moved.present is None else np.where(moved.present, moved.values, lowest)
    return Masked(np.asarray(values.max(axis=axes, initial=lowest)), present)


def _spread(access: Access, tensor: Masked, output: tuple[str, ...]) -> Masked:
    """Transpose ``tensor`` to the order of ``output`` and give the dimensions it lacks size 1."""
    present = None if tensor.present is None else _place(access, tensor.present, output)
    return Masked(_place(access, tensor.values, output), present)


def _place(access: Access, array: NDArray[Element], output: tuple[str, ...]) -> NDArray[Element]:
    order = [access.indices.index(index) for index in output if index in access.indices]
    shape = [array.shape[access.indices.index(index)] if index in access.indices else 1 for index in output]
    return array.transpose(order).reshape(shape)
