"""Units: sequential processes with a local clock, and the operations they have on channels.

A process is a generator. It yields where it cannot go on (an empty input, a full output) and is resumed when it can.
``peek``, ``take``, ``send`` and ``tick`` are the PEEK, DEQ, ENQ and TICK of the simulator rules (§3).
"""

from collections.abc import Generator, Sequence
from enum import Enum
from typing import NoReturn, TypeGuard

from fuseflow.dataflow.tokens import Control, Stop, Token
from fuseflow.errors import SimulationError
from fuseflow.sim.channel import Channel
from fuseflow.sim.counters import Counters


class Need(Enum):
    """What a unit waits for at a channel."""

    TOKEN = "a token"
    ROOM = "room"
    TURN = "its next turn"


TURN_TOKENS = 1 << 12
"""A unit lets the others go on whenever it has taken or sent so many tokens of a channel: a run can be stopped then."""

Wait = tuple[Channel, Need]
Process = Generator[Wait, None, None]
Read = Generator[Wait, None, Token]


class Unit:
    """One unit: its clock in cycles, its channels in the order of the block's ports, and its counters.

    ``busy`` is the part of ``clock`` that came from ``tick``. ``may_abandon`` lists inputs whose rest the unit may
    leave unread when it returns (the data input of a repeat, rule 3.7).
    """

    __slots__ = ("busy", "clock", "counters", "inputs", "may_abandon", "name", "node", "outputs", "process", "waits")

    def __init__(
        self, name: str, inputs: Sequence[Channel], outputs: Sequence[Channel], node: str | None = None
    ) -> None:
        self.name = name
        self.node = node
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.may_abandon: tuple[Channel, ...] = ()
        self.clock = 0
        self.busy = 0
        self.counters = Counters()
        self.process: Process | None = None
        self.waits: Wait | None = None

    @property
    def moved(self) -> int:
        """Tokens taken and sent so far."""
        return sum(channel.taken for channel in self.inputs) + sum(channel.sent for channel in self.outputs)

    def peek(self, channel: Channel) -> Read:
        """Head of ``channel`` without taking it; the clock moves to its stamp."""
        while not channel.queue:
            if channel.closed:
                raise SimulationError(
                    f"{self.name} reads {channel.target} at cycle {self.clock} but {channel.source} has "
                    f"{ended_after(channel.sent, len(self.inputs))}"
                )
            yield channel, Need.TOKEN
        token, stamp = channel.queue[0]
        channel.seen = channel.taken
        if stamp > self.clock:
            self.clock = stamp
        return token

    def take(self, channel: Channel) -> Read:
        """Head of ``channel``, taken; the clock moves to its stamp."""
        token = yield from self.peek(channel)
        channel.pop(self.clock)
        if not channel.taken % TURN_TOKENS:
            yield channel, Need.TURN
        return token

    def room(self, channel: Channel) -> Process:
        """Wait until ``channel`` can be sent to; the clock moves to the stamp of the credit, which is not spent."""
        while channel.full:
            yield channel, Need.ROOM
        if channel.over_capacity and channel.credits and channel.credits[0] > self.clock:
            self.clock = channel.credits[0]

    def send(self, channel: Channel, token: Token, latency: int = 1, start: int | None = None) -> Process:
        """Send ``token`` stamped ``start + latency``, ``start`` being the clock before any wait unless given."""
        if start is None:
            start = self.clock
        if channel.capacity is not None:
            yield from self.room(channel)
        channel.put(token, max(start + latency, self.clock + 1))
        if not channel.sent % TURN_TOKENS:
            yield channel, Need.TURN

    def tick(self, cycles: int = 1) -> None:
        """Advance the clock."""
        self.clock += cycles
        self.busy += cycles

    def misfit(self, what: str, *heads: tuple[Channel, Token], remedy: str) -> NoReturn:
        """Raise SimulationError: ``what`` is wrong with the tokens last read at ``heads``, and ``remedy`` says what to
        do. The message has their numbers in their streams, from 0."""
        seen = ", ".join(f"{token!r} at {channel.target}" for channel, token in heads)
        numbers = ", ".join(str(channel.seen) for channel, _ in heads)
        place = f"token {numbers}" if len(heads) == 1 else f"tokens {numbers}"
        raise SimulationError(f"{self.name}, cycle {self.clock}: {what}: {seen} ({place} of the stream); {remedy}")


def ended_after(tokens: int, inputs: int) -> str:
    """What to say of a stream that has ended after ``tokens``, of the ``inputs`` of a node that reads on."""
    if inputs == 1:
        return f"ended after {tokens} tokens, without D: a stream ends in D"
    return f"ended after {tokens} tokens: the input streams of this node do not have the same structure"


class Rising:
    """Checks that the coordinates taken from ``channel`` rise within each fiber."""

    __slots__ = ("_before", "_channel", "_unit")

    def __init__(self, unit: Unit, channel: Channel) -> None:
        self._unit = unit
        self._channel = channel
        self._before: int | float = -1

    def check(self, token: Token) -> None:
        """Take note of the token last read, which is then taken; SimulationError if it is not above the one before."""
        if isinstance(token, (int, float)):
            if token <= self._before:
                self._unit.misfit(
                    f"coordinates of a fiber must rise, but {self._before} comes before",
                    (self._channel, token),
                    remedy="sort the coordinates of each fiber, and leave out duplicates",
                )
            self._before = token
        elif isinstance(token, Stop):
            self._before = -1


def is_payload(token: Token) -> TypeGuard[int | float]:
    """Whether ``token`` is a coordinate, reference or value."""
    return not isinstance(token, (Stop, Control))
