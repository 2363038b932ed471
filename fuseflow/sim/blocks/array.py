"""Array: values by reference (simulator rule 3.11)."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.tiles import TileToken
from fuseflow.sim.machine import BlockTiming


def fetch(
    unit: Unit, values: NDArray[np.floating], timing: BlockTiming, tiled: bool = False, words: int = 1
) -> Process:
    """Values of references; ``N`` gives 0 with latency 1, as control tokens have.

    With ``tiled`` every value is a tile, of ``words`` numbers.
    """
    (source,) = unit.inputs
    (out,) = unit.outputs
    nothing = TileToken(np.zeros(values.shape[1:], np.float32)) if tiled else 0.0
    while True:
        token = yield from unit.take(source)
        if token is EMPTY:
            yield from unit.send(out, nothing)
        elif isinstance(token, (Stop, Control)):
            yield from unit.send(out, token)
        else:
            check_stored(unit, token, len(values))
            value = TileToken(np.asarray(values[int(token)])) if tiled else float(values[int(token)])
            yield from unit.send(out, value, timing.latency_cycles)
            unit.counters.values_read += words
            unit.tick(timing.interval_cycles)
            continue
        if token is DONE:
            return
        unit.tick(timing.control_cycles)


def check_stored(unit: Unit, reference: int | float, stored: int) -> None:
    """SimulationError unless ``reference`` is one of the ``stored`` values."""
    if not 0 <= reference < stored:
        unit.misfit(
            f"reference outside the {stored} stored values",
            (unit.inputs[0], reference),
            remedy="check that the tensor bound to the graph is the one it was lowered for",
        )
