"""The tiles of a graph that the compiled engine has timed.

Cycles and structure do not depend on values, so the compiled engine moves tiles as tokens without content and counts
their cycles; what they hold is computed in a pass of its own, in which the units of the interpreter run for their
arithmetic (numpy on whole tiles) and their clocks are not looked at. A token stands for a whole tile, so this pass is
short beside the tokens that the same program has without blocks.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import StreamKind, Token
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import Surroundings, Written
from fuseflow.sim.interpret import run, wire, written_values
from fuseflow.sim.machine import Machine
from fuseflow.sim.result import Result

Streams = dict[Port, list[tuple[Token, int]]]


def with_tiles(graph: Graph, tensors: Mapping[str, FiberTree], result: Result, values: bool) -> Result:
    """``result``, which has cycles and structure, with its tiles; without ``values`` they are all zeros.

    Recorded streams get their tiles too.
    """
    if not values:
        return _filled(result, _zeros(graph, result))
    recorded: Streams | None = None if result.streams is None else {}
    written = Written()
    units = wire(graph, Surroundings(tensors, Machine(), written), recorded)
    run(units)
    filled = _filled(result, written_values(graph, written))
    if recorded is None or result.streams is None:
        return filled
    return replace(filled, streams={port: _stamped(graph, port, recorded, result.streams) for port in result.streams})


def _filled(result: Result, values: Mapping[str, NDArray[np.float32]]) -> Result:
    outputs = {
        name: FiberTree(tree.shape, tree.format, tree.levels, values[name]) for name, tree in result.outputs.items()
    }
    return replace(result, outputs=outputs)


def _zeros(graph: Graph, result: Result) -> dict[str, NDArray[np.float32]]:
    shapes = {node.block.tensor: node.block.tiles[-1].shape for node in graph if isinstance(node.block, ValWriter)}
    zero = np.float32(0)
    return {name: np.broadcast_to(zero, (tree.stored, *shapes[name])) for name, tree in result.outputs.items()}


def _stamped(graph: Graph, port: Port, recorded: Streams, timed: Streams) -> list[tuple[Token, int]]:
    """The tokens of ``recorded`` with the stamps of ``timed``."""
    if graph.stream_kind(port) is not StreamKind.VAL:
        return timed[port]
    pairs = zip(recorded[port], timed[port], strict=True)
    return [(token, stamp) for (token, _), (_, stamp) in pairs]
