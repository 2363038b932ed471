"""What a machine's memory is: ideal, or the reference's model of high-bandwidth memory (simulator §4).

``blocks.controller`` holds the model itself.
"""

from dataclasses import dataclass
from enum import Enum

from fuseflow.errors import SimulationError


class MemoryKind(Enum):
    """Which model answers reads and writes."""

    IDEAL = "ideal"
    HBM = "hbm"


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a machine; make one with :meth:`ideal` or :meth:`hbm`.

    With high-bandwidth memory, compressed scanners, arrays and writers send requests of 1 to 8 addresses to a
    controller that spreads them over ``channels``. A channel begins a request every ``interval_cycles`` and answers it
    ``start_up_cycles + latency_cycles`` after it has begun (simulator rule 4.3; the reference charges the start-up to
    every request).
    """

    kind: MemoryKind = MemoryKind.IDEAL
    channels: int = 8
    latency_cycles: int = 2
    interval_cycles: int = 2
    start_up_cycles: int = 14

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise SimulationError(f"a memory has 1 channel or more, not {self.channels}")
        for name in ("latency_cycles", "interval_cycles", "start_up_cycles"):
            if getattr(self, name) < 0:
                raise SimulationError(f"{name} of a memory must be 0 or more, not {getattr(self, name)}")

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
