"""Reading the arguments of an exported operation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import fx

    from fuseflow.frontend.translator import Translator

_MISSING = object()


def argument(node: "fx.Node", position: int, name: str, default: object = _MISSING) -> object:
    """Argument number ``position``, or by ``name``, or ``default``; KeyError if there is none."""
    if len(node.args) > position:
        return node.args[position]
    if default is _MISSING:
        return node.kwargs[name]
    return node.kwargs.get(name, default)


def number(translator: "Translator", item: object) -> float:
    """A constant as a float; TraceError for anything else."""
    if isinstance(item, bool) or not isinstance(item, int | float):
        raise translator.fault(f"expected a constant number, got {item!r}")
    return float(item)


def dimension(translator: "Translator", item: object, order: int) -> int:
    """A dimension number from 0; TraceError for one that a tensor of ``order`` dimensions lacks."""
    if not isinstance(item, int) or not -max(order, 1) <= item < max(order, 1):
        raise translator.fault(f"dim={item!r} is no dimension of a tensor of order {order}")
    return item % max(order, 1)


def dimensions(translator: "Translator", item: object, order: int) -> tuple[int, ...]:
    """Dimension numbers of a reduction: one, several, or all for None and an empty list."""
    if item is None or item == [] or item == ():
        return tuple(range(order))
    chosen = item if isinstance(item, list | tuple) else [item]
    return tuple(dict.fromkeys(dimension(translator, each, order) for each in chosen))
