"""What a machine's memory is: ideal, the reference's model of high-bandwidth memory (simulator §4), or one of ours.

``blocks.controller`` and ``blocks.dram`` hold the models themselves.
"""

from dataclasses import dataclass, field, fields
from enum import Enum

from fuseflow.errors import SimulationError
from fuseflow.sim.ranges import check_ranges


class MemoryKind(Enum):
    """Which model answers reads and writes."""

    IDEAL = "ideal"
    HBM = "hbm"
    HBM2 = "hbm2"


@dataclass(frozen=True, slots=True)
class DramTiming:
    """Parameters of our model of HBM2 (``blocks.dram``); the values are those of one stack at 2 Gb/s per pin.

    Cycles are nanoseconds at the 1 GHz of the machine. Sources are in ``docs/memory.md``.
    """

    channels: int = 16
    banks: int = 16
    row_bytes: int = 1024
    burst_bytes: int = 32
    burst_cycles: int = 2
    activate_cycles: int = 14
    precharge_cycles: int = 14
    column_cycles: int = 14
    active_cycles: int = 34
    transport_cycles: int = 10
    outstanding: int = 32

    def __post_init__(self) -> None:
        sizes = ("channels", "banks", "row_bytes", "burst_bytes", "outstanding")
        check_ranges("a memory", self, {each.name: int(each.name in sizes) for each in fields(DramTiming)})
        if self.row_bytes % self.burst_bytes:
            raise SimulationError(
                f"a row of {self.row_bytes} bytes must hold a whole number of bursts of {self.burst_bytes} bytes"
            )


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a machine; make one with :meth:`ideal`, :meth:`hbm` or :meth:`hbm2`.

    With the reference's high-bandwidth memory, compressed scanners, arrays and writers send requests of 1 to 8
    addresses to a controller that spreads them over ``channels``. A channel begins a request every
    ``interval_cycles`` and answers it ``start_up_cycles + latency_cycles`` after it has begun (simulator rule 4.3; the
    reference charges the start-up to every request).
    """

    kind: MemoryKind = MemoryKind.IDEAL
    channels: int = 8
    latency_cycles: int = 2
    interval_cycles: int = 2
    start_up_cycles: int = 14
    dram: DramTiming = field(default_factory=DramTiming)

    def __post_init__(self) -> None:
        least = {"channels": 1, "latency_cycles": 0, "interval_cycles": 0, "start_up_cycles": 0}
        check_ranges("a memory", self, least)

    @classmethod
    def ideal(cls) -> "Memory":
        """No limits: a read or write costs what the unit's own rule says. The reference calls it HBM off."""
        return cls()

    @classmethod
    def hbm(
        cls, channels: int = 8, latency_cycles: int = 2, interval_cycles: int = 2, start_up_cycles: int = 14
    ) -> "Memory":
        """The reference's model, with its default parameters (simulator rule 4.2)."""
        return cls(MemoryKind.HBM, channels, latency_cycles, interval_cycles, start_up_cycles)

    @classmethod
    def hbm2(cls, timing: DramTiming | None = None) -> "Memory":
        """Our model of HBM2: channels, banks, open rows, bursts, a limit of requests under way."""
        return cls(MemoryKind.HBM2, dram=timing or DramTiming())
