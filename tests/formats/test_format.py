"""Format and Level: names, text form, rules."""

import re

import pytest

from fuseflow.errors import FormatError
from fuseflow.formats import CompressedLevel, DenseLevel, Format, Level, LevelKind, SingletonLevel
from fuseflow.formats.format import as_format

D, C, S = (Level(kind) for kind in LevelKind)
MANY = Level(LevelKind.COMPRESSED, unique=False)


@pytest.mark.parametrize(
    ("text", "order", "levels", "modes"),
    [
        ("csr", 2, (D, C), (0, 1)),
        ("csc", 2, (D, C), (1, 0)),
        ("dcsr", 2, (C, C), (0, 1)),
        ("dcsc", 2, (C, C), (1, 0)),
        ("coo", 1, (C,), (0,)),
        ("coo", 3, (MANY, Level(LevelKind.SINGLETON, False), S), (0, 1, 2)),
        ("csf", 3, (C, C, C), (0, 1, 2)),
        ("dense", 2, (D, D), (0, 1)),
        ("cc:1,0", 2, (C, C), (1, 0)),
        ("csc", 3, (MANY, S, C), (0, 1, 2)),
        ("coo", 0, (), ()),
        ("", 0, (), ()),
    ],
)
def test_parse(text: str, order: int, levels: tuple[Level, ...], modes: tuple[int, ...]) -> None:
    parsed = Format.parse(text, order)
    assert parsed == Format(levels, modes)
    assert parsed.order == order
    assert Format.parse(str(parsed), order) == parsed


def test_text_form_shows_the_mode_order_only_where_it_is_not_the_natural_one() -> None:
    assert str(Format.parse("csr", 2)) == "dc"
    assert str(Format.parse("csc", 2)) == "dc:1,0"
    assert str(Format.dense(3)) == "ddd"


@pytest.mark.parametrize(
    ("text", "order", "message"),
    [
        ("csr", 3, 'format "csr" is for order 2, but the tensor has order 3'),
        ("ell", 2, 'format "ell" is not known: use a name (dense, coo, csf;'),
        ("cc", 3, 'format "cc" has 2 levels, but the tensor has order 3'),
        ("cc:x,y", 2, 'mode order "x,y" in format "cc:x,y" must be numbers'),
        ("cc:0,0", 2, "mode order must be a permutation of 0..1, not (0, 0)"),
        ("cc:0", 2, "format has 2 levels and mode order (0,)"),
        ("sc", 2, "level 0 must not be singleton"),
        ("ds", 2, "singleton level 1 must follow a compressed or singleton level, not dense level 0"),
        ("csr", -1, "order of a format must be 0 or more, not -1"),
    ],
)
def test_refused_text(text: str, order: int, message: str) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        Format.parse(text, order)


def test_unique_follows_from_the_kinds() -> None:
    with pytest.raises(FormatError, match="level 0 has unique=True but must have unique=False"):
        Format((C, S), (0, 1))
    with pytest.raises(FormatError, match="level 0 has unique=False but must have unique=True"):
        Format((MANY, C), (0, 1))
    with pytest.raises(FormatError, match="a dense level must be unique"):
        Level(LevelKind.DENSE, unique=False)


def test_a_format_must_have_the_order_of_the_tensor() -> None:
    with pytest.raises(FormatError, match='format "dc" has 2 levels, but the tensor has order 3'):
        as_format(Format.parse("csr", 2), 3, "coo")


def test_level_storage_takes_integers_of_any_width() -> None:
    level = CompressedLevel([0, 2], [1, 3])  # type: ignore[arg-type]  # lists are taken too
    assert (level.segments.dtype, level.coordinates.dtype) == ("int64", "int32")


def test_level_storage_refuses_what_is_no_coordinate() -> None:
    with pytest.raises(FormatError, match="size of a dense level must be 0 or more, not -1"):
        DenseLevel(-1)
    with pytest.raises(FormatError, match="coordinates of a level must be integers, not float64"):
        SingletonLevel([0.5])  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(FormatError, match=r"coordinates of a level must be a 1-D array, not one of shape \(1, 1\)"):
        SingletonLevel([[1]])  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(FormatError, match="coordinates of a level must fit int32, found 4294967296"):
        SingletonLevel([2**32])  # type: ignore[arg-type]  # wrong on purpose
