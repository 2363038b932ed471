"""Channels, broadcasts and the scheduler: credits, captured stamps, deadlock, streams that are left over."""

import pytest

from fuseflow.dataflow.tokens import DONE
from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.broadcast import broadcast
from fuseflow.sim.blocks.source import generate
from fuseflow.sim.channel import Channel
from fuseflow.sim.interpret import run
from tests.sim.harness import drive, feed, show


def slow(unit: Unit) -> Process:
    """Takes a token every five cycles."""
    while (yield from unit.take(unit.inputs[0])) is not DONE:
        unit.tick(5)


def pair(capacity: int | None) -> tuple[Unit, Unit, Channel]:
    channel = Channel("source.out", "sink.in", capacity, record=[])
    source, sink = Unit("source", [], [channel]), Unit("sink", [channel], [])
    source.process, sink.process = generate(source, [0, 1, 2, 3, DONE]), slow(sink)
    return source, sink, channel


def test_an_unbounded_channel_never_waits() -> None:
    source, sink, channel = pair(None)
    run([source, sink])
    assert show(channel.record or []) == "0@1 1@2 2@3 3@4 D@5"
    assert (source.clock, sink.clock, sink.busy) == (5, 21, 20)


@pytest.mark.parametrize("order", [1, -1])
def test_a_bounded_channel_waits_for_the_credit_of_an_earlier_take(order: int) -> None:
    source, sink, channel = pair(2)
    run([source, sink][::order])
    assert show(channel.record or []) == "0@1 1@2 2@3 3@8 D@13"
    assert (source.clock, source.busy, sink.clock) == (13, 5, 21)


def test_broadcast_copies_one_cycle_later_and_never_ticks() -> None:
    unit, outs = drive(broadcast, ["0@1 1@1 S0@4 D@4"], 2)
    assert outs == ["0@2 1@2 S0@5 D@5"] * 2
    assert (unit.clock, unit.busy) == (4, 0)


def test_broadcast_waits_until_every_reader_has_room() -> None:
    source = Channel("test.out", "copy.in")
    fast, tight = Channel("copy.out0", "a.in", record=[]), Channel("copy.out1", "b.in", 1, record=[])
    copy, first, second = Unit("copy", [source], [fast, tight]), Unit("a", [fast], []), Unit("b", [tight], [])
    copy.process, first.process, second.process = broadcast(copy), slow(first), slow(second)
    for stamp, token in enumerate((0, 1, 2, DONE), start=1):
        source.put(token, stamp)
    source.closed = True
    run([copy, first, second])
    assert show(fast.record or []) == "0@2 1@4 2@9 D@14"
    assert show(tight.record or []) == "0@2 1@4 2@9 D@14"


def cross(unit: Unit) -> Process:
    yield from unit.take(unit.inputs[0])


def test_deadlock_names_nodes_ports_and_fills() -> None:
    forth, back = Channel("a.out", "b.in"), Channel("b.out", "a.in")
    first, second = Unit("a", [back], [forth]), Unit("b", [forth], [back])
    first.process, second.process = cross(first), cross(second)
    with pytest.raises(DeadlockError) as caught:
        run([first, second])
    assert str(caught.value) == (
        "deadlock: 2 units wait on each other and none can go on\n"
        "the ring of waiting units: a -> b -> a\n"
        "  a at cycle 0 waits for a token on a.in: b.out -> a.in (0 of unbounded, empty)\n"
        "  b at cycle 0 waits for a token on b.in: a.out -> b.in (0 of unbounded, empty)\n"
        "the input streams of these nodes do not have the same structure; check the wiring of the graph"
    )


def test_a_stream_that_is_left_over() -> None:
    unit = Unit("unit", [Channel("test.out0", "unit.in0")], [])
    with pytest.raises(
        SimulationError, match=r"unit has ended at cycle 1 but unit.in0 still holds 2 tokens, the first 5"
    ):
        feed(unit, cross(unit), ["0@1 5@2 6@3 D@4"])


def test_a_unit_without_a_process() -> None:
    with pytest.raises(SimulationError, match=r"unit lonely has no process"):
        run([Unit("lonely", [], [])])
