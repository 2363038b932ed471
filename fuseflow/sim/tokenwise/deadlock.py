"""Deadlocks: who waits on whom, and which stream to deepen."""

from collections.abc import Callable
from time import monotonic

from fuseflow.errors import DeadlockError
from fuseflow.sim.blocks.base import Need
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.run import wake_unit
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise.arena import Arena, Channel, Unit
from fuseflow.sim.tokenwise.build import Network
from fuseflow.sim.tokenwise.faults import at
from fuseflow.sim.waiting import Waiting, deadlock, find_ring

RELAXED_SECONDS = 10.0
"""Longest search for depths that remove a deadlock."""


def waiting(network: Network) -> list[Waiting]:
    """The units that have not finished, and what each waits for."""
    arena = network.arena
    producers = {id(channel): unit for unit in network.units for channel in unit.outputs if channel is not None}
    readers = {id(channel): unit for unit in network.units for channel in unit.inputs}
    found: list[Waiting] = []
    for unit in network.units:
        status = arena[unit.place + layout.STATUS]
        if status not in (layout.STARVED, layout.NO_ROOM):
            continue
        channel = at(unit, arena[unit.place + layout.WAITS_FOR])
        need = Need.TOKEN if status == layout.STARVED else Need.ROOM
        other = (producers if need is Need.TOKEN else readers)[id(channel)]
        clock = arena[unit.place + layout.CLOCK]
        found.append(Waiting(unit.name, clock, need, channel.name, describe(arena, channel), other.name))
    return found


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


def explain(network: Network, run: Callable[[], None]) -> DeadlockError:
    """The error of a network in which no unit can go on. It goes on, without room in the streams that are to blame being
    an obstacle, to find depths that suffice: the network cannot be used afterwards.

    ``run`` runs it until no unit can go on.
    """
    stuck = waiting(network)
    depths, whole = _relax(network, run)
    return deadlock(stuck, depths, whole)


def _relax(network: Network, run: Callable[[], None]) -> tuple[dict[str, int], bool]:
    """Deepen a full stream of each ring of waiting units, by little, until the network ends or stops for good.

    A network with these depths from the start can do the same steps, and what it does does not depend on their order
    (simulator rule 1.2), so it does not block where this one went on. The second result says that it ended.
    """
    arena = network.arena
    by_name = {channel.name: channel for channel in network.channels}
    depths: dict[str, int] = {}
    end = monotonic() + RELAXED_SECONDS
    while arena[layout.LEFT] > 0 and monotonic() < end:
        ring = find_ring(waiting(network))
        full = [by_name[wait.channel] for wait in ring if wait.need is Need.ROOM]
        if not full:
            break
        channel = min(full, key=lambda each: arena[each.place + layout.CAPACITY])
        place = channel.place
        depth = arena[place + layout.CAPACITY]
        if channel.name not in depths and depths:
            again = [each for each in full if each.name in depths]
            channel = again[0] if again else channel
            place = channel.place
            depth = arena[place + layout.CAPACITY]
        deeper = depth + max(1, depth // 16 if channel.name in depths else 1)
        depths[channel.name] = deeper
        channel.capacity = deeper
        arena[place + layout.CAPACITY] = deeper
        arena[place + layout.GROWS] = int(arena[place + layout.MASK] + 1 < deeper)
        arena[place + layout.ROOM_WAITS] = 0
        wake_unit(arena.words, arena[place + layout.PRODUCER])
        run()
    return depths, arena[layout.LEFT] == 0
