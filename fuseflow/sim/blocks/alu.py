"""ALUs (simulator rules 3.12 and 3.13). Values are float32."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Tile
from fuseflow.dataflow.tokens import DONE
from fuseflow.einsum.operators import BinaryOp, UnaryOp, apply_unary
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.tiles import combine, convert, reader, sender
from fuseflow.sim.machine import BlockTiming

Operand = NDArray[np.floating]


def binary(unit: Unit, op: BinaryOp, timing: BlockTiming, tiles: tuple[Tile, ...] = (), flops: int = 1) -> Process:
    """``op`` of two aligned value streams; ``N`` reads as 0, on both sides too. A result counts as ``flops``."""
    left, right = unit.inputs
    (out,) = unit.outputs
    function, send = combine(op, tiles), sender(tiles)
    first, second = (reader(tile) for tile in (tiles[:2] or (None, None)))
    while True:
        a = yield from unit.take(left)
        b = yield from unit.take(right)
        x, y = first(a), second(b)
        if x is not None and y is not None:
            yield from unit.send(out, send(function(x, y)), timing.latency_cycles)
            unit.counters.flops += flops
        elif a == b:
            yield from unit.send(out, a)
        else:
            unit.misfit(
                "operands do not go together",
                (left, a),
                (right, b),
                remedy="both streams must have the same fibers; join or repeat them over the same index variables",
            )
        if a is DONE:
            return
        unit.tick(timing.interval_cycles if x is not None else timing.control_cycles)


def unary(
    unit: Unit, op: UnaryOp, scalar: float, timing: BlockTiming, tiles: tuple[Tile, ...] = (), flops: int = 1
) -> Process:
    """``op`` of a value stream; ``N`` reads as 0. A result counts as ``flops``."""

    def number(operand: Operand) -> Operand:
        return apply_unary(op, operand, scalar)

    function = convert(tiles[0], tiles[1], number) if tiles else number
    (source,) = unit.inputs
    (out,) = unit.outputs
    read, send = reader(tiles[0] if tiles else None), sender(tiles)
    while True:
        token = yield from unit.take(source)
        operand = read(token)
        if operand is None:
            yield from unit.send(out, token)
        else:
            yield from unit.send(out, send(function(operand)), timing.latency_cycles)
            unit.counters.flops += flops
        if token is DONE:
            return
        unit.tick(timing.control_cycles if operand is None else timing.interval_cycles)
