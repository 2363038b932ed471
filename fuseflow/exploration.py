"""Exploring schedules: estimate a whole design space, simulate the promising part of it, keep every result."""

import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.candidates import Candidate, KnownReference, Payload, simulate_candidate
from fuseflow.errors import ScheduleError, SearchError
from fuseflow.estimate import Statistics
from fuseflow.explore.keys import result_key
from fuseflow.explore.pareto import pareto_front
from fuseflow.explore.regions import Cost, Pruned, Workbench
from fuseflow.explore.runner import CancelledError, Job, SweepProgress, run_jobs
from fuseflow.explore.search import Search, estimated_as, limit_of
from fuseflow.explore.space import PARTITIONS_COUNTED, Lattice, OrderCounts, Space
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.explore.variants import Variant, variants
from fuseflow.models import Model
from fuseflow.schedule import PRESETS, Schedule, check
from fuseflow.sim import Machine

TRUST = 0.9
"""A candidate is simulated only if this fraction of its estimate is below the best cycles simulated so far."""

COLUMNS = (
    "schedule", "variant", "machine", "status", "cycles", "bytes", "flops", "nodes", "lanes", "fifo_tokens",
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


@dataclass(frozen=True, slots=True)
class SpaceSize:
    """How large a space is: fusion partitions, and schedules with orders, styles, formats, products and machines."""

    partitions: int
    schedules: int
    exact: bool
    estimated: int
    estimate_seconds: float

    def __repr__(self) -> str:
        cut = self.partitions > PARTITIONS_COUNTED and not self.exact
        about = "" if self.exact else "more than " if cut else "about "
        return (
            f"{about}{self.schedules:,} schedules in {self.partitions:,} partitions; "
            f"{self.estimated:,} regions estimated in {self.estimate_seconds:.2f} s"
        )


class Exploration(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """The candidates of a sweep, one per row, best first.

    ``status`` says how far a candidate came and ``reason`` why not further; ``pareto`` marks the simulated ones that no
    other one beats in cycles, bytes, nodes of the largest graph (a proxy of area) and tokens waiting in streams.
    ``estimated`` columns are the estimate's; ``nodes`` and ``fifo_tokens`` always are.
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
    def pruned(self) -> pd.DataFrame:
        """Candidates for single regions that were dropped, with the reason."""
        rows = [
            (" ".join(item.statements), " ".join(item.order or ()), item.iteration.value, item.cycles, item.reason)
            for item in self._pruned
        ]
        return pd.DataFrame(rows, columns=["statements", "order", "iteration", "estimated_cycles", "reason"])

    @property
    def front(self) -> pd.DataFrame:
        """The Pareto front."""
        return pd.DataFrame(self[self["pareto"]])

    def schedule(self, key: str) -> Schedule:
        """The schedule of the row with ``key``."""
        return self._found[key].schedule

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


@dataclass(frozen=True, slots=True)
class ExploreProgress:
    """Where an exploration stands: ``phase`` is "estimate" or "simulate"."""

    phase: str
    text: str
    finished: int = 0
    total: int = 0
    latest: Outcome | None = None


Report = Callable[[ExploreProgress], None]


def explore(
    model: Model,
    space: Space | None = None,
    budget: int = 8,
    *,
    seconds: float = float("inf"),
    workers: int | None = None,
    client: Any = None,
    store: str | Path | Store | None = None,
    seconds_per_candidate: float = float("inf"),
    bytes_per_worker: float | None = None,
    kept: int = 8,
    prune: bool = True,
    statistics: Statistics | None = None,
    progress: Report | None = None,
) -> Exploration:
    """Search ``space`` (default: contiguous partitions and all orders) for schedules of ``model``.

    Everything is estimated; at most ``budget`` candidates are simulated, the best estimated preset among them, and with
    ``prune`` only those that could still be best. ``seconds`` limits the sweep: after it, no simulation starts. Workers
    are local processes, or those of a Dask cluster (``client``: its client or its address). Results are kept in
    ``store`` (a folder; default ``fuseflow-results``, or what FUSEFLOW_RESULTS names) and never computed twice.
    ``progress`` may raise :class:`fuseflow.explore.runner.CancelledError` to stop: what is finished is returned.

    Raises ScheduleError for an empty or contradictory space, StoreError for a store that cannot be used, SearchError
    where no cluster answers.
    """
    chosen = space or Space()
    if budget < 1:
        raise SearchError(f"budget must be 1 simulation or more, not {budget}")
    chosen.check(model.program)
    place = Store.at(store)
    place.table().head(0)  # a store that cannot be used is an error before anything is computed
    deadline = time.monotonic() + seconds
    found, size, pruned = _estimated(model, chosen, kept, deadline, statistics, progress)
    ranked = _ranked(found, budget)
    outcomes = _simulated(
        model, ranked, place, workers, client, seconds_per_candidate, bytes_per_worker, prune, deadline, progress
    )
    for item in found[:]:
        if item.key not in outcomes:
            reason = f"not among the {len(ranked)} candidates with the best estimates"
            outcomes[item.key] = Outcome(item.key, Status.PRUNED, reason)
    return _table(model, found, outcomes, size, pruned)


def autoschedule(model: Model, space: Space | None = None, budget: int = 4, **options: Any) -> "FoundSchedule":
    """The schedule of ``model`` with the fewest simulated cycles that :func:`explore` finds, and why it is the best.

    ``space`` must not vary formats or products (the schedule would be one of another program; see ``Exploration.model``
    for those). ``options`` are those of :func:`explore`.
    """
    chosen = space or Space()
    if chosen.formats or chosen.associations:
        raise ScheduleError(
            "autoschedule keeps formats and products as they are; use explore, whose model(key) gives the model that "
            "a schedule is for"
        )
    result = explore(model, chosen, budget, **options)
    return found_schedule(result)


@dataclass(frozen=True, slots=True, repr=False)
class FoundSchedule(Schedule):
    """A schedule that a search found. ``reason`` says how it was found and what it was compared with."""

    reason: str = ""
    cycles: int = 0
    key: str = ""

    def __repr__(self) -> str:
        return f"{Schedule(self.name, self.regions, self.blocks)!r}\n{self.reason}"


def found_schedule(result: Exploration) -> FoundSchedule:
    """The best schedule of ``result`` with its reason."""
    best = result.best
    schedule = result.schedule(str(best["key"]))
    cycles = int(best["cycles"])
    done = result[result["status"] == Status.DONE.value]
    presets = done[done["schedule"].isin(list(PRESETS))]
    lines = [
        f"{cycles:,} cycles simulated ({float(best['estimated_cycles']):,.0f} estimated) in {len(schedule.regions)} "
        f"regions; the best of {len(done)} simulated of {result.space_size!r}."
    ]
    if not presets.empty:
        rival = presets.loc[presets["cycles"].astype(float).idxmin()]
        ratio = float(rival["cycles"]) / cycles
        lines.append(f"The best simulated preset, {rival['schedule']}, takes {int(rival['cycles']):,}: {ratio:.3g}x.")
    lines.append(f"Its slowest region {result.limit_of(str(best['key']))}.")
    return FoundSchedule(schedule.name, schedule.regions, schedule.blocks, " ".join(lines), cycles, str(best["key"]))


def results(store: str | Path | Store | None = None) -> pd.DataFrame:
    """Every result in ``store``, oldest first; StoreError where it is damaged or of a newer version."""
    return Store.at(store).table()


def _estimated(
    model: Model,
    space: Space,
    kept: int,
    deadline: float,
    statistics: Statistics | None,
    progress: Report | None,
) -> tuple[list[Found], SpaceSize, list[Pruned]]:
    found: dict[str, Found] = {}
    pruned: list[Pruned] = []
    partitions = schedules = estimated = 0
    exact, spent = True, 0.0
    names = iter(f"found-{number}" for number in range(1, 10**9))
    for variant in variants(model.program, model.tensors, space):
        lattice = Lattice(variant.program, space)
        some, all_of_them, known = lattice.count(OrderCounts(variant.program, space))
        partitions, schedules = partitions + some, schedules + all_of_them * len(space.machines)
        exact = exact and known
        facts = statistics if statistics is not None and not variant.formats else Statistics.of(variant.tensors)
        for machine in space.machines:
            bench = Workbench(variant.program, variant.tensors, facts, machine, space, deadline)
            for item in _candidates(bench, lattice, variant, machine, kept, names):
                found.setdefault(item.key, item)
            bench.check_lanes()
            estimated, spent = estimated + bench.estimated, spent + bench.seconds
            pruned += bench.pruned
            if progress is not None:
                progress(ExploreProgress("estimate", f"{estimated:,} regions estimated"))
    ordered = sorted(found.values(), key=lambda item: (item.cost.cycles, item.cost.bytes))
    return ordered, SpaceSize(partitions, schedules, exact, estimated, spent), pruned


def _candidates(
    bench: Workbench, lattice: Lattice, variant: Variant, machine: Machine, kept: int, names: Iterator[str]
) -> Iterator[Found]:
    version = _version()
    for name, preset in PRESETS.items():
        schedule = preset(variant.program)
        cost, limit = estimated_as(bench, check(schedule, variant.program))
        groups = lattice.space.groups(variant.program)
        if cost is not None and all(lattice.space.allows(frozenset(r.statements), groups) for r in schedule.regions):
            key = result_key(variant.program, schedule, variant.tensors, machine, version)
            yield Found(key, replace(schedule, name=name), variant, machine, cost, True, limit)
    for partial in Search(bench, lattice, kept).run():
        schedule = partial.schedule(next(names))
        key = result_key(variant.program, schedule, variant.tensors, machine, version)
        limit = limit_of(partial.regions, partial.cost)
        yield Found(key, schedule, variant, machine, partial.cost, False, limit)


def _ranked(found: list[Found], budget: int) -> list[Found]:
    """The candidates to simulate: the best by cycles and the best preset, then the best by bytes and, where lanes are
    searched, what fewer nodes cost in cycles; then further ones by cycles."""
    presets = [item for item in found if item.preset]
    by_bytes = sorted(found, key=lambda item: (item.cost.bytes, item.cost.cycles))
    wanted = [found[0], *presets[:1], *found[1:2], by_bytes[0], *_fewer_lanes(found), *found[2:]]
    return list({item.key: item for item in wanted}.values())[:budget]


def _fewer_lanes(found: Sequence[Found]) -> list[Found]:
    """In ascending cycles, the first with fewer lanes than all before; nothing where no candidate has lanes."""
    kept: list[Found] = []
    least = _lanes(found[0].schedule)
    for item in found:
        if _lanes(item.schedule) < least:
            least = _lanes(item.schedule)
            kept.append(item)
    return kept


def _lanes(schedule: Schedule) -> int:
    """Most lanes that a region of ``schedule`` has."""
    return max(prod(lanes.count for lanes in region.lanes) for region in schedule.regions)


def _simulated(
    model: Model,
    ranked: Sequence[Found],
    place: Store,
    workers: int | None,
    client: Any,
    seconds_limit: float,
    bytes_limit: float | None,
    prune: bool,
    deadline: float,
    progress: Report | None,
) -> dict[str, Outcome]:
    count = workers if workers is not None else max(1, min(os.cpu_count() or 1, len(ranked)))
    room = bytes_limit if bytes_limit is not None else _free_bytes() / count
    outcomes = {
        key: outcome
        for key, outcome in place.find([item.key for item in ranked]).items()
        if _settled(outcome, seconds_limit, room)
    }
    best = [float("inf")]

    def learn(outcome: Outcome) -> None:
        outcomes[outcome.key] = outcome
        if outcome.status is Status.DONE and outcome.cycles is not None:
            best[0] = min(best[0], outcome.cycles)

    def wanted(job: Job) -> str | None:
        item = by_key[job.key]
        if prune and not item.preset and item.cost.cycles * TRUST > best[0]:
            return f"its estimate of {item.cost.cycles:,.0f} cycles is beyond the best simulated, {best[0]:,.0f}"
        needed = _least_bytes(item)
        if needed > room:
            return f"it needs at least {needed / 1e9:.2f} GB for its results, and a worker may use {room / 1e9:.2f} GB"
        return None

    for outcome in list(outcomes.values()):
        learn(outcome)
    by_key = {item.key: item for item in ranked}
    relay = None if progress is None else _relay(progress)
    with ExitStack() as stack:
        jobs = list(_jobs(model, ranked, outcomes, place, client, seconds_limit, room, stack))
        try:
            for outcome in run_jobs(
                jobs,
                workers=min(count, max(len(jobs), 1)),
                client=client,
                progress=relay,
                wanted=wanted,
                deadline=deadline,
            ):
                learn(outcome)
                if client is not None and outcome.status is not Status.LEFT:
                    place.write(outcome, _about(model, by_key[outcome.key]))
        except CancelledError:
            for item in ranked:
                outcomes.setdefault(item.key, Outcome(item.key, Status.LEFT, "the sweep was cancelled"))
    return outcomes


def _jobs(
    model: Model,
    ranked: Sequence[Found],
    known: Mapping[str, Outcome],
    place: Store,
    client: Any,
    seconds_limit: float,
    room: float,
    stack: ExitStack,
) -> Iterator[Job]:
    todo = [item for item in ranked if item.key not in known]
    if not todo:
        return
    reference = KnownReference(model.reference())
    folder = None if client is not None else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuseflow-")))
    payloads: dict[int, Payload] = {}
    for item in todo:
        variant = item.variant
        if id(variant) not in payloads:
            sent = replace(model, program=variant.program, tensors=dict(variant.tensors), reference=reference)
            content = pickle.dumps(sent)
            if folder is None:
                payloads[id(variant)] = Payload(content=content)
            else:
                path = folder / f"{len(payloads)}.pickle"
                path.write_bytes(content)
                payloads[id(variant)] = Payload(path)
        candidate = Candidate(
            item.key,
            payloads[id(variant)],
            item.schedule,
            item.machine,
            seconds_limit,
            room,
            None if client is not None else place,
            _about(model, item),
        )
        yield Job(item.key, item.schedule.name, simulate_candidate, candidate)


def _settled(outcome: Outcome, seconds_limit: float, room: float) -> bool:
    """Whether a stored outcome need not be tried again: finished, or failed under limits no lower than these."""
    match outcome.status:
        case Status.DONE:
            return True
        case Status.TOO_LONG:
            return outcome.limit >= seconds_limit
        case Status.TOO_LARGE:
            return outcome.limit >= room
        case _:
            return False


def _about(model: Model, item: Found) -> dict[str, str]:
    return {
        "model": model.name,
        "dataset": model.dataset,
        "schedule": item.schedule.name,
        "schedule_json": item.schedule.to_json(),
        "machine": item.machine.name,
        "version": _version(),
    }


def _least_bytes(item: Found) -> float:
    """What the tensors and the written results take at least: a value and a coordinate each."""
    data = sum(tree.values.nbytes for tree in item.variant.tensors.values())
    return data + 8 * item.cost.values_written


def _free_bytes() -> float:
    """Memory that workers may share: four fifths of what is free."""
    try:
        return 0.8 * os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _relay(progress: Report) -> Callable[[SweepProgress], None]:
    def report(state: SweepProgress) -> None:
        latest = state.latest
        progress(ExploreProgress("simulate", state.name, state.finished, state.total, latest))

    return report


def _table(
    model: Model, found: Sequence[Found], outcomes: Mapping[str, Outcome], size: SpaceSize, pruned: Sequence[Pruned]
) -> Exploration:
    rows = []
    for item in found:
        outcome = outcomes[item.key]
        variant = "; ".join(part for part in (item.variant.formats, item.variant.products) if part)
        rows.append(
            {
                "schedule": item.schedule.name,
                "variant": variant,
                "machine": item.machine.name,
                "status": outcome.status.value,
                "cycles": outcome.cycles,
                "bytes": outcome.bytes,
                "flops": outcome.flops,
                "nodes": item.cost.nodes,
                "lanes": _lanes(item.schedule),
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


def _version() -> str:
    from fuseflow import __version__

    return __version__
