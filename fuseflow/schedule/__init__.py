"""Schedules: fusion regions and dataflow orders as data, their legality, and the paper's presets."""

from fuseflow.schedule.lanes import Lanes, Scatter
from fuseflow.schedule.legality import check, region_outputs
from fuseflow.schedule.passes import GraphPass
from fuseflow.schedule.presets import PRESETS, full, layers, named, partial, unfused
from fuseflow.schedule.schedule import Iteration, Region, Schedule

__all__ = [
    "PRESETS",
    "GraphPass",
    "Iteration",
    "Lanes",
    "Region",
    "Scatter",
    "Schedule",
    "check",
    "full",
    "layers",
    "named",
    "partial",
    "region_outputs",
    "unfused",
]
