"""Channels: FIFO queues of stamped tokens between two units (simulator rule 1.2).

1. A channel has one producer and at most one reader; without a reader it is void and drops what is sent.
2. A bounded channel of capacity C gives a credit per take, stamped one cycle after it. Send number k (from 0) with
   k >= C needs the credit of take k - C and moves the sender's clock to that credit's stamp.
3. Order is that of the sends, whatever the stamps.
"""

from collections import deque

from fuseflow.dataflow.tokens import DONE, Token

Stamped = tuple[Token, int]
"""A token and the cycle from which it can be seen."""

RESPONSE_LATENCY_CYCLES = 1


class Channel:
    """One channel. ``source`` and ``target`` name its two ends in messages; ``target`` is ``None`` for a void channel.

    ``closed`` says that the producer has returned, ``abandoned`` that the reader has: what is sent after that is
    dropped, and waits only for credits that were given; ``lost`` has what was, but for ``D``, of a channel that has a
    reader. ``record``, if not ``None``, keeps all that was sent. ``taken`` counts the takes, ``seen`` is the
    number of the token last read.
    """

    __slots__ = (
        "abandoned", "capacity", "closed", "credits", "lost", "queue", "record", "seen", "sent", "source", "taken",
        "target",
    )  # fmt: skip

    def __init__(
        self, source: str, target: str | None, capacity: int | None = None, record: list[Stamped] | None = None
    ):
        self.source = source
        self.target = target
        self.capacity = None if target is None else capacity
        self.record = record
        self.queue: deque[Stamped] = deque()
        self.credits: deque[int] = deque()
        self.lost: list[Token] = []
        self.sent = 0
        self.taken = 0
        self.seen = 0
        self.closed = False
        self.abandoned = target is None

    @property
    def name(self) -> str:
        """Both ends."""
        return f"{self.source} -> {self.target or 'void'}"

    @property
    def full(self) -> bool:
        """Whether the next send has to wait for a credit that is not there yet but may come."""
        return self.over_capacity and not self.credits and not self.abandoned

    @property
    def over_capacity(self) -> bool:
        """Whether the next send spends a credit, if the reader gives one."""
        return self.capacity is not None and self.sent >= self.capacity

    def put(self, token: Token, stamp: int) -> None:
        """Append ``token``, spending the credit that the send needs; the caller has waited until not ``full``."""
        if self.over_capacity and self.credits:
            self.credits.popleft()
        self.sent += 1
        if self.record is not None:
            self.record.append((token, stamp))
        if not self.abandoned:
            self.queue.append((token, stamp))
        elif self.target is not None and token is not DONE:
            self.lost.append(token)

    def pop(self, clock: int) -> None:
        """Drop the head, taken by the reader at ``clock``."""
        self.queue.popleft()
        self.taken += 1
        if self.capacity is not None:
            self.credits.append(clock + RESPONSE_LATENCY_CYCLES)

    def __repr__(self) -> str:
        depth = "unbounded" if self.capacity is None else str(self.capacity)
        head = "empty" if not self.queue else f"head {self.queue[0][0]!r}@{self.queue[0][1]}"
        return f"{self.name} ({len(self.queue)} of {depth}, {head})"
