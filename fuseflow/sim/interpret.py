"""The plain interpreter: a graph run one token at a time, exact to the cycle (simulator §1 and §3).

The units are a Kahn network with max-plus clocks, so the order in which they run does not change any token or stamp:
each unit runs until it waits, then the next, until all have returned. This is the oracle of the compiled engine and
what the stepping view shows; it is slow by design.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import BinaryALU, Block, Reduce, SparseAccumulator, ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import DONE, Token
from fuseflow.einsum.operators import BinaryOp
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import assemble_all
from fuseflow.sim.blocks import Need, Surroundings, Unit, Written, broadcast, build
from fuseflow.sim.blocks.controller import Controller
from fuseflow.sim.blocks.dram import Dram
from fuseflow.sim.blocks.tiles import tile_of
from fuseflow.sim.channel import Channel
from fuseflow.sim.counters import node_stats
from fuseflow.sim.given import check_given
from fuseflow.sim.machine import BROADCAST_OF, Machine
from fuseflow.sim.memory import MemoryKind
from fuseflow.sim.observation import UNOBSERVED, Observation, StopRequest
from fuseflow.sim.result import Result
from fuseflow.sim.waiting import Blocked, Relaxed, Waiting, explain, relax

SEARCH_OPERATIONS = 1 << 18
"""Turns and tokens of a search for depths, in a network of units that the token core has no graph of."""


def interpret(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine = Machine(),
    *,
    record: bool = False,
    observation: Observation = UNOBSERVED,
) -> Result:
    """Run ``graph`` on ``tensors``; with ``record`` the result keeps every stream that left a port.

    Of ``observation`` only ``keep_interrupted`` and ``stop`` count here: a run that is interrupted from the keyboard,
    or that ``stop`` ends, returns what it has come to. ``stop`` is asked between two turns of units, which are of at
    most some thousand tokens.

    Raises VerifyError for a graph that breaks a rule, SimulationError where streams do not fit together, and
    DeadlockError where bounded channels block the run; the depths that it suggests are found by the token core, which
    blocks in the same place and goes on a hundred times faster.
    """
    check_given(graph, tensors, machine)
    streams: dict[Port, list[tuple[Token, int]]] | None = {} if record else None
    written = Written()
    controller = memory_controller(machine)
    around = Surroundings(tensors, machine, written, summed_products(graph), controller)
    units = wire(graph, around, streams)
    try:
        complete = run(units, controller, stop=observation.stop, search=lambda _: _relaxed(graph, tensors, machine))
    except KeyboardInterrupt:
        if not observation.keep_interrupted:
            raise
        complete = False
    levels = {
        place: (np.array(coordinates, dtype=np.int32), np.array(ends, dtype=np.int64))
        for place, (coordinates, ends) in written.levels.items()
    }
    values = written_values(graph, written)
    stats = tuple(
        node_stats(node.name, [(u.clock, u.busy, u.counters) for u in units if u.node == node.name]) for node in graph
    )
    outputs = assemble_all(graph, stats, levels, values) if complete else {}
    return Result(max((unit.clock for unit in units), default=0), outputs, stats, streams, machine, complete=complete)


def written_values(graph: Graph, written: Written) -> dict[str, NDArray[np.float32]]:
    """What the writers of ``graph`` have stored, by tensor: numbers, or tiles with their axes in storage order."""
    made: dict[str, NDArray[np.float32]] = {}
    for node in graph:
        if not isinstance(node.block, ValWriter):
            continue
        items, tiles = written.values.get(node.block.tensor, []), node.block.tiles
        if not tiles:
            made[node.block.tensor] = np.array(items, dtype=np.float32)
            continue
        source, stored = tiles
        stacked = np.array([tile_of(item, source) for item in items], np.float32).reshape(len(items), *source.shape)
        order = [1 + source.axes.index(axis) for axis in stored.axes]
        made[node.block.tensor] = np.ascontiguousarray(stacked.transpose(0, *order))
    return made


def memory_controller(machine: Machine) -> Controller | Dram | None:
    """What serves requests on the memory of ``machine``; ``None`` if it is ideal."""
    match machine.memory.kind:
        case MemoryKind.IDEAL:
            return None
        case MemoryKind.HBM:
            return Controller(machine.memory)
        case MemoryKind.HBM2:
            return Dram(machine.memory.dram)


def run(
    units: Sequence[Unit],
    controller: Controller | Dram | None = None,
    check_drained: bool = True,
    stop: Callable[[], bool] | None = None,
    search: Callable[[Blocked], Relaxed] = relax,
) -> bool:
    """Run all units until each has returned; where none can go on, the memory's ``controller`` does its next cycle.

    False if ``stop``, asked at most ten times a second, has ended the run before that. ``search`` finds depths for the
    error of a deadlock.

    Raises DeadlockError if none can go on, SimulationError if one reads past the end of a stream or, with
    ``check_drained``, leaves one unread.
    """
    waiting = list(units)
    request = StopRequest(stop)
    if not _exhaust(waiting, controller, lambda _: request.is_due()):
        return False
    if waiting:
        raise explain(_Stuck(waiting, units, controller), search)
    for unit in units if check_drained else ():
        _check_drained(unit)
    return True


def _relaxed(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine) -> Relaxed:
    """What the token core finds behind a deadlock of the interpreter."""
    from fuseflow.sim.tokenwise.core import TokenCore  # loads the kernels, which the interpreter does without

    return TokenCore(graph, tensors, machine).relax()


def _exhaust(waiting: list[Unit], controller: Controller | Dram | None, stop: Callable[[Unit], bool]) -> bool:
    """Run the units of ``waiting`` until none can go on; those that have returned leave the list.

    False if ``stop``, asked after every turn of a unit, ended it before that.
    """
    with np.errstate(all="ignore"):
        while waiting:
            moved = False
            for unit in tuple(waiting):
                if unit.waits is not None and not _served(unit):
                    continue
                moved = True
                if not _advance(unit):
                    waiting.remove(unit)
                if stop(unit):
                    return not waiting
            if not moved and not (controller is not None and controller.step()):
                break
    return True


def _advance(unit: Unit) -> bool:
    """Run ``unit`` until it waits or its turn is over (True) or it has returned (False)."""
    if unit.process is None:
        raise SimulationError(f"unit {unit.name} has no process; set one before the run")
    unit.waits = next(unit.process, None)
    if unit.waits is not None:
        return True
    for channel in unit.outputs:
        channel.closed = True
    for channel in unit.inputs:
        channel.abandoned = True
    return False


def _served(unit: Unit) -> bool:
    """Whether what ``unit`` waits for has come, or never will."""
    if unit.waits is None:
        return True
    channel, need = unit.waits
    if need is Need.TURN:
        return True
    if need is Need.ROOM:
        return not channel.full
    return bool(channel.queue) or channel.closed


class _Stuck:
    """Units of which none can go on (see ``waiting.Blocked``)."""

    def __init__(self, units: list[Unit], everyone: Sequence[Unit], controller: Controller | Dram | None) -> None:
        self._units = units
        self._controller = controller
        self._channels = {channel.name: channel for unit in units for channel in (*unit.inputs, *unit.outputs)}
        self._producers = {id(channel): unit.name for unit in everyone for channel in unit.outputs}
        self._readers = {id(channel): unit.name for unit in everyone for channel in unit.inputs}

    def waiting(self) -> list[Waiting]:
        found: list[Waiting] = []
        for unit in self._units:
            assert unit.waits is not None
            channel, need = unit.waits
            others = self._producers if need is Need.TOKEN else self._readers
            other = others.get(id(channel), "memory")
            found.append(Waiting(unit.name, unit.clock, need, channel.name, repr(channel), other))
        return found

    def depth(self, channel: str) -> int:
        return self._channels[channel].capacity or 0

    def deepen(self, channel: str, depth: int) -> None:
        self._channels[channel].capacity = depth

    def go_on(self, operations: int) -> int:
        spent = _Spent(operations, self._units)
        _exhaust(self._units, self._controller, spent.is_over)
        return spent.operations

    @property
    def search_operations(self) -> int:
        return SEARCH_OPERATIONS


class _Spent:
    """Counts the turns of units and the tokens that they take and send, up to ``most``."""

    __slots__ = ("_before", "_most", "operations")

    def __init__(self, most: int, units: Sequence[Unit]) -> None:
        self.operations = 0
        self._most = most
        self._before = {id(unit): unit.moved for unit in units}

    def is_over(self, unit: Unit) -> bool:
        moved = unit.moved
        self.operations += 1 + moved - self._before[id(unit)]
        self._before[id(unit)] = moved
        return self.operations >= self._most


def _check_drained(unit: Unit) -> None:
    for channel in unit.inputs:
        rest = [*(token for token, _ in channel.queue if token is not DONE), *channel.lost]
        if rest and channel not in unit.may_abandon:
            raise SimulationError(
                f"{unit.name} has ended at cycle {unit.clock} but {channel.target} still holds {len(rest)} tokens, the "
                f"first {rest[0]!r}: the input streams of this node do not have the same structure"
            )


def summed_products(graph: Graph) -> frozenset[str]:
    """Products whose first reader adds them up: where a value is a block, these are matrix products (rule 3.12)."""
    readers: dict[Port, Block] = {}
    for node in graph:
        for port in node.inputs:
            readers.setdefault(port, node.block)
    return frozenset(
        node.name
        for node in graph
        if isinstance(node.block, BinaryALU)
        and node.block.op is BinaryOp.MUL
        and isinstance(readers.get(Port(node.name, "val")), Reduce | SparseAccumulator)
    )


def wire(
    graph: Graph,
    around: Surroundings,
    streams: dict[Port, list[tuple[Token, int]]] | None = None,
    make: type[Channel] = Channel,
) -> list[Unit]:
    """Units of all nodes in graph order, each broadcast after the unit it copies from; ``make`` makes the channels."""
    readers: dict[Port, list[tuple[str, int]]] = {}
    for node in graph:
        for number, port in enumerate(node.inputs):
            readers.setdefault(port, []).append((node.name, number))
    feeds: dict[tuple[str, int], Channel] = {}
    specs = {node.name: node.block.inputs for node in graph}

    def channel(source: str, reader: tuple[str, int]) -> Channel:
        name, number = reader
        target = f"{name}.{specs[name][number].name}"
        feeds[reader] = make(source, target, around.machine.capacity(source, target))
        return feeds[reader]

    units: list[Unit] = []
    for node in graph:
        outputs: list[Channel] = []
        copies: list[Unit] = []
        for spec in node.block.outputs:
            port = Port(node.name, spec.name)
            targets = readers.get(port, [])
            if len(targets) == 1:
                out = channel(str(port), targets[0])
            elif not targets:
                out = make(str(port), None)
            else:
                name = f"{BROADCAST_OF}{port}"
                out = make(str(port), name, around.machine.capacity(str(port), name))
                copy = Unit(name, [out], [channel(name, target) for target in targets])
                copy.process = broadcast(copy, around.machine.turns.broadcast_cycles)
                copies.append(copy)
            if streams is not None:
                out.record = streams.setdefault(port, [])
            outputs.append(out)
        inputs = [feeds[node.name, number] for number in range(len(node.inputs))]
        units += build(node, inputs, outputs, around)
        units += copies
    return units
