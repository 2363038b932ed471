"""The compiled engine: the same model as :func:`fuseflow.sim.interpret.interpret`, equal to the cycle, and fast.

Streams are chunked (``stream``), blocks are compiled kernels (``kernels``), and ``engine_run`` decides who runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Array, BinaryALU, CrdWriter, LevelScanner, Root, UnaryALU, ValWriter
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import Token
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import RawLevel, assemble_all
from fuseflow.sim.blocks import compressed_level
from fuseflow.sim.engine_limits import Core, choose, refuse_without_values
from fuseflow.sim.engine_memory import CrdSink, ValSink
from fuseflow.sim.engine_run import Task, run
from fuseflow.sim.engine_units import Unit, build_unit
from fuseflow.sim.given import check_given, check_options
from fuseflow.sim.interpret import summed_products
from fuseflow.sim.kernels.layout import AUX, CLOCK, COUNT, HEADS, LIMIT
from fuseflow.sim.lazy_plan import LazyJoin, lazy_joins
from fuseflow.sim.lazy_task import build_join
from fuseflow.sim.machine import Machine
from fuseflow.sim.observation import UNOBSERVED, Observation
from fuseflow.sim.progress import PROGRESS_INTERVAL_SECONDS, Pace, Progress
from fuseflow.sim.record_build import build_group
from fuseflow.sim.record_plan import FiberGroup, fiber_groups
from fuseflow.sim.record_task import IrregularError
from fuseflow.sim.result import Result
from fuseflow.sim.stream import Stream, recorder_of
from fuseflow.sim.threads import available
from fuseflow.sim.tile_values import with_tiles
from fuseflow.sim.tokenwise.simulate import simulate_tokenwise
from fuseflow.sim.written import WrittenPart

CHUNK_TOKENS = 65536
"""Tokens a stream holds before its producer waits; chosen by measurement (smaller ones cost more calls of kernels)."""


PATIENCE_TOKENS = 256
"""Tokens that a starved unit waits for at most: more save calls, but leave the results far behind the operands."""


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
    values: bool = True,
    records: bool = True,
    threads: int | None = None,
) -> Result:
    """Run ``graph`` on ``tensors``; with ``record`` the result keeps every stream that left a port.

    ``progress`` is called at most ten times a second. ``chunk_tokens`` trades memory against overhead and never
    changes the result. ``depths`` bounds single streams (``Machine.with_depths``). ``core`` chooses between the two
    compiled cores (``engine_limits``), ``observation`` says what to look at and when to stop.

    ``records`` lets fibers travel as one record where they can (``record_plan``); without it every token is moved,
    which is slower and gives the same. Without ``values`` cycles, counters and the structure of the results are the
    same but their values mean nothing: numbers are not computed where fibers travel as records. ``threads`` is the
    largest number of threads, by default one per processor; it never changes the result.

    Raises VerifyError for a graph that is not well formed, SimulationError where streams do not fit together, where a
    tensor does not fit its block or, without ``values``, if structure depends on them, and DeadlockError where bounded
    streams block the run.
    """
    check_given(graph, tensors, machine)
    check_options(chunk_tokens, threads, core, observation, progress)
    machine = machine.with_depths(depths) if depths else machine
    if not values:
        refuse_without_values(graph)
    if choose(core, graph, machine, observation) is Core.TOKEN:
        result = simulate_tokenwise(graph, tensors, machine, record=record, progress=progress, observation=observation)
        return with_tiles(graph, tensors, result, values) if graph.tiled and result.complete else result
    run_chunks = _ChunkRun(graph, tensors, machine, record, progress, observation, chunk_tokens, values, threads)
    if records:
        try:
            return run_chunks(records=True)
        except IrregularError:
            pass  # the token kernels know every rule, and what to say of streams that do not fit together
    return run_chunks(records=False)


class _Stopped(Exception):  # noqa: N818 - no error
    """The observer wants the run to end."""


@dataclass(frozen=True, slots=True)
class _ChunkRun:
    """One run of the chunk core, with or without records; the arguments are those of :func:`simulate`."""

    graph: Graph
    tensors: Mapping[str, FiberTree]
    machine: Machine
    record: bool
    progress: Callable[[Progress], None] | None
    observation: Observation
    chunk_tokens: int
    values: bool
    threads: int | None

    def __call__(self, records: bool) -> Result:
        graph, machine = self.graph, self.machine
        recorded: dict[Port, list[tuple[Token, int]]] | None = {} if self.record else None
        groups = _groups(graph, self.tensors, machine, self.record) if records else ()
        threads = available() if self.threads is None else self.threads
        units, tasks = _wire(graph, self.tensors, machine, self.chunk_tokens, recorded, groups, self.values, threads)
        watched = self.progress is not None or self.observation.stop is not None
        watch = _watcher(graph, units, self.tensors, self.progress, self.observation) if watched else None
        complete = True
        try:
            run(tasks, watch, min(PATIENCE_TOKENS, max(1, self.chunk_tokens // 8)))
        except _Stopped:
            complete = False
        except KeyboardInterrupt:
            if not self.observation.keep_interrupted:
                raise
            complete = False
        cycles = max((unit.clock for unit in units), default=0)
        for unit in units:
            cycles = max(cycles, *(int(stream.buffer[1]) for stream in unit.outputs), 0)
        for group in groups:
            cycles = max(cycles, *(_broadcast_clock(unit, group) for unit in units))
        levels, written = _written(units)
        stats = tuple(unit.stats() for unit in units)
        outputs = assemble_all(graph, stats, levels, written) if complete else {}
        return Result(cycles, outputs, stats, recorded, machine, complete=complete)


Group = FiberGroup | LazyJoin


def _groups(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine, record: bool) -> tuple[Group, ...]:
    """Which nodes run together; tokens that are not made cannot be recorded."""
    lazy = () if record else lazy_joins(graph, tensors, machine)
    apart = frozenset(node.name for join in lazy for node in join.nodes)
    return (*lazy, *fiber_groups(graph, tensors, machine, apart, record))


def _broadcast_clock(unit: Unit, group: Group) -> int:
    """Final clock of the broadcasts of records that leave ``unit``: the stamp of its last token; 0 if it has none."""
    shared = any(stream.broadcasts and stream.port in group.ports for stream in unit.outputs)
    if not shared:
        return 0
    last = int(unit.state[AUX]) if isinstance(unit.node.block, Array | BinaryALU | UnaryALU) else 0
    return max(int(unit.state[CLOCK]) + 1, last)


def _wire(
    graph: Graph,
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    chunk_tokens: int,
    recorded: dict[Port, list[tuple[Token, int]]] | None,
    groups: Sequence[Group],
    values: bool,
    threads: int,
) -> tuple[list[Unit], list[Task]]:
    """Units of all nodes in graph order, and what the scheduler runs: units, and groups at the place of their last."""
    streams: dict[Port, Stream] = {}
    readers: dict[Port, list[str]] = {}
    units: dict[str, Unit] = {}
    sizes = {output.tensor: prod(output.shape) for output in graph.outputs}
    summed = summed_products(graph)
    group_of = {node.name: group for group in groups for node in group.nodes}
    for node in graph:
        group = group_of.get(node.name)
        outputs: list[Stream] = []
        for spec in node.block.outputs:
            port, kind = Port(node.name, spec.name), spec.kinds[0]
            recorder = None if recorded is None else recorder_of(recorded.setdefault(port, []), kind)
            streams[port] = Stream(port, kind, chunk_tokens, recorder)
            outputs.append(streams[port])
        state = np.zeros(HEADS + max(len(node.inputs), 4), np.int64)
        for number, port in enumerate(node.inputs):
            readers.setdefault(port, []).append(node.name)
            streams[port].broadcasts = len(readers[port]) > 1
            if group is None or port not in group.ports:
                streams[port].add_reader(state, number)
        inputs = [streams[port] for port in node.inputs]
        unit = units[node.name] = build_unit(node, state, inputs, outputs, tensors, machine, node.name in summed)
        if unit.sink is not None and isinstance(node.block, CrdWriter | ValWriter):
            unit.sink.most = sizes.get(node.block.tensor, 0)
        if isinstance(unit.sink, ValSink):
            unit.sink.carried = values
    tasks: list[Task] = []
    for node in graph:
        group = group_of.get(node.name)
        if group is None:
            tasks.append(units[node.name])
        elif node != group.nodes[-1]:
            continue
        elif isinstance(group, LazyJoin):
            tasks.append(build_join(group, units, streams, tensors, machine))
        else:
            wiring = units, streams, readers, tensors, machine
            tasks.append(build_group(group, *wiring, chunk_tokens, values, threads, summed))
    return list(units.values()), tasks


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
    graph: Graph,
    units: list[Unit],
    tensors: Mapping[str, FiberTree],
    progress: Callable[[Progress], None] | None,
    observation: Observation,
) -> Callable[[], None]:
    """A function that reports progress when it is time to, and raises _Stopped when the run is to end."""
    pace = Pace()
    last = monotonic()
    writers = [unit for unit in units if isinstance(unit.node.block, CrdWriter | ValWriter)]
    streams = [stream for unit in units for stream in unit.outputs]
    totals = _known_totals(units, tensors)
    written = WrittenPart(graph)
    states = {unit.node.name: unit.state for unit in writers}

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
        read = written.of(lambda name: (int(states[name][COUNT]), int(states[name][LIMIT])))
        read = read or [(stream.total - stream.tail + stream.head, total) for stream, total in totals]
        progress(pace.report(tokens, clock, read))

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
