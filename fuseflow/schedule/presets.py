"""The three schedules of the paper's evaluation (paper §8): unfused, partial (per layer) and full."""

from collections.abc import Iterable

from fuseflow.einsum import Program, Statement, Unary, UnaryOp
from fuseflow.schedule.schedule import Region, Schedule

ACTIVATIONS = frozenset({UnaryOp.RELU, UnaryOp.SIGMOID, UnaryOp.TANH})


def unfused(program: Program) -> Schedule:
    """One region per kernel: the statements that came from one operation of the model (a softmax is one kernel)."""
    groups: dict[str, list[str]] = {}
    for statement in program.statements:
        groups.setdefault(statement.origin.group or statement.name, []).append(statement.name)
    return Schedule("unfused", tuple(Region(name, tuple(names)) for name, names in groups.items()))


def partial(program: Program) -> Schedule:
    """One region per layer; see :func:`layers`."""
    return Schedule("partial", tuple(Region(name, tuple(names)) for name, names in layers(program).items()))


def full(program: Program) -> Schedule:
    """Everything in one region."""
    return Schedule("full", (Region("all", tuple(statement.name for statement in program.statements)),))


def layers(program: Program) -> dict[str, list[str]]:
    """Statement names per layer, in program order.

    A layer is a child module of the model; an operation outside of any child belongs to the layer before it. A
    program without such structure is cut behind every activation.
    """
    named = _cut((statement, statement.origin.layer) for statement in program.statements)
    return named if len(named) > 1 else _by_activation(program)


def _cut(labelled: Iterable[tuple[Statement, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current = ""
    for statement, label in labelled:
        current = label or current
        found.setdefault(current or "layer1", []).append(statement.name)
    return found


def _by_activation(program: Program) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    number = 1
    for statement in program.statements:
        found.setdefault(f"layer{number}", []).append(statement.name)
        match statement.expression:
            case Unary(op, _, _) if op in ACTIVATIONS:
                number += 1
    return found
