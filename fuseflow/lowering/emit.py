"""Nodes for a level's join tree: scanners, locates, intersections and unions (paper §6, Algorithm 2)."""

from typing import TYPE_CHECKING

from fuseflow.dataflow.blocks import Join, Joiner, Locate
from fuseflow.dataflow.graph import Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import FusionError
from fuseflow.formats import Fill, Format, LevelKind
from fuseflow.fusion import Leaf
from fuseflow.lowering.columns import Column, Source
from fuseflow.lowering.joins import (
    All,
    Everything,
    FillOf,
    JoinTree,
    Of,
    Some,
    fill_of,
)
from fuseflow.lowering.levels import Path

if TYPE_CHECKING:
    from fuseflow.lowering.generate import Lowering

Emitted = tuple[Port, list[tuple[Source | None, Port]], set[Source]]
"""Coordinates of a level, every source's payload on it, and the sources that may be missing there."""


def emit(lowering: "Lowering", tree: JoinTree, path: Path, fill: FillOf) -> Emitted:
    """Nodes for a join tree: its coordinates, every source's payload, and the sources that may be missing."""
    match tree:
        case Of(source) if isinstance(source, Leaf):
            crd, reference = _scan(lowering, source, path)
            return crd, [(source, reference)], set()
        case Of(source):
            assert isinstance(source, Column)
            result = lowering.evaluate(source)
            # Only the innermost produced level carries values; the ones above have coordinates alone.
            payload = result.val if source.produced[-1] == path[-1] else result.crds[path[-1]]
            return result.crds[path[-1]], [(source, payload)], set()
        case Everything():
            crd, reference = _scan_everything(lowering, path)
            return crd, [(None, reference)], set()
        case All(parts) | Some(parts):
            if any(_is_outer_level(part, path) for part in parts):
                return _emit_aligned(lowering, tree, parts, path, fill)
            return _emit_join(lowering, tree, parts, path, fill)


def _is_outer_level(tree: JoinTree, path: Path) -> bool:
    """Whether ``tree`` is a level of an accumulator above its innermost, which has coordinates but no payload."""
    return isinstance(tree, Of) and isinstance(tree.source, Column) and tree.source.produced[-1] != path[-1]


def _emit_aligned(
    lowering: "Lowering", tree: All | Some, parts: tuple[JoinTree, ...], path: Path, fill: FillOf
) -> Emitted:
    """A join with an outer level of an accumulator: possible where no coordinate of it is added or dropped."""
    outer = [part for part in parts if _is_outer_level(part, path)]
    empty = lowering.region.extents[path[-1]] == 0
    full = empty or all(fill_of(part, fill) is Fill.FULL for part in parts)
    dense = all(part in outer or _is_dense(lowering, part, path, fill) for part in parts)
    if not dense or not (full or (isinstance(tree, All) and len(outer) == 1)):
        assert isinstance(outer[0], Of) and isinstance(outer[0].source, Column)  # _is_outer_level says so
        raise _outer_level_fault(lowering, outer[0].source, path)
    crd, _, _ = emit(lowering, outer[0], path, fill)
    payloads: list[tuple[Source | None, Port]] = []
    for part in (*outer, *(part for part in parts if part not in outer)):
        assert isinstance(part, Of)  # an accumulator's level or a dense one
        if isinstance(part.source, Column):
            payloads.append((part.source, emit(lowering, part, path, fill)[0]))
        else:
            payloads.append((part.source, _locate(lowering, part.source, path, crd)))
    return crd, payloads, set()


def _outer_level_fault(lowering: "Lowering", source: Column, path: Path) -> FusionError:
    return FusionError(
        f"region {lowering.region.name!r}: {source.name} accumulates over {' '.join(source.produced)}, and "
        f"level {path[-1]} of it would have to be joined with other operands. Choose an order in which "
        f"it accumulates over one index, or end the region at {source.name}"
    )


def _is_dense(lowering: "Lowering", tree: JoinTree, path: Path, fill: FillOf) -> bool:
    if not isinstance(tree, Of) or not isinstance(tree.source, Leaf):
        return False
    leaf = tree.source
    full = fill(leaf) is Fill.FULL or lowering.region.extents[path[-1]] == 0
    return full and leaf.tensor.format.levels[leaf.level(path[-1])].kind is LevelKind.DENSE


def _locate(lowering: "Lowering", leaf: Leaf, path: Path, crd: Port) -> Port:
    """References into a dense level of ``leaf`` at the coordinates ``crd``."""
    number, variable = leaf.level(path[-1]), path[-1]
    block = Locate(leaf.name, number, variable, lowering.region.extents[variable], number > 0)
    parent = (lowering.reference(leaf, path[:-1]),) if number > 0 else ()
    role = f"goes to index {variable} of dense {leaf.name}"
    lowering.scanners[leaf, path] = Port(lowering.builder.locate(block, (crd, crd, *parent), role), "located")
    return lowering.scanners[leaf, path]


def _emit_join(
    lowering: "Lowering", tree: All | Some, parts: tuple[JoinTree, ...], path: Path, fill: FillOf
) -> Emitted:
    inputs: list[Port] = []
    sources: list[Source | None] = []
    kinds: list[StreamKind] = []
    missing: set[Source] = set()
    certain: set[Source] = set()
    for part in parts:
        crd, payloads, part_missing = emit(lowering, part, path, fill)
        may_lack = isinstance(tree, Some) and fill_of(part, fill) is not Fill.FULL
        for source, payload in payloads:
            if isinstance(source, Column) and source.produced[-1] != path[-1]:
                raise _outer_level_fault(lowering, source, path)
            inputs += [crd, payload]
            sources.append(source)
            kinds.append(StreamKind.VAL if isinstance(source, Column) else StreamKind.REF)
            if source is not None:
                (missing if may_lack or source in part_missing else certain).add(source)
    missing -= certain
    join = Join.INTERSECT if isinstance(tree, All) else Join.UNION
    names = ", ".join("every coordinate" if source is None else source.name for source in sources)
    role = f"{join.value}s {names} at index {path[-1]}"
    node = lowering.builder.join(Joiner(join, path[-1], tuple(kinds)), tuple(inputs), role)
    return (
        Port(node, "crd"),
        [(source, Port(node, f"out{number}")) for number, source in enumerate(sources)],
        missing,
    )


def _scan(lowering: "Lowering", leaf: Leaf, path: Path) -> tuple[Port, Port]:
    number = leaf.level(path[-1])
    kind = leaf.tensor.format.levels[number].kind
    if kind is LevelKind.SINGLETON or not leaf.tensor.format.levels[number].unique:
        mode_order = leaf.tensor.format.mode_order
        compressed = Format(Format.parse("c" * len(mode_order), len(mode_order)).levels, mode_order)
        raise FusionError(
            f"tensor {leaf.name!r} is stored as {leaf.tensor.format}; a graph scans dense and compressed levels "
            f'only. Store it as "{compressed}" instead'
        )
    extent = lowering.region.extents[path[-1]] if kind is LevelKind.DENSE else None
    crd, reference = lowering.builder.scan(leaf.name, number, path[-1], extent, lowering.reference(leaf, path[:-1]))
    lowering.scanners[leaf, path] = reference
    return crd, reference


def _scan_everything(lowering: "Lowering", path: Path) -> tuple[Port, Port]:
    variable = path[-1]
    reference = lowering.builder.root(f"all_{variable}")
    for depth in range(1, len(path)):
        reference = lowering.repeat(reference, path[:depth], f"all_{variable}", StreamKind.REF, Part.ITERATION)
    return lowering.builder.scan(f"all_{variable}", 0, variable, lowering.region.extents[variable], reference)
