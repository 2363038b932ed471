"""Exploring schedules: estimate a whole design space, simulate the promising part of it, keep every result."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.einsum import Program
from fuseflow.errors import ScheduleError, SearchError, SimulationError
from fuseflow.estimate import Statistics
from fuseflow.explore.block_choices import block_choices, shown
from fuseflow.explore.bound import Bound, lower_bound
from fuseflow.explore.given import check_model, check_numbers
from fuseflow.explore.keys import result_key
from fuseflow.explore.regions import Pruned, Workbench
from fuseflow.explore.runner import CancelledError, connection
from fuseflow.explore.search import Search, estimated_as, limit_of
from fuseflow.explore.space import Lattice, OrderCounts, Partitions, Space
from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.explore.variants import Variant, searched_programs, variants
from fuseflow.explored import Exploration, Found, FoundSchedule, SpaceSize, explored_table, found_schedule, lanes_of
from fuseflow.models import Model
from fuseflow.schedule import PRESETS, check
from fuseflow.schedule.blocks import BlockSizes
from fuseflow.sim import Machine
from fuseflow.sim.tiled import check_tile_memory
from fuseflow.sweeping import ExploreProgress, Report, simulated, version


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
    ``progress`` may raise :class:`fuseflow.explore.runner.CancelledError` to stop: what is finished is returned, which
    is nothing while the space is still estimated. Limits of time and memory are looked at while a simulation runs,
    ten times a second: a shorter one is done before.

    A block size that does not fit is left out, with its reason in ``pruned`` of the result.

    Raises ScheduleError for an empty or contradictory space, StoreError for a store that cannot be used, SearchError
    where no cluster answers.
    """
    check_model(model, Model, "a model")
    chosen = _space(space)
    limits = {"seconds": seconds, "seconds_per_candidate": seconds_per_candidate, "bytes_per_worker": bytes_per_worker}
    check_numbers(budget, workers, kept, limits)
    if statistics is not None and not isinstance(statistics, Statistics):
        raise SearchError(f"statistics must be a Statistics, such as Statistics.of(model.tensors), not {statistics!r}")
    if progress is not None and not callable(progress):
        raise SearchError(f"progress must be a function of an ExploreProgress, not {progress!r}")
    chosen.check(model.program)
    place = Store.at(store)
    place.table().head(0)  # a store that cannot be used is an error before anything is computed
    with connection(client) as opened:  # and so is a cluster that does not answer
        deadline = time.monotonic() + seconds
        try:
            found, size, pruned = _estimated(model, chosen, kept, deadline, statistics, progress)
        except CancelledError:
            return explored_table(model, [], {}, SpaceSize(0, 0, False, 0, 0.0), [])
        ranked = _ranked(found, budget)
        outcomes = simulated(
            model, ranked, place, workers, opened, seconds_per_candidate, bytes_per_worker, prune, deadline, progress
        )
    for item in found[:]:
        if item.key not in outcomes:
            reason = f"not among the {len(ranked)} candidates with the best estimates"
            outcomes[item.key] = Outcome(item.key, Status.PRUNED, reason)
    return explored_table(model, found, outcomes, size, pruned)


def autoschedule(model: Model, space: Space | None = None, budget: int = 4, **options: Any) -> "FoundSchedule":
    """The schedule of ``model`` with the fewest simulated cycles that :func:`explore` finds, and why it is the best.

    ``space`` must not vary formats or products (the schedule would be one of another program; see ``Exploration.model``
    for those). ``options`` are those of :func:`explore`.
    """
    chosen = _space(space)
    if chosen.formats or chosen.associations:
        raise ScheduleError(
            "autoschedule keeps formats and products as they are; use explore, whose model(key) gives the model that "
            "a schedule is for"
        )
    result = explore(model, chosen, budget, **options)
    return found_schedule(result)


def results(store: str | Path | Store | None = None) -> pd.DataFrame:
    """Every result in ``store``, oldest first; StoreError where it is damaged or of a newer version."""
    return Store.at(store).table()


def _space(given: Any) -> Space:
    if given is not None and not isinstance(given, Space):
        raise ScheduleError(f"a space is a Space, such as Space(lanes={{'i': (2, 4)}}), not {given!r}")
    return given or Space()


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
    _, complete = searched_programs(model.program, space)
    if not complete:
        pruned.append(_other_products(model.program, space))
    exact, spent, bounds = complete, 0.0, list[Bound]()
    names = iter(f"found-{number}" for number in range(1, 10**9))
    extents: dict[str, int] = {}  # the largest of all variants
    coordinates = False
    for variant, machines in _fitting(model, space, pruned):
        program, tensors = variant.computed
        lattice = Lattice(program, space)
        some, all_of_them, known = lattice.count(OrderCounts(program, space))
        if not some and (space.together or space.apart):
            raise _no_partition(lattice)
        partitions, schedules = partitions + some, schedules + all_of_them * len(machines)
        exact = exact and known
        given = statistics is not None and not variant.formats and not variant.blocks
        facts = statistics if statistics is not None and given else Statistics.of(tensors)
        for machine in machines:
            bench = Workbench(program, tensors, facts, machine, space, deadline, extents=extents)
            try:
                for item in _candidates(bench, lattice, variant, machine, kept, names):
                    found.setdefault(item.key, item)
            except ScheduleError as error:
                if not variant.blocks:
                    raise
                pruned.append(_refused(program, variant.blocks, str(error)))
                continue
            bench.check_lanes()
            coordinates = coordinates or not variant.blocks
            bounds.append(lower_bound(lattice, tensors, machine))
            estimated, spent = estimated + bench.estimated, spent + bench.seconds
            pruned += [replace(item, blocks=variant.blocks) for item in bench.pruned]
            if progress is not None:
                progress(ExploreProgress("estimate", f"{estimated:,} regions estimated"))
    if not found:
        refused = [item for item in pruned if item.iteration is None and item.blocks]
        if not refused:
            why = "; ".join(dict.fromkeys(f"{' '.join(item.statements)}: {item.reason}" for item in pruned))
            raise ScheduleError(f"the space is empty: no schedule of it can be lowered. {why}")
        reasons = "; ".join(f"blocks of {shown(item.blocks)}: {item.reason}" for item in refused)
        raise ScheduleError(f"the space is empty: no block size fits. {reasons}. Size 0 is without tiles")
    _check_lane_counts(space, extents, "coordinates" if coordinates else "blocks")
    ordered = sorted(found.values(), key=lambda item: (item.cost.cycles, item.cost.bytes))
    return ordered, SpaceSize(partitions, schedules, exact, estimated, spent, min(bounds), complete), pruned


def _fitting(model: Model, space: Space, pruned: list[Pruned]) -> Iterator[tuple[Variant, list[Machine]]]:
    """The variants of ``model`` in all blocks that fit, with the machines that run them, small blocks first.

    What does not fit goes to ``pruned``.
    """
    refused: dict[tuple[BlockSizes, str], None] = {}
    for variant in variants(model.program, model.tensors, space):
        for blocks in block_choices(model.program, space.blocks, variant.program):
            machines = []
            try:
                chosen = variant.in_blocks(blocks)
            except ScheduleError as error:
                refused[blocks, str(error)] = None
                continue
            for machine in dict.fromkeys(space.machines):
                try:
                    if blocks:
                        check_tile_memory(machine)
                    machines.append(machine)
                except SimulationError as error:
                    refused[blocks, str(error)] = None
            if machines:
                yield chosen, machines
    pruned += [_refused(model.program, blocks, reason) for blocks, reason in refused]


def _refused(program: Program, blocks: BlockSizes, reason: str) -> Pruned:
    """All schedules with ``blocks``."""
    return Pruned(tuple(statement.name for statement in program.computations), None, None, reason, blocks=blocks)


def _other_products(program: Program, space: Space) -> Pruned:
    """All schedules of the orders of multiplication that are not searched."""
    most = space.most_associations
    reason = (
        f"the products can be multiplied in more than {most} orders, of which the {most} nearest to the program's own "
        "are searched; raise most_associations to search more"
    )
    return Pruned(tuple(statement.name for statement in program.computations), None, None, reason)


def _no_partition(lattice: Lattice) -> ScheduleError:
    """That ``together`` and ``apart`` leave no partition into regions that may run one after the other."""
    space = lattice.space
    asked = [f"together={space.together!r}"] if space.together else []
    asked += [f"apart={space.apart!r}"] if space.apart else []
    contiguous = Partitions.of(space.partitions) is Partitions.CONTIGUOUS
    kind = "contiguous" if contiguous else "legal"
    advice = ', or try partitions="legal", whose statements need not follow each other' if contiguous else ""
    return ScheduleError(
        f"the space is empty: no {kind} partition of {' '.join(lattice.names)} keeps to {' and '.join(asked)}, since "
        f"no region may wait for one that waits for it; leave some of it out{advice}"
    )


def _check_lane_counts(space: Space, extents: Mapping[str, int], what: str) -> None:
    """ScheduleError where ``space`` asks for more lanes of an index than it has in any choice of blocks."""
    for index, counts in space.lanes.items():
        if max(counts) > max(extents[index], 1):
            raise ScheduleError(
                f"the space asks for {max(counts)} lanes for index {index!r}, which has {extents[index]} {what}; use "
                "fewer"
            )


def _candidates(
    bench: Workbench, lattice: Lattice, variant: Variant, machine: Machine, kept: int, names: Iterator[str]
) -> Iterator[Found]:
    stamp = version()
    for name, preset in PRESETS.items():
        schedule = preset(bench.program)
        groups = lattice.space.groups(bench.program)
        if not all(lattice.space.holds(region, groups) for region in schedule.regions):
            continue
        cost, limit = estimated_as(bench, check(schedule, bench.program))
        if cost is not None:
            schedule = replace(schedule, name=name).with_blocks(variant.blocks or None)
            key = result_key(variant.program, schedule, variant.tensors, machine, stamp)
            yield Found(key, schedule, variant, machine, cost, True, limit)
    for partial in Search(bench, lattice, kept).run():
        schedule = partial.schedule(next(names)).with_blocks(variant.blocks or None)
        key = result_key(variant.program, schedule, variant.tensors, machine, stamp)
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
    least = lanes_of(found[0].schedule)
    for item in found:
        if lanes_of(item.schedule) < least:
            least = lanes_of(item.schedule)
            kept.append(item)
    return kept
