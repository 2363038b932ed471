"""What decides the cycles of a traced run: the critical path, interval by interval, in numbers and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fuseflow.sim.trace import KernelTrace, Slice, Trace, waits

MEMORY = "memory"
TOLD = 3
"""Nodes that the words name per kernel."""


@dataclass(frozen=True, slots=True, eq=False)
class Bottleneck:
    """``path`` has the columns kernel, node, share_cycles, share, busy: the nodes that the end of the kernel waited
    for, longest first, with the cycles for which it did, their part of the kernel's cycles, and how busy the node was.
    A node called "memory" stands for answers of the memory. ``utilisation`` is that of ``Trace.utilisation``."""

    text: str
    path: pd.DataFrame
    utilisation: pd.DataFrame

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def bottleneck(trace: Trace) -> Bottleneck:
    """The critical path of every kernel of ``trace``."""
    utilisation = trace.utilisation()
    rows: list[tuple[str, str, int, float, float]] = []
    lines: list[str] = []
    for kernel in trace.kernels:
        shares = critical_path(kernel, kernel.uniform())
        busy = utilisation[utilisation["kernel"] == kernel.kernel].set_index("node")["busy"].to_dict()
        found = [
            (kernel.kernel, node, cycles, cycles / max(kernel.cycles, 1), float(busy.get(node, 0.0)))
            for node, cycles in sorted(shares.items(), key=lambda item: -item[1])
        ]
        rows += found
        lines.append(_words(kernel, found, utilisation[utilisation["kernel"] == kernel.kernel]))
    path = pd.DataFrame(rows, columns=["kernel", "node", "share_cycles", "share", "busy"])
    return Bottleneck("\n".join(lines), path, utilisation)


def critical_path(kernel: KernelTrace, part: Slice) -> dict[str, int]:
    """Cycles by node for which the end of the kernel waited for the work of that node; they add up to the kernel's.

    Walks back from the unit that ends last. An interval counts for the unit if it was busy for most of what it did
    there; else the walk goes on at the unit that it waited for most: the producer of a token, the reader that made no
    room, or the memory. Exact but for what happens within one interval.
    """
    place = {unit: row for row, (unit, _) in enumerate(kernel.units)}
    tokens, room = waits(kernel, part)
    last = part.busy.shape[1] - 1
    acted = (part.busy + tokens + room + part.memory).sum(axis=0)
    while last > 0 and acted[last] == 0:
        last -= 1
    row = int(np.argmax(_last_acting(part.busy + tokens + room + part.memory)))
    shares: dict[str, int] = {}
    for interval in range(last, -1, -1):
        row, name = _decider(kernel, part, place, row, interval)
        start = part.start_cycle + interval * part.width_cycles
        cycles = min(start + part.width_cycles, kernel.cycles) - start
        if cycles > 0:
            shares[name] = shares.get(name, 0) + cycles
    return shares


def _last_acting(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the last interval with anything in it."""
    used = table > 0
    return np.where(used.any(axis=1), table.shape[1] - 1 - np.argmax(used[:, ::-1], axis=1), -1)


def _decider(kernel: KernelTrace, part: Slice, place: dict[str, int], row: int, interval: int) -> tuple[int, str]:
    """The unit that decides ``interval`` as seen from unit ``row``, and the name of its node."""
    seen: list[int] = []
    while row not in seen:
        seen.append(row)
        unit = kernel.units[row][0]
        waited: list[tuple[int, int]] = []
        for number, wire in enumerate(kernel.wires):
            if wire.target == unit and part.starved[number, interval] > 0:
                waited.append((int(part.starved[number, interval]), place[wire.source]))
            elif wire.source == unit and part.full[number, interval] > 0:
                waited.append((int(part.full[number, interval]), place[wire.target]))
        cycles, other = max(waited, default=(0, row))
        memory = int(part.memory[row, interval])
        if memory > max(cycles, int(part.busy[row, interval])):
            return row, MEMORY
        if cycles <= int(part.busy[row, interval]):
            break
        row = other
    else:
        row = max(seen, key=lambda each: int(part.busy[each, interval]))
    unit, node = kernel.units[row]
    return row, node or unit


def _words(kernel: KernelTrace, found: Sequence[tuple[str, str, int, float, float]], use: pd.DataFrame) -> str:
    """One paragraph per kernel."""
    if not found:
        return f"kernel {kernel.kernel}: {kernel.cycles:,} cycles, nothing traced"
    _, first, _, share, busy = found[0]
    text = f"kernel {kernel.kernel}: {kernel.cycles:,} cycles. "
    if first == MEMORY:
        text += f"Answers of the memory decide {share:.0%} of them"
    else:
        text += f"{first} decides {share:.0%} of them (busy {busy:.0%} of the time)"
    others = [f"{node} {part:.0%}" for _, node, _, part, _ in found[1:TOLD] if part >= 0.01]
    text += f", then {', '.join(others)}. " if others else ". "
    idle = use.sort_values("busy").iloc[0] if len(use) else None
    median = float(use["busy"].median()) if len(use) else 0.0
    text += f"Half of the {len(use)} nodes are busy less than {median:.1%} of the time"
    if idle is not None:
        waiting = {
            "for tokens": float(use["input_wait"].mean()),
            "for room": float(use["room_wait"].mean()),
            "for memory": float(use["memory_wait"].mean()),
        }
        what, mean = max(waiting.items(), key=lambda item: item[1])
        text += f"; on average a node waits {what} {mean:.0%} of the time."
    return text


__all__ = ["Bottleneck", "bottleneck", "critical_path"]
