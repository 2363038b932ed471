"""The scheduler of the compiled engine: runs units in turn until all have finished.

The network is deterministic (simulator §1.2), so any order gives the same streams. Passes go through the units in
graph order, each running as far as it can on the chunk its producers have just written. A unit that stopped at a full
output waits until half of it is free again. When nothing can move because of full streams, the smallest of them
grows (Parks), so the channels of the model are unbounded while memory follows the skew between streams.
"""

from collections.abc import Callable, Sequence

import numpy as np

from fuseflow.dataflow.blocks import Repeat
from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.sim.engine_units import Unit
from fuseflow.sim.kernels.layout import (
    CLOCK,
    FINISHED,
    FIRST_TOKEN,
    FULL,
    GOT,
    HEADS,
    MISFIT,
    MISFIT_CODE,
    OTHER,
    OUT_OF_RANGE,
    PORT,
    STARVED,
    STATUS,
    UNEQUAL,
)
from fuseflow.sim.lazy_task import LazyTask
from fuseflow.sim.record_task import GroupTask, IrregularError
from fuseflow.sim.records import Fibers
from fuseflow.sim.stream import Stream, unpack

TURN_TOKENS = 2
"""Room with which every kernel can make at least one turn."""


Task = Unit | GroupTask | LazyTask


def run(tasks: Sequence[Task], watch: Callable[[], None] | None = None, patience: int = 1) -> None:
    """Run all units and groups of units to their end, calling ``watch`` after every pass.

    A unit that has starved waits for ``patience`` new tokens as long as others can go on, which saves calls.

    Raises SimulationError where streams do not fit together, DeadlockError if units wait for tokens that never come,
    IrregularError where a group of units meets what it cannot handle.
    """
    active = list(tasks)
    least = patience
    while active:
        moved = finished = False
        for task in active:
            if isinstance(task, GroupTask | LazyTask):
                if task.ready(least):
                    moved = task.step() or moved
                    finished = finished or task.finished
            elif _ready(task, least):
                _step(task)
                moved = True
                finished = finished or task.status == FINISHED
        if finished:
            active = [task for task in active if not _finished(task)]
        if moved:
            least = patience
        elif least > 1:
            least = 1
        elif active:
            _relieve(active)
        if watch is not None:
            watch()


def _finished(task: Task) -> bool:
    return task.finished if isinstance(task, GroupTask | LazyTask) else task.status == FINISHED


def _ready(unit: Unit, least: int) -> bool:
    if unit.status == STARVED:
        return unit.inputs[int(unit.state[PORT])].total >= unit.seen + least
    if unit.status == FULL:
        return all(2 * stream.make_room() >= stream.size for stream in unit.outputs)
    return unit.status != FINISHED


def _step(unit: Unit) -> None:
    for stream in unit.outputs:
        stream.make_room()
    before = [stream.tail for stream in unit.outputs]
    unit.step()
    for stream, tail in zip(unit.outputs, before, strict=True):
        stream.settle(tail)
    state = unit.state
    unit.status = int(state[STATUS])
    if unit.status == STARVED:
        unit.seen = unit.inputs[state[PORT]].total
    elif unit.status == MISFIT:
        raise SimulationError(_misfit(unit))
    elif unit.status == FINISHED and isinstance(unit.node.block, Repeat):
        unit.inputs[0].drop_reader(state, 0)  # rule 3.7: the rest of the data is abandoned


def _relieve(active: Sequence[Task]) -> None:
    """Nothing is ready: run a unit that waits for more room than it needs, or else grow a stream."""
    blocked: list[Stream | Fibers] = []
    for unit in active:
        if isinstance(unit, GroupTask | LazyTask):
            blocked += unit.relieve()
        elif unit.status == FULL:
            tight = [stream for stream in unit.outputs if stream.make_room() < TURN_TOKENS]
            if not tight:
                _step(unit)
                return
            blocked += tight
    if not blocked:
        waiting = [unit for unit in active if not isinstance(unit, GroupTask | LazyTask)]
        if len(waiting) < len(active):
            raise IrregularError
        raise DeadlockError(_deadlock(waiting))
    min(blocked, key=lambda stream: stream.size).grow()


def _input_name(unit: Unit) -> str:
    return f"{unit.node.name}.{unit.node.block.inputs[unit.state[PORT]].name}"


def _misfit(unit: Unit) -> str:
    state, block = unit.state, unit.node.block
    code, got, other = int(state[MISFIT_CODE]), int(state[GOT]), int(state[OTHER])
    port = _input_name(unit)
    kind = unit.inputs[state[PORT]].kind
    token = unpack(got, kind)
    where = f"{unit.node.name}, cycle {int(state[CLOCK])}"
    place = f"(token {_number(unit, int(state[PORT]), got)} of the stream)"
    if code == OUT_OF_RANGE:
        return (
            f"{where}: {token!r} at {port} is not below {other} {place}; check that the tensors and shapes bound to "
            "the graph are those it was lowered for"
        )
    partner = unpack(other, unit.inputs[0].kind if other < 0 else kind)
    relation = "does not go together with" if code == UNEQUAL else "has no rule beside"
    heads = ", ".join(f"{spec.name}={_head(unit, number)}" for number, spec in enumerate(block.inputs))
    return (
        f"{where}: {token!r} at {port} {relation} {partner!r} {place}; the input streams of a {block.kind} "
        f"must come from the same nest of fibers (next tokens: {heads})"
    )


def _number(unit: Unit, number: int, got: int) -> int:
    """Number in its stream, from 0, of token ``got`` at an input: the next one, or the one behind it that was looked at
    with it."""
    stream = unit.inputs[number]
    head = int(unit.state[HEADS + number])
    ahead = stream.buffer[FIRST_TOKEN + 2 * head : FIRST_TOKEN + 2 * stream.tail : 2]
    found = np.flatnonzero(ahead[:2] == got)
    return stream.total - stream.tail + head + (int(found[0]) if len(found) else 0)


def _head(unit: Unit, number: int) -> str:
    rest = unit.inputs[number].unread(unit.state, number)
    return repr(rest[0]) if rest else "none yet"


def _deadlock(active: Sequence[Unit]) -> str:
    lines = [f"deadlock: {len(active)} units wait for tokens that never come"]
    for unit in active:
        stream = unit.inputs[unit.state[PORT]]
        lines.append(
            f"  {unit.node.name} at cycle {unit.clock} waits for token {stream.total} of "
            f"{_input_name(unit)} from {stream.port}"
        )
    lines.append("the input streams of these nodes do not have the same structure; check the wiring of the graph")
    return "\n".join(lines)
