"""The three schedules of the paper's evaluation (paper §8): unfused, partial (per layer) and full.

A barrier (a reshape, concatenation, slice or gather) is never inside a region: all three cut there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from fuseflow.einsum import Product, Program, Statement, Unary, UnaryOp
from fuseflow.errors import ScheduleError
from fuseflow.schedule.barriers import stages
from fuseflow.schedule.schedule import Region, Schedule

ACTIVATIONS = frozenset({UnaryOp.RELU, UnaryOp.SIGMOID, UnaryOp.TANH})


def unfused(program: Program) -> Schedule:
    """One region per kernel: the statements that came from one operation of the model (a softmax is one kernel)."""
    groups: dict[str, list[str]] = {}
    for statement in program.computations:
        groups.setdefault(statement.origin.group or statement.name, []).append(statement.name)
    return Schedule("unfused", _regions(groups, program))


def partial(program: Program) -> Schedule:
    """One region per layer; see :func:`layers`."""
    return Schedule("partial", _regions(layers(program), program))


def full(program: Program) -> Schedule:
    """Everything in one region, or as few as the barriers leave."""
    names = [statement.name for statement in program.computations]
    return Schedule("full", _regions({"all": names} if names else {}, program))


def _regions(groups: Mapping[str, list[str]], program: Program) -> tuple[Region, ...]:
    """A region per group, or several where barriers cut it; pieces between barriers that share nothing are separate."""
    behind = stages(program)
    regions: dict[str, Region] = {}
    for name, statements in groups.items():
        for number in sorted({behind[item] for item in statements}):
            stage = [item for item in statements if behind[item] == number]
            cut = stage if len(stage) == len(statements) and not number else None
            for piece in [tuple(cut)] if cut else _connected(stage, program):
                key = name if name not in regions else _unused(name, {*groups, *regions})
                regions[key] = Region(key, piece)
    return tuple(regions.values())


def _connected(names: list[str], program: Program) -> list[tuple[str, ...]]:
    """``names`` in pieces that share no intermediate, each in program order."""
    piece_of = {name: {name} for name in names}
    for name in names:
        for access in program.statement(name).operands:
            if access.tensor in piece_of and piece_of[access.tensor] is not piece_of[name]:
                joined = piece_of[access.tensor] | piece_of[name]
                piece_of |= dict.fromkeys(joined, joined)
    distinct = {id(piece): piece for piece in piece_of.values()}
    return [tuple(name for name in names if name in piece) for piece in distinct.values()]


PRESETS: dict[str, Callable[[Program], Schedule]] = {"unfused": unfused, "partial": partial, "full": full}
"""The schedules by the names that users give, in the order of the paper."""


def named(name: str) -> Callable[[Program], Schedule]:
    """What makes the schedule called ``name`` for a program: a preset, or the path of a .json file, read here.

    Raises ScheduleError for a name that is neither, and for a file that is missing or holds no schedule.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name.endswith(".json"):
        schedule = Schedule.load(name)
        return lambda _: schedule
    raise ScheduleError(f"unknown schedule {name!r}; use one of {', '.join(PRESETS)} or the path of a .json schedule")


def layers(program: Program) -> dict[str, list[str]]:
    """Statement names per layer, in program order.

    A layer is one call of a child module of the model that has a product; an operation outside of any child, and a
    child without a product, such as an activation, belong to the layer before it. A program without such structure is
    cut behind every activation.
    """
    named = _with_products(_cut(program.computations), program)
    return named if len(named) > 1 else _by_activation(program)


def _cut(statements: Iterable[Statement]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current, key = "", "layer1"
    for statement in statements:
        label = statement.origin.layer or current
        if label != current:
            # A child that is called again, such as a shared activation, is a layer of its own each time.
            current, key = label, _unused(label, found)
        found.setdefault(key, []).append(statement.name)
    return found


def _with_products(found: dict[str, list[str]], program: Program) -> dict[str, list[str]]:
    """``found`` with every layer that has no product joined to the one before it, if any has one."""
    multiplying = {
        name
        for name, statements in found.items()
        if any(isinstance(program.statement(item).expression, Product) for item in statements)
    }
    if not multiplying:
        return found
    joined: dict[str, list[str]] = {}
    last = ""
    for name, statements in found.items():
        if name in multiplying or not last:
            last = name
        joined.setdefault(last, []).extend(statements)
    return joined


def _unused(name: str, taken: Collection[str]) -> str:
    """``name``, or ``name_2``, ``name_3``... if it is taken."""
    key, number = name, 2
    while key in taken:
        key, number = f"{name}_{number}", number + 1
    return key


def _by_activation(program: Program) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    number = 1
    for statement in program.computations:
        found.setdefault(f"layer{number}", []).append(statement.name)
        match statement.expression:
            case Unary(op, _, _) if op in ACTIVATIONS:
                number += 1
    return found
