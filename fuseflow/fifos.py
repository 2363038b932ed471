"""How deep the streams of a run have to be."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from fuseflow.errors import DeadlockError
from fuseflow.sim.machine import BROADCAST_OF
from fuseflow.watching import RunProgress, Watching

if TYPE_CHECKING:
    from fuseflow.run import Run


def fifo_report(
    repeat: Callable[[Watching], "Run"],
    cycles: int,
    search: bool,
    progress: Callable[[RunProgress], None] | None = None,
) -> pd.DataFrame:
    """A row per channel: kernel, source, target, stream (its name as a depth), capacity (NaN: unbounded), tokens,
    largest_fill, depth, waited_cycles.

    ``largest_fill`` is the most slots in use at once; a slot is in use from the send of a token until its credit is
    back, a cycle after the take. With ``depth`` for all streams together no send waits that did not wait in this run,
    so every clock is as it was: without ``search`` it is the largest fill. With ``search`` it is made smaller, stream
    by stream, as far as the cycles of the whole run stay the same; that simulates the run some ten times per stream.
    ``progress`` gets the progress of every run.
    """
    run = repeat(Watching(progress, profile=True))
    rows = [
        (
            kernel.name,
            channel.source,
            channel.target,
            f"{kernel.name}:{channel.source.removeprefix(BROADCAST_OF)} -> {channel.target}",
            float("nan") if channel.capacity is None else channel.capacity,
            channel.tokens,
            channel.largest_fill,
            max(channel.largest_fill, 1),
            channel.waited_cycles,
        )
        for kernel in run.kernels
        for channel in kernel.result.channels or ()
    ]
    names = ["kernel", "source", "target", "stream", "capacity", "tokens", "largest_fill", "depth", "waited_cycles"]
    table = pd.DataFrame(rows, columns=names)
    if search:
        depths = dict(zip(table["stream"], table["depth"].astype(int), strict=True))
        table["depth"] = table["stream"].map(_smallest(repeat, cycles, depths, progress))
    return table


def _smallest(
    repeat: Callable[[Watching], "Run"],
    cycles: int,
    depths: Mapping[str, int],
    progress: Callable[[RunProgress], None] | None,
) -> dict[str, int]:
    """Each depth in turn lowered by bisection while the run has ``cycles``."""
    found = dict(depths)

    def holds(stream: str, depth: int) -> bool:
        try:
            return repeat(Watching(progress, {**found, stream: depth})).cycles == cycles
        except DeadlockError:
            return False

    for stream in found:
        low, high = 0, found[stream]
        while high - low > 1:
            middle = (low + high) // 2
            if holds(stream, middle):
                high = middle
            else:
                low = middle
        found[stream] = high
    return found
