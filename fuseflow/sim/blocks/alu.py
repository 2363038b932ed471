"""ALUs (simulator rules 3.12 and 3.13). Values are float32."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop, Token
from fuseflow.einsum.operators import BINARY, BinaryOp, UnaryOp, apply_unary
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.machine import BlockTiming

Operand = NDArray[np.floating]


def binary(unit: Unit, op: BinaryOp, timing: BlockTiming) -> Process:
    """``op`` of two aligned value streams; ``N`` reads as 0, on both sides too."""
    left, right = unit.inputs
    (out,) = unit.outputs
    function = BINARY[op]
    while True:
        a = yield from unit.take(left)
        b = yield from unit.take(right)
        x, y = _operand(a), _operand(b)
        if x is not None and y is not None:
            result = float(function(x, y)[0])
            yield from unit.send(out, result, timing.latency_cycles)
            unit.counters.flops += 1
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
        unit.tick(timing.interval_cycles)


def unary(unit: Unit, op: UnaryOp, scalar: float, timing: BlockTiming) -> Process:
    """``op`` of a value stream; ``N`` reads as 0."""
    return unary_function(unit, lambda operand: apply_unary(op, operand, scalar), timing)


def unary_function(unit: Unit, function: Callable[[Operand], Operand], timing: BlockTiming) -> Process:
    """``function`` of every value, given as an array of one element; as :func:`unary`."""
    (source,) = unit.inputs
    (out,) = unit.outputs
    while True:
        token = yield from unit.take(source)
        operand = _operand(token)
        if operand is None:
            yield from unit.send(out, token)
        else:
            result = float(function(operand)[0])
            yield from unit.send(out, result, timing.latency_cycles)
            unit.counters.flops += 1
        if token is DONE:
            return
        unit.tick(timing.interval_cycles)


def _operand(token: Token) -> Operand | None:
    """The value of a payload or ``N``, as an array of one element; ``None`` for other tokens."""
    if token is EMPTY:
        token = 0.0
    if isinstance(token, (Stop, Control)):
        return None
    return np.array([token], dtype=np.float32)
