"""Exercises of notebook 03: dataflow orders."""

from collections.abc import Mapping
from typing import Any

from fuseflow.compiled import Compiled, compile
from fuseflow.course.examples import matmul, matvec
from fuseflow.course.exercise import Exercise
from fuseflow.errors import FuseflowError
from fuseflow.models import Model
from fuseflow.schedule import Region, Schedule


def ordered(model: Model, order: tuple[str, ...]) -> Compiled:
    """``model``, of one statement, in dataflow order ``order``."""
    name = model.program.outputs[0]
    return compile(model, Schedule("ordered", (Region("all", (name,), order),)), on_cycle="error")


def orders(model: Model) -> list[tuple[str, ...]]:
    """Legal dataflow orders of ``model`` in one region."""
    return list(compile(model, "full", on_cycle="error").regions[0].fused.orders())


def _count(answer: Any) -> str | None:
    right, given = len(orders(matmul("csc", "csr"))), int(answer)
    if given == right:
        return None
    if given == 6:
        return "Six is every permutation of three indices; the storage orders of A and B rule some out."
    return f"There are {'fewer' if given > right else 'more'} than {given}."


def _formats(answer: Any) -> str | None:
    if not isinstance(answer, Mapping) or set(answer) != {"A", "B"}:
        return 'The answer must name a format for A and one for B: {"A": ..., "B": ...}.'
    model = matmul(str(answer["A"]), str(answer["B"]))
    try:
        ordered(model, ("k", "j", "i"))
    except FuseflowError as error:
        return f"With these formats the order k j i does not work: {error}"
    return None


def cycles_by_order(model: Model) -> dict[tuple[str, ...], int]:
    """Exact cycles of every legal order of ``model`` that can be lowered."""
    found = {}
    for order in orders(model):
        try:
            found[order] = ordered(model, order).simulate(engine="interpreter").cycles
        except FuseflowError:
            continue
    return found


def _fastest(answer: Any) -> str | None:
    given = tuple(answer.split() if isinstance(answer, str) else answer)
    found = cycles_by_order(matmul("csc", "csr"))
    if given not in found:
        return f"{' '.join(map(str, given))} is no legal order here; legal are {', '.join(map(' '.join, found))}."
    least = min(found.values())
    return None if found[given] == least else f"It takes {found[given]} cycles; another legal order takes fewer."


def first_order() -> tuple[str, ...]:
    """The order in which the matrix-vector product of the lessons runs."""
    return compile(matvec(), "full").regions[0].order


EXERCISES = (
    Exercise(
        "3.1",
        "How many dataflow orders are legal for Y[i,k] = A[i,j] * B[j,k] with A in csc and B in csr?",
        "a whole number",
        "A stored by columns asks for j outside i, B stored by rows for j outside k. Nothing else does.",
        "Every stored tensor adds one constraint per pair of neighbouring levels.",
        _count,
    ),
    Exercise(
        "3.2",
        "In which formats must A and B be stored so that Y[i,k] = A[i,j] * B[j,k] can run in order k j i?",
        'a dict such as {"A": "csr", "B": "csr"}',
        "Read the order from the outside: k before j, and j before i. Which tensor has which two indices?",
        "An order decides the formats, or the formats decide the order.",
        _formats,
    ),
    Exercise(
        "3.3",
        "Which legal order of Y[i,k] = A[i,j] * B[j,k], A in csc and B in csr, takes the fewest cycles on the "
        "example data?",
        'the indices, outermost first: "j i k" or ("j", "i", "k")',
        "Do not guess: compile each order and simulate it.",
        "Legal orders give the same result, not the same cycles.",
        _fastest,
    ),
)
