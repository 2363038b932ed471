"""Filling the fusion table from a finished lowering, in the notation of compiler notes §3.2."""

from collections import Counter
from collections.abc import Callable

from fuseflow.einsum import Binary, Mask, Product, Reduction, Unary
from fuseflow.fusion import Leaf
from fuseflow.lowering.columns import Column, Source, walk_columns
from fuseflow.lowering.generate import Lowering
from fuseflow.lowering.joins import All, Everything, JoinTree, Of, Some
from fuseflow.lowering.levels import Level
from fuseflow.lowering.table import VALUE_ROW, Cell, FusionTable

Live = Callable[[str], str | None]
"""Maps a generated node to its node in the final graph, ``None`` if it is gone."""

REDIRECT = Cell("Redirect")


def _cell(label: str, live: Live, *nodes: str | None) -> Cell:
    found = (live(name) for name in nodes if name is not None)
    return Cell(label, tuple(dict.fromkeys(name for name in found if name is not None)))


def fill_table(lowering: Lowering, roots: tuple[Column, ...], order: tuple[str, ...], live: Live) -> FusionTable:
    """Table of the results ``roots``; ``live`` maps a generated node to its final one, if any."""
    entries = walk_columns(roots)
    names = _names([(source, consumer) for _, source, consumer in entries])
    cells: dict[tuple[str, str], Cell] = {}
    for (_, source, consumer), name in zip(entries, names, strict=True):
        if isinstance(source, Leaf):
            assert consumer is not None  # only operations are results
            column = _leaf_column(lowering, source, consumer, order, live)
        else:
            column = _operation_column(lowering, source, consumer, order, live)
        cells.update({(row, name): cell for row, cell in column.items()})
    return FusionTable((*order, VALUE_ROW), tuple(names), cells)


def _names(entries: list[tuple[Source, Column | None]]) -> list[str]:
    plain = Counter(source.name for source, _ in entries)
    indexed = [
        source.name if plain[source.name] == 1 else f"{source.name}[{','.join(source.variables)}]"
        for source, _ in entries
    ]
    seen: Counter[str] = Counter()
    names = []
    for name in indexed:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _leaf_column(
    lowering: Lowering, leaf: Leaf, consumer: Column, order: tuple[str, ...], live: Live
) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    above = "root"
    for row in order:
        cell = REDIRECT if above == "prev" else _cell("root", live, f"root_{leaf.name}")
        if row in consumer.loops:
            path = consumer.loops[: consumer.loops.index(row) + 1]
            level = lowering.levels[path]
            reference = lowering.references.get((leaf, path))
            if row in leaf.variables:
                scanner = lowering.scanners[leaf, path].node
                root = f"root_{leaf.name}" if above == "root" else None
                cell = _joined(level, leaf, row, live, scanner, root) or _cell(f"LScan({above})", live, scanner, root)
                above = "prev"
            elif reference is not None:
                label = f"Repeat_{row}({above}, {_driver(consumer, leaf, level, row)})"
                cell = _cell(label, live, reference.node, f"root_{leaf.name}" if above == "root" else None)
                above = "prev"
        cells[row] = cell
    values = lowering.arrays.get((leaf, consumer.loops))
    cells[VALUE_ROW] = _cell("ValRead", live, values.node if values is not None else None)
    return cells


def _operation_column(
    lowering: Lowering, column: Column, consumer: Column | None, order: tuple[str, ...], live: Live
) -> dict[str, Cell]:
    result = lowering.computed[column]
    cells: dict[str, Cell] = {}
    parts = (result.val.node, lowering.raw[column].node, *(port.node for port in lowering.aligned.get(column, ())))
    value = _value_cell(column, parts, live)
    for row in order:
        if row in column.produced:
            cells[row] = _cell(_accumulator(column), live, result.crds[row].node)
            if consumer is not None:
                level = lowering.levels[consumer.loops[: consumer.loops.index(row) + 1]]
                joined = _joined(level, column, row, live, result.crds[row].node)
                if joined is not None:
                    cells[row] = joined
                    value = Cell(joined.label, tuple(dict.fromkeys((*joined.nodes, *value.nodes))))
        elif row in column.variables:
            carriers = [operand for operand in column.operands if row in operand.variables]
            cells[row] = Cell(f"Ptr({carriers[-1].name})")
        else:
            cells[row] = REDIRECT
    cells[VALUE_ROW] = value
    return cells


def _joined(level: Level, source: Source, row: str, live: Live, *feeds: str | None) -> Cell | None:
    """Cell of a source whose level goes through a joiner, ``None`` if it has the level to itself."""
    if not isinstance(level.tree, All | Some):
        return None
    number = _sources(level.tree).index(source)
    return _cell(f"{_show(level.tree, row)}[{number}]", live, level.crd.node, *feeds)


def _sources(tree: JoinTree) -> list[Source]:
    match tree:
        case Of(source):
            return [source]
        case Everything():
            return []
        case All(parts) | Some(parts):
            return [source for part in parts for source in _sources(part)]


def _show(tree: JoinTree, row: str) -> str:
    match tree:
        case Of(source):
            return source.name if isinstance(source, Leaf) else _accumulator(source)
        case Everything():
            return "all"
        case All(parts):
            return f"∩{row}({', '.join(_show(part, '') for part in parts)})"
        case Some(parts):
            return f"∪{row}({', '.join(_show(part, '') for part in parts)})"


def _driver(consumer: Column, leaf: Leaf, level: Level, row: str) -> str:
    """Name of the operand that says how often ``leaf`` is repeated: the operation's next one that has the index."""
    place = consumer.operands.index(leaf)
    others = (*consumer.operands[place + 1 :], *consumer.operands[:place])
    named = [operand.name for operand in others if row in operand.variables]
    return named[0] if named else next((source.name for source in level.payloads), "all")


def _accumulator(column: Column) -> str:
    return f"Spacc{len(column.produced)}_{','.join(column.view.reduced)}"


def _value_cell(column: Column, nodes: tuple[str, ...], live: Live) -> Cell:
    names = ", ".join(operand.name for operand in column.operands)
    over = ",".join(column.view.reduced)
    match column.view.statement.expression:
        case Product() if column.produced:
            label = f"{_accumulator(column)}.val"
        case Product() if over:
            label = f"Reduce_{over}(mul)"
        case Product():
            label = f"mul({names})"
        case Binary(op, _, _) | Unary(op, _, _):
            label = f"{op.value}({names})"
        case Reduction(op, _):
            label = f"{_accumulator(column)}.val" if column.produced else f"{op.value}_{over}({names})"
        case Mask():
            return Cell(f"Ptr({column.operands[0].name})")
    return _cell(label, live, *nodes)
