"""A trace as Chrome trace JSON, which https://ui.perfetto.dev and chrome://tracing show.

Format: "Trace Event Format" (Google, 2016): an object with ``traceEvents``; times are microseconds. A kernel is a
process, a node a thread in it; kernels follow each other as they ran.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fuseflow.errors import SimulationError
from fuseflow.formats.atomic import replacing
from fuseflow.sim.trace import WAITS, KernelTrace, Trace, interval_table, node_rows

STATES = ("busy", "waits for tokens", "waits for room", "waits for memory")
"""What a node mostly does in an interval; order of :data:`fuseflow.sim.trace.WAITS`."""

TOKEN_LIMIT = 200_000
"""Most single tokens of a kernel in a file: browsers give up on more."""


def chrome_trace(trace: Trace, clock_hz: float = 1e9) -> dict[str, Any]:
    """The trace as a JSON object. ``clock_hz`` turns cycles into time: at 1e9 a cycle is a nanosecond."""
    events: list[dict[str, Any]] = []
    microseconds = 1e6 / clock_hz
    offset = 0
    for process, kernel in enumerate(trace.kernels, start=1):
        events.append(_meta("process_name", process, 0, kernel.kernel))
        for thread, node in enumerate(node_rows(kernel), start=1):
            events.append(_meta("thread_name", process, thread, node))
            events.append({**_meta("thread_sort_index", process, thread, ""), "args": {"sort_index": thread}})
        events += _states(kernel, process, offset, microseconds)
        events += _tokens(kernel, process, offset, microseconds)
        offset += kernel.cycles
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"clock_hz": clock_hz}}


def write_chrome_trace(trace: Trace, path: str | Path, clock_hz: float = 1e9) -> Path:
    """Write :func:`chrome_trace` to ``path`` and return it; DataError where it cannot be, and the old file stays."""
    target = Path(path)
    if not clock_hz > 0:
        raise SimulationError(f"clock_hz must be above 0, not {clock_hz}; 1e9 makes a cycle a nanosecond")
    text = json.dumps(chrome_trace(trace, clock_hz), allow_nan=False)
    with replacing(target) as file:
        file.write(text.encode())
    return target


def _meta(name: str, process: int, thread: int, value: str) -> dict[str, Any]:
    return {"ph": "M", "name": name, "pid": process, "tid": thread, "args": {"name": value}}


def _states(kernel: KernelTrace, process: int, offset: int, microseconds: float) -> list[dict[str, Any]]:
    """A complete event ("X") for each run of intervals in which a node mostly does the same; idle ones are left out."""
    part = kernel.uniform()
    table = interval_table(kernel, part)
    nodes, count = node_rows(kernel), part.busy.shape[1]
    data = np.stack([table[name].to_numpy().reshape(len(nodes), count) for name in WAITS])
    events: list[dict[str, Any]] = []
    for thread in range(len(nodes)):
        cycles = data[:, thread]
        state = np.where(cycles.sum(axis=0) > 0, cycles.argmax(axis=0), -1)
        borders = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), count]
        for first, end in pairwise(borders):
            if first < count and state[first] >= 0:
                width = part.width_cycles * (end - first)
                start = offset + part.start_cycle + part.width_cycles * first
                events.append(
                    {
                        "ph": "X",
                        "name": STATES[int(state[first])],
                        "cat": "interval",
                        "pid": process,
                        "tid": thread + 1,
                        "ts": start * microseconds,
                        "dur": width * microseconds,
                        "args": {name: int(cycles[row, first:end].sum()) for row, name in enumerate(WAITS)},
                    }
                )
    return events


def _tokens(kernel: KernelTrace, process: int, offset: int, microseconds: float) -> list[dict[str, Any]]:
    """An instant event ("i") per recorded token."""
    threads = {node: number for number, node in enumerate(node_rows(kernel), start=1)}
    shown = kernel.tokens.head(TOKEN_LIMIT)
    return [
        {
            "ph": "i",
            "s": "t",
            "name": f"{port} {token}",
            "cat": "token",
            "pid": process,
            "tid": threads[node],
            "ts": (offset + cycle) * microseconds,
            "args": {"port": port, "token": token, "number": number},
        }
        for cycle, node, port, token, number in zip(
            shown["cycle"].tolist(), shown["node"], shown["port"], shown["token"], shown["number"].tolist(), strict=True
        )
    ]
