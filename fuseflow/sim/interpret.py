"""The plain interpreter: a graph run one token at a time, exact to the cycle (simulator §1 and §3).

The units are a Kahn network with max-plus clocks, so the order in which they run does not change any token or stamp:
each unit runs until it waits, then the next, until all have returned. This is the oracle of the compiled engine and
what the stepping view shows; it is slow by design.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fuseflow.dataflow.blocks import BinaryALU, Block, Reduce, SparseAccumulator
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import DONE, Token
from fuseflow.dataflow.verify import verify
from fuseflow.einsum.operators import BinaryOp
from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import assemble_all
from fuseflow.sim.blocks import Need, Surroundings, Unit, Written, broadcast, build
from fuseflow.sim.blocks.controller import Controller
from fuseflow.sim.channel import Channel
from fuseflow.sim.counters import node_stats
from fuseflow.sim.machine import Machine
from fuseflow.sim.memory import MemoryKind
from fuseflow.sim.result import Result


def interpret(
    graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine = Machine(), *, record: bool = False
) -> Result:
    """Run ``graph`` on ``tensors``; with ``record`` the result keeps every stream that left a port.

    Raises VerifyError for a graph that breaks a rule, SimulationError where streams do not fit together, and
    DeadlockError where bounded channels block the run.
    """
    verify(graph)
    streams: dict[Port, list[tuple[Token, int]]] | None = {} if record else None
    written = Written()
    controller = Controller(machine.memory) if machine.memory.kind is MemoryKind.HBM else None
    around = Surroundings(tensors, machine, written, summed_products(graph), controller)
    units = wire(graph, around, streams)
    run(units, controller)
    levels = {
        place: (np.array(coordinates, dtype=np.int32), np.array(ends, dtype=np.int64))
        for place, (coordinates, ends) in written.levels.items()
    }
    values = {name: np.array(items, dtype=np.float32) for name, items in written.values.items()}
    outputs = assemble_all(graph.outputs, levels, values)
    stats = tuple(
        node_stats(node.name, [(u.clock, u.busy, u.counters) for u in units if u.node == node.name]) for node in graph
    )
    return Result(max((unit.clock for unit in units), default=0), outputs, stats, streams, machine)


def run(units: Sequence[Unit], controller: Controller | None = None, check_drained: bool = True) -> None:
    """Run all units until each has returned; where none can go on, the memory's ``controller`` does its next cycle.

    Raises DeadlockError if none can go on, SimulationError if one reads past the end of a stream or, with
    ``check_drained``, leaves one unread.
    """
    waiting = list(units)
    with np.errstate(all="ignore"):
        while waiting:
            moved = False
            for unit in tuple(waiting):
                if unit.waits is not None and not _served(unit):
                    continue
                moved = True
                if not _advance(unit):
                    waiting.remove(unit)
            if not moved and not (controller is not None and controller.step()):
                raise DeadlockError(_deadlock(waiting))
    for unit in units if check_drained else ():
        _check_drained(unit)


def _advance(unit: Unit) -> bool:
    """Run ``unit`` until it waits (True) or has returned (False)."""
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
    if need is Need.ROOM:
        return not channel.full
    return bool(channel.queue) or channel.closed


def _deadlock(waiting: Sequence[Unit]) -> str:
    lines = [f"deadlock: {len(waiting)} units wait on each other and none can go on"]
    for unit in waiting:
        if unit.waits is not None:
            channel, need = unit.waits
            port = channel.target if need is Need.TOKEN else channel.source
            lines.append(f"  {unit.name} at cycle {unit.clock} waits for {need.value} on {port}: {channel!r}")
    lines.append("make the channels of the machine deeper, or unbounded (channel_capacity=None)")
    return "\n".join(lines)


def _check_drained(unit: Unit) -> None:
    for channel in unit.inputs:
        rest = [token for token, _ in channel.queue if token is not DONE]
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
        feeds[reader] = make(source, f"{name}.{specs[name][number].name}", around.machine.channel_capacity)
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
                name = f"broadcast of {port}"
                out = make(str(port), name, around.machine.channel_capacity)
                copy = Unit(name, [out], [channel(name, target) for target in targets])
                copy.process = broadcast(copy)
                copies.append(copy)
            if streams is not None:
                out.record = streams.setdefault(port, [])
            outputs.append(out)
        inputs = [feeds[node.name, number] for number in range(len(node.inputs))]
        units += build(node, inputs, outputs, around)
        units += copies
    return units
