"""The controller and channels of high-bandwidth memory, and the ports of its clients (simulator rules 4.2 and 4.3).

The reference steps its controller every cycle. Here all other units run until none can go on, and the controller then
does the next cycle in which it has anything to do: an answer sent in cycle T cannot cause a request that is seen before
T + 2, so nothing is missed.
"""

from collections import deque
from collections.abc import Sequence

from fuseflow.sim.addresses import WORD_BYTES
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.channel import Channel
from fuseflow.sim.memory import Memory

BATCH = 8
"""Most addresses in one request."""

ANSWER = 0
"""Token of an answer; the data do not travel, only their time does."""


class MemoryPort:
    """One client's way to memory: requests, as the number of their words, and one answer per word.

    ``base`` is the address of word 0 of what the client reads or writes, ``asked`` the addresses of the last request.
    """

    __slots__ = ("answers", "asked", "base", "requests")

    def __init__(self, client: str, base: int = 0) -> None:
        self.requests = Channel(f"{client}.requests", "memory")
        self.answers = Channel("memory", f"{client}.answers")
        self.base = base
        self.asked: tuple[int, ...] = ()

    def access(self, unit: Unit, words: Sequence[int]) -> Process:
        """Ask for the words with these numbers and wait for all answers; the clock moves to the last."""
        self.asked = tuple(self.base + WORD_BYTES * word for word in words)
        yield from unit.send(self.requests, len(words))
        for _ in words:
            yield from unit.take(self.answers)


class Controller:
    """Serves ports in the order in which they were made, readers before writers."""

    __slots__ = ("_memory", "_next_cycle", "_offset", "_pending", "_ready", "readers", "writers")

    def __init__(self, memory: Memory) -> None:
        self.readers: list[MemoryPort] = []
        self.writers: list[MemoryPort] = []
        self._memory = memory
        self._next_cycle = 0
        self._offset = 0
        self._ready = [0] * memory.channels  # own clock of each channel
        self._pending: list[deque[tuple[int, MemoryPort]]] = [deque() for _ in range(memory.channels)]

    def reader(self, client: str, base: int = 0) -> MemoryPort:
        """A new port for reads of words from address ``base`` on."""
        self.readers.append(MemoryPort(client, base))
        return self.readers[-1]

    def writer(self, client: str, base: int = 0) -> MemoryPort:
        """A new port for writes of words from address ``base`` on."""
        self.writers.append(MemoryPort(client, base))
        return self.writers[-1]

    def step(self) -> bool:
        """Do the next cycle in which there is an answer or a request; False if there is none."""
        ports = [*self.readers, *self.writers]
        stamps = [port.requests.queue[0][1] for port in ports if port.requests.queue]
        stamps += [answers[0][0] for answers in self._pending if answers]
        if not stamps:
            return False
        cycle = max(self._next_cycle, min(stamps))
        for answers in self._pending:
            if answers and answers[0][0] <= cycle:
                _, port = answers.popleft()
                port.answers.put(ANSWER, cycle + 1)
        asked: list[MemoryPort] = []
        for port in ports:
            queue = port.requests.queue
            if queue and queue[0][1] <= cycle:
                addresses, _ = queue.popleft()
                asked += [port] * int(addresses)  # type: ignore[arg-type]  # a request's token is its number of addresses
        for number, port in enumerate(asked):
            self._offset = (self._offset + number) % self._memory.channels
            self._begin(self._offset, cycle + 1, port)
        self._offset = (self._offset + len(asked)) % self._memory.channels
        self._next_cycle = cycle + 1
        return True

    def _begin(self, channel: int, stamp: int, port: MemoryPort) -> None:
        start = max(self._ready[channel], stamp)
        self._pending[channel].append((start + self._memory.start_up_cycles + self._memory.latency_cycles, port))
        self._ready[channel] = start + self._memory.interval_cycles
