"""Settings of a region beyond its statements and its order, as the choices of a control beside the graph.

A setting appears here when :class:`fuseflow.schedule.Region` has the field for it.
"""

from dataclasses import fields
from typing import Any

from fuseflow.errors import ScheduleError
from fuseflow.schedule import Region, Schedule
from fuseflow.schedule.schedule import Iteration
from fuseflow_widgets.edits import change

_FIELDS = {field.name for field in fields(Region)}


def knobs_of(region: Region) -> list[dict[str, Any]]:
    """Key, label, help, choices and value (as text) of every setting that ``region`` has."""
    return [
        {
            "key": "iteration",
            "label": "iteration",
            "help": "factored: every product sums in a nest of its own; global: one nest over all indices of the chain",
            "choices": [each.value for each in Iteration],
            "value": region.iteration.value,
        }
    ]


def apply_knob(schedule: Schedule, region: str, key: str, value: str) -> Schedule:
    """``schedule`` with setting ``key`` of ``region`` as the control shows it; ScheduleError if there is none."""
    if key == "iteration" and value in {each.value for each in Iteration}:
        # Another iteration style has other index variables, so an order does not carry over.
        return change(schedule, region, iteration=Iteration(value), order=None)
    raise ScheduleError(
        f"a region has no setting {key!r} with value {value!r}; its fields are {', '.join(sorted(_FIELDS))}"
    )
