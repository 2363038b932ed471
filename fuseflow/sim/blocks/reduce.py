"""Reduce (simulator rules 3.15 and 3.16), guarded and unguarded. Values are float32, folded in arrival order."""

from fuseflow.dataflow.tokens import DONE, EMPTY, Stop, Token
from fuseflow.einsum.operators import ReduceOp
from fuseflow.sim.blocks.base import Process, Unit, is_payload
from fuseflow.sim.blocks.tiles import NUMBERS, Fold
from fuseflow.sim.machine import BlockTiming


def reduce(
    unit: Unit,
    op: ReduceOp,
    timing: BlockTiming,
    skip_cycles: int = 0,
    fold: Fold = NUMBERS,
    flops: int = 1,
) -> Process:
    """Fold every innermost fiber, as ``fold`` says; a value counts as ``flops``. ``N`` costs ``skip_cycles``.

    With a second input ``crd``, the level above, a stop gives a value only if that level has a coordinate there. The
    result is stamped with the latency of ``timing``.
    """
    source, *guards = unit.inputs
    (out,) = unit.outputs
    latency = timing.latency_cycles
    total = fold.start(op)
    held = False  # the fiber has a value
    while True:
        token = yield from unit.take(source)
        if isinstance(token, Stop):
            lone = False
            if guards:
                head = yield from unit.take(guards[0])
                lone = _closes_empty_fiber(unit, token, head)
                if lone and held:
                    _misfit(unit, token, head)
            held = False
            start = unit.clock
            if not lone:
                yield from unit.send(out, fold.send(total), latency, start)
                if guards and token.level > 0:
                    closing = yield from unit.take(guards[0])
                    if closing != Stop(token.level - 1):
                        _misfit(unit, token, closing)
            total = fold.start(op)
            if token.level > 0:
                yield from unit.send(out, Stop(token.level - 1), start=start)
            unit.tick(timing.control_cycles)
        elif token is DONE:
            if guards:
                head = yield from unit.take(guards[0])
                if head is not DONE:
                    _misfit(unit, token, head)
            yield from unit.send(out, DONE)
            return
        elif is_payload(token):
            held = True
            value = fold.read(token)
            total = total + value if op is ReduceOp.SUM else fold.larger(total, value)
            unit.counters.flops += flops
            unit.tick(timing.interval_cycles)
        elif token is EMPTY:
            unit.tick(skip_cycles)
        else:
            unit.misfit("no value", (source, token), remedy="feed this input from a value stream")


def _closes_empty_fiber(unit: Unit, token: Stop, head: Token) -> bool:
    """Whether the guard's head says that the level above has an empty fiber at stop ``token``."""
    if isinstance(head, Stop):
        if token.level == 0 or head != Stop(token.level - 1):
            _misfit(unit, token, head)
        return True
    if not is_payload(head):
        _misfit(unit, token, head)
    return False


def _misfit(unit: Unit, token: Token, head: Token) -> None:
    source, guard = unit.inputs
    unit.misfit(
        "value stream and guard do not go together",
        (source, token),
        (guard, head),
        remedy="the guard must be the coordinate stream one level above the values",
    )
