"""Graph passes as data: optional steps that a region's graph takes after it was lowered."""

from enum import Enum
from typing import Any

from fuseflow.errors import ScheduleError


class GraphPass(Enum):
    """An optional step from graph to graph. Results stay what they are; :func:`fuseflow.passes_report` measures it."""

    LOCATES = "locates"
    """Locates of the same coordinates in the same level become one."""
    JOINS = "joins"
    """Equal joins become one, and intersections that keep every coordinate go."""
    REPEATS = "repeats"
    """Repeats of the same data over the same fibers become one."""
    COMMON = "common"
    """All nodes that make the same streams become one."""
    HOIST = "hoist"
    """What does not depend on an index is done before it is repeated over it."""
    DEAD = "dead"
    """Streams that no result needs go."""

    @classmethod
    def of(cls, choice: Any) -> "GraphPass":
        """The pass by name; ScheduleError for one that does not exist."""
        try:
            return cls(choice)
        except ValueError:
            names = ", ".join(repr(item.value) for item in cls)
            raise ScheduleError(f"a graph pass is one of {names}, not {choice!r}") from None
