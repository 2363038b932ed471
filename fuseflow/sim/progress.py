"""How far a run is, and a guess of how long the rest takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from time import monotonic

PROGRESS_INTERVAL_SECONDS = 0.1

SMOOTHING_SECONDS = 3.0
"""After this time a change of the guess counts for two thirds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: tokens written to all streams, the clock of the writer that is furthest behind.

    ``fraction`` is the part of the values that is written (``written``), of the result that is furthest behind; where
    results are written only at the end, the part read so far of the operands that are scanned once from their root,
    counted in tokens; ``None`` if the graph has none. It never falls, and is a guess of how much of the run is done:
    what a value or a token costs differs from row to row, and operands may be read long before the end.
    ``remaining_seconds`` is a guess, too: the time left if the rest goes as fast as the first part went, smoothed so
    that it changes little by little; ``None`` while nothing is known, which is also so at a fraction of 1.
    """

    tokens: int
    clock_cycles: int
    fraction: float | None
    elapsed_seconds: float
    remaining_seconds: float | None = None


class Pace:
    """Makes the reports of one run, which starts now: fractions that never fall, and a smoothed remaining time."""

    __slots__ = ("_fraction", "_remaining", "_seen", "_start")

    def __init__(self) -> None:
        self._start = self._seen = monotonic()
        self._fraction = 0.0
        self._remaining: float | None = None

    def report(self, tokens: int, clock_cycles: int, read: Sequence[tuple[int, int]]) -> Progress:
        """The state now; ``read`` has, per result or stream, what is written or read and (a bound of) all."""
        now = monotonic()
        elapsed = now - self._start
        if not read:
            return Progress(tokens, clock_cycles, None, elapsed)
        done = sum(min(part, whole) for part, whole in read) / sum(whole for _, whole in read)
        self._fraction = max(self._fraction, done)
        self._remaining = self._guess(elapsed, now - self._seen)
        self._seen = now
        return Progress(tokens, clock_cycles, self._fraction, elapsed, self._remaining)

    def _guess(self, elapsed: float, passed: float) -> float | None:
        """The time left: the guess before, counted down and drawn towards what the run so far says."""
        if self._fraction in (0.0, 1.0):
            return None
        told = elapsed * (1.0 - self._fraction) / self._fraction
        if self._remaining is None:
            return told
        expected = self._remaining - passed
        return max(0.0, expected + (1.0 - exp(-passed / SMOOTHING_SECONDS)) * (told - expected))
