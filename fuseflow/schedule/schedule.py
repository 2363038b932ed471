"""A schedule as data: which statements are fused into one graph, and in which dataflow order each region runs."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import prod
from pathlib import Path
from typing import Any

from fuseflow.errors import DataError, ScheduleError
from fuseflow.formats.atomic import replacing
from fuseflow.schedule.blocks import BlockSizes, read_blocks, show_blocks
from fuseflow.schedule.lanes import Lanes
from fuseflow.schedule.passes import GraphPass

JSON_VERSION = 1


class Iteration(Enum):
    """How the chained products of a region are iterated (paper §3)."""

    FACTORED = "factored"
    """Every product sums its own indices in a nest of its own."""
    GLOBAL = "global"
    """One nest over all indices of the chain, as compilers that fuse within single expressions have it.

    A product that is a result itself, or that something else than a product reads, is still summed on its own.
    """


@dataclass(frozen=True, slots=True)
class Region:
    """Statements (named by the tensors they define) that become one dataflow graph.

    ``order`` is the dataflow order by index variable name, outermost first; ``None`` takes the first legal one.
    ``orders`` constrains single statements: pairs of a statement and its own index variables, outermost first.
    ``lanes`` spreads index variables over parallel lanes, one after the other, each once. ``passes`` are steps that the
    graph takes before that, in their order.
    """

    name: str
    statements: tuple[str, ...]
    order: tuple[str, ...] | None = None
    iteration: Iteration = Iteration.FACTORED
    orders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    lanes: tuple[Lanes, ...] = ()
    passes: tuple[GraphPass, ...] = ()

    def __post_init__(self) -> None:
        iteration: Any = self.iteration
        if not isinstance(iteration, Iteration):
            names = ", ".join(f"ff.{choice}" for choice in Iteration)
            raise ScheduleError(f"region {self.name!r}: iteration must be one of {names}, not {iteration!r}")
        lanes: Any = self.lanes
        for item in lanes if isinstance(lanes, tuple | list) else [lanes]:
            if not isinstance(item, Lanes) or item is lanes:
                raise ScheduleError(
                    f"region {self.name!r}: lanes must be a tuple, such as (ff.Lanes('i', 4),), not {lanes!r}"
                )
        spread = [item.index for item in self.lanes]
        twice = next((index for place, index in enumerate(spread) if index in spread[:place]), None)
        if twice is not None:
            raise ScheduleError(
                f"region {self.name!r} spreads index {twice!r} over lanes twice; name it once, with the number of all "
                f"its lanes, such as ff.Lanes({twice!r}, {prod(item.count for item in lanes if item.index == twice)})"
            )
        passes: Any = self.passes
        if isinstance(passes, str | GraphPass):
            raise ScheduleError(f"region {self.name!r}: passes must be a tuple, such as ({passes!r},)")
        object.__setattr__(self, "passes", tuple(GraphPass.of(step) for step in passes))
        statements: Any = self.statements
        if isinstance(statements, str):
            raise ScheduleError(f"region {self.name!r}: statements must be a tuple, such as ({statements!r},)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Fusion regions that together hold every statement of a program once.

    ``blocks`` cuts dimensions into blocks, so that values are tiles: one size for the last two dimensions of every
    stored tensor, or pairs of a tensor and its sizes by dimension or of an index variable and a size (given as a dict
    or as a tuple of pairs). Building one checks little; :func:`fuseflow.schedule.check` and compiling judge it
    against a program.
    """

    name: str
    regions: tuple[Region, ...]
    blocks: int | tuple[tuple[str, int | tuple[int, ...]], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", read_blocks(self.blocks, f"schedule {self.name!r}"))
        regions: Any = self.regions
        if isinstance(regions, Region) or not all(isinstance(region, Region) for region in regions):
            raise ScheduleError(f"schedule {self.name!r}: regions must be a tuple of ff.Region, not {self.regions!r}")

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __len__(self) -> int:
        return len(self.regions)

    def __repr__(self) -> str:
        lines = [f"Schedule {self.name}: {len(self.regions)} region{'s' if len(self.regions) != 1 else ''}"]
        lines += [f"  blocks {show_blocks(self.blocks)}"] if self.blocks else []
        for region in self.regions:
            order = f"  order {' '.join(region.order)}" if region.order else ""
            style = "  global iteration" if region.iteration is Iteration.GLOBAL else ""
            lines.append(f"  {region.name}: {' '.join(region.statements)}{order}{style}")
            lines += [f"    {name} in order {' '.join(asked)}" for name, asked in region.orders]
            lines += [f"    {item.count} lanes of {item.index}, {item.scatter.value}" for item in region.lanes]
            lines += [f"    passes {' '.join(item.value for item in region.passes)}"] if region.passes else []
        return "\n".join(lines)

    def to_json(self) -> str:
        """JSON text that :meth:`from_json` reads back to an equal schedule."""
        regions = [
            {
                "name": region.name,
                "statements": list(region.statements),
                "order": None if region.order is None else list(region.order),
                "iteration": region.iteration.value,
                "orders": {name: list(asked) for name, asked in region.orders},
                "lanes": [item.to_json() for item in region.lanes],
                **({"passes": [item.value for item in region.passes]} if region.passes else {}),
            }
            for region in self.regions
        ]
        data: dict[str, Any] = {"fuseflow_schedule": JSON_VERSION, "name": self.name, "regions": regions}
        if self.blocks:
            data["blocks"] = self.blocks if isinstance(self.blocks, int) else dict(self.blocks)
        return json.dumps(data, indent=2)

    @classmethod
    def from_json(cls, text: str, where: str = "the schedule") -> "Schedule":
        """Read :meth:`to_json`'s text; ScheduleError says what is missing or has the wrong type."""
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ScheduleError(f"{where} is not JSON: {error}; write one with Schedule.save") from None
        if not isinstance(data, dict) or "fuseflow_schedule" not in data:
            raise ScheduleError(f'{where} has no "fuseflow_schedule": {JSON_VERSION}; write one with Schedule.save')
        if data["fuseflow_schedule"] != JSON_VERSION:
            raise ScheduleError(
                f"{where} is of version {data['fuseflow_schedule']!r}, this fuseflow reads version {JSON_VERSION}; "
                "write it again with Schedule.save"
            )
        name = _field(data, "name", str, "a string", where)
        regions = _field(data, "regions", list, "a list", where)
        blocks = read_blocks(data.get("blocks", ()), where)
        return cls(
            name, tuple(_region(item, f"{where}, region {number}") for number, item in enumerate(regions)), blocks
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the schedule to ``path`` as JSON, whole or not at all; ScheduleError if that fails."""
        try:
            with replacing(Path(path)) as file:
                file.write((self.to_json() + "\n").encode())
        except DataError as error:
            raise ScheduleError(f"schedule {self.name!r} is not saved: {error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Schedule":
        """Read a schedule that :meth:`save` wrote; ScheduleError if it is missing or not one."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ScheduleError(
                f"cannot read a schedule from {path}: {error.strerror}; give the path of a file that "
                "Schedule.save wrote"
            ) from None
        except UnicodeDecodeError as error:
            raise ScheduleError(
                f"the schedule in {path} is not UTF-8 text: {error}; write it with Schedule.save"
            ) from None
        return cls.from_json(text, f"the schedule in {path}")

    def to_code(self) -> str:
        """Python source that builds this schedule."""
        lines = [f"ff.Schedule({self.name!r}, ("]
        for region in self.regions:
            order = "" if region.order is None else f", order={region.order!r}"
            style = "" if region.iteration is Iteration.FACTORED else f", iteration=ff.{region.iteration}"
            orders = f", orders={region.orders!r}" if region.orders else ""
            lanes = f", lanes={region.lanes!r}" if region.lanes else ""
            passes = ", ".join(f"ff.{item}" for item in region.passes)
            passes = f", passes=({passes},)" if passes else ""
            lines.append(f"    ff.Region({region.name!r}, {region.statements!r}{order}{style}{orders}{lanes}{passes}),")
        return "\n".join([*lines, f"), blocks={self.blocks!r})" if self.blocks else "))"])

    def with_lanes(self, *lanes: Lanes) -> "Schedule":
        """This schedule with ``lanes`` in every region (compiling raises ScheduleError where an index is missing)."""
        return replace(self, regions=tuple(replace(region, lanes=lanes) for region in self.regions))

    def with_blocks(self, blocks: "BlockSizes | Mapping[str, int | tuple[int, ...]] | None") -> "Schedule":
        """This schedule with values in tiles: ``with_blocks(16)`` or ``with_blocks({"A": (16, 16)})``; ``None`` for
        numbers again. Compiling raises ScheduleError for a size that does not divide its dimension."""
        return replace(self, blocks=read_blocks(() if blocks is None else blocks, f"schedule {self.name!r}"))

    def with_passes(self, *passes: GraphPass | str) -> "Schedule":
        """This schedule with ``passes`` in every region, by name or as GraphPass; ScheduleError for an unknown one."""
        steps = tuple(GraphPass.of(item) for item in passes)
        return replace(self, regions=tuple(replace(region, passes=steps) for region in self.regions))

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
    if not isinstance(item, dict):
        raise ScheduleError(f"{where} must be an object with name and statements, not {item!r}")
    name = _field(item, "name", str, "a string", where)
    statements = _names(_field(item, "statements", list, "a list", where), "statements", where)
    order = item.get("order")
    if order is not None:
        order = _names(_field(item, "order", list, "a list or null", where), "order", where)
    style = item.get("iteration", Iteration.FACTORED.value)
    known = [choice.value for choice in Iteration]
    if style not in known:
        raise ScheduleError(f"{where}: 'iteration' must be one of {', '.join(known)}, not {style!r}")
    asked = item.get("orders", {})
    if not isinstance(asked, dict) or not all(isinstance(names, list) for names in asked.values()):
        raise ScheduleError(f"{where}: 'orders' must be an object of lists of index variables, not {asked!r}")
    orders = tuple((statement, _names(names, "orders", where)) for statement, names in asked.items())
    lanes = item.get("lanes", [])
    if not isinstance(lanes, list):
        raise ScheduleError(f"{where}: 'lanes' must be a list, not {lanes!r}")
    spread = tuple(Lanes.from_json(each, where) for each in lanes)
    passes = item.get("passes", [])
    if not isinstance(passes, list):
        raise ScheduleError(f"{where}: 'passes' must be a list of names, not {passes!r}")
    return Region(name, statements, order, Iteration(style), orders, spread, tuple(map(GraphPass.of, passes)))


def _field(item: dict[str, Any], key: str, kind: type, described: str, where: str) -> Any:
    if key not in item:
        raise ScheduleError(f"{where} has no {key!r}; add it ({described})")
    if not isinstance(item[key], kind):
        raise ScheduleError(f"{where}: {key!r} must be {described}, not {item[key]!r}")
    return item[key]


def _names(items: list[Any], key: str, where: str) -> tuple[str, ...]:
    wrong = [item for item in items if not isinstance(item, str)]
    if wrong:
        raise ScheduleError(f"{where}: {key!r} must hold strings only, not {wrong[0]!r}")
    return tuple(items)
