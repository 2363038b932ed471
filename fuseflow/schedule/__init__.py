"""Schedules: fusion regions and dataflow orders as data, their legality, and the paper's presets."""

from fuseflow.schedule.legality import check, region_output
from fuseflow.schedule.presets import full, layers, partial, unfused
from fuseflow.schedule.schedule import Region, Schedule

__all__ = ["Region", "Schedule", "check", "full", "layers", "partial", "region_output", "unfused"]
