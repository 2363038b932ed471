"""Streams of the compiled engine: growable FIFO buffers of packed tokens and stamps, with one or more read heads.

The layout of the buffer is in :mod:`fuseflow.sim.kernels.layout`. The channels of the model are unbounded; the size
of a buffer only decides how far a producer may run ahead before its readers get a turn.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import DONE, EMPTY, PACKED_DONE, PACKED_EMPTY, REPEAT, Stop, StreamKind, Token
from fuseflow.sim.kernels.layout import FIRST_TOKEN, HEADS, Words
from fuseflow.sim.kernels.source import broadcast

LEAST_TOKENS = 4
"""Smallest buffer: no turn of a kernel needs more room."""

Recorder = Callable[[NDArray[np.int64]], None]


class Stream:
    """The stream that leaves ``port``.

    ``total`` is the number of tokens written so far. A reader is the state of its node and the number of its input;
    readers are added before the run. Without readers what is written is dropped.
    """

    __slots__ = ("broadcasts", "buffer", "kind", "port", "readers", "recorder", "size", "total")

    def __init__(self, port: Port, kind: StreamKind, size: int, recorder: Recorder | None = None) -> None:
        self.port = port
        self.kind = kind
        self.size = max(size, LEAST_TOKENS)
        self.buffer: Words = np.zeros(FIRST_TOKEN + 2 * self.size, np.int64)
        self.readers: list[tuple[Words, int]] = []
        self.broadcasts = False
        self.recorder = recorder
        self.total = 0

    def add_reader(self, state: Words, number: int) -> None:
        """Let input ``number`` of the node with ``state`` read this stream; a second reader makes it broadcast."""
        self.readers.append((state, HEADS + number))
        self.broadcasts = self.broadcasts or len(self.readers) > 1

    def drop_reader(self, state: Words, number: int) -> None:
        """The reader leaves the rest unread."""
        self.readers = [reader for reader in self.readers if reader[0] is not state or reader[1] != HEADS + number]

    @property
    def tail(self) -> int:
        return int(self.buffer[0])

    @property
    def head(self) -> int:
        """Head of the slowest reader."""
        return min((int(state[slot]) for state, slot in self.readers), default=self.tail)

    def settle(self, before: int) -> None:
        """What follows after a producer has written the tokens from ``before`` on: recording, and the broadcast."""
        tail = self.tail
        if tail == before:
            return
        self.total += tail - before
        if self.recorder is not None:
            self.recorder(self.buffer[FIRST_TOKEN + 2 * before : FIRST_TOKEN + 2 * tail])
        if self.broadcasts:
            broadcast(self.buffer, before)
        if not self.readers:
            self.buffer[0] = 0

    def make_room(self) -> int:
        """Free places at the end, after moving the unread tokens to the front if at most half of the buffer is unread.

        A move of n tokens so follows at least n reads, which makes its cost constant per token.
        """
        head, tail = self.head, self.tail
        if head and (head == tail or 2 * head >= self.size):
            self._shift(head, tail, self.buffer)
            tail -= head
        return self.size - tail

    def grow(self) -> None:
        """Twice the size."""
        self.size *= 2
        larger = np.zeros(FIRST_TOKEN + 2 * self.size, np.int64)
        larger[:FIRST_TOKEN] = self.buffer[:FIRST_TOKEN]
        self._shift(self.head, self.tail, larger)

    def _shift(self, head: int, tail: int, target: Words) -> None:
        unread = self.buffer[FIRST_TOKEN + 2 * head : FIRST_TOKEN + 2 * tail]
        target[FIRST_TOKEN : FIRST_TOKEN + 2 * (tail - head)] = unread
        target[0] = tail - head
        self.buffer = target
        for state, slot in self.readers:
            state[slot] -= head

    def unread(self, state: Words, number: int) -> list[Token]:
        """Tokens that a reader has not taken, in order."""
        start, end = FIRST_TOKEN + 2 * int(state[HEADS + number]), FIRST_TOKEN + 2 * self.tail
        return [unpack(int(word), self.kind) for word in self.buffer[start:end:2]]


def unpack(word: int, kind: StreamKind) -> Token:
    """The token that ``word`` stands for in a stream of ``kind``."""
    if word >= 0:
        if kind is StreamKind.SIGNAL:
            return REPEAT
        return float(np.uint32(word).view(np.float32)) if kind is StreamKind.VAL else word
    if word == PACKED_EMPTY:
        return EMPTY
    return DONE if word == PACKED_DONE else Stop(-1 - word)


def recorder_of(record: list[tuple[Token, int]], kind: StreamKind) -> Recorder:
    """A recorder that appends what it gets to ``record``."""

    def write(chunk: NDArray[np.int64]) -> None:
        record.extend(
            (unpack(word, kind), stamp) for word, stamp in zip(chunk[::2].tolist(), chunk[1::2].tolist(), strict=True)
        )

    return write
