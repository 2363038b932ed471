"""Repeat: a signal generator and a repeater (simulator rules 3.6 and 3.7)."""

from fuseflow.dataflow.blocks import Missing
from fuseflow.dataflow.tokens import DONE, EMPTY, REPEAT, Stop
from fuseflow.sim.blocks.base import Process, Unit, is_payload
from fuseflow.sim.blocks.scan import closing_stop


def repeat_signal(unit: Unit) -> Process:
    """One ``R`` per payload or ``N``, one ``S`` per stop of any level (rule 3.6)."""
    (source,) = unit.inputs
    (out,) = unit.outputs
    while True:
        token = yield from unit.take(source)
        if token is DONE:
            yield from unit.send(out, DONE)
            return
        yield from unit.send(out, Stop(0) if isinstance(token, Stop) else REPEAT)
        unit.tick()


def repeat(unit: Unit, missing: Missing) -> Process:
    """Send the head of the first input for each ``R`` of the second, and retire it at each ``S`` (rule 3.7).

    Under ``Missing.EMPTY_FIBER`` an ``N`` is retired like a payload: a stop that follows it is merged. What is left of
    the data when the signal ends stays unread.
    """
    data, signal = unit.inputs
    (out,) = unit.outputs
    unit.may_abandon = (data,)
    while True:
        held = yield from unit.peek(data)
        word = yield from unit.take(signal)
        if word is DONE:
            yield from unit.send(out, DONE)
            return
        if word is REPEAT:
            yield from unit.send(out, held)
        elif isinstance(word, Stop):
            yield from unit.take(data)
            if is_payload(held) or (held is EMPTY and missing is Missing.EMPTY_FIBER):
                closing = yield from closing_stop(unit)
            elif isinstance(held, Stop):
                closing = Stop(held.level + 1)
            else:
                closing = Stop(0)
            yield from unit.send(out, closing)
        else:
            unit.misfit("no repeat signal", (signal, word), remedy="feed this input from a repeat signal generator")
        unit.tick()
