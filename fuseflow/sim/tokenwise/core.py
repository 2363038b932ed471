"""A run on the token core, step by step."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import CrdWriter, ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import Token
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import RawLevel, assemble_all
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.run import run, wake
from fuseflow.sim.machine import Machine
from fuseflow.sim.result import Result
from fuseflow.sim.stream import unpack
from fuseflow.sim.tokenwise import faults, stats
from fuseflow.sim.tokenwise.build import Network, build
from fuseflow.sim.tokenwise.deadlock import BlockedNetwork
from fuseflow.sim.tokenwise.host import Written, enlarge_ring, enlarge_takes, serve
from fuseflow.sim.waiting import explain

SLICE_OPERATIONS = 1 << 20
"""Operations between two looks at the clock of the wall: some ten milliseconds."""

EVENT_LIMIT = 1 << 16


class TokenCore:
    """One run: call :meth:`step` until it says False, then :meth:`result`.

    ``record`` keeps every stream, ``profile`` measures the fill of the channels.
    """

    def __init__(
        self,
        graph: Graph,
        tensors: Mapping[str, FiberTree],
        machine: Machine,
        *,
        record: bool = False,
        profile: bool = False,
        watched: bool = False,
    ) -> None:
        self.graph = graph
        self.machine = machine
        self.network: Network = build(graph, tensors, machine, record or watched)
        self._written = Written(self.network.arena)
        self._by_place = {unit.place: unit for unit in self.network.units}
        self._recorded: list[NDArray[np.int64]] | None = None
        self.profiled = profile
        if record:
            self.record_tokens(0, layout.UNBOUNDED)
        if profile:
            self._profile()

    def record_tokens(self, start: int, end: int) -> None:
        """Keep tokens with stamps from ``start`` to before ``end``."""
        arena = self.network.arena
        arena[layout.RECORDED] = 1
        arena[layout.EVENTS] = arena.allocate(4 * EVENT_LIMIT)
        arena[layout.EVENT_LIMIT] = EVENT_LIMIT
        arena[layout.WINDOW_START], arena[layout.WINDOW_END] = start, end
        self._recorded = []

    def _profile(self) -> None:
        arena = self.network.arena
        arena[layout.PROFILED] = 1
        for channel in self.network.channels:
            if channel.target is not None:
                slots = arena[channel.place + layout.MASK] + 1
                arena[channel.place + layout.SEND_CLOCKS] = arena.allocate(slots)
                arena[channel.place + layout.TAKE_CLOCKS] = arena.allocate(slots)
                arena[channel.place + layout.TAKE_MASK] = slots - 1

    @property
    def finished(self) -> bool:
        return self.network.arena[layout.LEFT] == 0

    def step(self, operations: int = SLICE_OPERATIONS) -> bool:
        """Run for about ``operations``; False once all units have returned.

        Raises SimulationError where streams do not fit together, DeadlockError if no unit can go on.
        """
        if not self._run(operations) and not self.finished:
            raise explain(BlockedNetwork(self.network, self._exhaust))
        if self.finished:
            faults.check_drained(self.network)
            return False
        return True

    def _exhaust(self) -> None:
        while self._run(SLICE_OPERATIONS):
            pass

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

    def result(self, recorded: bool = False) -> Result:
        """What the run has come to; without an output if it has not come to its end."""
        levels: dict[tuple[str, int], RawLevel] = {}
        values: dict[str, NDArray[np.float32]] = {}
        for unit in self.network.units if self.finished else ():
            if isinstance(unit.block, CrdWriter):
                levels[unit.block.tensor, unit.block.level] = self._written.level(unit)
            elif isinstance(unit.block, ValWriter):
                values[unit.block.tensor] = self._written.values(unit)
        outputs = assemble_all(self.graph.outputs, levels, values) if self.finished else {}
        return Result(
            stats.cycles(self.network),
            outputs,
            stats.nodes(self.network, self.graph),
            self.streams() if recorded else None,
            self.machine,
            stats.channels(self.network) if self.profiled else None,
            self.finished,
        )
