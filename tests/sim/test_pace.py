"""Timing of the blocks that handle tiles: simulator rule 3.24, and equal throughput."""

import pytest

from fuseflow.dataflow.blocks import Array, BinaryALU, Reduce, SparseAccumulator, Tile, UnaryALU, ValWriter
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import SimulationError
from fuseflow.sim import BlockTiming, Machine, TileTiming
from fuseflow.sim.pace import flops_per_value, pace, words_per_value


def square(axes: str, size: int) -> Tile:
    return Tile(tuple(axes), (size,) * len(axes))


@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_lane_per_element_is_the_true_block_column(size: int) -> None:
    ik, kj, ij = (square(axes, size) for axes in ("ik", "kj", "ij"))
    area = size * size
    wanted = {
        Array("A", (ij,)): (area, 1),
        BinaryALU(BinaryOp.MUL, (ik, kj, ij)): (2 * size - 1, size),
        BinaryALU(BinaryOp.ADD, (ij, ij, ij)): (area, 1),
        BinaryALU(BinaryOp.MUL, (ij, ij, ij)): (area, 1),
        UnaryALU(UnaryOp.EXP, 0.0, (ij, ij)): (size, 1),
        Reduce(ReduceOp.SUM, False, (ij, ij)): (area, 1),
        Reduce(ReduceOp.MAX, False, (ij, ij)): (1, 1),
        SparseAccumulator("k", ("j",), (8,), (ij, ij)): (1, 1),
    }
    for block, (latency, interval) in wanted.items():
        found = pace(block, Machine())
        assert (found.latency_cycles, found.interval_cycles, found.control_cycles) == (latency, interval, interval)
    assert pace(ValWriter("Y", (ij, ij)), Machine()).interval_cycles == 1


def test_tiles_of_other_shapes() -> None:
    left, right = Tile(("i", "k"), (2, 8)), Tile(("k", "j"), (8, 4))
    product = BinaryALU(BinaryOp.MUL, (left, right, Tile(("i", "j"), (2, 4))))
    found = pace(product, Machine())
    assert (found.latency_cycles, found.interval_cycles) == (8 + 4 - 1, 8)
    assert flops_per_value(product) == 2 * 4 * (8 + 7)
    vector = Tile(("i",), (2,))
    assert pace(BinaryALU(BinaryOp.MUL, (left, Tile(("k",), (8,)), vector)), Machine()).interval_cycles == 8
    assert pace(UnaryALU(UnaryOp.EXP, 0.0, (vector, vector)), Machine()).latency_cycles == 2


def test_equal_throughput_does_one_step_per_cycle() -> None:
    ik, kj, ij = (square(axes, 4) for axes in ("ik", "kj", "ij"))
    machine, row = Machine.equal_throughput(), Tile(("i",), (4,))
    product = pace(BinaryALU(BinaryOp.MUL, (ik, kj, ij)), machine)
    assert (product.latency_cycles, product.interval_cycles, product.control_cycles) == (64, 64, 1)
    folded = pace(Reduce(ReduceOp.SUM, False, (ij, row)), machine)
    assert (folded.latency_cycles, folded.interval_cycles, folded.control_cycles) == (16, 16, 4)
    assert pace(Array("A", (ij,)), machine).interval_cycles == 16
    assert pace(SparseAccumulator("k", ("j",), (8,), (ij, ij)), machine).interval_cycles == 16
    assert words_per_value(ValWriter("Y", (ij, ij))) == 16


def test_a_tile_of_one_number_is_a_number() -> None:
    one = Tile(("i", "j"), (1, 1))
    slow = Machine(binary=BlockTiming(7, 3), array=BlockTiming(5, 2), reduce=BlockTiming(4, 2))
    for machine in (slow, Machine(binary=BlockTiming(7, 3), tiles=TileTiming(1, 1))):
        for tiled, plain in (
            (BinaryALU(BinaryOp.ADD, (one, one, one)), BinaryALU(BinaryOp.ADD)),
            (Array("A", (one,)), Array("A")),
        ):
            assert pace(tiled, machine).latency_cycles == pace(plain, machine).latency_cycles
            assert pace(tiled, machine).interval_cycles == pace(plain, machine).interval_cycles


def test_refusals() -> None:
    with pytest.raises(SimulationError, match="macs_per_cycle of a machine must be 1 or more, not 0"):
        TileTiming(macs_per_cycle=0)
    assert "a lane per element" in str(TileTiming())
    assert "equal throughput" in str(TileTiming(1, 1))
    assert str(TileTiming(64, 8)) == "64 multiply-adds per cycle, 8 words per cycle from memory"
