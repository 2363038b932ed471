"""The three schedules of the paper's evaluation (paper §8): unfused, partial (per layer) and full."""

from collections.abc import Callable, Collection, Iterable

from fuseflow.einsum import Product, Program, Statement, Unary, UnaryOp
from fuseflow.errors import ScheduleError
from fuseflow.schedule.schedule import Region, Schedule

ACTIVATIONS = frozenset({UnaryOp.RELU, UnaryOp.SIGMOID, UnaryOp.TANH})


def unfused(program: Program) -> Schedule:
    """One region per kernel: the statements that came from one operation of the model (a softmax is one kernel)."""
    groups: dict[str, list[str]] = {}
    for statement in program.statements:
        groups.setdefault(statement.origin.group or statement.name, []).append(statement.name)
    return Schedule("unfused", tuple(Region(name, tuple(names)) for name, names in groups.items()))


def partial(program: Program) -> Schedule:
    """One region per layer; see :func:`layers`. A layer is cut behind a tensor inside it that other layers need."""
    found = layers(program)
    regions: dict[str, Region] = {}
    for name, names in found.items():
        for number, piece in enumerate(_cut_at_outputs(names, program)):
            key = name if number == 0 else _unused(name, {*found, *regions})
            regions[key] = Region(key, piece)
    return Schedule("partial", tuple(regions.values()))


def full(program: Program) -> Schedule:
    """Everything in one region."""
    return Schedule("full", (Region("all", tuple(statement.name for statement in program.statements)),))


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
    named = _with_products(_cut(program.statements), program)
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
    for statement in program.statements:
        found.setdefault(f"layer{number}", []).append(statement.name)
        match statement.expression:
            case Unary(op, _, _) if op in ACTIVATIONS:
                number += 1
    return found


def _cut_at_outputs(names: list[str], program: Program) -> list[tuple[str, ...]]:
    """``names``, consecutive in the program, in as few consecutive pieces as leave each at most one output."""
    pieces: list[tuple[str, ...]] = []
    rest = list(names)
    while rest:
        # A longer piece may have fewer outputs than a shorter one, whose last tensors are then read inside.
        length = max(size for size in range(1, len(rest) + 1) if len(_outputs(rest[:size], program)) <= 1)
        pieces.append(tuple(rest[:length]))
        rest = rest[length:]
    return pieces


def _outputs(names: list[str], program: Program) -> list[str]:
    """Those of ``names`` that are results or that a statement outside of ``names`` reads."""
    return [
        name
        for name in names
        if name in program.outputs or any(reader.name not in names for reader in program.readers(name))
    ]
