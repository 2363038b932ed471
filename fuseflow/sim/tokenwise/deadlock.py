"""A network of the token core in which no unit can go on (see ``sim/waiting``)."""

from collections.abc import Callable

from fuseflow.sim.blocks.base import Need
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.run import wake
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise.arena import Arena, Channel
from fuseflow.sim.tokenwise.build import Network
from fuseflow.sim.tokenwise.faults import at
from fuseflow.sim.waiting import Waiting

SEARCH_OPERATIONS = 1 << 26


class BlockedNetwork:
    """``network``, with ``run`` to run it until no unit can go on or so many operations are done; how many."""

    __slots__ = ("_by_name", "_network", "_run")

    def __init__(self, network: Network, run: Callable[[int], int]) -> None:
        self._network = network
        self._run = run
        self._by_name = {channel.name: channel for channel in network.channels}

    def waiting(self) -> list[Waiting]:
        """The units that have not finished, and what each waits for."""
        arena, units = self._network.arena, self._network.units
        producers = {id(channel): unit for unit in units for channel in unit.outputs if channel is not None}
        readers = {id(channel): unit for unit in units for channel in unit.inputs}
        found: list[Waiting] = []
        for unit in units:
            status = arena[unit.place + layout.STATUS]
            if status in (layout.STARVED, layout.NO_ROOM):
                channel = at(unit, arena[unit.place + layout.WAITS_FOR])
                need = Need.TOKEN if status == layout.STARVED else Need.ROOM
                other = (producers if need is Need.TOKEN else readers)[id(channel)]
                clock = arena[unit.place + layout.CLOCK]
                found.append(Waiting(unit.name, clock, need, channel.name, describe(arena, channel), other.name))
        return found

    def depth(self, channel: str) -> int:
        """Capacity of a bounded channel."""
        return self._network.arena[self._by_name[channel].place + layout.CAPACITY]

    def deepen(self, channel: str, depth: int) -> None:
        """Give a channel a larger capacity, and let its producer try again."""
        arena, found = self._network.arena, self._by_name[channel]
        found.capacity = depth
        arena[found.place + layout.CAPACITY] = depth
        arena[found.place + layout.GROWS] = int(arena[found.place + layout.MASK] + 1 < depth)
        arena[found.place + layout.ROOM_WAITS] = 0
        wake(arena.words, arena[found.place + layout.PRODUCER])

    def go_on(self, operations: int) -> int:
        """Run until no unit can go on or about ``operations`` are done; how many."""
        return self._run(operations)

    @property
    def search_operations(self) -> int:
        """Operations of kernels that a search for depths may do."""
        return SEARCH_OPERATIONS


def describe(arena: Arena, channel: Channel) -> str:
    """The channel with its fill and next token, as ``repr`` of the interpreter's."""
    c = channel.place
    taken, sent = arena[c + layout.TAKEN], arena[c + layout.SENT]
    depth = "unbounded" if channel.capacity is None else str(channel.capacity)
    head = "empty"
    if sent > taken:
        slot = arena[c + layout.RING] + 2 * (taken & arena[c + layout.MASK])
        head = f"head {unpack(arena[slot], channel.kind)!r}@{arena[slot + 1]}"
    return f"{channel.name} ({sent - taken} of {depth}, {head})"
