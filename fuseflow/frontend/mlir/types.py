"""Types, affine maps and sparse encodings, and the ``#aliases`` that stand for the latter two."""

import re
from dataclasses import dataclass, field

from fuseflow.errors import FormatError
from fuseflow.formats import Format
from fuseflow.frontend.mlir.cursor import Cursor

NAME = re.compile(r"[A-Za-z_][\w$.]*")
ALIAS = re.compile(r"#[A-Za-z_]\w*")
NUMBER = re.compile(r"-?\d+")
DIMENSION = re.compile(r"(\d+|\?)x")
FLOATS = frozenset({"f16", "bf16", "f32", "f64"})
ELEMENT = re.compile(r"(f16|bf16|f32|f64|index|[su]?i\d+)\b")

MOST_DIMENSIONS = 10

_LEVELS = {"dense": "d", "compressed": "c"}


@dataclass(frozen=True, slots=True)
class AffineMap:
    """``(d0, d1) -> (d0, d1, 0)``: for every result the loop, or None for the constant 0."""

    loops: int
    results: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape by dimension and, where an encoding says it, the storage format. A scalar has no dimensions."""

    shape: tuple[int, ...]
    element: str
    format: Format | None = None
    scalar: bool = False


@dataclass(slots=True)
class Aliases:
    """``#map = affine_map<...>`` and ``#CSR = #sparse_tensor.encoding<...>`` by name."""

    maps: dict[str, AffineMap] = field(default_factory=dict)
    encodings: dict[str, tuple[str, tuple[int, ...] | None]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)


def read_alias(cursor: Cursor, aliases: Aliases) -> None:
    """A line ``#name = ...``."""
    name = cursor.take(ALIAS, "an alias such as #map")
    cursor.expect("=")
    if cursor.looking_at("affine_map"):
        aliases.maps[name] = read_map(cursor, aliases)
    elif cursor.looking_at("#sparse_tensor.encoding"):
        aliases.encodings[name] = read_encoding(cursor, aliases)
    else:
        aliases.others.add(name)
        cursor.match(re.compile(r"[#\w.]+"))
        if cursor.looking_at("<"):
            cursor.skip_balanced()


def read_map(cursor: Cursor, aliases: Aliases) -> AffineMap:
    """An affine map whose results are loops or the constant 0."""
    start = cursor.at
    name = cursor.match(ALIAS)
    if name is not None:
        if name[0] not in aliases.maps:
            raise cursor.fault(f"{name[0]} is no affine map that is defined above", start)
        return aliases.maps[name[0]]
    cursor.expect("affine_map")
    cursor.expect("<")
    loops = [each.strip() for each in _group(cursor, "(", ")")]
    cursor.expect("->")
    at = cursor.at
    results = [each.strip() for each in _group(cursor, "(", ")")]
    cursor.expect(">")
    found: list[int | None] = []
    for each in results:
        if each == "0":
            found.append(None)
        elif each in loops:
            found.append(loops.index(each))
        else:
            raise cursor.fault(f"result {each!r} of an affine map must be one of its dimensions, or 0", at)
    if len(loops) > MOST_DIMENSIONS:
        raise cursor.fault(f"{len(loops)} loops; at most {MOST_DIMENSIONS} are read", start)
    return AffineMap(len(loops), tuple(found))


def _group(cursor: Cursor, opening: str, closing: str) -> list[str]:
    """The parts between commas of a bracketed group without nesting."""
    cursor.expect(opening)
    end = cursor.text.find(closing, cursor.at)
    if end < 0:
        raise cursor.fault(f"expected {closing!r} further on")
    text = cursor.text[cursor.at : end]
    cursor.at = end + len(closing)
    cursor.skip()
    return [part for part in text.split(",") if part.strip()]


def read_encoding(cursor: Cursor, aliases: Aliases) -> tuple[str, tuple[int, ...] | None]:
    """Level letters and mode order (None: as the dimensions) of a sparse encoding, in new and older syntax."""
    start = cursor.at
    name = cursor.match(ALIAS) if not cursor.looking_at("#sparse_tensor.encoding") else None
    if name is not None:
        if name[0] not in aliases.encodings:
            raise cursor.fault(f"{name[0]} is no sparse encoding that is defined above", start)
        return aliases.encodings[name[0]]
    cursor.expect("#sparse_tensor.encoding")
    inside = cursor.at
    cursor.expect("<")
    depth, end = 1, cursor.at
    while depth and end < len(cursor.text):  # an arrow is no bracket
        if cursor.text.startswith("->", end):
            end += 2
            continue
        depth += {"<": 1, ">": -1}.get(cursor.text[end], 0)
        end += 1
    if depth:
        raise cursor.fault("an encoding begins here and does not end", inside)
    text = " ".join(cursor.text[cursor.at : end - 1].split())
    cursor.at = end
    cursor.skip()
    found = re.search(r"map = \(([^()]*)\) -> \(((?:[^()]|\([^()]*\))*)\)", text)
    if found is not None:
        dimensions = [part.strip() for part in found[1].split(",") if part.strip()]
        levels = [part.strip().partition(":") for part in _split_levels(found[2])]
        kinds = [kind.strip() for _, _, kind in levels]
        places = [place.strip().rpartition("=")[2].strip() for place, _, _ in levels]
        if any(place not in dimensions for place in places):
            raise cursor.fault("a level of an encoding must store one dimension; blocked levels are not read", start)
        order: tuple[int, ...] | None = tuple(dimensions.index(place) for place in places)
    else:
        older = re.search(r"(?:lvlTypes|dimLevelType) = \[([^\]]*)\]", text)
        if older is None:
            raise cursor.fault(
                "an encoding must have a map, as in map = (d0, d1) -> (d0 : dense, d1 : compressed)", start
            )
        kinds = [part.strip().strip('"') for part in older[1].split(",") if part.strip()]
        ordering = re.search(r"(?:dimOrdering|dimToLvl) = affine_map<\(([^()]*)\) -> \(([^()]*)\)>", text)
        order = None
        if ordering is not None:
            names = [part.strip() for part in ordering[1].split(",")]
            order = tuple(names.index(part.strip()) for part in ordering[2].split(",") if part.strip() in names)
    unknown = [kind for kind in kinds if kind not in _LEVELS]
    if unknown:
        raise cursor.fault(f"level type {unknown[0]!r} is not read; use dense and compressed", start)
    return "".join(_LEVELS[kind] for kind in kinds), order


def _split_levels(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current]


def read_type(cursor: Cursor, aliases: Aliases) -> TensorType:
    """``tensor<4x5xf32, #CSR>`` or a scalar type."""
    start = cursor.at
    scalar = cursor.match(ELEMENT)
    if scalar is not None:
        return TensorType((), scalar[0], None, scalar=True)
    cursor.expect("tensor")
    cursor.expect("<")
    shape = []
    while found := cursor.match(DIMENSION):
        if found[1] == "?":
            raise cursor.fault("a dimension of unknown size '?'; write its size into the text", start)
        if len(found[1]) > 10 or int(found[1]) >= 2**31:
            raise cursor.fault(f"dimension {found[1]:.20} is too large; at most {2**31 - 1}", start)
        shape.append(int(found[1]))
    if len(shape) > MOST_DIMENSIONS:
        raise cursor.fault(f"a tensor of {len(shape)} dimensions; at most {MOST_DIMENSIONS} are read", start)
    element = cursor.take(ELEMENT, "an element type such as f32")
    layout = None
    if cursor.accept(","):
        letters, order = read_encoding(cursor, aliases)
        modes = tuple(range(len(shape))) if order is None else order
        try:
            layout = Format.parse(f"{letters}:{','.join(map(str, modes))}" if modes else letters, len(shape))
        except FormatError as fault:
            raise cursor.fault(f"the encoding does not fit the tensor: {fault}", start) from None
    cursor.expect(">")
    return TensorType(tuple(shape), element, layout)
