"""How much memory a point is expected to take, and giving back what is no longer needed.

The sizes are known before anything is built: nodes and widths of a graph, pixels and hidden units of a picture. What
an element of the widest tensor costs was measured: the largest resident memory of a process that runs one point of the
complete Figure 12, over those elements.
"""

import ctypes
import gc
from collections.abc import Mapping
from functools import cache
from typing import Any

from fuseflow.candidates import memory_bytes
from fuseflow.datasets.catalog import find
from fuseflow.datasets.images import find_images
from fuseflow.paper.experiment import Base, Kind, ModelSpec, Point

BASE_BYTES = 0.8e9
"""A process with its packages and compiled kernels, and a point without large tensors."""
HELPER_BYTES = 0.06e9
"""The two processes that keep lists of what workers share."""
TIDY_BYTES = 1e9
"""A process that holds less is not tidied up: that takes longer than a small point."""

ELEMENT_BYTES = {
    (Kind.GCN, Base.UNFUSED): 20.0,  # 5.84 GB for MAG, nodes x 349 classes
    (Kind.GRAPHSAGE, Base.UNFUSED): 27.5,  # 7.74 GB for MAG
}
FUSED_BYTES = {Kind.GCN: 15.6, Kind.GRAPHSAGE: 19.3}
"""The same for all other schedules: 4.79 and 5.74 GB on MAG, partially fused, the latter in PyTorch."""
WEIGHT_BYTES = 13.5
"""Per weight of a layer of the autoencoder, zeros too: 7.8 GB for NIH-CXR, while PyTorch computes the reference."""


def expected_bytes(point: Point) -> float:
    """Largest resident memory of a process that runs ``point``."""
    spec = point.model
    match spec.kind:
        case Kind.GCN | Kind.GRAPHSAGE:
            found = ELEMENT_BYTES.get((spec.kind, point.schedule.base), FUSED_BYTES[spec.kind])
            return BASE_BYTES + found * _widest_result(spec)
        case Kind.SAE:
            entry = find_images(str(spec["dataset"]))
            side, hidden = int(spec.get("side") or entry.side), int(spec.get("hidden") or entry.hidden)
            return BASE_BYTES + WEIGHT_BYTES * side * side * hidden
        case _:
            return BASE_BYTES


def _widest_result(spec: ModelSpec) -> int:
    entry = find(str(spec["dataset"]))
    return int(spec.get("nodes") or spec.get("citing") or entry.nodes) * max(entry.features, entry.classes)


def shares(needs: Mapping[Point, float], workers: int, room: float) -> dict[Point, float]:
    """Which points can run on ``workers`` processes at once, whichever meet, and the memory that each may take.

    Those with the smallest needs, as long as the ``workers`` largest of them have ``room`` together.
    """
    # Of equals full fusion first: it takes longest, so it gains most from company.
    ordered = sorted(needs, key=lambda point: (needs[point], point.schedule.base is not Base.FULL))
    count = 0
    while count < len(ordered) and sum(needs[point] for point in ordered[: count + 1][-workers:]) <= room:
        count += 1
    kept = ordered[:count]
    granted: dict[Point, float] = {}
    while kept and workers > 1 and needs[kept[-1]] > room / workers:
        largest = kept.pop()
        granted[largest] = needs[largest]
        room, workers = room - needs[largest], workers - 1
    granted.update(dict.fromkeys(kept, room / workers))
    return {point: granted[point] for point in needs if point in granted}


def give_back() -> None:
    """Return memory that is free to the system, where this process holds much: freed blocks stay with it otherwise."""
    if memory_bytes() < TIDY_BYTES:
        return
    gc.collect()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    """glibc's malloc_trim; None where the C library has none."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # no handle of the process on Windows
        return None
