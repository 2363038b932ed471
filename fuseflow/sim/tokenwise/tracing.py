"""Histograms and tokens of a run on the token core, taken out while it runs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fuseflow.dataflow.tokens import show_tokens
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise import stats
from fuseflow.sim.tokenwise.core import TokenCore
from fuseflow.sim.trace import (
    TOKENS,
    KernelTrace,
    Slice,
    TraceFrame,
    TraceOptions,
    Wire,
    interval_table,
    port_table,
)


class Tracer:
    """Traces ``core`` from its first step; ``estimate_cycles`` is about how long it takes, at least."""

    def __init__(self, kernel: str, core: TokenCore, options: TraceOptions, estimate_cycles: int) -> None:
        self._core = core
        self._options = options
        self._kernel = kernel
        network, arena = core.network, core.network.arena
        rows = 2 * len(network.units) + 4 * len(network.channels)
        bins = 2 * options.intervals
        arena[layout.ROWS] = arena.allocate(rows * bins)
        arena[layout.ROW_COUNT], arena[layout.BINS] = rows, bins
        arena[layout.SHIFT] = max(0, (max(estimate_cycles, 1) // bins).bit_length() - 1)
        for number, unit in enumerate(network.units):
            arena[unit.place + layout.ROW] = 2 * number
        for number, channel in enumerate(network.channels):
            arena[channel.place + layout.FLOW_ROW] = 2 * len(network.units) + 4 * number
        arena[layout.TRACED] = 1
        if options.tokens:
            core.record_tokens(*(options.window or (0, layout.UNBOUNDED)))
        self._units = tuple((unit.name, unit.node) for unit in network.units)
        self._wires = self._name_wires()
        self._sums, self._width = np.zeros((rows, bins), np.int64), 1 << arena[layout.SHIFT]
        self._tokens: list[pd.DataFrame] = []
        self._kept = self._dropped = 0

    def _name_wires(self) -> tuple[Wire, ...]:
        network = self._core.network
        places = {unit.place: unit.name for unit in network.units}
        arena = network.arena
        return tuple(
            Wire(
                places[arena[channel.place + layout.PRODUCER]],
                "" if channel.port is None else channel.port.name,
                places.get(arena[channel.place + layout.READER], ""),
                "" if channel.target_port is None else channel.target_port[1],
            )
            for channel in network.channels
        )

    def frame(self) -> TraceFrame | None:
        """What has become known since the frame before; ``None`` if that is nothing."""
        arena = self._core.network.arena
        width, bins = 1 << arena[layout.SHIFT], arena[layout.BINS]
        first = arena[layout.ROWS]
        rows = arena.words[first : first + arena[layout.ROW_COUNT] * bins].reshape(-1, bins)
        used = np.flatnonzero(rows.any(axis=0))
        tokens = self._new_tokens()
        if len(used) == 0 and tokens.empty:
            return None
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        part = self._slice(low * width, width, rows[:, low:high].copy())
        self._add(rows, width)
        rows[:] = 0
        trace = KernelTrace(self._kernel, self._units, self._wires, 0, part, tokens)
        intervals, ports = interval_table(trace, part, sparse=True), port_table(trace, part, sparse=True)
        return TraceFrame(self._kernel, low * width, high * width, intervals, ports, tokens)

    def _add(self, rows: NDArray[np.int64], width: int) -> None:
        """Add a frame to the whole; one table, so that memory does not grow with the length of the run."""
        half = self._sums.shape[1] // 2
        while self._width < width:
            self._sums[:, :half] = self._sums[:, 0::2] + self._sums[:, 1::2]
            self._sums[:, half:] = 0
            self._width *= 2
        self._sums += rows

    def _slice(self, start: int, width: int, rows: NDArray[np.int64]) -> Slice:
        units = 2 * len(self._units)
        return Slice(
            start, width, rows[0:units:2], rows[1:units:2], *(rows[units + number :: 4] for number in range(4))
        )

    def _new_tokens(self) -> pd.DataFrame:
        """Tokens recorded since the last call, those that leave a port, in the order of their cycles."""
        channels = self._core.network.channels
        events = self._core.events() if self._options.tokens else np.empty((0, 4), np.int64)
        leaves = np.array([channel.port is not None for channel in channels], dtype=bool)
        events = events[leaves[events[:, 0]]] if len(events) else events
        room = self._options.max_tokens - self._kept
        self._dropped += max(0, len(events) - room)
        events = events[:room]
        self._kept += len(events)
        events = events[np.argsort(events[:, 2], kind="stable")]
        ports = [channels[number].port for number in events[:, 0].tolist()]
        kinds = [channels[number].kind for number in events[:, 0].tolist()]
        words = [show_tokens([unpack(word, kind)]) for word, kind in zip(events[:, 1].tolist(), kinds, strict=True)]
        columns = (
            [self._kernel] * len(events),
            events[:, 2],
            [port.node for port in ports if port is not None],
            [port.name for port in ports if port is not None],
            words,
            events[:, 3],
        )
        found = pd.DataFrame(dict(zip(TOKENS, columns, strict=True)))
        if len(found):
            self._tokens.append(found)
        return found

    def trace(self) -> KernelTrace:
        """All frames so far together."""
        tokens = pd.concat(self._tokens, ignore_index=True) if self._tokens else pd.DataFrame(columns=list(TOKENS))
        cycles = stats.cycles(self._core.network)
        whole = self._slice(0, self._width, self._sums.copy())
        return KernelTrace(self._kernel, self._units, self._wires, cycles, whole, tokens, self._dropped)
