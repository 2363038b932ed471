"""Printed form of a fiber tree."""

from typing import TYPE_CHECKING

from fuseflow.formats.level import CompressedLevel, DenseLevel, SingletonLevel

if TYPE_CHECKING:
    from fuseflow.formats.tree import FiberTree

MAX_LINES = 60
"""A tree with more coordinates than this prints as one line."""


def show_summary(tree: "FiberTree") -> str:
    """Shape, format and number of stored values on one line."""
    shape = " x ".join(str(size) for size in tree.shape) or "scalar"
    return f"FiberTree {shape}, format {str(tree.format) or 'scalar'}, {tree.stored} stored"


def show_tree(tree: "FiberTree") -> str:
    """The summary line and, for a small tree, its fibers: one line per coordinate, values at the leaves."""
    counts = 0
    fibers = 1
    for level in tree.levels:
        fibers = fibers * level.size if isinstance(level, DenseLevel) else len(level.coordinates)
        counts += fibers
    if counts > MAX_LINES:
        return show_summary(tree)
    if not tree.levels:
        return f"{show_summary(tree)}: {tree.values[0]:g}"
    lines = [show_summary(tree)]
    _add_fiber(tree, 0, 0, "", lines)
    return "\n".join(lines)


def _add_fiber(tree: "FiberTree", level: int, fiber: int, indent: str, lines: list[str]) -> None:
    """Append the lines of fiber number ``fiber`` of storage level ``level``."""
    entries = fiber_entries(tree, level, fiber)
    if not entries:
        lines.append(f"{indent}└─ (empty)")
    for number, (coordinate, position) in enumerate(entries):
        last = number == len(entries) - 1
        head = f"{indent}{'└─' if last else '├─'} {coordinate}"
        if level == tree.order - 1:
            lines.append(f"{head}: {tree.values[position]:g}")
        else:
            lines.append(head)
            _add_fiber(tree, level + 1, position, f"{indent}{'   ' if last else '│  '}", lines)


def fiber_entries(tree: "FiberTree", level: int, fiber: int) -> list[tuple[int, int]]:
    """(coordinate, position) of each entry of fiber number ``fiber`` of storage level ``level``."""
    match tree.levels[level]:
        case DenseLevel(size):
            return [(coordinate, fiber * size + coordinate) for coordinate in range(size)]
        case CompressedLevel(segments, coordinates):
            start, stop = int(segments[fiber]), int(segments[fiber + 1])
            return [(int(coordinates[position]), position) for position in range(start, stop)]
        case SingletonLevel(coordinates):
            return [(int(coordinates[fiber]), fiber)]
