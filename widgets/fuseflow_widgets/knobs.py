"""Settings of a region beyond its statements and its order, as the choices of a control beside the graph."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fuseflow.errors import ScheduleError
from fuseflow.schedule import Iteration, Lanes, Region, Scatter, Schedule
from fuseflow_widgets.edits import CUSTOM, change, named_region

NONE = "none"
BLOCKS = (2, 4, 8, 16, 32)
"""Block sizes that the control offers; other sizes, and one per tensor or index, are possible in code."""
COUNTS = (2, 4, 8, 16)
"""Lane counts that the control offers; any other is possible in code."""


def knobs_of(region: Region, order: Sequence[str], extents: Mapping[str, int]) -> list[dict[str, Any]]:
    """Key, label, help, choices and value (as text) of every setting of ``region``, which runs in ``order``.

    There is a list of lanes for every index that is spread, and one more; none offers more lanes than ``extents`` has
    coordinates, which would be refused.
    """
    knobs = [
        {
            "key": "iteration",
            "label": "iteration",
            "help": "factored: every product sums in a nest of its own; global: one nest over all indices of the chain",
            "choices": [each.value for each in Iteration],
            "value": region.iteration.value,
        }
    ]
    for place in range(len(region.lanes) + 1):
        now = _spread(region.lanes[place]) if place < len(region.lanes) else NONE
        spread = {each.index for at, each in enumerate(region.lanes) if at != place}
        free = [index for index in order if index not in spread]
        offered = [NONE, *(f"{index} ×{count}" for index in free for count in COUNTS if count <= extents[index])]
        if now == NONE == offered[-1]:
            continue
        knobs.append(
            {
                "key": _lanes_key(place),
                "label": _lanes_key(place),
                "help": "the index variable that is spread over parallel lanes, and over how many",
                "choices": offered if now in offered else [now, *offered],
                "value": now,
            }
        )
    if region.lanes:
        knobs.append(
            {
                "key": "scatter",
                "label": "dealt",
                "help": "round robin: in turn; contiguous: equal ranges; balanced: ranges of equal storage",
                "choices": [each.value for each in Scatter],
                "value": region.lanes[0].scatter.value,
            }
        )
    return knobs


def blocks_of(schedule: Schedule) -> dict[str, Any]:
    """The control of the whole schedule: values in square tiles of which size."""
    now = str(schedule.blocks) if schedule.blocks else NONE
    offered = [NONE, *map(str, BLOCKS)]
    return {
        "key": "blocks",
        "label": "blocks",
        "help": "values travel as square tiles of this size; every size of a tensor should be a multiple of it",
        "choices": offered if now in offered else [now, *offered],
        "value": now,
    }


def apply_blocks(schedule: Schedule, value: str) -> Schedule:
    """``schedule`` in tiles as its control shows it; ScheduleError if there is no such choice."""
    if value == blocks_of(schedule)["value"]:
        return schedule
    if value != NONE and not value.isdecimal():
        raise ScheduleError(f"{value!r} is no block size; pick one from the list")
    return replace(schedule.with_blocks(None if value == NONE else int(value)), name=CUSTOM)


def apply_knob(schedule: Schedule, region: str, key: str, value: str) -> Schedule:
    """``schedule`` with setting ``key`` of ``region`` as its control shows it; ScheduleError if there is none."""
    now = named_region(schedule, region)
    try:
        if key == "iteration":
            # Another iteration style has other index variables: the order is chosen anew, and lanes_kept sees to lanes.
            same = Iteration(value) is now.iteration
            return schedule if same else change(schedule, region, iteration=Iteration(value), order=None, lanes=())
        if key == "scatter":
            spread = tuple(Lanes(each.index, each.count, Scatter(value)) for each in now.lanes)
            return change(schedule, region, lanes=spread)
        for place in range(len(now.lanes) + 1):
            if key == _lanes_key(place):
                chosen = () if value == NONE else (_lanes(value, now),)
                return change(schedule, region, lanes=(*now.lanes[:place], *chosen, *now.lanes[place + 1 :]))
    except ValueError:
        raise ScheduleError(f"{value!r} is no {key} of a region; pick one from the list") from None
    raise ScheduleError(f"a region has no setting {key!r}; it has iteration, lanes and scatter")


def _lanes_key(place: int) -> str:
    return "lanes" if place == 0 else f"lanes {place + 1}"


def _spread(lanes: Lanes) -> str:
    return f"{lanes.index} ×{lanes.count}"


def _lanes(text: str, region: Region) -> Lanes:
    index, _, count = text.partition(" ×")
    scatter = region.lanes[0].scatter if region.lanes else Scatter.ROUND_ROBIN
    return Lanes(index, int(count), scatter)
