"""The machine: every timing constant of the simulator, as data.

The preset values are the reference simulator's (simulator rules 1.6 and 3.24, scalar column). Another machine is
another value of :class:`Machine`.
"""

from dataclasses import dataclass, field

from fuseflow.errors import SimulationError
from fuseflow.sim.memory import Memory


@dataclass(frozen=True, slots=True)
class ScannerTiming:
    """Timing of a compressed level scanner (simulator rules 1.6 and 3.1)."""

    startup_delay_cycles: int = 0
    data_load_factor: float = 0.0
    initial_delay_cycles: int = 0
    output_latency_cycles: int = 1
    sequential_interval_cycles: int = 1
    miss_latency_cycles: int = 0
    row_size: int = 4


@dataclass(frozen=True, slots=True)
class BlockTiming:
    """``latency_cycles`` from turn to stamp of the result, ``interval_cycles`` from turn to turn."""

    latency_cycles: int = 1
    interval_cycles: int = 1


@dataclass(frozen=True, slots=True)
class Machine:
    """A streaming dataflow machine.

    ``channel_capacity`` is the depth of every stream in tokens, or ``None`` for unbounded streams (the default, and in
    effect the reference's: it uses 10 240 000). ``array``, ``binary``, ``unary`` and ``reduce`` give the timing of
    values; stops and other control tokens always have latency 1. ``product`` is the timing of products that a reduction
    or an accumulator adds up (matrix products, where a value is a block); ``None`` says as ``binary``. ``memory`` is
    ideal unless given. The result of a maximum always has latency 1 (simulator rule 3.16).
    """

    name: str = "comal"
    channel_capacity: int | None = None
    scanner: ScannerTiming = field(default_factory=ScannerTiming)
    array: BlockTiming = field(default_factory=BlockTiming)
    binary: BlockTiming = field(default_factory=BlockTiming)
    unary: BlockTiming = field(default_factory=BlockTiming)
    reduce: BlockTiming = field(default_factory=BlockTiming)
    clock_hz: float = 1e9
    value_bytes: int = 4
    coordinate_bytes: int = 4
    product: BlockTiming | None = None
    memory: Memory = field(default_factory=Memory.ideal)

    @classmethod
    def scalar(cls) -> "Machine":
        """Scalar column of simulator rule 3.24: the default machine."""
        return cls()

    @classmethod
    def block(cls, size: int) -> "Machine":
        """Timing-only block column of simulator rule 3.24: a value token stands for ``size`` x ``size`` values.

        Values stay scalar float32, as in the reference's block modes.
        """
        area = _area(size)
        return cls(
            name=f"comal block {size}",
            array=BlockTiming(area),
            binary=BlockTiming(area),
            unary=BlockTiming(size),
            value_bytes=4 * area,
            product=BlockTiming(area, size),
        )

    @classmethod
    def true_block(cls, size: int) -> "Machine":
        """True block column of simulator rule 3.24: its timing; the values are scalar float32 here, not yet blocks."""
        area = _area(size)
        return cls(
            name=f"comal true block {size}",
            array=BlockTiming(area),
            binary=BlockTiming(area),
            unary=BlockTiming(size),
            reduce=BlockTiming(area),
            value_bytes=4 * area,
            product=BlockTiming(2 * size - 1, size),
        )


def _area(size: int) -> int:
    if size < 1:
        raise SimulationError(f"a block has a side of 1 or more, not {size}")
    return size * size
