"""What an exploration found: its candidates as a table, the size of the space, the best schedule with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import pandas as pd

from fuseflow.errors import SearchError
from fuseflow.explore.block_choices import shown
from fuseflow.explore.bound import Bound
from fuseflow.explore.pareto import pareto_front
from fuseflow.explore.regions import Cost, Pruned
from fuseflow.explore.space import PARTITIONS_COUNTED
from fuseflow.explore.store import Outcome, Status
from fuseflow.explore.variants import Variant
from fuseflow.models import Model
from fuseflow.schedule import PRESETS, Schedule
from fuseflow.sim import Machine

COLUMNS = (
    "schedule", "variant", "blocks", "machine", "status", "cycles", "bytes", "flops", "nodes", "lanes", "fifo_tokens",
    "estimated_cycles", "estimated_bytes", "estimated_flops", "regions", "max_rel_error", "pareto", "reason", "seconds",
    "key",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A candidate of the search: a schedule of a variant on a machine, with its estimate."""

    key: str
    schedule: Schedule
    variant: Variant
    machine: Machine
    cost: Cost
    preset: bool
    limit: str = ""


NO_BOUND = Bound()


@dataclass(frozen=True, slots=True)
class SpaceSize:
    """How large a space is: fusion partitions, and schedules with orders, styles, formats, products and machines.

    Not ``complete`` where it has more orders of multiplication than are searched: there are more schedules than these.
    """

    partitions: int
    schedules: int
    exact: bool
    estimated: int
    estimate_seconds: float
    bound: Bound = NO_BOUND
    complete: bool = True

    def __repr__(self) -> str:
        cut = not self.complete or (self.partitions > PARTITIONS_COUNTED and not self.exact)
        about = "" if self.exact else "more than " if cut else "about "
        return (
            f"{about}{self.schedules:,} schedules in {self.partitions:,} partitions; "
            f"{self.estimated:,} regions estimated in {self.estimate_seconds:.2f} s"
        )


class Exploration(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """The candidates of a sweep, one per row, best first.

    ``status`` says how far a candidate came and ``reason`` why not further; ``pareto`` marks the simulated ones that no
    other one beats in cycles, bytes, nodes of the largest graph (a proxy of area) and tokens waiting in streams.
    ``estimated`` columns are the estimate's; ``nodes`` and ``fifo_tokens`` always are. ``blocks`` is the block size of
    the schedule, 0 for none, or words where sizes are by tensor and index variable.
    """

    _metadata = ("_found", "_size", "_pruned", "_model")
    _found: Mapping[str, Found] = {}
    _pruned: Sequence[Pruned] = ()
    _size = SpaceSize(0, 0, True, 0, 0.0)
    _model: Model | None = None

    @property
    def _constructor(self) -> type["Exploration"]:
        return Exploration

    @property
    def space_size(self) -> SpaceSize:
        return self._size

    @property
    def lower_bound(self) -> float:
        """Cycles that no schedule of the space can avoid, proven from the data (:mod:`fuseflow.explore.bound`).

        Where orders of multiplication are left out (``space_size.complete``), none with those that are searched.
        """
        return self._size.bound.cycles

    @property
    def pruned(self) -> pd.DataFrame:
        """Candidates for single regions that were dropped, and block sizes and orders of multiplication that were left
        out, with the reason."""
        rows = [
            (
                " ".join(item.statements),
                " ".join(item.order or ()),
                item.iteration.value if item.iteration is not None else "",
                shown(item.blocks),
                item.cycles,
                item.reason,
            )
            for item in self._pruned
        ]
        return pd.DataFrame(rows, columns=["statements", "order", "iteration", "blocks", "estimated_cycles", "reason"])

    @property
    def refused_blocks(self) -> list[tuple[int | str, str]]:
        """Block sizes of the space that do not fit (as in the column ``blocks``), with the reason."""
        return [(shown(item.blocks), item.reason) for item in self._pruned if item.iteration is None and item.blocks]

    @property
    def front(self) -> pd.DataFrame:
        """The Pareto front."""
        return pd.DataFrame(self[self["pareto"]])

    def schedule(self, key: str) -> Schedule:
        """The schedule of the row with ``key``."""
        return self._found[key].schedule

    def machine(self, key: str) -> Machine:
        """The machine that the row with ``key`` is about."""
        return self._found[key].machine

    def limit_of(self, key: str) -> str:
        """What limits the slowest region of the schedule of ``key``, in words."""
        return self._found[key].limit

    def model(self, key: str) -> Model:
        """The model that the schedule of ``key`` is for: with other formats or products, it is not the one explored."""
        variant = self._found[key].variant
        assert self._model is not None  # every exploration has one
        return replace(self._model, program=variant.program, tensors=variant.tensors)

    @property
    def best(self) -> "pd.Series[Any]":
        """The simulated candidate with the fewest cycles; SearchError if none was simulated."""
        done = self[self["status"] == Status.DONE.value]
        if done.empty:
            reasons = (
                "; ".join(dict.fromkeys(str(reason) for reason in self["reason"] if reason)) or "nothing was tried"
            )
            raise SearchError(f"no candidate was simulated: {reasons}")
        return done.loc[done["cycles"].astype(float).idxmin()]


@dataclass(frozen=True, slots=True, repr=False)
class FoundSchedule(Schedule):
    """A schedule that a search found. ``reason`` says how it was found and what it was compared with; ``cycles`` are
    those on ``machine``."""

    reason: str = ""
    cycles: int = 0
    key: str = ""
    machine: Machine = Machine()

    def __repr__(self) -> str:
        return f"{Schedule(self.name, self.regions, self.blocks)!r}\n{self.reason}"


def found_schedule(result: Exploration) -> FoundSchedule:
    """The best schedule of ``result`` with its reason."""
    best = result.best
    schedule = result.schedule(str(best["key"]))
    cycles = int(best["cycles"])
    done = result[result["status"] == Status.DONE.value]
    machine = result.machine(str(best["key"]))
    several = any(result.machine(key) != machine for key in result["key"])
    presets = done[
        [
            name in PRESETS and result.machine(key) == machine
            for name, key in zip(done["schedule"], done["key"], strict=True)
        ]
    ]
    where = f" on machine {machine.name!r}" if several else ""
    lines = [
        f"{cycles:,} cycles simulated{where} ({float(best['estimated_cycles']):,.0f} estimated) in "
        f"{len(schedule.regions)} regions; the best of {len(done)} simulated of {result.space_size!r}."
    ]
    if not presets.empty:
        rival = presets.loc[presets["cycles"].astype(float).idxmin()]
        ratio = float(rival["cycles"]) / cycles
        cut = f" in blocks of {rival['blocks']}" if rival["blocks"] else ""
        lines.append(
            f"The best simulated preset, {rival['schedule']}{cut}, takes {int(rival['cycles']):,}: {ratio:.3g}x."
        )
    lines.append(f"Its slowest region {result.limit_of(str(best['key']))}.")
    bound = result.space_size.bound
    if bound.cycles:
        whose = "of the space" if result.space_size.complete else "with the orders of multiplication searched"
        fastest = " on the machine that is fastest at it" if several else ""
        lines.append(
            f"No schedule {whose} can take less than {bound.cycles:,.0f}, the turns of the blocks that compute "
            f"{' and then '.join(bound.statements)}{fastest}: at most {cycles / bound.cycles:.3g}x better."
        )
    reason, key = " ".join(lines), str(best["key"])
    return FoundSchedule(schedule.name, schedule.regions, schedule.blocks, reason, cycles, key, machine)


def lanes_of(schedule: Schedule) -> int:
    """Most lanes that a region of ``schedule`` has."""
    return max(prod(lanes.count for lanes in region.lanes) for region in schedule.regions)


def explored_table(
    model: Model, found: Sequence[Found], outcomes: Mapping[str, Outcome], size: SpaceSize, pruned: Sequence[Pruned]
) -> Exploration:
    """The table of an exploration: a row per candidate of ``found``, each with what became of it in ``outcomes``."""
    rows = []
    for item in found:
        outcome = outcomes[item.key]
        variant = "; ".join(part for part in (item.variant.formats, item.variant.products) if part)
        rows.append(
            {
                "schedule": item.schedule.name,
                "variant": variant,
                "blocks": shown(item.variant.blocks),
                "machine": item.machine.name,
                "status": outcome.status.value,
                "cycles": outcome.cycles,
                "bytes": outcome.bytes,
                "flops": outcome.flops,
                "nodes": item.cost.nodes,
                "lanes": lanes_of(item.schedule),
                "fifo_tokens": item.cost.fifo_tokens,
                "estimated_cycles": item.cost.cycles,
                "estimated_bytes": item.cost.bytes,
                "estimated_flops": item.cost.flops,
                "regions": len(item.schedule.regions),
                "max_rel_error": outcome.max_rel_error,
                "pareto": False,
                "reason": outcome.reason,
                "seconds": outcome.seconds,
                "key": item.key,
            }
        )
    frame = Exploration(rows, columns=list(COLUMNS))
    for column in ("cycles", "bytes", "flops"):
        frame[column] = frame[column].astype("Int64")
    costs = [
        [
            float("nan") if pd.isna(row[name]) else float(row[name])
            for name in ("cycles", "bytes", "nodes", "fifo_tokens")
        ]
        for row in frame.to_dict("records")
    ]
    frame["pareto"] = pareto_front(costs) if len(frame) else []
    order = frame["cycles"].astype("float64").fillna(float("inf")).sort_values(kind="stable").index
    frame = Exploration(frame.loc[order].reset_index(drop=True))
    frame._found = {item.key: item for item in found}
    frame._size, frame._pruned, frame._model = size, list(pruned), model
    return frame
