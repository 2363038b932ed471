"""From what the writers saw to the result tensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import CrdWriter, ValWriter
from fuseflow.dataflow.graph import Graph, Output
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel, FiberTree, Format, Level, LevelKind, WholeLevel
from fuseflow.sim.result import NodeStats


@dataclass(frozen=True, slots=True)
class Rounds:
    """Coordinates that a writer has not written down: ``count`` of them, 0 to ``size - 1`` again and again."""

    size: int
    count: int

    def __len__(self) -> int:
        return self.count

    def spelled(self) -> NDArray[np.int32]:
        """The coordinates."""
        return np.tile(np.arange(self.size, dtype=np.int32), self.count // max(self.size, 1))


RawLevel = tuple[NDArray[np.integer] | Rounds, NDArray[np.integer]]
"""Coordinates of a level, and the running count of coordinates at each stop token that its writer took."""


def assemble_all(
    graph: Graph,
    stats: Sequence[NodeStats],
    levels: Mapping[tuple[str, int], RawLevel],
    values: Mapping[str, NDArray[np.floating]],
) -> dict[str, FiberTree]:
    """The results of ``graph`` by name; ``levels`` is keyed by tensor and level. See :func:`assemble`.

    A SimulationError also names the writers, what they read, and the cycles (in ``stats``) at which they ended.
    """
    made: dict[str, FiberTree] = {}
    for output in graph.outputs:
        raw = [levels[output.tensor, number] for number in range(len(output.shape))]
        try:
            made[output.tensor] = assemble(output, raw, values[output.tensor])
        except SimulationError as fault:
            raise SimulationError(f"{fault} (written by {_writers(graph, output.tensor, stats)})") from None
    return made


def _writers(graph: Graph, tensor: str, stats: Sequence[NodeStats]) -> str:
    ended = {each.name: each.final_clock_cycles for each in stats}
    return "; ".join(
        f"{node.name}, which read {node.inputs[0]} until cycle {ended[node.name]}"
        for node in graph
        if isinstance(node.block, CrdWriter | ValWriter) and node.block.tensor == tensor
    )


def assemble(output: Output, raw_levels: Sequence[RawLevel], values: NDArray[np.floating]) -> FiberTree:
    """The result as a tree of compressed levels.

    ``raw_levels[l]`` is what the writer of level ``l`` saw. A stream has one stop per fiber, and one more for every
    fiber of the level above that is empty. So a stop of level ``l - 1`` that closes ``n`` coordinates owns
    ``max(1, n)`` consecutive stops of level ``l``; when ``n`` is 0 that one stop belongs to no fiber. Behind a stop
    dropper there are no such stops, and no empty fibers.

    Raises SimulationError where streams do not nest, or where the values are not as many as the coordinates.
    """
    order = len(output.shape)
    where = f"result {output.tensor!r}"
    if len(raw_levels) != order:
        raise SimulationError(
            f"{where} has {order} dimensions but {len(raw_levels)} levels were written; write each level once"
        )
    levels: list[CompressedLevel] = []
    real = np.ones(1, dtype=bool)  # which raw stops of this level end a fiber that exists
    expected_values = 1
    for number, (coordinates, ends) in enumerate(raw_levels):
        place = f"{where}, level {number} (index {output.indices[number]!r})"
        if not len(ends) and not len(coordinates) and not real.any():
            ends = np.zeros(len(real), dtype=np.int64)  # a stop dropper leaves none where nothing is stored at all
        if len(ends) == int(real.sum()):
            real = real[real]  # a stop dropper has taken out the stops that belong to no fiber
        if len(ends) != len(real):
            raise SimulationError(
                f"{place}: {len(ends)} stop tokens were written but the levels above ask for {len(real)}; "
                "the streams of the writers do not nest"
            )
        counts: NDArray[np.int64] = np.asarray(np.diff(ends, prepend=0), np.int64)
        tail = len(coordinates) - int(counts.sum())
        if tail or bool((counts[~real] != 0).any()):
            raise SimulationError(
                f"{place}: of {len(coordinates)} coordinates {tail} follow the last stop and "
                f"{int(counts[~real].sum())} stand in fibers that have no parent coordinate"
            )
        levels.append(_level(place, coordinates, counts[real], output.shape[output.mode_order[number]]))
        if number + 1 < order:
            real = np.repeat(counts > 0, np.maximum(counts, 1))
        expected_values = len(coordinates)
    if len(values) != expected_values:
        raise SimulationError(
            f"{where}: {len(values)} values were written for {expected_values} coordinates of the last level; "
            "the value stream does not follow the innermost coordinate stream"
        )
    kinds = tuple(Level(LevelKind.COMPRESSED) for _ in range(order))
    layout = Format(kinds, tuple(output.mode_order))
    return FiberTree(tuple(output.shape), layout, tuple(levels), np.asarray(values, dtype=np.float32))


def _level(
    place: str, coordinates: NDArray[np.integer] | Rounds, counts: NDArray[np.int64], size: int
) -> CompressedLevel:
    """The level of fibers that hold ``counts`` of the ``coordinates``."""
    if isinstance(coordinates, Rounds):
        if coordinates.size == size and len(counts) > 0 and bool((counts == size).all()):
            return WholeLevel(len(counts), size)
        coordinates = coordinates.spelled()
    _check_range(place, coordinates, size)
    segments = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))
    return CompressedLevel(segments, np.asarray(coordinates, dtype=np.int32))


def _check_range(place: str, coordinates: NDArray[np.integer], size: int) -> None:
    if not len(coordinates) or (coordinates.min() >= 0 and coordinates.max() < size):
        return
    outside = (np.asarray(coordinates) < 0) | (np.asarray(coordinates) >= size)
    if bool(outside.any()):
        position = int(np.flatnonzero(outside)[0])
        raise SimulationError(
            f"{place}: coordinate {int(coordinates[position])} at position {position} is not below {size}"
        )
