"""How far a run is."""

from dataclasses import dataclass

PROGRESS_INTERVAL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: tokens written to all streams, the clock of the writer that is furthest behind.

    ``fraction`` estimates the part of the run that is done from the operands that are scanned once from their root;
    ``None`` if the graph has none.
    """

    tokens: int
    clock_cycles: int
    fraction: float | None
    elapsed_seconds: float

    @property
    def remaining_seconds(self) -> float | None:
        """Time that is left if the run goes on as it did; ``None`` while nothing is known."""
        if not self.fraction:
            return None
        return self.elapsed_seconds * (1 - self.fraction) / self.fraction
