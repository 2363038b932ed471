"""Writers (simulator rules 3.4 and 3.5)."""

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop
from fuseflow.sim.blocks.base import Process, Unit


def write_crd(unit: Unit, coordinates: list[int], ends: list[int]) -> Process:
    """Append the coordinates, and the running count at every stop.

    Timing and counters are the reference's, which leaves out a stop that follows another stop; ``ends`` has it, so
    that empty fibers are not lost.
    """
    (source,) = unit.inputs
    closed = False
    while True:
        token = yield from unit.take(source)
        if isinstance(token, Stop):
            ends.append(len(coordinates))
            if not closed:
                unit.counters.segments_written += 1
                closed = True
                unit.tick()
        elif token is DONE:
            return
        elif isinstance(token, (int, float)):
            coordinates.append(int(token))
            unit.counters.coordinates_written += 1
            closed = False
            unit.tick()
        elif token is not EMPTY:
            unit.misfit("no coordinate", (source, token), remedy="feed this input from a coordinate stream")


def write_val(unit: Unit, values: list[float]) -> Process:
    """Append the values; stops and ``N`` cost nothing, the end costs a cycle."""
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        if token is DONE:
            unit.tick()
            return
        if isinstance(token, (int, float)):
            values.append(float(token))
            unit.counters.values_written += 1
            unit.tick()
        elif token is not EMPTY and not isinstance(token, Stop):
            unit.misfit("no value", (source, token), remedy="feed this input from a value stream")
