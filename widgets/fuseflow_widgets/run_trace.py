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
TIMELINE_COLUMNS = 200
"""Steps of a timeline; a finer trace is averaged."""
TIMELINE_NODES = 80


def points(frames: Sequence[TraceFrame], start_cycles: dict[str, int], nodes: dict[str, int]) -> NDArray[np.float64]:
    """One row per interval that ``frames`` tell of: its end in cycles of the run, and the values of :data:`CHART`.

    ``start_cycles`` and ``nodes`` give the first cycle of every kernel and its number of nodes.
    """
    rows: dict[tuple[str, int, int], NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(CHART)))
    for frame in frames:
        sent = frame.ports[frame.ports["direction"] == "out"]
        for table, columns, into in (
            (frame.intervals, list(_COLUMNS), slice(0, len(SHARES))),
            (sent, ["tokens"], slice(len(SHARES), None)),
        ):
            if table.empty:
                continue
            sums = table.groupby(["kernel", "start_cycle", "end_cycle"], observed=True)[columns].sum()
            for (kernel, start, end), values in zip(sums.index, sums.to_numpy(), strict=True):
                rows[str(kernel), int(start), int(end)][into] += values
    found = []
    for (kernel, start, end), values in sorted(
        rows.items(), key=lambda item: (start_cycles.get(item[0][0], 0), item[0][1])
    ):
        cycles = max(1, end - start)
        shares = 100.0 * values[: len(SHARES)] / (cycles * max(1, nodes.get(kernel, 1)))
        found.append([start_cycles.get(kernel, 0) + end, *shares, values[-1] / cycles])
    return np.array(found).reshape(-1, 1 + len(CHART))


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
