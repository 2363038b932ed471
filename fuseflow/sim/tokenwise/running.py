"""Runs a network of the token core, serving what its kernels ask for."""

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import CrdWriter
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import Token
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.run import run, wake
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise import faults
from fuseflow.sim.tokenwise.arena import Unit
from fuseflow.sim.tokenwise.build import Network
from fuseflow.sim.tokenwise.deadlock import BlockedNetwork
from fuseflow.sim.tokenwise.host import Written, enlarge_ring, enlarge_takes, serve
from fuseflow.sim.waiting import Relaxed, explain, relax

SLICE_OPERATIONS = 1 << 20
"""Operations between two looks at the clock of the wall: some ten milliseconds."""

SEARCH_SLICE = 1 << 14
"""Operations at a time in the search for depths behind a deadlock, which is bounded in operations."""

EVENT_LIMIT = 1 << 16


class NetworkRun:
    """One run of ``network``: call :meth:`step` until it says False."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._written = Written(network.arena)
        self._by_place = {unit.place: unit for unit in network.units}
        self._recorded: list[NDArray[np.int64]] | None = None

    def record_tokens(self, start: int, end: int) -> None:
        """Keep tokens with stamps from ``start`` to before ``end``."""
        arena = self.network.arena
        arena[layout.RECORDED] = 1
        arena[layout.EVENTS] = arena.allocate(4 * EVENT_LIMIT)
        arena[layout.EVENT_LIMIT] = EVENT_LIMIT
        arena[layout.WINDOW_START], arena[layout.WINDOW_END] = start, end
        self._recorded = []

    def written(self, unit: Unit) -> tuple[int, int]:
        """Coordinates or values, and stop tokens, that the writer ``unit`` has taken; of values no stops."""
        stops = self._written.stops(unit) if isinstance(unit.block, CrdWriter) else 0
        return self.network.arena[unit.place + layout.COUNT], stops

    @property
    def finished(self) -> bool:
        return self.network.arena[layout.LEFT] == 0

    def step(self, operations: int = SLICE_OPERATIONS, check_drained: bool = True) -> bool:
        """Run for about ``operations``; False once all units have returned.

        Raises SimulationError where streams do not fit together or, with ``check_drained``, one is left unread, and
        DeadlockError if no unit can go on.
        """
        if not self._run(operations) and not self.finished:
            raise explain(BlockedNetwork(self.network, self._exhaust))
        if self.finished:
            if check_drained:
                faults.check_drained(self.network)
            return False
        return True

    def relax(self) -> Relaxed:
        """Run to the deadlock that another engine has met, and search depths that suffice."""
        while self._run(SLICE_OPERATIONS):
            pass
        return relax(BlockedNetwork(self.network, self._exhaust))

    def _exhaust(self, operations: int) -> int:
        """Run until no unit can go on or about ``operations`` are done; how many, in whole slices."""
        done = SEARCH_SLICE
        while self._run(SEARCH_SLICE) and done < operations:
            done += SEARCH_SLICE
        return done

    def _run(self, operations: int) -> bool:
        """Run, serving the kernels; False if no unit can go on."""
        arena = self.network.arena
        while not run(arena.words, operations):
            if arena[layout.ASKING]:
                self._serve_asking()
            elif arena[layout.SPACE_WAITS] > 0:
                self._grow()
            else:
                return False
        return True

    def _serve_asking(self) -> None:
        arena = self.network.arena
        unit = self._by_place[arena[layout.ASKING]]
        arena[layout.ASKING] = 0
        match arena[unit.place + layout.STATUS]:
            case layout.FAULTY:
                raise faults.misfit(arena, unit)
            case layout.ENDED:
                raise faults.ended(arena, unit)
            case layout.EVENTS_FULL:
                self.drain_events()
            case layout.NO_SPACE:
                enlarge_takes(arena, faults.at(unit, arena[unit.place + layout.WAITS_FOR]))
            case _:
                serve(self.network, unit, self._written)
        wake(arena.words, unit.place)

    def _grow(self) -> None:
        """Enlarge the smallest of the rings that are too small (Parks)."""
        arena = self.network.arena
        units = [unit for unit in self.network.units if arena[unit.place + layout.STATUS] == layout.NO_SPACE]
        channels = [faults.at(unit, arena[unit.place + layout.WAITS_FOR]) for unit in units]
        place = min(range(len(units)), key=lambda number: arena[channels[number].place + layout.MASK])
        enlarge_ring(arena, channels[place])
        arena[channels[place].place + layout.ROOM_WAITS] = 0
        wake(arena.words, units[place].place)

    def level(self, unit: Unit) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """What the coordinate writer ``unit`` has written: coordinates, and their running count at every stop."""
        return self._written.level(unit)

    def values(self, unit: Unit) -> NDArray[np.float32]:
        """What the value writer ``unit`` has written."""
        return self._written.values(unit)

    def drain_events(self) -> None:
        """Take the recorded tokens out of their buffer."""
        arena = self.network.arena
        if self._recorded is not None:
            events, count = arena[layout.EVENTS], arena[layout.EVENT_COUNT]
            self._recorded.append(arena.words[events : events + 4 * count].reshape(-1, 4).copy())
            arena[layout.EVENT_COUNT] = 0

    def events(self) -> NDArray[np.int64]:
        """Recorded tokens since the last call: number of the channel, packed token, stamp, number in the stream."""
        self.drain_events()
        recorded, self._recorded = self._recorded or [], [] if self._recorded is not None else None
        return np.concatenate(recorded) if recorded else np.empty((0, 4), np.int64)

    def streams(self) -> dict[Port, list[tuple[Token, int]]]:
        """What left each port, as (token, stamp)."""
        found: dict[Port, list[tuple[Token, int]]] = {}
        ports = {channel.number: channel for channel in self.network.channels if channel.port is not None}
        for channel in ports.values():
            assert channel.port is not None
            found[channel.port] = []
        for number, token, stamp, _ in self.events().tolist():
            sender = ports.get(number)
            if sender is not None and sender.port is not None:
                found[sender.port].append((unpack(token, sender.kind), stamp))
        return found
