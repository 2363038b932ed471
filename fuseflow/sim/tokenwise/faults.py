"""Errors of a run in words: what does not fit, and where."""

from fuseflow.dataflow.tokens import DONE
from fuseflow.errors import SimulationError
from fuseflow.sim.blocks.base import ended_after
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.faults import FAULTS
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise.arena import Arena, Channel, Unit
from fuseflow.sim.tokenwise.build import Network


def misfit(arena: Arena, unit: Unit) -> SimulationError:
    """The fault that the decision of ``unit`` found."""
    s = unit.place
    what, remedy = FAULTS[arena[s + layout.FAULT]]
    ports = [arena[s + layout.FAULT_PORT], arena[s + layout.FAULT_WITH]]
    tokens = arena[s + layout.TOKENS]
    seen: list[str] = []
    numbers: list[str] = []
    for port in ports:
        if port >= 0:
            channel = unit.inputs[port]
            token, number = unpack(arena[tokens + port], channel.kind), arena[tokens + len(unit.inputs) + 1 + port]
            seen.append(f"{token!r} at {channel.target}")
            numbers.append(str(number))
    text = what.format(limit=arena[s + layout.FAULT_LIMIT])
    place = f"{'token' if len(numbers) == 1 else 'tokens'} {', '.join(numbers)} of the stream"
    where = f"{unit.name}, cycle {arena[s + layout.CLOCK]}"
    return SimulationError(f"{where}: {text}: {', '.join(seen)} ({place}); {remedy}")


def ended(arena: Arena, unit: Unit) -> SimulationError:
    """``unit`` reads a stream whose producer has ended."""
    channel = at(unit, arena[unit.place + layout.WAITS_FOR])
    return SimulationError(
        f"{unit.name} reads {channel.target} at cycle {arena[unit.place + layout.CLOCK]} but {channel.source} has "
        f"{ended_after(arena[channel.place + layout.SENT], len(unit.inputs))}"
    )


def check_drained(network: Network) -> None:
    """SimulationError if a unit has left tokens unread that it had to read."""
    arena = network.arena
    for unit in network.units:
        for channel in unit.inputs:
            c = channel.place
            mask, ring, lost = arena[c + layout.MASK], arena[c + layout.RING], arena[c + layout.LOST]
            unread = range(arena[c + layout.TAKEN], arena[c + layout.KEPT])
            kept = [unpack(arena[ring + 2 * (place & mask)], channel.kind) for place in unread]
            rest = [token for token in kept if token is not DONE]
            if lost:
                rest.append(unpack(arena[c + layout.LOST_TOKEN], channel.kind))
            if rest and not (unit.may_abandon and channel is unit.inputs[0]):
                raise SimulationError(
                    f"{unit.name} has ended at cycle {arena[unit.place + layout.CLOCK]} but {channel.target} still "
                    f"holds {len(rest) - bool(lost) + lost} tokens, the first {rest[0]!r}: the input streams of this "
                    "node do not have the same structure"
                )


def at(unit: Unit, place: int) -> Channel:
    """The channel of ``unit`` at ``place``."""
    for channel in (*unit.inputs, *unit.outputs):
        if channel is not None and channel.place == place:
            return channel
    raise KeyError(place)
