"""Lazy joins in the compiled engine: a joiner and what stands before it run as one task."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import LevelScanner, Missing
from fuseflow.dataflow.graph import Node, Port
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import compressed_level
from fuseflow.sim.engine_units import Unit, read_only
from fuseflow.sim.kernels.layout import FINISHED, FULL, HEADS, MISFIT, STATUS, Words
from fuseflow.sim.kernels.lazy_intersect import intersect_scan
from fuseflow.sim.kernels.lazy_union import intersect_union
from fuseflow.sim.lazy_plan import LazyJoin
from fuseflow.sim.machine import Machine
from fuseflow.sim.record_task import IrregularError
from fuseflow.sim.stream import Stream


class LazyTask:
    """A lazy join as the scheduler sees it; ``state`` is the joiner's."""

    def __init__(
        self, state: Words, run: Callable[[], None], inputs: Sequence[Stream], outputs: Sequence[Stream]
    ) -> None:
        self._state, self._run = state, run
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)
        self._seen = 0

    @property
    def finished(self) -> bool:
        return bool(self._state[STATUS] == FINISHED)

    def ready(self, least: int) -> bool:
        """Whether a step may get further than the last one: there are ``least`` new tokens, or room again."""
        if self._state[STATUS] == FULL:
            return all(2 * stream.make_room() >= stream.size for stream in self._outputs)
        return sum(stream.total for stream in self._inputs) >= self._seen + least

    def step(self) -> bool:
        """Run as far as the inputs and the room go; True. Raises IrregularError where tokens have to be looked at."""
        self._seen = sum(stream.total for stream in self._inputs)
        before = []
        for stream in self._outputs:
            stream.make_room()
            before.append(stream.tail)
        self._run()
        for stream, tail in zip(self._outputs, before, strict=True):
            stream.settle(tail)
        if self._state[STATUS] == MISFIT:
            raise IrregularError
        return True

    def relieve(self) -> list[Stream]:
        """What may have to grow before the join can go on."""
        if self._state[STATUS] != FULL:
            return []
        return [min(self._outputs, key=lambda stream: stream.make_room())]


def build_join(
    join: LazyJoin,
    units: Mapping[str, Unit],
    streams: Mapping[Port, Stream],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
) -> LazyTask:
    """The task of ``join`` on the states of ``units``."""
    joiner = join.joiner
    state = units[joiner.name].state
    number = 2 * join.operand
    crds, payloads = streams[joiner.inputs[number]], streams[joiner.inputs[number + 1]]
    heads = HEADS + number, HEADS + number + 1
    outs = [streams[Port(joiner.name, spec.name)] for spec in joiner.block.outputs]
    crd_out, payload_out = outs[0], outs[1 + join.operand]
    others = [out for place, out in enumerate(outs) if place not in (0, 1 + join.operand)]
    scanners = [units[node.name].state for node in join.scanners]
    refs = [streams[node.inputs[0]] for node in join.scanners]
    segments, coordinates, extent, delay, empty = _level(join.scanners[0], tensors, machine)
    if join.union is None:
        (ref_out,) = others

        def intersect() -> None:
            intersect_scan(
                state,
                crds.buffer,
                payloads.buffer,
                *heads,
                scanners[0],
                refs[0].buffer,
                crd_out.buffer,
                payload_out.buffer,
                ref_out.buffer,
                segments,
                coordinates,
                extent,
                delay,
                empty,
            )

        return LazyTask(state, intersect, [crds, payloads, *refs], outs)
    union = units[join.union.name].state
    sparse_out, full_out = others[join.sparse_operand], others[1 - join.sparse_operand]
    size = _level(join.scanners[1], tensors, machine)[2]

    def intersect_with_union() -> None:
        intersect_union(
            state,
            crds.buffer,
            payloads.buffer,
            *heads,
            union,
            scanners[0],
            refs[0].buffer,
            scanners[1],
            refs[1].buffer,
            crd_out.buffer,
            payload_out.buffer,
            sparse_out.buffer,
            full_out.buffer,
            segments,
            coordinates,
            size,
            delay,
            empty,
            1,
        )

    return LazyTask(state, intersect_with_union, [crds, payloads, *refs], outs)


def _level(
    node: Node, tensors: Mapping[str, FiberTree], machine: Machine
) -> tuple[NDArray[np.int64], NDArray[np.int32], int, int, bool]:
    """Segments, coordinates, extent (-1: compressed), delay before a fiber, and whether ``N`` is an empty fiber."""
    block = node.block
    assert isinstance(block, LevelScanner)
    empty = block.missing is Missing.EMPTY_FIBER
    if block.extent is not None:
        segments, coordinates = np.zeros(1, np.int64), np.zeros(0, np.int32)
        return read_only(segments, np.int64), read_only(coordinates, np.int32), block.extent, 0, empty
    level = compressed_level(node.name, block, tensors)
    delay = machine.scanner.initial_delay_cycles
    return read_only(level.segments, np.int64), read_only(level.coordinates, np.int32), -1, delay, empty
