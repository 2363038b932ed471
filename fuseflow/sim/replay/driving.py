"""A single block fed with given streams, in either engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Block, CoordHold, CrdWriter, Generator, LevelScanner, Repeater, ValWriter
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import StreamKind, Token
from fuseflow.formats import CompressedLevel, DenseLevel, FiberTree, Format
from fuseflow.sim.blocks.base import Process
from fuseflow.sim.blocks.base import Unit as InterpretedUnit
from fuseflow.sim.blocks.source import generate
from fuseflow.sim.channel import Channel
from fuseflow.sim.interpret import run
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.machine import Machine
from fuseflow.sim.replay.compiled import ANY_ORDER
from fuseflow.sim.replay.result import Engine
from fuseflow.sim.tokenwise.arena import Arena, new_channel
from fuseflow.sim.tokenwise.build import Network, start, unit_with
from fuseflow.sim.tokenwise.parameters import Parameters
from fuseflow.sim.tokenwise.ports import MemoryPorts
from fuseflow.sim.tokenwise.running import NetworkRun

NAME = "unit"


@dataclass(frozen=True, slots=True)
class Part:
    """A block as the compiled engine has it, and ``make``, its process in the interpreter.

    ``level`` is what a scanner scans and ``values`` what an array holds; ``written`` are the lists that ``make`` fills:
    coordinates and ends of fibers, or values.
    """

    block: Block
    make: Callable[[InterpretedUnit], Process]
    level: CompressedLevel | None = None
    values: NDArray[np.float32] | None = None
    written: tuple[list[int], list[int]] | list[float] | None = None


def drive(engine: Engine, part: Part, inputs: Sequence[Sequence[Token]]) -> list[list[Token]]:
    """Tokens of the outputs of a block whose ``inputs`` come one token a cycle; SimulationError if they do not fit."""
    return _compiled(part, inputs) if engine is Engine.COMPILED else _interpreted(part, inputs)


def _interpreted(part: Part, inputs: Sequence[Sequence[Token]]) -> list[list[Token]]:
    units: list[InterpretedUnit] = []
    sources = []
    for number, tokens in enumerate(inputs):
        channel = Channel(f"source {number}", f"{NAME}, input {number}")
        source = InterpretedUnit(channel.source, [], [channel])
        source.process = generate(source, tokens)
        units.append(source)
        sources.append(channel)
    sinks = [Channel(f"{NAME}, output {number}", None, record=[]) for number in range(len(part.block.outputs))]
    unit = InterpretedUnit(NAME, sources, sinks)
    unit.process = part.make(unit)
    run([*units, unit])
    return [[token for token, _ in sink.record or []] for sink in sinks]


def _compiled(part: Part, inputs: Sequence[Sequence[Token]]) -> list[list[Token]]:
    arena, block = Arena(), part.block
    network = Network(arena, Machine(), MemoryPorts(arena))
    tensors: dict[str, FiberTree] = {}
    if part.values is not None:
        tensors[NAME] = FiberTree(part.values.shape, Format.dense(1), (DenseLevel(len(part.values)),), part.values)
    parameters = Parameters(arena, tensors, network.machine, frozenset(), network.memory)

    def channel(source: str, target: str | None, kind: StreamKind, port: Port | None) -> None:
        network.channels.append(new_channel(arena, len(network.channels), source, target, kind, port, None))

    for number, (tokens, spec) in enumerate(zip(inputs, block.inputs, strict=True)):
        name, kind = f"source {number}", spec.kinds[0]
        channel(name, f"{NAME}, input {number}", kind, None)
        made = parameters.of(name, name, Generator(kind, tuple(tokens)))
        network.units.append(unit_with(made, name, name, [], [network.channels[-1]], arena))
    sources = list(network.channels)
    for spec in block.outputs:
        channel(f"{NAME}, {spec.name}", None, spec.kinds[0], Port(NAME, spec.name))
    if isinstance(block, LevelScanner) and part.level is not None:
        made = parameters.scanner_of(NAME, block, part.level)
    else:
        made = parameters.of(NAME, NAME, block)
    unit = unit_with(made, NAME, NAME, sources, [*network.channels[len(sources) :]], arena)
    unit.block, unit.may_abandon = block, isinstance(block, Repeater | CoordHold)
    if isinstance(block, CrdWriter):
        arena[unit.place + ANY_ORDER] = 1
    network.units.append(unit)
    start(network)
    ran = NetworkRun(network)
    ran.record_tokens(0, layout.UNBOUNDED)
    while ran.step():
        pass
    if isinstance(block, CrdWriter) and isinstance(part.written, tuple):
        (coordinates, ends), (found, found_ends) = part.written, ran.level(unit)
        coordinates.extend(found.tolist())
        ends.extend(found_ends.tolist())
    elif isinstance(block, ValWriter) and isinstance(part.written, list):
        part.written.extend(ran.values(unit).tolist())
    streams = ran.streams()
    return [[token for token, _ in streams[Port(NAME, spec.name)]] for spec in block.outputs]
