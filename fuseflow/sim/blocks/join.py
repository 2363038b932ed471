"""Joiners: n-ary intersect and union (simulator rules 3.8 and 3.9)."""

from fuseflow.dataflow.blocks import Join
from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop, Token
from fuseflow.sim.blocks.base import Process, Rising, Unit, is_payload
from fuseflow.sim.channel import Channel

REMEDY = "the operands of a join must have the same outer fibers"


def join(unit: Unit, kind: Join) -> Process:
    """Merge coordinate streams: one cycle per turn, each turn over all the heads.

    Inputs are crd0, in0, crd1, in1, ...; outputs are crd, out0, out1, ...
    """
    crds, payloads = unit.inputs[::2], unit.inputs[1::2]
    crd_out, *outs = unit.outputs
    rising = [Rising(unit, channel) for channel in crds]
    while True:
        heads: list[Token] = []
        for channel in crds:
            heads.append((yield from unit.peek(channel)))
        riders: list[Token] = []
        for channel in payloads:
            riders.append((yield from unit.peek(channel)))
        if all(head == heads[0] for head in heads):
            _check_riders(unit, heads, riders)
            if heads[0] is EMPTY and kind is Join.UNION:
                unit.misfit("N on every coordinate stream", *zip(crds, heads, strict=True), remedy=REMEDY)
            yield from unit.send(crd_out, heads[0])
            for number, out in enumerate(outs):
                rising[number].check(heads[number])
                yield from unit.send(out, riders[number])
                yield from unit.take(crds[number])
                yield from unit.take(payloads[number])
            if heads[0] is DONE:
                return
        else:
            least = _least(unit, crds, heads)
            for number, head in enumerate(heads):
                if head == least:
                    rising[number].check(head)
            if kind is Join.INTERSECT:
                for number, head in enumerate(heads):
                    if head == least:
                        yield from unit.take(crds[number])
                        yield from unit.take(payloads[number])
            else:
                yield from _unite(unit, least, heads, riders)
        unit.tick()


def _unite(unit: Unit, least: Token, heads: list[Token], riders: list[Token]) -> Process:
    crd_out, *outs = unit.outputs
    sent = False
    for number, out in enumerate(outs):
        if heads[number] != least:
            yield from unit.send(out, EMPTY)
            continue
        if not sent:
            yield from unit.send(crd_out, least)
            sent = True
        yield from unit.send(out, riders[number])
        yield from unit.take(unit.inputs[2 * number])
        yield from unit.take(unit.inputs[2 * number + 1])


def _least(unit: Unit, crds: tuple[Channel, ...], heads: list[Token]) -> Token:
    """Smallest coordinate among heads that differ; SimulationError where the rules have no answer."""
    seen = tuple(zip(crds, heads, strict=True))
    if any(head is EMPTY for head in heads):
        unit.misfit("N on a coordinate stream", *seen, remedy="let scanners treat N as an empty fiber")
    if any(isinstance(head, Control) for head in heads):
        unit.misfit("one coordinate stream ends before another", *seen, remedy=REMEDY)
    if len({head.level for head in heads if isinstance(head, Stop)}) > 1:
        unit.misfit("stop levels differ", *seen, remedy=REMEDY)
    return min(head for head in heads if isinstance(head, (int, float)))


def _check_riders(unit: Unit, heads: list[Token], riders: list[Token]) -> None:
    for number, (head, rider) in enumerate(zip(heads, riders, strict=True)):
        fits = rider is EMPTY or is_payload(rider) if is_payload(head) else rider == head
        if not fits:
            crd, payload = unit.inputs[2 * number], unit.inputs[2 * number + 1]
            unit.misfit(
                "coordinate and payload do not go together",
                (crd, head),
                (payload, rider),
                remedy="wire the crd and the payload of an operand from the same scanner",
            )
