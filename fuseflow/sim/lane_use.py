"""How busy parallel lanes were: the copies of a node are called ``n@l`` (decision 011), nested ones ``n@l@k``."""

from collections.abc import Iterable

import pandas as pd

COLUMNS = ["kernel", "lane", "nodes", "busiest", "busy_cycles", "cycles", "use"]


def lane_use(kernels: Iterable[tuple[str, float, pd.DataFrame]]) -> pd.DataFrame:
    """A row per lane of every kernel (name, cycles, counters by node, counted or estimated): its number of nodes, its
    busiest node with that node's busy cycles, and these as a part of the kernel's cycles. Empty without lanes."""
    rows: list[tuple[str, str, int, str, float, float, float]] = []
    for kernel, cycles, table in kernels:
        parts = table["node"].str.partition("@")
        spread = table.assign(lane=parts[2])[parts[1] == "@"]
        # Two indices spread one after the other: only nodes in lanes of both say how busy such a lane is.
        depth = spread["lane"].str.count("@")
        for lane, nodes in spread[depth == depth.max()].groupby("lane", sort=False) if len(spread) else ():
            most = nodes.loc[nodes["busy_cycles"].idxmax()]
            busy = most["busy_cycles"].item()
            rows.append((kernel, str(lane), len(nodes), str(most["node"]), busy, cycles, busy / max(cycles, 1)))
    return pd.DataFrame(rows, columns=COLUMNS)


def lane_words(use: pd.DataFrame) -> dict[str, str]:
    """By kernel with lanes, a line: how even they are, and how busy."""
    lines = {}
    for kernel, lanes in use.groupby("kernel", sort=False):
        mean, most = float(lanes["busy_cycles"].mean()), float(lanes["busy_cycles"].max())
        last = lanes.loc[lanes["busy_cycles"].idxmax()]
        lines[str(kernel)] = (
            f"{len(lanes)} lanes, busy {float(lanes['use'].mean()):.0%} of the time on average; the busiest, "
            f"{last['lane']}, {float(last['use']):.0%} ({last['busiest']}); mean over most {mean / max(most, 1):.0%}"
        )
    return lines
