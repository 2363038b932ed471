"""Array: values by reference (simulator rule 3.11)."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.machine import BlockTiming


def fetch(unit: Unit, values: NDArray[np.floating], timing: BlockTiming) -> Process:
    """Values of references; ``N`` gives 0 with latency 1, as control tokens have."""
    (source,) = unit.inputs
    (out,) = unit.outputs
    while True:
        token = yield from unit.take(source)
        if token is EMPTY:
            yield from unit.send(out, 0.0)
        elif isinstance(token, (Stop, Control)):
            yield from unit.send(out, token)
        else:
            check_stored(unit, token, len(values))
            yield from unit.send(out, float(values[int(token)]), timing.latency_cycles)
            unit.counters.values_read += 1
        if token is DONE:
            return
        unit.tick(timing.interval_cycles)


def check_stored(unit: Unit, reference: int | float, stored: int) -> None:
    """SimulationError unless ``reference`` is one of the ``stored`` values."""
    if not 0 <= reference < stored:
        unit.misfit(
            f"reference outside the {stored} stored values",
            (unit.inputs[0], reference),
            remedy="check that the tensor bound to the graph is the one it was lowered for",
        )
