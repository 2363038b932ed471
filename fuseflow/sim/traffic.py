"""What a run read from and wrote to memory, by tensor and level."""

import pandas as pd

from fuseflow.dataflow.blocks import Array, CrdWriter, LevelScanner, ValWriter
from fuseflow.dataflow.graph import Graph
from fuseflow.sim.result import Result

VALUES = "values"


def traffic(graph: Graph, result: Result) -> pd.DataFrame:
    """Columns tensor, level (a number, or "values"), reads, writes (elements) and bytes; the bytes add up to
    ``Result.bytes``. Segment entries count with the coordinates of their level."""
    counts: dict[tuple[str, str], list[int]] = {}
    machine = result.machine
    stats = {node.name: node for node in result.nodes}
    for node in graph:
        block, found = node.block, stats[node.name]
        match block:
            case LevelScanner() if not block.dense:
                key, reads, writes, size = str(block.level), found.coordinates_read, 0, machine.coordinate_bytes
            case Array():
                key, reads, writes, size = VALUES, found.values_read, 0, machine.value_bytes
            case CrdWriter():
                key, reads, writes, size = str(block.level), 0, found.coordinates_written, machine.coordinate_bytes
            case ValWriter():
                key, reads, writes, size = VALUES, 0, found.values_written, machine.value_bytes
            case _:
                continue
        entry = counts.setdefault((block.tensor, key), [0, 0, 0])
        for place, count in enumerate((reads, writes, (reads + writes) * size)):
            entry[place] += count
    rows = [(tensor, level, *entry) for (tensor, level), entry in counts.items()]
    return pd.DataFrame(rows, columns=["tensor", "level", "reads", "writes", "bytes"])
