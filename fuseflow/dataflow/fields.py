"""Whether a value built by hand has what its class declares: dataclasses do not look at the types of their fields."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Check = Callable[[object, str], str | None]
"""What is wrong with a value that stands at a place, in words; ``None`` if nothing is."""

MAX_SHOWN = 60


def wrong_field(thing: object, kind: type, place: str) -> str | None:
    """The first field of ``thing``, which stands at ``place``, that is not what the dataclass ``kind`` declares.

    Fields that are dataclasses, or tuples of them, are looked into. NumPy's numbers pass for Python's. ``None`` if all
    is well, otherwise the field, what it has to be, and what it is.
    """
    return _of_class(kind)(thing, place)


@cache
def _of_class(kind: type) -> Check:
    wanted = {int: Integral, float: Real}.get(kind, kind)

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, wanted):
            return wrong_type(value, place, f"of type {kind.__name__}")
        declared: type = type(value)
        if is_dataclass(declared):
            for name, inner in _checks(declared):
                found = inner(getattr(value, name), f"{place}.{name}")
                if found is not None:
                    return found
        return None

    return check


@cache
def _checks(kind: type) -> tuple[tuple[str, Check], ...]:
    """The check of every field of a dataclass."""
    hints = get_type_hints(kind)
    return tuple((each.name, _check(hints[each.name])) for each in fields(kind))


def _check(hint: Any) -> Check:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _any_of(tuple(_check(each) for each in inner), " or ".join(_name(each) for each in inner))
    if origin is tuple:
        return _tuple(hint, inner)
    if hint is NoneType:
        return lambda value, place: None if value is None else wrong_type(value, place, "None")
    if isinstance(hint, type):
        return _of_class(hint)
    if origin is Callable or origin is getattr(Callable, "__origin__", None):
        return lambda value, place: None if callable(value) else wrong_type(value, place, "a function")
    return _of_class(origin) if isinstance(origin, type) else lambda value, place: None


def _any_of(checks: tuple[Check, ...], names: str) -> Check:
    def check(value: object, place: str) -> str | None:
        faults = [found(value, place) for found in checks]
        if None in faults:
            return None
        deeper = [fault for fault in faults if fault is not None and not fault.startswith(f"{place} ")]
        return deeper[0] if deeper else wrong_type(value, place, f"of type {names}")

    return check


def _tuple(hint: Any, inner: tuple[Any, ...]) -> Check:
    many = len(inner) == 2 and inner[1] is Ellipsis
    parts = [_check(each) for each in inner[:1] if many] or [_check(each) for each in inner]

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, tuple) or not (many or len(value) == len(parts)):
            return wrong_type(value, place, _name(hint))
        for number, item in enumerate(value):
            found = parts[0 if many else number](item, f"{place}[{number}]")
            if found is not None:
                return found
        return None

    return check


def _name(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return f"a tuple of {_name(inner[0])}"
        return f"a tuple of {len(inner)}: {', '.join(map(_name, inner))}"
    if hint is NoneType:
        return "None"
    return getattr(hint, "__name__", str(hint))


def wrong_type(value: object, place: str, wanted: str) -> str:
    """The words for a value of another type than ``wanted``."""
    shown = repr(value)
    if len(shown) > MAX_SHOWN:
        shown = shown[:MAX_SHOWN] + "..."
    return f"{place} must be {wanted}, not {shown} ({type(value).__name__})"
