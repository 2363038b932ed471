"""Memory ports of a run."""

from fuseflow.sim.addresses import Addresses
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.tokenwise.arena import Arena


class MemoryPorts:
    """Hands out ports, readers and writers each in the order in which they are asked for, and addresses."""

    __slots__ = ("_arena", "addresses", "names", "readers", "writers")

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.addresses = Addresses()
        self.readers: list[int] = []
        self.writers: list[int] = []
        self.names: dict[int, str] = {}

    def reader(self, name: str) -> int:
        """A new port for reads."""
        self.readers.append(self._arena.allocate(layout.PORT_WORDS))
        self.names[self.readers[-1]] = name
        return self.readers[-1]

    def writer(self, name: str) -> int:
        """A new port for writes."""
        self.writers.append(self._arena.allocate(layout.PORT_WORDS))
        self.names[self.writers[-1]] = name
        return self.writers[-1]
