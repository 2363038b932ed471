"""Writers (simulator rules 3.4 and 3.5)."""

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop
from fuseflow.sim.blocks.base import Process, Rising, Unit


def write_crd(
    unit: Unit, coordinates: list[int], ends: list[int], skip_cycles: int = 0, any_order: bool = False
) -> Process:
    """Append the coordinates, and the running count at every stop.

    Timing and counters are the reference's, which leaves out a stop that follows another stop; ``ends`` has it, so
    that empty fibers are not lost. Such a stop, and ``N``, cost ``skip_cycles``.
    The coordinates of a fiber must rise unless they may come in ``any_order``.
    """
    (source,) = unit.inputs
    closed = False
    rising = Rising(unit, source)
    while True:
        token = yield from unit.take(source)
        if not any_order:
            rising.check(token)
        if isinstance(token, Stop):
            ends.append(len(coordinates))
            if not closed:
                unit.counters.segments_written += 1
                closed = True
                unit.tick()
            else:
                unit.tick(skip_cycles)
        elif token is DONE:
            return
        elif isinstance(token, (int, float)):
            coordinates.append(int(token))
            unit.counters.coordinates_written += 1
            closed = False
            unit.tick()
        elif token is EMPTY:
            unit.tick(skip_cycles)
        else:
            unit.misfit("no coordinate", (source, token), remedy="feed this input from a coordinate stream")


def write_val(unit: Unit, values: list[float], skip_cycles: int = 0, words: int = 1, interval: int = 1) -> Process:
    """Append the values, of ``words`` numbers, one every ``interval`` cycles; stops and ``N`` cost ``skip_cycles``,
    the end a cycle."""
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        if token is DONE:
            unit.tick()
            return
        if isinstance(token, (int, float)):
            values.append(token)
            unit.counters.values_written += words
            unit.tick(interval)
        elif token is EMPTY or isinstance(token, Stop):
            unit.tick(skip_cycles)
        else:
            unit.misfit("no value", (source, token), remedy="feed this input from a value stream")
