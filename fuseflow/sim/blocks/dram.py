"""DRAM with channels, banks and rows: a model of ours, for machines whose memory is :meth:`Memory.hbm2`.

A request is charged once, whatever the number of its words: those that lie in one burst travel together. Bursts are
spread over the channels by their number; within a channel neighbouring bursts fill a row, neighbouring rows lie in
different banks. A channel serves its bursts in the order in which they come, with at most ``outstanding`` under way:

1. A burst that finds its row open reads at once; one that finds its bank closed opens the row first (``activate``); one
   that finds another row open also closes that (``precharge``), which a row must have been open for ``active`` before.
2. Data come ``column`` after the read, when the data bus of the channel is free, and hold it for ``burst`` cycles.
3. A request and an answer each travel ``transport`` cycles. The client has its answer when the last burst is there.

Requests are served in the order of their stamps, those of one cycle in the order of the ports (readers first). No
refresh, no reordering, reads and writes alike. The kernel ``kernels/tokenwise/dram`` is the same.
"""

from fuseflow.sim.blocks.controller import ANSWER, MemoryPort
from fuseflow.sim.memory import DramTiming


class Dram:
    """Serves ports as :class:`fuseflow.sim.blocks.controller.Controller` does."""

    __slots__ = (
        "_activated",
        "_bus_free",
        "_done",
        "_ready",
        "_row",
        "_timing",
        "bursts",
        "readers",
        "row_hits",
        "writers",
    )

    def __init__(self, timing: DramTiming) -> None:
        self.readers: list[MemoryPort] = []
        self.writers: list[MemoryPort] = []
        self.bursts = 0
        self.row_hits = 0
        self._timing = timing
        banks = timing.channels * timing.banks
        self._row = [-1] * banks
        self._ready = [0] * banks
        self._activated = [0] * banks
        self._bus_free = [0] * timing.channels
        self._done: list[list[int]] = [[] for _ in range(timing.channels)]  # cycles at which bursts were complete

    def reader(self, client: str, base: int = 0) -> MemoryPort:
        """A new port for reads of words from address ``base`` on."""
        self.readers.append(MemoryPort(client, base))
        return self.readers[-1]

    def writer(self, client: str, base: int = 0) -> MemoryPort:
        """A new port for writes of words from address ``base`` on."""
        self.writers.append(MemoryPort(client, base))
        return self.writers[-1]

    def step(self) -> bool:
        """Serve the request with the earliest stamp; False if there is none."""
        waiting = [port for port in (*self.readers, *self.writers) if port.requests.queue]
        if not waiting:
            return False
        port = min(waiting, key=lambda each: each.requests.queue[0][1])
        _, stamp = port.requests.queue.popleft()
        arrival = stamp + self._timing.transport_cycles
        bursts = dict.fromkeys(address // self._timing.burst_bytes for address in port.asked)
        answer = max(self._serve(burst, arrival) for burst in bursts) + self._timing.transport_cycles
        for _ in port.asked:
            port.answers.put(ANSWER, answer)
        return True

    def _serve(self, burst: int, arrival: int) -> int:
        """The cycle in which a burst is complete that comes at ``arrival``."""
        timing = self._timing
        channel, place = burst % timing.channels, burst // timing.channels
        row = place // (timing.row_bytes // timing.burst_bytes)
        bank = channel * timing.banks + row % timing.banks
        done = self._done[channel]
        start = max(arrival, self._ready[bank])
        if len(done) >= timing.outstanding:
            start = max(start, done[len(done) - timing.outstanding])
        self.bursts += 1
        if self._row[bank] == row:
            self.row_hits += 1
        else:
            if self._row[bank] >= 0:
                start = max(start, self._activated[bank] + timing.active_cycles) + timing.precharge_cycles
            self._activated[bank] = start
            self._row[bank] = row
            start += timing.activate_cycles
        data = max(start + timing.column_cycles, self._bus_free[channel])
        self._ready[bank] = data - timing.column_cycles + timing.burst_cycles
        self._bus_free[channel] = data + timing.burst_cycles
        done.append(data + timing.burst_cycles)
        return data + timing.burst_cycles
