"""Counters of one unit, and how they become the statistics of a node (simulator §5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from fuseflow.sim.result import NodeStats


@dataclass(slots=True)
class Counters:
    """What one unit counted so far; every field is a number of elements except ``flops``.

    ``coordinates_scanned`` is what the reference prints for dense scanners: coordinates emitted, but none for a
    reference equal to the one before. It is no memory traffic.
    """

    flops: int = 0
    values_read: int = 0
    values_written: int = 0
    coordinates_read: int = 0
    coordinates_written: int = 0
    segments_written: int = 0
    coordinates_scanned: int = 0


def node_stats(name: str, units: Sequence[tuple[int, int, Counters]]) -> NodeStats:
    """Statistics of a node from the (final clock, busy cycles, counters) of each of its units, the one that has the
    outputs last: it is the one that a trace shows, and in a run that was stopped the others may be ahead of it."""
    return NodeStats(
        name=name,
        final_clock_cycles=max(clock for clock, _, _ in units),
        busy_cycles=units[-1][1],
        flops=sum(counters.flops for _, _, counters in units),
        values_read=sum(counters.values_read for _, _, counters in units),
        values_written=sum(counters.values_written for _, _, counters in units),
        coordinates_read=sum(counters.coordinates_read for _, _, counters in units),
        coordinates_written=sum(c.coordinates_written + c.segments_written for _, _, c in units),
    )
