"""Barriers: layout statements, which move stored elements between fusion regions and belong to none."""

from fuseflow.einsum import Program, Statement, show_statement
from fuseflow.errors import ScheduleError


def stages(program: Program) -> dict[str, int]:
    """For every tensor how many barriers, one behind the other, must have run before it can be computed.

    Statements of different stages cannot share a region; statements of one stage have no barrier between them.
    """
    found: dict[str, int] = {}
    for statement in program.statements:
        behind = max((found.get(access.tensor, 0) for access in statement.operands), default=0)
        found[statement.name] = behind + 1 if statement.is_layout else behind
    return found


def sources(program: Program, tensor: str) -> list[tuple[str, Statement | None]]:
    """The computed tensors that ``tensor`` is made of, each with the barrier it goes through first, if any."""
    made = {statement.name: statement for statement in program.statements}
    statement = made.get(tensor)
    if statement is None:
        return []
    if not statement.is_layout:
        return [(tensor, None)]
    return [
        (name, first or statement) for access in statement.operands for name, first in sources(program, access.tensor)
    ]


def refuse_inside(region: str, statement: Statement) -> None:
    """ScheduleError if ``statement``, named by region ``region``, is a barrier."""
    if statement.is_layout:
        raise ScheduleError(
            f"region {region!r} names {statement.name!r}, which is a barrier: {describe(statement)} moves stored "
            "elements between regions. Leave it out of the schedule, it runs by itself"
        )


def across(region: str, before: str, barrier: Statement, after: str) -> ScheduleError:
    """The error for a region that would have to go on while a barrier within it waits for its end."""
    return ScheduleError(
        f"region {region!r} reaches across a barrier: {after} needs {describe(barrier)}, which moves the stored "
        f"elements of {before} and can run only once that is stored. Cut the region between {before} and {after}"
    )


def describe(statement: Statement) -> str:
    """``the reshape `y[a] = reshape[i,j](x[i,j], 6)` (net.py:12: x.view(6))``."""
    where = f" ({statement.origin.source})" if statement.origin.source else ""
    return f"the {type(statement.expression).__name__.lower()} `{show_statement(statement)}`{where}"
