"""Level scanners (simulator rules 3.1 and 3.2)."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import Missing
from fuseflow.dataflow.tokens import DONE, EMPTY, Control, Stop, Token
from fuseflow.sim.blocks.base import Process, Read, Unit
from fuseflow.sim.machine import ScannerTiming


def scan_compressed(
    unit: Unit,
    segments: NDArray[np.integer],
    coordinates: NDArray[np.integer],
    timing: ScannerTiming,
    missing: Missing,
) -> Process:
    """Scan a compressed level (rule 3.1). Under ``Missing.EMPTY_FIBER`` an ``N`` is a reference to an empty fiber.

    Such an ``N`` reads nothing, so it neither counts as a read nor passes the row check of its reference.
    """
    (source,) = unit.inputs
    crd_out, ref_out = unit.outputs
    unit.tick(ceil(len(segments) * timing.data_load_factor))
    unit.tick(ceil(len(coordinates) * timing.data_load_factor))
    unit.tick(timing.startup_delay_cycles)
    latency = timing.output_latency_cycles
    previous: Token | None = None
    row_hit = False
    while True:
        token = yield from unit.take(source)
        closing: Token = token
        if isinstance(token, Stop):
            closing = Stop(token.level + 1)
        elif token is EMPTY and missing is Missing.EMPTY_FIBER:
            unit.tick(timing.initial_delay_cycles)
            closing = yield from closing_stop(unit)
        elif not isinstance(token, Control):
            check_fiber(unit, token, len(segments) - 1)
            reference = int(token)
            unit.tick(timing.initial_delay_cycles)
            row_start, row_hit = (reference, False) if row_hit else (0, False)
            if reference - row_start >= timing.row_size:
                row_hit = True
                unit.tick(timing.miss_latency_cycles)
            if token != previous:
                unit.counters.coordinates_read += 2
                previous = token
            fresh = True
            for position in range(int(segments[reference]), int(segments[reference + 1])):
                row_start, fresh = (position, False) if fresh else (0, False)
                fresh = position - row_start >= timing.row_size
                stamp_latency = timing.miss_latency_cycles if fresh else latency
                start = unit.clock
                yield from unit.send(crd_out, int(coordinates[position]), stamp_latency, start)
                yield from unit.send(ref_out, position, stamp_latency, start)
                unit.counters.coordinates_read += 1
                unit.tick(timing.sequential_interval_cycles)
            closing = yield from closing_stop(unit)
        start = unit.clock
        yield from unit.send(crd_out, closing, latency, start)
        yield from unit.send(ref_out, closing, latency, start)
        if closing is DONE:
            return
        unit.tick()


def scan_dense(unit: Unit, extent: int, missing: Missing) -> Process:
    """Scan a dense level of ``extent`` coordinates (rule 3.2); ``N`` as in :func:`scan_compressed`."""
    (source,) = unit.inputs
    crd_out, ref_out = unit.outputs
    previous: Token | None = None
    while True:
        token = yield from unit.take(source)
        closing: Token = token
        if isinstance(token, Stop):
            closing = Stop(token.level + 1)
        elif token is EMPTY and missing is Missing.EMPTY_FIBER:
            closing = yield from closing_stop(unit)
        elif not isinstance(token, Control):
            base = int(token) * extent
            for coordinate in range(extent):
                start = unit.clock
                yield from unit.send(crd_out, coordinate, start=start)
                yield from unit.send(ref_out, base + coordinate, start=start)
                unit.tick()
            if token != previous:
                unit.counters.coordinates_scanned += extent
                previous = token
            closing = yield from closing_stop(unit)
        start = unit.clock
        yield from unit.send(crd_out, closing, start=start)
        yield from unit.send(ref_out, closing, start=start)
        if closing is DONE:
            return
        unit.tick()


def check_fiber(unit: Unit, reference: int | float, fibers: int) -> None:
    """SimulationError unless ``reference`` is one of the ``fibers`` of the level."""
    if not 0 <= reference < fibers:
        unit.misfit(
            f"reference outside the {fibers} fibers of the level",
            (unit.inputs[0], reference),
            remedy="check that the tensor bound to the graph is the one it was lowered for",
        )


def closing_stop(unit: Unit) -> Read:
    """The stop that ends the fiber just scanned: a stop that follows the reference is taken and merged into it."""
    (source, *_) = unit.inputs
    following = yield from unit.peek(source)
    if not isinstance(following, Stop):
        return Stop(0)
    yield from unit.take(source)
    return Stop(following.level + 1)
