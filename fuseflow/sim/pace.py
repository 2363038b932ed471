"""Latency and initiation interval of the blocks that handle values, numbers or tiles (simulator rule 3.24)."""

from dataclasses import dataclass
from math import ceil, prod

from fuseflow.dataflow.blocks import Array, BinaryALU, Reduce, SparseAccumulator, UnaryALU, ValueBlock, ValWriter
from fuseflow.einsum.operators import ReduceOp
from fuseflow.sim.machine import BlockTiming, Machine

ONE = BlockTiming()


@dataclass(frozen=True, slots=True)
class Pace(BlockTiming):
    """Timing of one block of a graph; ``other_cycles`` is what its turns without a value take."""

    other_cycles: int = 1

    @property
    def control_cycles(self) -> int:
        return self.other_cycles


def pace(block: ValueBlock, machine: Machine, summed: bool = False) -> Pace:
    """Timing of ``block`` on ``machine``; ``summed``: a product that a reduction or an accumulator adds up.

    Of a sparse accumulator and a writer only the interval counts: the cycles per value that they take in. With a lane
    per element stops take what values take (rules 3.12, 3.15), otherwise a cycle; a reduction's stop sends a result.
    """
    base = _scalar(block, machine, summed)
    plain = Pace(base.latency_cycles, base.interval_cycles, base.interval_cycles)
    if not block.tiles:
        return plain
    macs, words = machine.tiles.macs_per_cycle, machine.tiles.words_per_cycle
    stops = 1
    if isinstance(block, Array | ValWriter):
        elements = block.tiles[-1].elements
        latency, interval = (elements, 1) if words is None else (_shared(elements, words),) * 2
    elif macs is None:
        latency, interval = _wide(block)
        stops = interval
    else:
        latency = interval = _shared(multiply_adds(block), macs)
        stops = _shared(block.tiles[-1].elements, macs) if isinstance(block, Reduce) else 1
    # On top of what the machine takes for a number, so that a tile of one number is one.
    step = base.interval_cycles
    return Pace(base.latency_cycles + latency - 1, step * interval, step * stops)


def _scalar(block: ValueBlock, machine: Machine, summed: bool) -> BlockTiming:
    match block:
        case Array():
            return machine.array
        case BinaryALU():
            return machine.product if summed and machine.product is not None else machine.binary
        case UnaryALU():
            return machine.unary
        case Reduce(ReduceOp.MAX):
            return BlockTiming(1, machine.reduce.interval_cycles)  # rule 3.16
        case Reduce():
            return machine.reduce
        case SparseAccumulator() | ValWriter():
            return ONE


def _wide(block: BinaryALU | UnaryALU | Reduce | SparseAccumulator) -> tuple[int, int]:
    """Latency and interval with a lane per element of a tile: the paper's, rule 3.24 for N x N tiles."""
    out = block.tiles[-1]
    match block:
        case BinaryALU() if contracted(block) > 1:
            depth = contracted(block)
            return depth + out.longest - 1, depth  # 2 N - 1 and N
        case BinaryALU():
            return out.elements, 1
        case UnaryALU():
            return out.longest, 1
        case Reduce(ReduceOp.MAX) | SparseAccumulator():
            return 1, 1
        case Reduce():
            return block.tiles[0].elements, 1


def _shared(work: int, per_cycle: int) -> int:
    return max(1, ceil(work / per_cycle))


def contracted(block: BinaryALU) -> int:
    """Products that are added up within a tile for one element of the result."""
    left, right, out = block.tiles
    summed = {axis: size for tile in (left, right) for axis, size in zip(tile.axes, tile.shape, strict=True)}
    return prod(size for axis, size in summed.items() if axis not in out.axes)


def multiply_adds(block: BinaryALU | UnaryALU | Reduce | SparseAccumulator) -> int:
    """Arithmetic steps for one value, a multiplication and the addition behind it being one."""
    out = block.tiles[-1]
    match block:
        case BinaryALU():
            return out.elements * contracted(block)
        case UnaryALU():
            return out.elements
        case Reduce() | SparseAccumulator():
            return block.tiles[0].elements


def flops_per_value(block: BinaryALU | UnaryALU | Reduce | SparseAccumulator) -> int:
    """Floating-point operations that one value stands for: 1 for a number, all that is done for a tile."""
    if not block.tiles:
        return 1
    if isinstance(block, BinaryALU):
        return block.tiles[-1].elements * (2 * contracted(block) - 1)
    return multiply_adds(block)


def words_per_value(block: Array | ValWriter) -> int:
    """Numbers that one value read or written stands for."""
    return block.tiles[-1].elements if block.tiles else 1
