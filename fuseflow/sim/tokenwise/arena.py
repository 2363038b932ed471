"""The one array of the token core (``kernels.tokenwise.layout``), and who lives in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Block
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.layout import Memory

FIRST_WORDS = 1 << 16
FIRST_SLOTS = 1024
"""Slots of the ring of an unbounded channel at first."""


class Arena:
    """Words handed out from the front; ``words`` is replaced when it is too small, places stay."""

    __slots__ = ("_top", "words")

    def __init__(self) -> None:
        self.words: Memory = np.zeros(FIRST_WORDS, np.int64)
        self._top = layout.GLOBALS

    def allocate(self, count: int, fill: int = 0) -> int:
        """The place of ``count`` fresh words."""
        place = self._top
        self._top += count
        if self._top > len(self.words):
            larger = np.zeros(max(2 * len(self.words), self._top), np.int64)
            larger[:place] = self.words[:place]
            self.words = larger
        if fill:
            self.words[place : self._top] = fill
        return place

    def store(self, values: Sequence[int] | NDArray[np.integer]) -> int:
        """The place of a copy of ``values``."""
        place = self.allocate(max(len(values), 1))
        self.words[place : place + len(values)] = values
        return place

    def __getitem__(self, place: int) -> int:
        return int(self.words[place])

    def __setitem__(self, place: int, value: int) -> None:
        self.words[place] = value


@dataclass(slots=True, eq=False)
class Channel:
    """A channel: its place, its two ends as messages name them, the port it leaves (``None`` inside a repeat)."""

    place: int
    number: int
    source: str
    target: str | None
    kind: StreamKind
    port: Port | None
    capacity: int | None
    target_port: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(slots=True, eq=False)
class Unit:
    """A unit: its place and name; ``node`` is ``None`` for a broadcast, ``block`` the node's."""

    place: int
    name: str
    node: str | None
    block: Block | None
    inputs: list[Channel]
    outputs: list[Channel | None]
    may_abandon: bool = False
    ports: list[int] = field(default_factory=list)


def new_channel(
    arena: Arena,
    number: int,
    source: str,
    target: str | None,
    kind: StreamKind,
    port: Port | None,
    capacity: int | None,
) -> Channel:
    """A channel with its ring; one without a target drops what is sent."""
    place = arena.allocate(layout.CHANNEL_WORDS)
    void = target is None
    bound = None if void else capacity
    slots = 1 if void else FIRST_SLOTS
    if bound is not None:
        slots = min(1 << (bound - 1).bit_length(), FIRST_SLOTS)
        arena[place + layout.GROWS] = int(slots < bound)
    arena[place + layout.RING] = arena.allocate(2 * slots)
    arena[place + layout.MASK] = slots - 1
    arena[place + layout.CAPACITY] = layout.UNBOUNDED if bound is None else bound
    arena[place + layout.ABANDONED] = int(void)
    arena[place + layout.NUMBER] = number
    return Channel(place, number, source, target, kind, port, bound)


def new_unit(
    arena: Arena, kind: int, name: str, node: str | None, inputs: list[Channel], outputs: list[Channel | None]
) -> Unit:
    """A unit of ``kind`` on its channels, ready to run; its parameters are still to be set."""
    place = arena.allocate(layout.UNIT_WORDS)
    ports = len(inputs) + len(outputs)
    ops = arena.allocate(layout.OP_WORDS * (48 + 8 * ports))
    words = {
        layout.KIND: kind,
        layout.INS: arena.store([channel.place for channel in inputs]),
        layout.OUTS: arena.store([0 if channel is None else channel.place for channel in outputs]),
        layout.TOKENS: arena.allocate(2 * (len(inputs) + 1)),
        layout.OPS: ops,
        layout.NEXT_OP: ops,
        layout.END_OP: ops,
        layout.INPUTS: len(inputs),
        layout.OUTPUTS: len(outputs),
    }
    for offset, value in words.items():
        arena[place + offset] = value
    for channel in inputs:
        arena[channel.place + layout.READER] = place
    for out in outputs:
        if out is not None:
            arena[out.place + layout.PRODUCER] = place
    return Unit(place, name, node, None, inputs, outputs)
