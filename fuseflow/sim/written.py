"""How much of the results of a run is written: what its progress is measured by.

Operands say little: they are read as far ahead as streams hold tokens, short ones at once. Values are written last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from fuseflow.dataflow.blocks import CrdWriter, SparseAccumulator, ValWriter
from fuseflow.dataflow.graph import Graph, Port

Count = Callable[[str], tuple[int, int]]
"""Of a writer's node: the coordinates or values, and the stop tokens, that it has taken."""


@dataclass(frozen=True, slots=True)
class _Result:
    """Sizes of the levels, outermost first, the nodes that write them, and the node that writes the values."""

    sizes: tuple[int, ...]
    levels: tuple[str, ...]
    values: str


class WrittenPart:
    """Values written of those to come, for the results of ``graph`` that are written from the start of a run on.

    A result whose outermost coordinates leave an accumulator is written at the end, so it says nothing before.
    """

    def __init__(self, graph: Graph) -> None:
        late: set[Port] = set()
        writers: dict[tuple[str, int], str] = {}
        values: dict[str, str] = {}
        for node in graph:
            block = node.block
            if isinstance(block, SparseAccumulator) or not late.isdisjoint(node.inputs):
                late |= {Port(node.name, spec.name) for spec in block.outputs}
            if isinstance(block, CrdWriter) and not (block.level == 0 and node.inputs[0] in late):
                writers[block.tensor, block.level] = node.name
            elif isinstance(block, ValWriter):
                values[block.tensor] = node.name
        self._results: list[_Result] = []
        for output in graph.outputs:
            places = [(output.tensor, level) for level in range(len(output.shape))]
            if places and all(place in writers for place in places):
                sizes = tuple(output.shape[dimension] for dimension in output.mode_order)
                levels = tuple(writers[place] for place in places)
                self._results.append(_Result(sizes, levels, values[output.tensor]))

    def of(self, count: Count) -> list[tuple[int, int]]:
        """Values written and (an estimate of) all values of the result that is furthest behind; empty if none tells."""
        parts = [(count(result.values)[0], _expected(result, count)) for result in self._results]
        return [min(parts, key=lambda part: part[0] / part[1])] if parts else []


def _expected(result: _Result, count: Count) -> int:
    """Coordinates of the last level, 1 or more: those that are there once it is whole, before that what the fibers so
    far have on average, or all that may be."""
    fibers, whole = 1, True
    for size, name in zip(result.sizes, result.levels, strict=True):
        coordinates, stops = count(name)
        whole = whole and stops >= fibers
        if whole:
            fibers = max(coordinates, 1)
        elif 0 < stops < fibers:
            fibers = max(ceil(coordinates * fibers / stops), 1)
        else:
            fibers = max(fibers * size, coordinates, 1)
    return fibers
