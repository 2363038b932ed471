"""Exercises of notebook 07: queue depths and deadlock, on rows minus their maximum."""

from functools import cache
from typing import Any

from fuseflow.compiled import Compiled, compile
from fuseflow.course.examples import centred
from fuseflow.course.exercise import Exercise
from fuseflow.errors import DeadlockError
from fuseflow.sim import Machine, Steps, steps

DEEPEST = 64


@cache
def example() -> Compiled:
    """Rows minus their maximum, in one region."""
    return compile(centred(), "full")


@cache
def cycles_at(depth: int | None) -> int | None:
    """Cycles with every queue ``depth`` tokens deep (``None``: as deep as needed); ``None`` for a deadlock."""
    try:
        return example().simulate(Machine(channel_capacity=depth), engine="interpreter").cycles
    except DeadlockError:
        return None


def least(fits: Any) -> int:
    """The smallest depth whose cycles satisfy ``fits``."""
    return next(depth for depth in range(1, DEEPEST) if fits(cycles_at(depth)))


@cache
def history() -> Steps:
    """The run with queues as deep as needed."""
    return steps(example().regions[0].graph, example().model.tensors)


def fills() -> dict[tuple[str, str], int]:
    """Most tokens that ever waited on a wire, by (source port, reader)."""
    found: dict[tuple[str, str], int] = {}
    for wire in history().wires:
        if wire.target is not None and not wire.target.startswith("broadcast"):
            times = {each.seen for each in wire.passages}
            source = wire.source.removeprefix("broadcast of ")
            found[source, wire.target] = max((len(wire.queue(time)) for time in times), default=0)
    return found


def _no_deadlock(answer: Any) -> str | None:
    given = int(answer)
    if not 1 <= given < DEEPEST:
        return f"A depth from 1 to {DEEPEST - 1} is asked for."
    if cycles_at(given) is None:
        return f"With depth {given} the run deadlocks."
    if given > least(lambda cycles: cycles is not None):
        return f"With depth {given} it runs, but also with less."
    return None


def _full_speed(answer: Any) -> str | None:
    given = int(answer)
    if not 1 <= given < DEEPEST:
        return f"A depth from 1 to {DEEPEST - 1} is asked for."
    at, best = cycles_at(given), cycles_at(None)
    if at is None:
        return f"With depth {given} the run deadlocks."
    if at != best:
        return f"With depth {given} it takes {at} cycles, {best} with queues that are deep enough."
    if given > least(lambda cycles: cycles == best):
        return f"Depth {given} is enough, but so is less."
    return None


def _deepest(answer: Any) -> str | None:
    found = fills()
    name = str(answer).strip()
    chosen = [fill for (source, target), fill in found.items() if name in (source, target)]
    if not chosen:
        return f"The graph has no port {name!r} that a queue begins or ends at."
    if max(chosen) == max(found.values()):
        return None
    return f"At most {max(chosen)} tokens wait there; elsewhere up to {max(found.values())} do."


EXERCISES = (
    Exercise(
        "7.1",
        "How deep must every queue be, at least, so that the example does not deadlock?",
        "a whole number",
        "Try depths with ff.Machine(channel_capacity=...) and engine='interpreter'; a deadlock is an error that "
        "names the queues.",
        "The values of a row wait until its maximum is known, so a queue must hold about a row.",
        _no_deadlock,
    ),
    Exercise(
        "7.2",
        "How deep must every queue be, at least, so that the run is as fast as with queues without a limit?",
        "a whole number",
        "Compare the cycles of growing depths with those of ff.Machine().",
        "Running at all and running at full speed are two different depths.",
        _full_speed,
    ),
    Exercise(
        "7.3",
        "At which port do the most tokens wait when no queue has a limit?",
        'the name of a port, "node.port"',
        "Step through the run and look where tokens pile up while the maximum is not known yet.",
        "Only this queue has to be deep; the others can be small.",
        _deepest,
    ),
)
