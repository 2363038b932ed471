"""Exercises of notebook 04: fusion and recomputation, on the GCN of the karate club."""

from functools import cache
from typing import Any

from fuseflow.compiled import compile
from fuseflow.course.exercise import Exercise
from fuseflow.models import Model
from fuseflow.schedule import Schedule

SPEEDUP = 1.5


@cache
def network() -> Model:
    """The two-layer GCN on the karate club."""
    from fuseflow.models import gcn

    return gcn("karate")


@cache
def unfused_cycles() -> int:
    """Cycles of the unfused network."""
    return compile(network(), "unfused").simulate().cycles


def _recomputed(answer: Any) -> str | None:
    found = compile(network(), "full").regions[0].recomputed
    tensor, index = answer
    if tensor not in found:
        names = [statement.name for statement in network().program.statements]
        return f"{tensor!r} is computed once." if tensor in names else f"The program has no tensor {tensor!r}."
    over = found[tensor]
    if (index,) == over or index in (over, list(over)):
        return None
    return f"{tensor} is right, but it is not computed again for every {index}."


def _schedule(answer: Any) -> Schedule | str:
    if isinstance(answer, str):
        return f"{answer!r} is text; build a ff.Schedule, or copy the code from the picker."
    if not isinstance(answer, Schedule):
        return f"A schedule is asked for, not a {type(answer).__name__}."
    return answer


def _two_kernels(answer: Any) -> str | None:
    schedule = _schedule(answer)
    if isinstance(schedule, str):
        return schedule
    compiled = compile(network(), schedule)
    if len(compiled.regions) > 2:
        return f"It has {len(compiled.regions)} kernels; at most 2 are asked for."
    again = {name: over for region in compiled.regions for name, over in region.recomputed.items()}
    if again:
        name, over = next(iter(again.items()))
        return f"{name} is computed again for every {' '.join(over)}."
    return None


def _fast(answer: Any) -> str | None:
    schedule = _schedule(answer)
    if isinstance(schedule, str):
        return schedule
    run = compile(network(), schedule).simulate()
    gained = unfused_cycles() / run.cycles
    if gained >= SPEEDUP:
        return None
    return f"It takes {run.cycles:,} cycles, {gained:.2f} times as fast as unfused; {SPEEDUP} is asked for."


EXERCISES = (
    Exercise(
        "4.1",
        "Which tensor does the fully fused GCN compute again, and for every value of which index?",
        'a pair, for example ("linear", "k")',
        "Print ff.compile(model, 'full'): it says what it recomputes.",
        "Between two layers every neighbour asks for the same row again: that is the price of one graph.",
        _recomputed,
    ),
    Exercise(
        "4.2",
        "Give a schedule of the GCN with at most 2 kernels that computes nothing twice.",
        "a ff.Schedule",
        "Where does the second multiplication with the adjacency begin? Cut before it.",
        "One boundary is enough: what is stored once is not computed twice.",
        _two_kernels,
    ),
    Exercise(
        "4.3",
        f"Give a schedule of the GCN that is at least {SPEEDUP} times as fast as the unfused one.",
        "a ff.Schedule",
        "Fuse what streams row by row; do not fuse what would be recomputed. ff.compare shows the speedup.",
        "Fusion pays where it saves memory traffic without repeating work.",
        _fast,
    ),
)
