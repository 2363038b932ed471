"""Scanner, array and writers on high-bandwidth memory (simulator rule 4.4). Other units do not know of it.

Functions, tokens and counters are those of the units on ideal memory; only the stamps differ.
"""

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Missing
from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop, Token
from fuseflow.sim.blocks.array import check_stored
from fuseflow.sim.blocks.base import Process, Rising, Unit
from fuseflow.sim.blocks.controller import BATCH, MemoryPort
from fuseflow.sim.blocks.scan import check_fiber, closing_stop
from fuseflow.sim.machine import BlockTiming


def scan_stored(
    unit: Unit,
    segments: NDArray[np.integer],
    coordinates: NDArray[np.integer],
    output_latency_cycles: int,
    missing: Missing,
    segment_port: MemoryPort,
    coordinate_port: MemoryPort,
) -> Process:
    """Compressed scanner: two segment entries per reference, then coordinates by eights, each group with one stamp.

    Of the scanner's timing only the output latency counts. An ``N`` under ``Missing.EMPTY_FIBER`` asks for nothing.
    """
    (source,) = unit.inputs
    crd_out, ref_out = unit.outputs
    latency = output_latency_cycles
    previous: Token | None = None
    while True:
        token = yield from unit.take(source)
        closing: Token = token
        if isinstance(token, Stop):
            closing = Stop(token.level + 1)
        elif token is EMPTY and missing is Missing.EMPTY_FIBER:
            closing = yield from closing_stop(unit)
        elif not isinstance(token, Control):
            check_fiber(unit, token, len(segments) - 1)
            reference = int(token)
            yield from segment_port.access(unit, range(reference, reference + 2))
            if token != previous:
                unit.counters.coordinates_read += 2
                previous = token
            first, end = int(segments[reference]), int(segments[reference + 1])
            for position in range(first, end, BATCH):
                group = range(position, min(position + BATCH, end))
                yield from coordinate_port.access(unit, group)
                start = unit.clock
                for place in group:
                    yield from unit.send(crd_out, int(coordinates[place]), latency, start)
                    yield from unit.send(ref_out, place, latency, start)
                unit.counters.coordinates_read += len(group)
            closing = yield from closing_stop(unit)
        start = unit.clock
        yield from unit.send(crd_out, closing, latency, start)
        yield from unit.send(ref_out, closing, latency, start)
        if closing is DONE:
            return
        unit.tick()


def fetch_stored(unit: Unit, values: NDArray[np.floating], timing: BlockTiming, port: MemoryPort) -> Process:
    """Array: references gather until there are eight, or until any other token comes; then they are read at once."""
    (source,) = unit.inputs
    (out,) = unit.outputs
    pending: list[int] = []

    def flush(latency: int) -> Process:
        if pending:
            yield from port.access(unit, pending)
        for place in pending:
            yield from unit.send(out, float(values[place]), latency)
        pending.clear()

    while True:
        token = yield from unit.take(source)
        if isinstance(token, (Stop, Control)):
            yield from flush(1)
            yield from unit.send(out, 0.0 if token is EMPTY else token)
        else:
            check_stored(unit, token, len(values))
            pending.append(int(token))
            unit.counters.values_read += 1
            if len(pending) == BATCH:
                yield from flush(timing.latency_cycles)
        if token is DONE:
            return
        unit.tick(timing.interval_cycles)


def write_crd_stored(
    unit: Unit,
    coordinates: list[int],
    ends: list[int],
    coordinate_port: MemoryPort,
    segment_port: MemoryPort,
    skip_cycles: int = 0,
    any_order: bool = False,
) -> Process:
    """Coordinate writer: coordinates and segment entries by eights, the rest at a repeated stop, ``N`` or the end."""
    (source,) = unit.inputs
    closed = False
    rising = Rising(unit, source)
    waiting = {coordinate_port: 0, segment_port: 0}

    def add(port: MemoryPort) -> Process:
        waiting[port] += 1
        if waiting[port] == BATCH:
            yield from flush(port)
        unit.tick()

    def flush(*ports: MemoryPort) -> Process:
        for port in ports:
            if waiting[port]:
                written = len(coordinates) if port is coordinate_port else unit.counters.segments_written
                yield from port.access(unit, range(written - waiting[port], written))
            waiting[port] = 0

    while True:
        token = yield from unit.take(source)
        if not any_order:
            rising.check(token)
        if isinstance(token, Stop):
            ends.append(len(coordinates))
            if closed:
                yield from flush(coordinate_port, segment_port)
                unit.tick(skip_cycles)
            else:
                closed = True
                unit.counters.segments_written += 1
                yield from add(segment_port)
        elif isinstance(token, (int, float)):
            coordinates.append(int(token))
            closed = False
            unit.counters.coordinates_written += 1
            yield from add(coordinate_port)
        elif token is EMPTY or token is DONE:
            yield from flush(coordinate_port, segment_port)
            if token is DONE:
                return
            unit.tick(skip_cycles)
        else:
            unit.misfit("no coordinate", (source, token), remedy="feed this input from a coordinate stream")


def write_val_stored(unit: Unit, values: list[float], port: MemoryPort, skip_cycles: int = 0) -> Process:
    """Value writer: every value is a request of its own, waited for."""
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        if token is DONE:
            unit.tick()
            return
        if isinstance(token, (int, float)):
            values.append(float(token))
            unit.counters.values_written += 1
            yield from port.access(unit, (len(values) - 1,))
            unit.tick()
        elif token is EMPTY or isinstance(token, Stop):
            unit.tick(skip_cycles)
        else:
            unit.misfit("no value", (source, token), remedy="feed this input from a value stream")
