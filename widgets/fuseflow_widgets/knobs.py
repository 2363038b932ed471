"""Settings of a region beyond its statements and its order, as the choices of a control beside the graph.

A setting appears here when :class:`fuseflow.schedule.Region` has the field for it.
"""

from dataclasses import fields
from typing import Any

from fuseflow.errors import ScheduleError
from fuseflow.schedule import Region, Schedule
from fuseflow_widgets.edits import change

_FIELDS = {field.name for field in fields(Region)}


def knobs_of(region: Region) -> list[dict[str, Any]]:
    """Key, label, help, choices and value (as text) of every setting that ``region`` has."""
    return []


def apply_knob(schedule: Schedule, region: str, key: str, value: str) -> Schedule:
    """``schedule`` with setting ``key`` of ``region`` as the control shows it; ScheduleError if there is none."""
    if key not in _FIELDS:
        raise ScheduleError(f"a region has no setting {key!r}; it has {', '.join(sorted(_FIELDS))}")
    return change(schedule, region, **{key: value})
