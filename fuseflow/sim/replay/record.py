"""Reading one case of a file: every field has a type, and what is missing or wrong is named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fuseflow.dataflow.tokens import StreamKind, Token, parse_tokens
from fuseflow.errors import DataError, VerifyError

T = TypeVar("T")

MOST = 2**31
"""Numbers above this are taken for corrupt data."""


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object and, for messages, where it stands."""

    where: str
    data: Mapping[str, Any]

    def get(self, key: str, kind: type[T]) -> T:
        """Field ``key``; DataError if it is missing or of another type (an int is a float, too)."""
        if key not in self.data:
            raise self.fault(f"has no field {key!r}; its fields: {', '.join(self.data) or 'none'}")
        value = self.data[key]
        if kind is float and type(value) is int:
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fault(
                f"field {key!r} must be of type {kind.__name__}, not {type(value).__name__}: {value!r:.60}"
            )
        return value

    def count(self, key: str, least: int = 0, most: int = MOST) -> int:
        """Field ``key``, an integer from ``least`` to ``most``."""
        value = self.get(key, int)
        if not least <= value <= most:
            raise self.fault(f"field {key!r} must be from {least} to {most}, not {value}")
        return value

    def option(self, key: str, kind: type[T], missing: T) -> T:
        """Field ``key``, or ``missing`` if it is absent or null."""
        return missing if self.data.get(key) is None else self.get(key, kind)

    def objects(self, key: str) -> list["Record"]:
        """Field ``key``, a list of objects."""
        return [self.inner(f"{key}[{number}]", each) for number, each in enumerate(self.get(key, list))]

    def inner(self, name: str, value: object) -> "Record":
        """``value`` as an object that stands at ``name``."""
        if not isinstance(value, dict):
            raise self.fault(f"{name} must be an object, not {type(value).__name__}")
        return Record(f"{self.where}, {name}", value)

    def numbers(self, key: str) -> list[float]:
        """Field ``key``, a list of numbers."""
        values: list[Any] = self.get(key, list)
        for value in values:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self.fault(f"field {key!r} must hold numbers, not {value!r:.60}")
        return values

    def texts(self, key: str) -> list[str | None]:
        """Field ``key``, a list of names or nulls."""
        values: list[Any] = self.get(key, list)
        for value in values:
            if value is not None and not isinstance(value, str):
                raise self.fault(f"field {key!r} must hold names, not {value!r:.60}")
        return values

    def tokens(self, words: Iterable[object], kind: StreamKind) -> list[Token]:
        """``words`` as tokens of a ``kind`` stream."""
        try:
            return parse_tokens(" ".join(str(word) for word in words), kind)
        except VerifyError as fault:
            raise self.fault(str(fault)) from None

    def fault(self, text: str) -> DataError:
        return DataError(f"{self.where}: {text}")
