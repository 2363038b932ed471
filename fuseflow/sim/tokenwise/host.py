"""What the kernels cannot do for themselves: larger rings and tables, emptied buffers."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.run import refill
from fuseflow.sim.tokenwise.arena import Arena, Channel, Unit
from fuseflow.sim.tokenwise.build import Network

WRITERS = (layout.WRITE_CRD, layout.WRITE_CRD_STORED, layout.WRITE_VAL, layout.WRITE_VAL_STORED)
TABLES = (layout.SUM_ONE, layout.SUM_MANY)


class Written:
    """What the writers have written so far."""

    __slots__ = ("_arena", "_ends", "_stops", "_words")

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._words: dict[int, list[NDArray[np.int64]]] = {}
        self._stops: dict[int, int] = {}
        self._ends: dict[int, list[NDArray[np.int64]]] = {}

    def empty(self, unit: Unit) -> None:
        """Take what stands in the buffers of the writer ``unit``."""
        place, words = unit.place, self._arena.words
        self._stops[place] = self.stops(unit)
        for store, buffer, filled in (
            (self._words, words[place + layout.P], place + layout.R),
            (self._ends, words[place + layout.P + 1], place + layout.R + 1),
        ):
            count = int(words[filled])
            store.setdefault(place, []).append(words[buffer : buffer + count].copy())
            words[filled] = 0

    def stops(self, unit: Unit) -> int:
        """Stop tokens that the coordinate writer ``unit`` has taken."""
        return self._stops.get(unit.place, 0) + int(self._arena.words[unit.place + layout.R + 1])

    def level(self, unit: Unit) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Coordinates of a level, and their running count at every stop."""
        self.empty(unit)
        return np.concatenate(self._words[unit.place]).astype(np.int32), np.concatenate(self._ends[unit.place])

    def values(self, unit: Unit) -> NDArray[np.float32]:
        """The values."""
        self.empty(unit)
        return np.concatenate(self._words[unit.place]).astype(np.uint32).view(np.float32)


def enlarge_table(arena: Arena, unit: Unit) -> None:
    """Twice the table of an accumulator."""
    place = unit.place
    old_table, old_size = arena[place + layout.P], arena[place + layout.P + 1]
    old_keys, count = arena[place + layout.P + 2], arena[place + layout.R]
    keys = arena.words[old_keys : old_keys + count].copy()
    arena[place + layout.P] = arena.allocate(4 * old_size, -1)
    arena[place + layout.P + 1] = 2 * old_size
    arena[place + layout.P + 2] = arena.allocate(old_size)
    first = arena[place + layout.P + 2]
    arena.words[first : first + count] = keys
    refill(arena.words, place, old_table, old_size)


def enlarge_ring(arena: Arena, channel: Channel) -> None:
    """Twice the ring of a channel; what the old one holds, taken tokens with their credits too, keeps its number."""
    c = channel.place
    old, size, sent = arena[c + layout.RING], arena[c + layout.MASK] + 1, arena[c + layout.SENT]
    numbers = np.arange(max(0, sent - size), sent)
    new = arena.allocate(4 * size)
    clocks = arena[c + layout.SEND_CLOCKS]
    new_clocks = arena.allocate(2 * size) if clocks else 0
    words = arena.words
    for half in range(2):
        words[new + 2 * (numbers % (2 * size)) + half] = words[old + 2 * (numbers % size) + half]
    if clocks:
        words[new_clocks + numbers % (2 * size)] = words[clocks + numbers % size]
        words[c + layout.SEND_CLOCKS] = new_clocks
    words[c + layout.RING] = new
    words[c + layout.MASK] = 2 * size - 1
    if channel.capacity is not None:
        words[c + layout.GROWS] = int(2 * size < channel.capacity)


def enlarge_takes(arena: Arena, channel: Channel) -> None:
    """Twice the ring of the clocks of takes."""
    c = channel.place
    old, size = arena[c + layout.TAKE_CLOCKS], arena[c + layout.TAKE_MASK] + 1
    numbers = np.arange(arena[c + layout.TAKE_HEAD], arena[c + layout.TAKEN])
    new = arena.allocate(2 * size)
    arena.words[new + numbers % (2 * size)] = arena.words[old + numbers % size]
    arena[c + layout.TAKE_CLOCKS] = new
    arena[c + layout.TAKE_MASK] = 2 * size - 1


def serve(network: Network, unit: Unit, written: Written) -> None:
    """Do what the kernel of ``unit`` asks for."""
    kind = network.arena[unit.place + layout.KIND]
    if kind in WRITERS:
        written.empty(unit)
    elif kind in TABLES:
        enlarge_table(network.arena, unit)
