"""Values of an operation on its whole nest: arrays, repeats and ALUs."""

from typing import TYPE_CHECKING

from fuseflow.dataflow.blocks import BinaryALU, Tile, UnaryALU
from fuseflow.dataflow.graph import Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum import (
    Binary,
    BinaryOp,
    Mask,
    Product,
    Reduction,
    Unary,
    UnaryOp,
    show_statement,
)
from fuseflow.errors import FusionError
from fuseflow.fusion import Leaf
from fuseflow.lowering.columns import Column

if TYPE_CHECKING:
    from fuseflow.lowering.generate import Lowering


def computed(lowering: "Lowering", column: Column) -> Port:
    """Value stream of the operation on its whole nest, before its reductions."""
    role = f"computes {show_statement(column.view.statement)}"
    name = column.name
    match column.view.statement.expression:
        case Product():
            pair = (_operand(lowering, column, 0), _operand(lowering, column, 1))
            tiles = lowering.tiles.step(column)
            return lowering.builder.compute(BinaryALU(BinaryOp.MUL, tiles), pair, f"mul_{name}", role)
        case Binary(op, _, _):
            pair = (_operand(lowering, column, 0), _operand(lowering, column, 1))
            return lowering.builder.compute(
                BinaryALU(op, lowering.tiles.step(column)), pair, f"{op.value}_{name}", role
            )
        case Unary(op, _, scalar):
            only = (_operand(lowering, column, 0),)
            block = UnaryALU(op, scalar, lowering.tiles.step(column))
            return lowering.builder.compute(block, only, f"{op.value}_{name}", role)
        case Reduction():
            return _operand(lowering, column, 0)
        case Mask():
            return _spread(lowering, column, _operand(lowering, column, 0))
        case layout:
            raise FusionError(f"{column.name}: {layout} only moves elements; end the region before it")


def _operand(lowering: "Lowering", column: Column, number: int) -> Port:
    """Value stream of an operand on ``column``'s whole nest."""
    operand = column.operands[number]
    if isinstance(operand, Leaf):
        tiles = lowering.tiles.listed(lowering.tiles.of_leaf(operand))
        values = lowering.builder.array(operand.name, lowering.reference(operand, column.loops), tiles)
        lowering.arrays[operand, column.loops] = values
        return values
    val = lowering.evaluate(operand).val
    path = operand.result_path
    if operand.produced:
        val = lowering.levels[path].payloads[operand]
    for depth in range(len(path) + 1, len(column.loops) + 1):
        val = lowering.repeat(val, column.loops[:depth], operand.name, StreamKind.VAL, Part.COMPUTE)
        lowering.aligned.setdefault(column, []).append(val)
    return val


def _spread(lowering: "Lowering", column: Column, val: Port) -> Port:
    """``val`` of a masked operand with every axis that the mask adds to its tiles."""
    tiles = lowering.tiles.step(column)
    if not tiles or set(tiles[0].axes) == set(tiles[-1].axes):
        return val
    role = f"repeats {column.operands[0].name} within the blocks of the mask"
    block = UnaryALU(UnaryOp.IDENTITY, tiles=(tiles[0], tiles[-1]))
    return lowering.builder.compute(
        block, (filled(lowering, val, column.name, tiles[0]),), f"spread_{column.name}", role
    )


def filled(lowering: "Lowering", val: Port, name: str, tile: Tile) -> Port:
    """``val``, whose values are ``tile``, with missing operands as zeros, for blocks that take no ``N``."""
    if val not in lowering.maybe_missing:
        return val
    block = UnaryALU(UnaryOp.IDENTITY, tiles=(tile, tile) if lowering.tiles.sizes else ())
    return lowering.builder.compute(block, (val,), f"fill_{name}", f"reads missing elements of {name} as 0")
