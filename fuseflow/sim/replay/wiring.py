"""From the operations of a timed case to units on channels (simulator Appendix B)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.tokens import StreamKind
from fuseflow.sim.blocks.base import Unit
from fuseflow.sim.blocks.controller import Controller
from fuseflow.sim.channel import Channel, Stamped
from fuseflow.sim.counters import Counters
from fuseflow.sim.memory import Memory
from fuseflow.sim.replay.record import MOST, Record

NO_SOURCE, NO_TARGET = "no operation", "nobody"
KINDS = {"r": StreamKind.REF, "c": StreamKind.CRD, "v": StreamKind.VAL, "p": StreamKind.SIGNAL}
MOST_CHANNELS = 4096
"""More channels of memory than this are taken for corrupt data."""


def stream_kind(record: Record, name: str) -> StreamKind:
    """Kind of a stream by its name: r, c, v, p and a number; rs and a number is the signal inside a repeat."""
    if name.startswith("rs"):
        return StreamKind.SIGNAL
    if name[:1] not in KINDS:
        raise record.fault(f"stream {name!r} has no kind; names begin with r, c, v, p or rs")
    return KINDS[name[0]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A unit at the end of its run: final clock in cycles, and what it counted."""

    clock: int
    counters: Counters


@dataclass(frozen=True, slots=True)
class Ran:
    """What one engine made of a case: streams by name, and the units of each operation."""

    streams: Mapping[str, Sequence[Stamped]]
    ended: Sequence[Sequence[Ended]]


@dataclass
class Wired:
    """One case: its units, those of each operation, its channels by name, its memory."""

    capacity: int
    memory: Memory
    controller: Controller | None
    units: list[Unit] = field(default_factory=list)
    by_operation: list[tuple[Record, list[Unit]]] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)

    def channel(self, name: str | None, operation: str) -> Channel:
        """The channel called ``name``, made at first sight; ``None`` is a void one."""
        if name is None:
            return Channel(operation, None)
        if name not in self.channels:
            self.channels[name] = Channel(NO_SOURCE, NO_TARGET, self.capacity, record=[])
        return self.channels[name]

    def unit(self, record: Record, name: str, inputs: list[str | None], outputs: list[str | None]) -> Unit:
        """A unit between channels; DataError if a channel already has a reader or a producer."""
        sources = [self.channel(each, name) for each in inputs]
        sinks = [self.channel(each, name) for each in outputs]
        for stream, channel in zip(inputs, sources, strict=True):
            if stream is None:
                raise record.fault("an input is null; every input needs a stream")
            if channel.target != NO_TARGET:
                raise record.fault(f"stream {stream!r} is read here and by {channel.target}; use a broadcast")
            channel.target = f"{name}, stream {stream}"
        for stream, channel in zip(outputs, sinks, strict=True):
            if stream is not None and channel.source != NO_SOURCE:
                raise record.fault(f"stream {stream!r} is written here and by {channel.source}")
            channel.source = f"{name}, stream {stream}"
        unit = Unit(name, sources, sinks)
        self.units.append(unit)
        return unit

    def name_of(self, channel: Channel) -> str | None:
        return next((name for name, each in self.channels.items() if each is channel), None)


def wire(case: Record, add_operation: Callable[[Wired, Record, str], None]) -> Wired:
    """Units and channels of ``case``, those of an operation made by ``add_operation``.

    Raises DataError where an operation is not understood or a stream has no producer.
    """
    memory, controller = Memory.ideal(), None
    if case.data.get("hbm") is not None:
        given = case.inner("hbm", case.data["hbm"])
        channels = given.count("channels", 1, MOST_CHANNELS)
        memory = Memory.hbm(channels, *(given.count(name) for name in ("latency", "init_interval", "start_up")))
        controller = Controller(memory)
    wired = Wired(case.count("channel_capacity", 1), memory, controller)
    for number, operation in enumerate(case.objects("ops")):
        before = len(wired.units)
        add_operation(wired, operation, f"{operation.get('op', str)}_{number}")
        wired.by_operation.append((operation, wired.units[before:]))
    for name, channel in wired.channels.items():
        if channel.source == NO_SOURCE:
            raise case.fault(f"stream {name!r} is read by {channel.target} but no operation writes it")
        if channel.target == NO_TARGET:
            channel.target, channel.abandoned, channel.capacity = None, True, None
    return wired


def integers(record: Record, key: str) -> NDArray[np.int64]:
    """Field ``key``, a list of integers from 0 on."""
    values = record.numbers(key)
    if any(not isinstance(value, int) or not 0 <= value < MOST for value in values):
        raise record.fault(f"field {key!r} must hold integers from 0 to {MOST}")
    return np.array(values, dtype=np.int64)


def segments(record: Record) -> NDArray[np.int64]:
    """Field ``seg``: from 0, never falling, to the number of coordinates at most."""
    found, stored = integers(record, "seg"), len(record.get("crd", list))
    if len(found) == 0 or np.any(np.diff(found) < 0) or found[-1] > stored:
        raise record.fault(f"field 'seg' must rise from 0 to at most {stored}, the coordinates there are: {found}")
    return found
