"""Broadcast: copies a stream to several readers (simulator rule 1.7).

No block of the graph: a port with more than one reader gets one of these.
"""

from fuseflow.dataflow.tokens import DONE
from fuseflow.sim.blocks.base import Process, Unit


def broadcast(unit: Unit, cycles: int = 0) -> Process:
    """Copy every token to all outputs, stamped one cycle later. ``cycles`` is the cost of a token: 0 lets equal stamps
    pass together, as in the reference.

    All outputs must have room before any is sent to. The waits do not spend the credits (cyclic flavour, rule 1.2).
    """
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        for out in unit.outputs:
            yield from unit.room(out)
        start = unit.clock
        for out in unit.outputs:
            yield from unit.send(out, token, start=start)
        if token is DONE:
            return
        unit.tick(cycles)
