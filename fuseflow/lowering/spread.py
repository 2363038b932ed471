"""Spreading a lowered region over parallel lanes, as its schedule asks (paper §7)."""

import heapq
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.passes import parallelise
from fuseflow.dataflow.verify import verify
from fuseflow.errors import ScheduleError
from fuseflow.formats import FiberTree, LevelKind
from fuseflow.fusion import FusedRegion
from fuseflow.lowering.lower import Lowered
from fuseflow.schedule import Lanes, Scatter


def spread(lowered: Lowered, tensors: Mapping[str, FiberTree]) -> Lowered:
    """``lowered`` with its graph spread over the lanes of its region, one index variable after the other.

    The fusion table keeps naming the nodes of one lane: copy ``l`` of node ``n`` is called ``n@l``. Raises
    ScheduleError for an index that the region does not iterate and for more lanes than it has coordinates.
    """
    graph = lowered.graph
    for lanes in lowered.region.region.lanes:
        extent = lowered.region.extents.get(lanes.index)
        if extent is None:
            raise ScheduleError(
                f"region {lowered.region.name!r} has no index {lanes.index!r} to spread over lanes; it iterates "
                f"{' '.join(lowered.order)}"
            )
        if lanes.count > max(extent, 1):
            raise ScheduleError(
                f"region {lowered.region.name!r}: {lanes.count} lanes for index {lanes.index!r}, which has {extent} "
                f"coordinates; use {max(extent, 1)} lanes or fewer"
            )
        boundaries, owners = _deal(lanes, lowered.region, tensors)
        graph = parallelise(graph, lanes.index, lanes.count, boundaries, owners)
    if graph is lowered.graph:
        return lowered
    verify(graph)
    return replace(lowered, graph=graph)


def _deal(
    lanes: Lanes, region: FusedRegion, tensors: Mapping[str, FiberTree]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split points of ranges of coordinates and the lane of each range; nothing where coordinates are dealt in turn."""
    extent = region.extents[lanes.index]
    match lanes.scatter:
        case Scatter.ROUND_ROBIN:
            return (), ()
        case Scatter.CONTIGUOUS:
            return tuple(extent * lane // lanes.count for lane in range(1, lanes.count)), ()
        case Scatter.BALANCED:
            work = np.ones(extent, np.int64)
            for leaf in region.leaves:
                tree = tensors.get(leaf.name)
                sparse = tree is not None and any(level.kind is not LevelKind.DENSE for level in tree.format.levels)
                if tree is not None and sparse and lanes.index in leaf.variables:
                    coordinates, _ = tree.elements()
                    work += np.bincount(coordinates[leaf.variables.index(lanes.index)], minlength=extent)
            return _balanced(work, lanes.count)


def _balanced(work: NDArray[np.int64], lanes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Every coordinate to the lane with the least work so far, in the order in which they come.

    So lanes finish early coordinates early: with one range per lane, which balances as well, the gather would have to
    wait for the whole of the first lane before it takes anything of the second.
    """
    waiting = [(0, lane) for lane in range(lanes)]
    owners: list[int] = []
    for amount in work.tolist():
        done, lane = waiting[0]
        heapq.heapreplace(waiting, (done + amount, lane))
        owners.append(lane)
    starts = [0, *(place for place in range(1, len(owners)) if owners[place] != owners[place - 1])]
    return tuple(starts[1:]), tuple(owners[place] for place in starts)
