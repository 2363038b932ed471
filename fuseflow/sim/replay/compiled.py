"""Timed cases on the compiled token core: the operations of a case as its kernels, wired as the interpreter's units."""

from dataclasses import replace

import numpy as np

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CoordDrop,
    CoordHold,
    CrdWriter,
    Fork,
    Gather,
    Generator,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Missing,
    Reduce,
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import ReduceOp
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format
from fuseflow.sim.blocks.base import Unit
from fuseflow.sim.channel import Channel
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.machine import BlockTiming, Machine
from fuseflow.sim.replay.operations import BINARY, MOST_COORDINATES, UNARY, alu_timing, area, scanner_timing
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.wiring import Ended, Ran, Wired, integers, segments, stream_kind
from fuseflow.sim.tokenwise import stats
from fuseflow.sim.tokenwise.arena import Arena, new_channel
from fuseflow.sim.tokenwise.arena import Channel as Ring
from fuseflow.sim.tokenwise.build import Network, start, unit_with
from fuseflow.sim.tokenwise.parameters import Parameters
from fuseflow.sim.tokenwise.ports import MemoryPorts
from fuseflow.sim.tokenwise.running import NetworkRun

ANY_COORDINATE = 1 << 31
ANY_ORDER = layout.P + 8
"""Parameter of a coordinate writer; the reference does not look at the order."""


def run_compiled(case: Record, wired: Wired) -> Ran:
    """Run ``case``, which has been ``wired`` (and so checked), on the token core; SimulationError as there."""
    arena = Arena()
    network = Network(arena, Machine(memory=wired.memory), MemoryPorts(arena))
    rings: dict[int, Ring] = {}
    for name, channel in wired.channels.items():
        kind, port = stream_kind(case, name), Port("", name)
        ends = channel.source, channel.target
        rings[id(channel)] = new_channel(arena, len(rings), *ends, kind, port, channel.capacity)
    network.channels += rings.values()
    places: dict[str, int] = {}
    for op, units in wired.by_operation:
        for part, unit in enumerate(units):
            made = _made(op, part, unit, network, wired)
            inputs = [rings[id(channel)] for channel in unit.inputs]
            outputs = [rings.get(id(channel)) for channel in unit.outputs]
            network.units.append(unit_with(made, unit.name, unit.name, inputs, outputs, arena))
            places[unit.name] = network.units[-1].place
            if made[0] in (layout.WRITE_CRD, layout.WRITE_CRD_STORED):
                arena[places[unit.name] + ANY_ORDER] = 1
    start(network)
    run = NetworkRun(network)
    run.record_tokens(0, layout.UNBOUNDED)
    while run.step(check_drained=False):
        pass
    by_name = {unit.name: unit for unit in network.units}
    ended = [
        [Ended(arena[places[unit.name] + layout.CLOCK], stats.counters(arena, by_name[unit.name])) for unit in units]
        for _, units in wired.by_operation
    ]
    return Ran({port.name: stream for port, stream in run.streams().items()}, ended)


def _made(op: Record, part: int, unit: Unit, network: Network, wired: Wired) -> tuple[int, list[int], list[int]]:
    """Kind, parameters and memory ports of unit number ``part`` of ``op``."""
    kind, machine = op.get("op", str), network.machine
    if kind == "broadcast":
        return layout.BROADCAST, [0], []
    tensors: dict[str, FiberTree] = {}
    level: CompressedLevel | None = None
    if kind == "fiber_lookup" and op.get("format", str) == "compressed":
        machine = replace(machine, scanner=scanner_timing(op))
        level = CompressedLevel(segments(op), integers(op, "crd").astype(np.int32))
    elif kind == "array":
        machine = replace(machine, array=BlockTiming(area(op, "block_size")))
        values = np.array(op.numbers("vals"), np.float32)
        tensors[unit.name] = FiberTree(values.shape, Format.dense(1), (DenseLevel(len(values)),), values)
    elif kind == "alu":
        timing = alu_timing(op)
        machine = replace(machine, binary=timing, unary=timing)
    elif kind == "reduce":
        machine = replace(machine, reduce=BlockTiming(area(op, "N")))
    parameters = Parameters(network.arena, tensors, machine, frozenset(), network.memory)
    block = _block(op, part, unit, wired)
    if level is not None and isinstance(block, LevelScanner):
        return parameters.scanner_of(unit.name, block, level)
    return parameters.of(unit.name, unit.name, block)


def _block(op: Record, part: int, unit: Unit, wired: Wired) -> Block:
    """What ``op`` is in a graph; units and streams keep their names as tensors."""
    out = _kind(op, unit.outputs[0], wired) if unit.outputs else StreamKind.VAL
    match op.get("op", str):
        case "generator":
            return Generator(out, tuple(op.tokens(op.get("tokens", list), out)))
        case "root":
            return Root(unit.name)
        case "sink":
            return Sink()
        case "fiber_lookup":
            dense = op.get("format", str) != "compressed"
            extent = op.count("dim", 0, MOST_COORDINATES) if dense else None
            return LevelScanner(unit.name, 0, "i", extent, Missing.FORWARD)
        case "repeatsig":
            return RepeatSignal("i")
        case "repeat" | "repeat_unit_only":
            alone = op.data.get("in_repsig") is not None
            return RepeatSignal("i") if part == 0 and not alone else Repeater("i", out, Missing.FORWARD)
        case "joiner":
            kind = Join.INTERSECT if op.get("join_type", str) == "INTERSECT" else Join.UNION
            return Joiner(kind, "i", tuple(_kind(op, each, wired) for each in unit.inputs[1::2]))
        case "locate":
            return Locate(unit.name, 0, "i", ANY_COORDINATE)
        case "coord_drop":
            return CoordDrop("i", "j")
        case "coord_hold":
            return CoordHold("i", "j")
        case "array":
            return Array(unit.name)
        case "alu":
            stage = op.get("stage", str)
            if len(unit.inputs) == 2:
                return BinaryALU(BINARY[stage])
            return UnaryALU(UNARY[stage], op.option("scalar", float, 0.0))
        case "reduce":
            return Reduce(ReduceOp.MAX if op.get("reduce_type", str) == "MAX" else ReduceOp.SUM)
        case "spacc":
            order = op.get("order", int)
            extent = min(ANY_COORDINATE, 1 << (61 // order))
            return SparseAccumulator("k", tuple(f"i{level}" for level in range(order)), (extent,) * order)
        case "fork":
            return Fork(len(unit.outputs))
        case "join":
            return Gather(len(unit.inputs), out)
        case "fiber_write":
            return CrdWriter(unit.name, 0, "i")
        case "val_write":
            return ValWriter(unit.name)
        case kind:
            raise op.fault(f"operation {kind!r} is not understood by the compiled engine")


def _kind(op: Record, channel: Channel, wired: Wired) -> StreamKind:
    name = wired.name_of(channel)
    return StreamKind.REF if name is None else stream_kind(op, name)
