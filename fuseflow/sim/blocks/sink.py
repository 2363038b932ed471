"""Sink (simulator rule 1.7, consumer)."""

from fuseflow.dataflow.tokens import DONE
from fuseflow.sim.blocks.base import Process, Unit


def consume(unit: Unit) -> Process:
    """Take one token a cycle, the ``D`` too."""
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        unit.tick()
        if token is DONE:
            return
