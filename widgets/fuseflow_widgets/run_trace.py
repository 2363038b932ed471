"""What RunView draws of a trace: the live chart while frames come, and a timeline per node afterwards."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Graph
from fuseflow.run import Run
from fuseflow.sim import Trace, TraceFrame
from fuseflow.sim.result import Result

SHARES = ("busy", "waiting_for_tokens", "waiting_for_room", "waiting_for_memory")
"""Shares of the nodes' time, in percent."""
CHART = (*SHARES, "tokens_per_cycle")
"""Lines of the live chart of a traced run: :data:`SHARES`, and the tokens that all nodes together send per cycle."""
_COLUMNS = ("busy_cycles", "input_wait_cycles", "room_wait_cycles", "memory_wait_cycles")
MOST_BINS = 600
"""Points of the live chart; it is sent as a whole, so its size bounds the messages, too."""
TIMELINE_COLUMNS = 200
"""Steps of a timeline; a finer trace is averaged."""
TIMELINE_NODES = 80


class LiveChart:
    """What the live chart of a traced run shows: sums by cycles of the run, at most :data:`MOST_BINS` of them.

    Nodes do not keep step, so what comes late is added where it belongs: the chart is always drawn as a whole.
    """

    def __init__(self) -> None:
        self._width_cycles = 1
        self._sums: dict[tuple[str, int], NDArray[np.float64]] = {}
        """By kernel and first cycle in it: cycles of all nodes by :data:`SHARES`, and tokens sent."""

    def add(self, frames: Sequence[TraceFrame]) -> None:
        """Take in what became known."""
        for frame in frames:
            sent = frame.ports[frame.ports["direction"] == "out"]
            for table, columns, into in (
                (frame.intervals, list(_COLUMNS), slice(0, len(SHARES))),
                (sent, ["tokens"], slice(len(SHARES), None)),
            ):
                if table.empty:
                    continue
                longest = int((table["end_cycle"] - table["start_cycle"]).max())
                if longest > self._width_cycles:
                    self._widen(longest)
                sums = table.groupby("start_cycle", observed=True)[columns].sum()
                for start, values in zip(sums.index, sums.to_numpy(), strict=True):
                    self._bin(frame.kernel, int(start))[into] += values
        while len(self._sums) > MOST_BINS:
            self._widen(2 * self._width_cycles)

    def rows(self, start_cycles: dict[str, int], nodes: dict[str, int]) -> NDArray[np.float64]:
        """A row per bin in the order of cycles: its end in cycles of the run, and the values of :data:`CHART`.

        ``start_cycles`` and ``nodes`` give the first cycle of every kernel and its number of nodes.
        """
        found = []
        for (kernel, start), sums in self._sums.items():
            shares = 100.0 * sums[: len(SHARES)] / (self._width_cycles * max(1, nodes.get(kernel, 1)))
            end = start_cycles.get(kernel, 0) + start + self._width_cycles
            found.append([end, *shares, sums[-1] / self._width_cycles])
        return np.array(sorted(found)).reshape(-1, 1 + len(CHART))

    def _bin(self, kernel: str, start: int) -> NDArray[np.float64]:
        return self._sums.setdefault((kernel, start - start % self._width_cycles), np.zeros(len(CHART)))

    def _widen(self, width_cycles: int) -> None:
        finer, self._sums, self._width_cycles = self._sums, {}, width_cycles
        for (kernel, start), sums in finer.items():
            self._bin(kernel, start)[:] += sums


def timeline(run: Run, trace: Trace) -> list[dict[str, Any]]:
    """As :func:`fuseflow_widgets.run_view.timeline`, with the shares (percent) over time of each node's busy cycles."""
    start, kernels = 0, []
    table = trace.intervals
    for kernel in run.kernels:
        cycles = max(1, kernel.result.cycles)
        mine = table[table["kernel"] == kernel.name]
        # A multiple of the trace's intervals, so that each lies in one step.
        width = max(1, int((mine["end_cycle"] - mine["start_cycle"]).max())) if len(mine) else 1
        step = width * max(1, -(-cycles // (TIMELINE_COLUMNS * width)))
        columns = -(-cycles // step)
        busy = {
            str(node): np.bincount(
                np.minimum(rows["start_cycle"].to_numpy() // step, columns - 1), rows["busy_cycles"].to_numpy(), columns
            )
            for node, rows in mine.groupby("node", observed=True)
        }
        chosen = sorted(kernel.result.nodes, key=lambda node: -node.busy_cycles)[:TIMELINE_NODES]
        names = {node.name for node in chosen}
        nodes = [
            [
                node.name, node.busy_cycles, node.final_clock_cycles,
                [min(100, round(100 * share / step)) for share in busy.get(node.name, np.zeros(columns))],
            ]
            for node in kernel.result.nodes
            if node.name in names
        ]  # fmt: skip
        kernels.append(
            {"name": kernel.name, "start": start, "cycles": kernel.result.cycles, "step": step, "nodes": nodes}
        )
        start += kernel.result.cycles
    return kernels


def tokens_counted(graph: Graph, result: Result) -> dict[str, int] | None:
    """Tokens that every node of ``graph`` sent, by the counters of the channels; ``None`` if the run has none.

    What a broadcast passes on, and what goes from one unit of a node to the other, its ports have not sent.
    """
    if result.channels is None:
        return None
    ports = {f"{node.name}.{port.name}": node.name for node in graph for port in node.block.outputs}
    found: dict[str, int] = defaultdict(int)
    for channel in result.channels:
        if channel.source in ports:
            found[ports[channel.source]] += channel.tokens
    return dict(found)


def tokens_sent(trace: Trace) -> dict[str, dict[str, int]]:
    """Tokens that every node sent, by kernel and node."""
    ports = trace.ports
    sent = ports[ports["direction"] == "out"].groupby(["kernel", "node"], observed=True)["tokens"].sum()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (kernel, node), tokens in sent.items():
        found[str(kernel)][str(node)] = int(tokens)
    return dict(found)
