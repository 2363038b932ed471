"""Masked-out results of reductions: refuses graphs in which their streams could be taken for values.

A reduction over nothing but masked-out elements is itself masked out, but its stream has a value there (the sum or
maximum of nothing). That is harmless as long as the value only meets operands that are masked out along the reduced
index variable too, as in a softmax: there is nothing to combine it with. Elsewhere it would be a wrong number.
"""

from typing import TYPE_CHECKING

from fuseflow.einsum import Reduction, show_statement
from fuseflow.errors import FusionError
from fuseflow.formats import Fill
from fuseflow.lowering.columns import Column

if TYPE_CHECKING:
    from fuseflow.lowering.generate import Lowering


def check_absent(lowering: "Lowering", column: Column) -> None:
    """Note along which variables ``column`` may hold values of nothing; FusionError if it uses them as numbers."""
    open_variables: set[str] = set()
    for operand in column.operands:
        if isinstance(operand, Column):
            left = {name for name in lowering.absent.get(operand, frozenset()) if name not in column.loops}
            if left and column.view.reduced:
                raise _fault(column, operand, left)
            open_variables |= left
    if isinstance(column.view.statement.expression, Reduction):
        masked = column.view.operands[0].masked
        for depth, loop in enumerate(column.loops):
            level = lowering.levels[column.loops[: depth + 1]]
            if loop in column.view.reduced and loop in masked and level.fill is Fill.UNKNOWN:
                open_variables.add(loop)
    lowering.absent[column] = frozenset(open_variables)


def check_stored(lowering: "Lowering", root: Column) -> None:
    """FusionError if the result of a region cannot be stored so that its masked-out elements stay absent."""
    if lowering.absent[root]:
        raise _fault(root, root, set(lowering.absent[root]))
    if root.view.masked:
        for depth, loop in enumerate(root.result_path):
            made = lowering.computed[root].fills.get(loop)
            fill = made if made is not None else lowering.levels[root.result_path[: depth + 1]].fill
            every = fill is Fill.FULL or lowering.region.extents[loop] == 0
            if loop not in root.view.masked and not every:
                raise FusionError(
                    f"{root.name} is masked along {', '.join(sorted(root.view.masked))} and holds unstored zeros along "
                    f"{loop}; stored, the two cannot be told apart. End the region before or after {root.name}"
                )


def _fault(column: Column, operand: Column, variables: set[str]) -> FusionError:
    over = ", ".join(sorted(variables))
    return FusionError(
        f"{operand.name} reduces over {over}, where a mask may leave nothing to reduce, and `"
        f"{show_statement(column.view.statement)}` would take the reduction of nothing for a number. Combine it with "
        f"the masked operand first, as a softmax does, or use a mask that leaves no fiber of {over} empty"
    )
