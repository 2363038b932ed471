"""The compiled engine: the same model as :func:`fuseflow.sim.interpret.interpret`, equal to the cycle, and fast.

Streams are chunked (``stream``), blocks are compiled kernels (``kernels``), and ``engine_run`` decides who runs.
"""

from collections.abc import Callable, Mapping
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import CrdWriter, LevelScanner, Root, ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import Token
from fuseflow.dataflow.verify import verify
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import RawLevel, assemble_all
from fuseflow.sim.blocks import compressed_level
from fuseflow.sim.engine_limits import Core, choose
from fuseflow.sim.engine_memory import CrdSink, ValSink
from fuseflow.sim.engine_run import run
from fuseflow.sim.engine_units import Unit, build_unit
from fuseflow.sim.kernels.layout import CLOCK, HEADS
from fuseflow.sim.machine import Machine
from fuseflow.sim.observation import UNOBSERVED, Observation
from fuseflow.sim.progress import PROGRESS_INTERVAL_SECONDS, Progress
from fuseflow.sim.result import Result
from fuseflow.sim.stream import Stream, recorder_of
from fuseflow.sim.tokenwise.simulate import simulate_tokenwise

CHUNK_TOKENS = 16384
"""Tokens a stream holds before its producer waits; chosen by measurement (streams in flight fit the L2 cache)."""


def simulate(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine = Machine(),
    *,
    record: bool = False,
    progress: Callable[[Progress], None] | None = None,
    chunk_tokens: int = CHUNK_TOKENS,
    depths: Mapping[str, int] | None = None,
    core: Core = Core.AUTO,
    observation: Observation = UNOBSERVED,
) -> Result:
    """Run ``graph`` on ``tensors``; with ``record`` the result keeps every stream that left a port.

    ``progress`` is called at most ten times a second. ``chunk_tokens`` trades memory against overhead and never
    changes the result. ``depths`` bounds single streams (``Machine.with_depths``). ``core`` chooses between the two
    compiled cores (``engine_limits``), ``observation`` says what to look at and when to stop. Raises VerifyError for a
    graph that is not well formed, SimulationError where streams do not fit together or a tensor does not fit its block,
    and DeadlockError where bounded streams block the run.
    """
    verify(graph)
    machine = machine.with_depths(depths) if depths else machine
    if choose(core, graph, machine, observation) is Core.TOKEN:
        return simulate_tokenwise(graph, tensors, machine, record=record, progress=progress, observation=observation)
    recorded: dict[Port, list[tuple[Token, int]]] | None = {} if record else None
    units = _wire(graph, tensors, machine, chunk_tokens, recorded)
    watched = progress is not None or observation.stop is not None
    complete = True
    try:
        run(units, _watcher(units, tensors, progress, observation) if watched else None)
    except _Stopped:
        complete = False
    cycles = max((unit.clock for unit in units), default=0)
    for unit in units:
        cycles = max(cycles, *(int(stream.buffer[1]) for stream in unit.outputs), 0)
    levels, values = _written(units)
    outputs = assemble_all(graph.outputs, levels, values) if complete else {}
    return Result(cycles, outputs, tuple(unit.stats() for unit in units), recorded, machine, complete=complete)


class _Stopped(Exception):  # noqa: N818 - no error
    """The observer wants the run to end."""


def _wire(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    chunk_tokens: int,
    recorded: dict[Port, list[tuple[Token, int]]] | None,
) -> list[Unit]:
    streams: dict[Port, Stream] = {}
    units: list[Unit] = []
    for node in graph:
        outputs: list[Stream] = []
        for spec in node.block.outputs:
            port, kind = Port(node.name, spec.name), spec.kinds[0]
            recorder = None if recorded is None else recorder_of(recorded.setdefault(port, []), kind)
            streams[port] = Stream(port, kind, chunk_tokens, recorder)
            outputs.append(streams[port])
        state = np.zeros(HEADS + max(len(node.inputs), 4), np.int64)
        for number, port in enumerate(node.inputs):
            streams[port].add_reader(state, number)
        units.append(build_unit(node, state, [streams[port] for port in node.inputs], outputs, tensors, machine))
    return units


def _written(units: list[Unit]) -> tuple[dict[tuple[str, int], RawLevel], dict[str, NDArray[np.float32]]]:
    levels: dict[tuple[str, int], RawLevel] = {}
    values: dict[str, NDArray[np.float32]] = {}
    for unit in units:
        block = unit.node.block
        if isinstance(block, CrdWriter) and isinstance(unit.sink, CrdSink):
            levels[block.tensor, block.level] = unit.sink.written
        elif isinstance(block, ValWriter) and isinstance(unit.sink, ValSink):
            values[block.tensor] = unit.sink.written
    return levels, values


def _watcher(
    units: list[Unit],
    tensors: Mapping[str, FiberTree],
    progress: Callable[[Progress], None] | None,
    observation: Observation,
) -> Callable[[], None]:
    """A function that reports progress when it is time to, and raises _Stopped when the run is to end."""
    start = monotonic()
    last = start
    writers = [unit for unit in units if isinstance(unit.node.block, CrdWriter | ValWriter)]
    streams = [stream for unit in units for stream in unit.outputs]
    totals = _known_totals(units, tensors)

    def watch() -> None:
        nonlocal last
        now = monotonic()
        if now - last < PROGRESS_INTERVAL_SECONDS:
            return
        last = now
        if observation.is_stopped():
            raise _Stopped
        if progress is None:
            return
        tokens = sum(stream.total for stream in streams)
        clock = min((int(writer.state[CLOCK]) for writer in writers), default=0)
        parts = [(stream.total - stream.tail + stream.head) / total for stream, total in totals]
        progress(Progress(tokens, clock, min(1.0, *parts) if parts else None, now - start))

    return watch


def _known_totals(units: list[Unit], tensors: Mapping[str, FiberTree]) -> list[tuple[Stream, int]]:
    """Reference streams of the operands scanned once from their root, with the number of tokens to come (a bound)."""
    counts: dict[Port, int] = {}
    known: list[tuple[Stream, int]] = []
    for unit in units:
        block = unit.node.block
        if isinstance(block, Root):
            counts[unit.outputs[0].port] = 1
        elif isinstance(block, LevelScanner) and unit.node.inputs[0] in counts:
            references = counts[unit.node.inputs[0]]
            if block.extent is not None:
                coordinates = references * block.extent
            else:
                coordinates = len(compressed_level(unit.node.name, block, tensors).coordinates)
            for stream in unit.outputs:
                counts[stream.port] = coordinates
                if stream.readers:
                    known.append((stream, coordinates + references + 1))
    return known
