"""Parallelisation as data: which index variable of a region is spread over how many lanes, and how it is dealt out."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from fuseflow.errors import ScheduleError


class Scatter(Enum):
    """How the coordinates of a level are dealt out to lanes."""

    ROUND_ROBIN = "round_robin"
    """In turn, as they come."""
    CONTIGUOUS = "contiguous"
    """Ranges of equal length."""
    BALANCED = "balanced"
    """By stored work: each to the lane that has the fewest stored elements of the region's input tensors so far."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """``count`` lanes for index variable ``index``; the count need not divide the extent."""

    index: str
    count: int
    scatter: Scatter = Scatter.ROUND_ROBIN

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or isinstance(self.count, bool) or self.count < 1:
            raise ScheduleError(f"lanes of index {self.index!r} must be 1 or more, not {self.count!r}")
        scatter: Any = self.scatter
        if not isinstance(scatter, Scatter):
            names = ", ".join(f"ff.{choice}" for choice in Scatter)
            raise ScheduleError(f"lanes of index {self.index!r}: scatter must be one of {names}, not {scatter!r}")

    def __repr__(self) -> str:
        scatter = "" if self.scatter is Scatter.ROUND_ROBIN else f", ff.{self.scatter}"
        return f"ff.Lanes({self.index!r}, {self.count}{scatter})"

    def to_json(self) -> dict[str, Any]:
        return {"index": self.index, "count": self.count, "scatter": self.scatter.value}

    @classmethod
    def from_json(cls, item: Any, where: str) -> "Lanes":
        """Read :meth:`to_json`'s object; ScheduleError says what is wrong with it."""
        if (
            not isinstance(item, dict)
            or not isinstance(item.get("index"), str)
            or not isinstance(item.get("count"), int)
        ):
            raise ScheduleError(f'{where}: lanes must be an object such as {{"index": "i", "count": 4}}, not {item!r}')
        names = [choice.value for choice in Scatter]
        scatter = item.get("scatter", Scatter.ROUND_ROBIN.value)
        if scatter not in names:
            raise ScheduleError(f"{where}: 'scatter' must be one of {', '.join(names)}, not {scatter!r}")
        return cls(item["index"], item["count"], Scatter(scatter))
