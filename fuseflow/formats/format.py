"""Storage formats: one level kind per storage level and the order in which dimensions are stored."""

from dataclasses import dataclass
from typing import Self

from fuseflow.errors import FormatError
from fuseflow.formats.level import Level, LevelKind

_NAMED: dict[tuple[str, int], str] = {
    ("csr", 2): "dc",
    ("csc", 2): "dc:1,0",
    ("dcsr", 2): "cc",
    ("dcsc", 2): "cc:1,0",
}
"""Names that stand for one order only; ``csc`` and ``dcsc`` are also level letters of order 3 and 4."""

_CHOICES = (
    "a name (dense, coo, csf; for order 2 also csr, csc, dcsr, dcsc) or one letter per level (d dense, c compressed, "
    's singleton) with an optional mode order, such as "cc:1,0"'
)


@dataclass(frozen=True, slots=True)
class Format:
    """Levels, outermost first; ``mode_order[l]`` is the dimension that level ``l`` stores.

    A singleton level must follow a level with ``unique=False``, and such a level must be followed by a singleton, so
    ``unique`` can be read off the kinds. A tensor of order 0 has no levels.
    """

    levels: tuple[Level, ...]
    mode_order: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.mode_order):
            raise FormatError(
                f"format has {len(self.levels)} levels and mode order {self.mode_order}: give one dimension per level"
            )
        if sorted(self.mode_order) != list(range(len(self.levels))):
            raise FormatError(
                f"mode order must be a permutation of 0..{len(self.levels) - 1}, not {self.mode_order}: "
                "name each dimension once"
            )
        for number, level in enumerate(self.levels):
            following = self.levels[number + 1].kind if number + 1 < len(self.levels) else None
            if number == 0 and level.kind is LevelKind.SINGLETON:
                raise FormatError("level 0 must not be singleton: start with a compressed level, as in COO")
            if following is LevelKind.SINGLETON and level.kind is LevelKind.DENSE:
                raise FormatError(
                    f"singleton level {number + 1} must follow a compressed or singleton level, not dense level "
                    f"{number}: make level {number} compressed"
                )
            if level.unique == (following is LevelKind.SINGLETON):
                raise FormatError(
                    f"level {number} has unique={level.unique} but must have unique={not level.unique}: a level is "
                    "not unique exactly where a singleton level follows"
                )

    @property
    def order(self) -> int:
        """Number of levels, which is the number of dimensions."""
        return len(self.levels)

    @property
    def is_dense(self) -> bool:
        """Whether every level is dense (so also at order 0)."""
        return all(level.kind is LevelKind.DENSE for level in self.levels)

    @classmethod
    def dense(cls, order: int) -> Self:
        """All levels dense, dimensions in their own order (row major)."""
        return cls((Level(LevelKind.DENSE),) * order, tuple(range(order)))

    @classmethod
    def parse(cls, text: str, order: int) -> Self:
        """The format of ``order`` that ``text`` names; ``Format.parse(str(f), f.order) == f``.

        Raises FormatError if ``text`` is neither a name nor level letters, or does not fit ``order``.
        """
        if order < 0:
            raise FormatError(f"order of a format must be 0 or more, not {order}")
        letters, colon, modes = _NAMED.get((text, order), _any_order(text, order)).partition(":")
        if not set(letters) <= {kind.value for kind in LevelKind}:
            if any(text == name for name, _ in _NAMED):
                raise FormatError(f'format "{text}" is for order 2, but the tensor has order {order}: use {_CHOICES}')
            raise FormatError(f'format "{text}" is not known: use {_CHOICES}')
        if len(letters) != order:
            raise FormatError(
                f'format "{text}" has {len(letters)} levels, but the tensor has order {order}: use {_CHOICES}'
            )
        try:
            mode_order = tuple(int(mode) for mode in modes.split(",")) if colon else tuple(range(order))
        except ValueError:
            raise FormatError(
                f'mode order "{modes}" in format "{text}" must be numbers with commas between, such as "cc:1,0"'
            ) from None
        singleton = LevelKind.SINGLETON.value
        return cls(
            tuple(
                Level(LevelKind(letter), letter == LevelKind.DENSE.value or letters[at + 1 : at + 2] != singleton)
                for at, letter in enumerate(letters)
            ),
            mode_order,
        )

    def __str__(self) -> str:
        letters = "".join(level.kind.value for level in self.levels)
        if self.mode_order == tuple(range(self.order)):
            return letters
        return f"{letters}:{','.join(str(mode) for mode in self.mode_order)}"


def _any_order(text: str, order: int) -> str:
    """Level letters of a name that exists for every order; ``text`` itself if it is no such name."""
    match text:
        case "dense":
            return "d" * order
        case "csf":
            return "c" * order
        case "coo":
            return ("c" + "s" * (order - 1))[:order]
        case _:
            return text


def as_format(choice: Format | str | None, order: int, default: str) -> Format:
    """``choice`` as a format of ``order``; ``default`` (a text form) where it is None.

    Raises FormatError if the order of the format differs.
    """
    if not isinstance(choice, Format):
        return Format.parse(default if choice is None else choice, order)
    if choice.order != order:
        raise FormatError(
            f'format "{choice}" has {choice.order} levels, but the tensor has order {order}: use {_CHOICES}'
        )
    return choice
