"""What a caller gave a search: wrong types, refused by name before anything is computed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuseflow.errors import ScheduleError, SearchError
from fuseflow.schedule import GraphPass, Iteration, Scatter
from fuseflow.sim.machine import Machine

if TYPE_CHECKING:
    from fuseflow.explore.space import Space


def check_types(space: "Space") -> None:
    """ScheduleError for the first field of ``space`` that is not of its type, with an example of what it takes."""
    _tuple_of(space.iterations, Iteration, "iterations", "(ff.Iteration.FACTORED,)")
    _tuple_of(space.machines, Machine, "machines", "(ff.Machine(),)")
    for machine in space.machines:
        if machine.depths:
            streams = ", ".join(name for name, _ in machine.depths)
            raise ScheduleError(
                f"machine {machine.name!r} has depths of single streams ({streams}), which belong to one "
                "graph, and schedules have others; give all streams one with channel_capacity"
            )
    _tuple_of(space.scatters, Scatter, "scatters", "(ff.Scatter.BALANCED,)")
    for what, groups in (("together", space.together), ("apart", space.apart)):
        example = '(("a", "b"),)'
        _tuple_of(groups, tuple | list, what, f"{example}, a tuple of tuples of statements")
        for group in groups:
            _tuple_of(group, str, what, example)
    _tuple_of(space.passes, tuple | list, "passes", '(("hoist", "dead"),), a tuple of sequences of graph passes')
    for sequence in space.passes:
        for step in sequence:
            GraphPass.of(step)
    _choices(space.formats, str, "formats", '{"A": ("cc", "dc")}')
    _choices(space.lanes, int, "lanes", '{"i": (2, 4)}')
    _whole(space.orders, "orders", ScheduleError)
    _whole(space.most_lanes, "most_lanes", ScheduleError)
    _whole(space.most_associations, "most_associations", ScheduleError)


def check_numbers(budget: Any, workers: Any, kept: Any, limits: Mapping[str, Any]) -> None:
    """SearchError where a count is no whole number of 1 or more, or one of ``limits`` no number of 0 or more."""
    _whole(budget, "budget", SearchError)
    _whole(kept, "kept", SearchError)
    if workers is not None:
        _whole(workers, "workers", SearchError)
    for what, limit in limits.items():
        number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if limit is not None and not (number and limit >= 0):
            raise SearchError(f"{what} must be a number of 0 or more, not {limit!r}")


def check_model(model: Any, kinds: type | tuple[type, ...], what: str) -> None:
    """SearchError where ``model`` is none of ``kinds``, which are called ``what``."""
    if not isinstance(model, kinds):
        raise SearchError(f"{what} is wanted, such as ff.models.gcn('cora') gives, not {model!r}")


def _whole(value: Any, what: str, error: type[ScheduleError] | type[SearchError]) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise error(f"{what} must be a whole number of 1 or more, not {value!r}")
    if value < 1:
        raise error(f"{what} must be 1 or more, not {value!r}")


def _tuple_of(items: Any, kind: Any, what: str, example: str) -> None:
    wrong = items if not isinstance(items, tuple | list) else next((i for i in items if not isinstance(i, kind)), None)
    if wrong is not None:
        raise ScheduleError(f"{what} must be such as {example}, not {items!r}")


def _choices(given: Any, kind: type, what: str, example: str) -> None:
    good = isinstance(given, Mapping) and all(
        isinstance(name, str)
        and isinstance(choices, tuple | list)
        and all(isinstance(item, kind) and not isinstance(item, bool) for item in choices)
        for name, choices in given.items()
    )
    if not good:
        raise ScheduleError(f"{what} must give choices by name, such as {example}, not {given!r}")
