"""Memory ports of a run, and where its data lie."""

from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.tokenwise.arena import Arena

REGION_BYTES = 1 << 12
"""Tensors begin at multiples of this, so that two never share a row of memory."""

RESULT_BYTES = 1 << 34
"""Room left for each array of the result, whose size is not known before the run."""


class MemoryPorts:
    """Hands out ports, readers and writers each in the order in which they are asked for, and addresses in bytes."""

    __slots__ = ("_arena", "_bases", "_next", "names", "readers", "writers")

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._bases: dict[tuple[str, str], int] = {}
        self._next = 0
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

    def address(self, tensor: str, part: str, words: int | None = None) -> int:
        """First byte of a part of a tensor; ``words`` is ``None`` for a part that the run writes."""
        key = tensor, part
        if key not in self._bases:
            self._bases[key] = self._next
            size = RESULT_BYTES if words is None else 4 * words
            self._next += -(-max(size, 1) // REGION_BYTES) * REGION_BYTES
        return self._bases[key]
