"""Droppers (simulator rule 3.23)."""

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop
from fuseflow.sim.blocks.base import Process, Unit, is_payload


def drop_stops(unit: Unit) -> Process:
    """Drop a stop that follows a stop, or stands first; every token costs a cycle, dropped or not (StknDrop)."""
    (source,) = unit.inputs
    (out,) = unit.outputs
    closed = True
    while True:
        token = yield from unit.take(source)
        if not (isinstance(token, Stop) and closed):
            yield from unit.send(out, token)
        closed = isinstance(token, Stop)
        if token is DONE:
            return
        unit.tick()


def drop_zeros(unit: Unit) -> Process:
    """Drop values that are 0 (and ``N``), with their coordinates; a cycle for every pair (ValDrop, repaired)."""
    val_in, crd_in = unit.inputs
    val_out, crd_out = unit.outputs
    while True:
        val = yield from unit.take(val_in)
        crd = yield from unit.take(crd_in)
        if is_payload(crd) and (is_payload(val) or val is EMPTY):
            kept = val is not EMPTY and val != 0
        else:
            kept = True
            if is_payload(val) or is_payload(crd) or val != crd:
                unit.misfit(
                    "val and crd do not go together",
                    (val_in, val),
                    (crd_in, crd),
                    remedy="wire the values and the coordinates of one level",
                )
        if kept:
            start = unit.clock
            yield from unit.send(val_out, val, start=start)
            yield from unit.send(crd_out, crd, start=start)
        if val is DONE:
            return
        unit.tick()
