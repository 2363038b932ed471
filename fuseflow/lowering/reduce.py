"""Reductions of an operation's values: folds of innermost fibers, and sparse accumulators over outer indices."""

from typing import TYPE_CHECKING

from fuseflow.dataflow.blocks import Reduce, SparseAccumulator, Tile
from fuseflow.dataflow.graph import Port
from fuseflow.einsum import ReduceOp, Reduction, show_statement
from fuseflow.errors import FusionError
from fuseflow.formats import Fill
from fuseflow.lowering.columns import Column
from fuseflow.lowering.compute import filled
from fuseflow.lowering.levels import Computed

if TYPE_CHECKING:
    from fuseflow.lowering.generate import Lowering


def reduced(lowering: "Lowering", column: Column, val: Port) -> Computed:
    """Reduce over the operation's reduced variables, innermost first."""
    path = list(column.loops)
    crds = {loop: lowering.levels[column.loops[: depth + 1]].crd for depth, loop in enumerate(path)}
    fills = {loop: lowering.levels[column.loops[: depth + 1]].fill for depth, loop in enumerate(path)}
    tile = lowering.tiles.raw(column)
    for variable in sorted(column.view.reduced, key=path.index, reverse=True):
        position = path.index(variable)
        inner = path[position + 1 :]
        val = filled(lowering, val, column.name, tile)
        tiles = lowering.tiles.listed(tile, lowering.tiles.result(column))
        tile = lowering.tiles.result(column)  # the first fold takes all reduced axes of the tile
        if not inner:
            val = _fold(lowering, column, val, tiles, [(crds[loop], fills[loop]) for loop in path[:position]])
        else:
            val = _accumulate(lowering, column, val, tiles, variable, inner, crds)
            _accumulated_fills(fills, variable, inner)
        path.remove(variable)
    produced = column.produced
    return Computed(val, {loop: crds[loop] for loop in produced}, {loop: fills[loop] for loop in produced})


def _fold(
    lowering: "Lowering", column: Column, val: Port, tiles: tuple[Tile, ...], above: list[tuple[Port, Fill]]
) -> Port:
    op = _reduce_op(column)
    guarded = any(fill is Fill.UNKNOWN for _, fill in above)
    inputs = (val, above[-1][0]) if guarded else (val,)
    role = f"{op.value} of the innermost fibers for {show_statement(column.view.statement)}"
    return lowering.builder.compute(Reduce(op, guarded, tiles), inputs, f"{op.value}_{column.name}", role)


def _accumulate(
    lowering: "Lowering",
    column: Column,
    val: Port,
    tiles: tuple[Tile, ...],
    variable: str,
    inner: list[str],
    crds: dict[str, Port],
) -> Port:
    op = _reduce_op(column)
    if op is not ReduceOp.SUM:
        raise FusionError(
            f"region {lowering.region.name!r}: {show_statement(column.view.statement)} would need a {op.value} "
            f"accumulator over {' '.join(inner)}; accumulators sum. Choose an order with {variable} innermost"
        )
    extents = tuple(lowering.region.extents[loop] for loop in inner)
    inputs = (*(crds[loop] for loop in reversed(inner)), crds[variable], val)
    node = lowering.builder.accumulate(SparseAccumulator(variable, tuple(inner), extents, tiles), inputs, column.name)
    for number, loop in enumerate(reversed(inner)):
        crds[loop] = Port(node, f"crd{number}")
    return Port(node, "val")


def _accumulated_fills(fills: dict[str, Fill], reduced: str, inner: list[str]) -> None:
    """Update ``fills`` of the levels ``inner`` (outermost first) from iterated to accumulated over ``reduced``.

    The accumulator has a coordinate of a level only where a value arrived below it.
    """
    for number, loop in enumerate(inner):
        deeper = [fills[name] for name in inner[number + 1 :]]
        if Fill.UNKNOWN in deeper or (number == 0 and fills[reduced] is Fill.UNKNOWN):
            fills[loop] = Fill.UNKNOWN if number == 0 else Fill.NONEMPTY
        elif number > 0:
            fills[loop] = Fill(max(fills[loop], Fill.NONEMPTY))


def _reduce_op(column: Column) -> ReduceOp:
    expression = column.view.statement.expression
    return expression.op if isinstance(expression, Reduction) else ReduceOp.SUM
