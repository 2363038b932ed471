"""From a graph to an arena: the units, channels and broadcasts that ``interpret`` would make, in the same order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import Block, CoordHold, Repeat, Repeater, RepeatSignal
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.interpret import summed_products
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.kernels.tokenwise.memory import BANK_RING, BANK_WORDS
from fuseflow.sim.machine import BROADCAST_OF, Machine
from fuseflow.sim.memory import DramTiming, Memory, MemoryKind
from fuseflow.sim.tokenwise.arena import Arena, Channel, Unit, new_channel, new_unit
from fuseflow.sim.tokenwise.parameters import Parameters
from fuseflow.sim.tokenwise.ports import MemoryPorts


@dataclass(slots=True, eq=False)
class Network:
    """A graph ready to run on the token core."""

    arena: Arena
    machine: Machine
    memory: MemoryPorts
    units: list[Unit] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)


def build(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine, watched: bool) -> Network:
    """Wire ``graph``; with ``watched`` ports without readers get a channel too, so that what leaves them is seen.

    Raises SimulationError when a tensor does not fit its block, or a depth is given for a stream that is not there.
    """
    arena = Arena()
    memory = MemoryPorts(arena)
    network = Network(arena, machine, memory)
    parameters = Parameters(arena, tensors, machine, summed_products(graph), memory)
    readers: dict[Port, list[tuple[str, int]]] = {}
    for node in graph:
        for number, port in enumerate(node.inputs):
            readers.setdefault(port, []).append((node.name, number))
    specs = {node.name: node.block.inputs for node in graph}
    feeds: dict[tuple[str, int], Channel] = {}

    def channel(source: str, target: str | None, kind: StreamKind, port: Port | None) -> Channel:
        capacity = None if target is None else machine.capacity(source, target)
        made = new_channel(arena, len(network.channels), source, target, kind, port, capacity)
        network.channels.append(made)
        return made

    def feed(source: str, kind: StreamKind, reader: tuple[str, int], port: Port | None) -> Channel:
        name, number = reader
        made = channel(source, f"{name}.{specs[name][number].name}", kind, port)
        made.target_port = (name, specs[name][number].name)
        feeds[reader] = made
        return made

    for node in graph:
        outputs: list[Channel | None] = []
        copies: list[Unit] = []
        for spec in node.block.outputs:
            port, kind = Port(node.name, spec.name), spec.kinds[0]
            targets = readers.get(port, [])
            if len(targets) == 1:
                outputs.append(feed(str(port), kind, targets[0], port))
            elif not targets:
                outputs.append(channel(str(port), None, kind, port) if watched else None)
            else:
                name = f"{BROADCAST_OF}{port}"
                out = channel(str(port), name, kind, port)
                outputs.append(out)
                copied: list[Channel | None] = [feed(name, kind, target, None) for target in targets]
                copies.append(new_unit(arena, layout.BROADCAST, name, None, [out], copied))
                arena[copies[-1].place + layout.P] = machine.turns.broadcast_cycles
        inputs = [feeds[node.name, number] for number in range(len(node.inputs))]
        network.units += [*_units(node, inputs, outputs, parameters, arena, channel), *copies]
    start(network)
    _check_depths(network)
    return network


def _units(
    node: Node,
    inputs: list[Channel],
    outputs: list[Channel | None],
    parameters: Parameters,
    arena: Arena,
    channel: Callable[[str, str | None, StreamKind, Port | None], Channel],
) -> list[Unit]:
    """The units of ``node``; a repeat is two."""
    block: Block = node.block
    if isinstance(block, Repeat):
        data, word = inputs
        inner = channel(f"{node.name}.signal_out", f"{node.name}.signal_in", StreamKind.SIGNAL, None)
        half = RepeatSignal(block.index)
        generator = _unit(f"{node.name} (signal generator)", node.name, half, [word], [inner], parameters, arena)
        repeater = _unit(f"{node.name} (repeater)", node.name, block, [data, inner], outputs, parameters, arena)
        return [generator, repeater]
    return [_unit(node.name, node.name, block, inputs, outputs, parameters, arena)]


def _unit(
    name: str,
    node: str,
    block: Block,
    inputs: list[Channel],
    outputs: list[Channel | None],
    parameters: Parameters,
    arena: Arena,
) -> Unit:
    unit = unit_with(parameters.of(name, node, block), name, node, inputs, outputs, arena)
    unit.block = block
    unit.may_abandon = isinstance(block, Repeat | Repeater | CoordHold)
    return unit


def unit_with(
    made: tuple[int, list[int], list[int]],
    name: str,
    node: str,
    inputs: list[Channel],
    outputs: list[Channel | None],
    arena: Arena,
) -> Unit:
    """A unit of the kind, with the parameters and memory ports that ``made`` names (see :class:`Parameters`)."""
    kind, words, ports = made
    unit = new_unit(arena, kind, name, node, inputs, outputs)
    unit.ports = ports
    for number, word in enumerate(words):
        arena[unit.place + layout.P + number] = word
    for port in ports:
        arena[port + layout.PORT_UNIT] = unit.place
    return unit


def start(network: Network) -> None:
    """The last step of building: all units are ready, in order; the memory is idle."""
    arena, machine = network.arena, network.machine
    size = len(network.units) + 1
    arena[layout.QUEUE] = arena.store([unit.place for unit in network.units] + [0])
    arena[layout.QUEUE_SIZE] = size
    arena[layout.QUEUE_TAIL] = size - 1
    arena[layout.LEFT] = size - 1
    for number, unit in enumerate(network.units):
        arena[unit.place + layout.QUEUED] = 1
        arena[unit.place + layout.INDEX] = number
    if machine.memory.kind is MemoryKind.IDEAL:
        return
    ports = [*network.memory.readers, *network.memory.writers]
    arena[layout.PORTS] = arena.store(ports)
    arena[layout.PORT_COUNT] = len(ports)
    if machine.memory.kind is MemoryKind.HBM:
        _start_controller(arena, machine.memory, len(ports))
    else:
        _start_dram(arena, machine.memory.dram)


def _start_controller(arena: Arena, memory: Memory, ports: int) -> None:
    ring = 8 * ports + 1
    arena[layout.MEMORY_MODEL] = layout.CONTROLLER
    arena[layout.BANK_RING_SIZE] = ring
    arena[layout.BANK_COUNT] = memory.channels
    banks = arena.allocate(BANK_WORDS * memory.channels)
    arena[layout.BANKS] = banks
    for number in range(memory.channels):
        arena[banks + BANK_WORDS * number + BANK_RING] = arena.allocate(2 * ring)
    arena[layout.MEMORY_WORDS] = arena.store([memory.start_up_cycles + memory.latency_cycles, memory.interval_cycles])


def _start_dram(arena: Arena, timing: DramTiming) -> None:
    arena[layout.MEMORY_MODEL] = layout.DRAM
    banks = timing.channels * timing.banks
    arena[layout.BANKS] = arena.store([-1, 0, 0] * banks)
    arena[layout.MEMORY_WORDS] = arena.store(
        [
            timing.channels,
            timing.banks,
            timing.row_bytes // timing.burst_bytes,
            timing.burst_bytes,
            timing.burst_cycles,
            timing.activate_cycles,
            timing.precharge_cycles,
            timing.column_cycles,
            timing.active_cycles,
            timing.transport_cycles,
            timing.outstanding,
            arena.allocate((2 + timing.outstanding) * timing.channels),
        ]
    )


def _check_depths(network: Network) -> None:
    """Every depth of the machine names a stream of the network."""
    known = {channel.name for channel in network.channels}
    for channel in network.channels:
        source = channel.source.removeprefix(BROADCAST_OF)
        known |= {source, f"{source} -> {channel.target}"}
    for name, _ in network.machine.depths:
        if name not in known:
            streams = ", ".join(sorted(str(channel.port) for channel in network.channels if channel.port is not None))
            raise SimulationError(f"a depth is given for stream {name!r}, which is not there; streams: {streams}")
