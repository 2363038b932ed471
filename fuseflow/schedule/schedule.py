"""A schedule as data: which statements are fused into one graph, and in which dataflow order each region runs."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuseflow.errors import ScheduleError

JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Region:
    """Statements (named by the tensors they define) that become one dataflow graph.

    ``order`` is the dataflow order by index variable name, outermost first; ``None`` takes the first legal one.
    """

    name: str
    statements: tuple[str, ...]
    order: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Fusion regions that together hold every statement of a program once."""

    name: str
    regions: tuple[Region, ...]

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __len__(self) -> int:
        return len(self.regions)

    def __repr__(self) -> str:
        lines = [f"Schedule {self.name}: {len(self.regions)} region{'s' if len(self.regions) != 1 else ''}"]
        for region in self.regions:
            order = f"  order {' '.join(region.order)}" if region.order else ""
            lines.append(f"  {region.name}: {' '.join(region.statements)}{order}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back to an equal schedule."""
        regions = [
            {"name": region.name, "statements": list(region.statements), "order": list(region.order) if region.order else None}
            for region in self.regions
        ]
        return json.dumps({"fuseflow_schedule": JSON_VERSION, "name": self.name, "regions": regions}, indent=2)

    @classmethod
    def from_json(cls, text: str, where: str = "the schedule") -> "Schedule":
        """Read :meth:`to_json`'s text; ScheduleError says what is missing or has the wrong type."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ScheduleError(f"{where} is not JSON: {error}") from None
        if not isinstance(data, dict) or data.get("fuseflow_schedule") != JSON_VERSION:
            raise ScheduleError(
                f'{where} has no "fuseflow_schedule": {JSON_VERSION}; write one with Schedule.save or Schedule.to_json'
            )
        try:
            regions = tuple(_region(item, where) for item in data["regions"])
            return cls(str(data["name"]), regions)
        except (KeyError, TypeError) as error:
            raise ScheduleError(f"{where} lacks or mistypes {error}; it needs name and regions") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the schedule to ``path`` as JSON, whole or not at all."""
        target = Path(path)
        try:
            with tempfile.NamedTemporaryFile("w", dir=target.parent, suffix=".tmp", delete=False) as file:
                file.write(self.to_json() + "\n")
            os.replace(file.name, target)
        except OSError as error:
            raise ScheduleError(f"cannot write the schedule to {target}: {error.strerror}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Schedule":
        """Read a schedule that :meth:`save` wrote."""
        try:
            text = Path(path).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ScheduleError(f"cannot read a schedule from {path}: {error}") from None
        return cls.from_json(text, f"the schedule in {path}")

    def to_code(self) -> str:
        """Python source that builds this schedule."""
        lines = [f"ff.Schedule({self.name!r}, ("]
        for region in self.regions:
            order = f", order={region.order!r}" if region.order else ""
            lines.append(f"    ff.Region({region.name!r}, {region.statements!r}{order}),")
        return "\n".join([*lines, "))"])

    @classmethod
    def unfused(cls, program: Any) -> "Schedule":
        """One region per kernel of the model (of ``program``, or of anything that has one)."""
        from fuseflow.schedule.presets import unfused

        return unfused(_program(program))

    @classmethod
    def partial(cls, program: Any) -> "Schedule":
        """One region per layer of the model."""
        from fuseflow.schedule.presets import partial

        return partial(_program(program))

    @classmethod
    def full(cls, program: Any) -> "Schedule":
        """One region for the whole program."""
        from fuseflow.schedule.presets import full

        return full(_program(program))


def _program(source: Any) -> Any:
    return getattr(source, "program", source)


def _region(item: Any, where: str) -> Region:
    names = item["statements"]
    order = item.get("order")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ScheduleError(f"{where}: region {item['name']!r} must list its statements as strings, not {names!r}")
    if order is not None and (not isinstance(order, list) or not all(isinstance(name, str) for name in order)):
        raise ScheduleError(f"{where}: the order of region {item['name']!r} must be a list of index names, not {order!r}")
    return Region(str(item["name"]), tuple(names), tuple(order) if order else None)
