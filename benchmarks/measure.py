"""Rows of a benchmark file and how they are taken."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def row(
    name: str, value: float, unit: str, target: float | None = None, baseline: float | None = None, larger: bool = False
) -> Row:
    """One row; ``larger`` says that a larger value is better."""
    met = None if target is None else bool(value >= target if larger else value <= target)
    ratio = None if baseline is None else (value / baseline if larger else baseline / value)
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "target": target,
        "met": met,
        "baseline": baseline,
        "ratio": ratio,
    }


_clock: Callable[[], float] = time.perf_counter


def use_processor_time() -> None:
    """Measure processor time (of all threads) instead of wall time: what a busy machine still tells."""
    global _clock
    _clock = time.process_time


def clock_name() -> str:
    """``perf_counter`` or ``process_time``."""
    return _clock.__name__


def median_seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """Median time of ``action``, after one call that warms up."""
    action()
    times = []
    for _ in range(repeats):
        started = _clock()
        action()
        times.append(_clock() - started)
    return statistics.median(times)
