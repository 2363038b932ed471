"""Array, ALUs and reduce from token text; the ALU case is the worked example of simulator Appendix A."""

from collections.abc import Sequence

import numpy as np
import pytest

from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Unit
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.tiles import LOWEST
from fuseflow.sim.machine import BlockTiming
from tests.sim.harness import drive

VALUES = np.array([10, 20, 30, 40], np.float32)
ONE = BlockTiming()


def fold(op: ReduceOp, *streams: str, timing: BlockTiming = ONE) -> tuple[Unit, str]:
    kinds: Sequence[StreamKind] = (StreamKind.VAL, StreamKind.CRD)[: len(streams)]
    unit, (out,) = drive(lambda unit: reduce(unit, op, timing), streams, 1, kinds)
    return unit, out


def test_array() -> None:
    unit, (out,) = drive(lambda unit: fetch(unit, VALUES, ONE), ["0@1 N@2 3@3 S0@4 D@5"], 1)
    assert out == "10@2 0@3 40@4 S0@5 D@6"
    assert unit.counters.values_read == 2


def test_array_latency_is_not_paid_by_control_tokens() -> None:
    _, (out,) = drive(lambda unit: fetch(unit, VALUES, BlockTiming(16, 1)), ["0@1 N@2 S0@3 D@4"], 1)
    assert out == "10@17 0@3 S0@4 D@5"


def test_array_reference_out_of_range() -> None:
    with pytest.raises(SimulationError, match=r"reference outside the 4 stored values: 4 at unit.in0"):
        drive(lambda unit: fetch(unit, VALUES, ONE), ["4@1 D@2"], 1)


def test_binary_worked_example() -> None:
    text = "2@1 3@2 4@3 S0@4 5@5 S1@6 D@7"
    kinds = (StreamKind.VAL, StreamKind.VAL)
    unit, (out,) = drive(lambda unit: binary(unit, BinaryOp.MUL, BlockTiming(31, 16)), [text, text], 1, kinds)
    assert out == "4@32 9@48 16@64 S0@50 25@96 S1@82 D@98"
    assert unit.counters.flops == 4


def test_binary_n_reads_as_zero() -> None:
    kinds = (StreamKind.VAL, StreamKind.VAL)
    _, (out,) = drive(lambda unit: binary(unit, BinaryOp.SUB, ONE), ["N 3 N S0 D", "2 N N S0 D"], 1, kinds)
    assert out == "-2@2 3@3 0@4 S0@5 D@6"


def test_values_are_float32() -> None:
    kinds = (StreamKind.VAL, StreamKind.VAL)
    _, (out,) = drive(lambda unit: binary(unit, BinaryOp.ADD, ONE), ["16777216 S0 D", "1 S0 D"], 1, kinds)
    assert out == "1.67772e+07@2 S0@3 D@4"
    assert float(np.float32(16777216) + np.float32(1)) == 16777216


@pytest.mark.parametrize(
    "left,right,seen",
    [("S0 D", "S1 D", "S0 at unit.in0, S1 at unit.in1"), ("1 S0 D", "S0 D", "1.0 at unit.in0, S0 at unit.in1")],
)
def test_binary_misfit(left: str, right: str, seen: str) -> None:
    with pytest.raises(SimulationError, match=f"unit, cycle 1: operands do not go together: {seen}"):
        drive(lambda unit: binary(unit, BinaryOp.ADD, ONE), [left, right], 1, (StreamKind.VAL, StreamKind.VAL))


def test_unary() -> None:
    kinds = (StreamKind.VAL,)
    _, (out,) = drive(lambda unit: unary(unit, UnaryOp.ADD_SCALAR, 0.5, BlockTiming(4, 1)), ["1 N S0 D"], 1, kinds)
    assert out == "1.5@5 0.5@6 S0@4 D@5"


def test_sum() -> None:
    unit, out = fold(ReduceOp.SUM, "1@1 2@2 S0@3 N@4 S1@5 D@6")
    assert out == "3@4 0@6 S0@6 D@7"
    assert (unit.clock, unit.busy, unit.counters.flops) == (6, 4, 2)


def test_sum_latency() -> None:
    _, out = fold(ReduceOp.SUM, "1@1 S1@2 D@3", timing=BlockTiming(9, 1))
    assert out == "1@11 S0@3 D@4"


def test_maximum_starts_anew_for_every_fiber() -> None:
    _, out = fold(ReduceOp.MAX, "5 S0 -4 -3 S0 S1 D")
    assert out == f"5@3 -3@6 {float(LOWEST):g}@7 S0@7 D@8"


def test_guard_tells_empty_fibers_apart() -> None:
    _, out = fold(ReduceOp.SUM, "1@1 S0@2 S1@3 S1@4 S2@5 D@6", "0@1 1@2 S0@3 S0@4 S1@5 D@6")
    assert out == "1@3 0@4 S0@4 S0@5 S1@6 D@7"


def test_guard_costs_only_its_arrival() -> None:
    unit, out = fold(ReduceOp.SUM, "1@1 2@2 S1@3 D@4", "0@9 S0@12 D@13")
    assert out == "3@10 S0@13 D@14"
    assert unit.clock == 13


@pytest.mark.parametrize(
    "values,guard,seen",
    [
        ("S0 D", "S0 D", "S0 at unit.in0, S0 at unit.in1"),
        ("S2 D", "S0 D", "S2 at unit.in0, S0 at unit.in1"),
        ("S1 D", "1 S1 D", "S1 at unit.in0, S1 at unit.in1"),
        ("1 S0 D", "D", "S0 at unit.in0, D at unit.in1"),
        ("D", "1 S0 D", "D at unit.in0, 1 at unit.in1"),
    ],
)
def test_guard_of_another_nest(values: str, guard: str, seen: str) -> None:
    with pytest.raises(SimulationError, match=f"value stream and guard do not go together: {seen}"):
        fold(ReduceOp.SUM, values, guard)


def test_reduce_of_no_values() -> None:
    with pytest.raises(SimulationError, match=r"no value: R at unit.in0"):
        drive(lambda unit: reduce(unit, ReduceOp.SUM, ONE), ["R D"], 1, (StreamKind.SIGNAL,))
