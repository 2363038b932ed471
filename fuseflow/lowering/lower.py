"""Lowering of a fused region: dataflow order, graph, graph passes and fusion table (paper §6, Algorithm 2)."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.passes import insert_locate, remove_dead
from fuseflow.dataflow.verify import verify
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.fusion import FusedRegion, LeafKey, PartialOrder, copy_candidates
from fuseflow.lowering.columns import Column, build_columns
from fuseflow.lowering.copies import Copy
from fuseflow.lowering.fill_table import fill_table
from fuseflow.lowering.generate import Lowering
from fuseflow.lowering.levels import Fills
from fuseflow.lowering.table import FusionTable

ORDERS_TRIED = 256
"""Dataflow orders tried with every tensor as it is stored."""

ORDERS_TRIED_WITH_COPY = 48
"""Dataflow orders tried for every choice of tensors to copy."""


class OnCycle(Enum):
    """What to do where storage orders allow no dataflow order, or none that can be lowered."""

    COPY = "copy"
    """Store the cheapest tensor that helps again in another mode order; its cycles and bytes count."""
    ERROR = "error"
    """Raise FusionError with the cycle."""

    @classmethod
    def of(cls, choice: "OnCycle | str") -> "OnCycle":
        """The choice by name; ScheduleError for one that does not exist."""
        try:
            return cls(choice)
        except ValueError:
            names = ", ".join(repr(item.value) for item in cls)
            raise ScheduleError(f"on_cycle must be one of {names}, not {choice!r}") from None


@dataclass(frozen=True, slots=True)
class Lowered:
    """A region lowered in one dataflow order: its graph, its fusion table, and the nest of every result.

    ``copies`` are tensors that must be stored again before the graph runs, ``restores`` results that must be stored
    again after it. ``fills`` says how full the levels of the results are.
    """

    region: FusedRegion
    order: tuple[str, ...]
    graph: Graph
    table: FusionTable
    roots: tuple[Column, ...]
    copies: tuple[Copy, ...] = ()
    restores: tuple[Copy, ...] = ()
    fills: Fills = field(default_factory=dict)


def lower(
    region: FusedRegion,
    order: tuple[str, ...] | None = None,
    fills: Fills | None = None,
    on_cycle: OnCycle = OnCycle.COPY,
    stored: Mapping[str, int] | None = None,
) -> Lowered:
    """Lower ``region`` in dataflow order ``order``, or in the first legal one that can be lowered.

    ``fills`` says how full the levels of stored tensors are; what it promises must hold for the data of every run.
    ``stored`` gives the number of stored elements by tensor, which decides what is cheapest to copy. Raises
    ScheduleError for an order that is not legal and FusionError where nothing can be lowered.
    """
    known = fills or {}
    if order is not None:
        region.partial_order.check(order)
        return _lower_order(region, order, known, frozenset())
    faults: list[FusionError] = []
    if on_cycle is OnCycle.ERROR:
        region.partial_order.require_acyclic()
    for number, free in enumerate(_choices(region, on_cycle, stored or {})):
        partial = region.partial_order if number == 0 else region.relaxed(free)
        if not partial.acyclic:
            continue
        for candidate in islice(_orders(region, partial), ORDERS_TRIED if number == 0 else ORDERS_TRIED_WITH_COPY):
            try:
                return _lower_order(region, candidate, known, free)
            except FusionError as error:
                faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if not faults:
        region.partial_order.require_acyclic()
    raise FusionError(
        f"region {region.name!r}: none of the first {len(faults)} legal dataflow orders can be lowered. The first "
        f"fails because {faults[0]}"
    )


def _orders(region: FusedRegion, partial: PartialOrder) -> Iterator[tuple[str, ...]]:
    """Legal orders: those in which the results come out as they are stored, if there are any, then the others."""
    storing = region.storing(partial)
    if not storing.acyclic:
        yield from partial.orders()
        return
    yield from storing.orders()
    places = storing.constraints[len(partial.constraints) :]
    for order in partial.orders() if places else ():
        rank = {variable: number for number, variable in enumerate(order)}
        if any(rank[place.outer] > rank[place.inner] for place in places):
            yield order


def _choices(region: FusedRegion, on_cycle: OnCycle, stored: Mapping[str, int]) -> Iterator[Set[LeafKey]]:
    """Sets of views to copy where the order asks for it: none, each alone, growing sets of the cheapest, all."""
    yield frozenset()
    if on_cycle is OnCycle.ERROR:
        return
    candidates = copy_candidates(region, stored)
    for key in candidates:
        yield frozenset({key})
    for count in range(2, len(candidates) + 1):
        yield frozenset(candidates[:count])


def _lower_order(region: FusedRegion, order: tuple[str, ...], fills: Fills, free: Set[LeafKey]) -> Lowered:
    nests = build_columns(region, order, free)
    lowering = Lowering(region, fills, nests.roots)
    pulled, restores = lowering.finish()
    located, moved = insert_locate(pulled)
    graph = remove_dead(located)
    verify(graph)
    renamed = {old.node: new.node for old, new in moved.items()}
    live = {node.name for node in graph.nodes}
    table = fill_table(
        lowering, nests.roots, order, lambda name: renamed.get(name, name) if renamed.get(name, name) in live else None
    )
    return Lowered(region, order, graph, table, nests.roots, nests.copies, restores, lowering.stored)
