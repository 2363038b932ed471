"""Units of the compiled engine: a node's state, its streams, and a step that runs its kernel once."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Flatten,
    Fork,
    Gather,
    Generator,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Missing,
    Reduce,
    Repeat,
    Repeater,
    RepeatSignal,
    Root,
    Sink,
    SparseAccumulator,
    StopDrop,
    UnaryALU,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.graph import Node
from fuseflow.einsum.operators import ReduceOp
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import bound_tensor, compressed_level
from fuseflow.sim.engine_limits import no_kernel
from fuseflow.sim.engine_memory import CrdSink, DenseSums, PairSums, Unary, ValSink
from fuseflow.sim.kernels import layout
from fuseflow.sim.kernels.alu import BINARY_CODES, binary
from fuseflow.sim.kernels.array import array
from fuseflow.sim.kernels.join import intersect2, union2
from fuseflow.sim.kernels.join_many import join_many
from fuseflow.sim.kernels.layout import Words
from fuseflow.sim.kernels.locate import locate
from fuseflow.sim.kernels.reduce import reduce
from fuseflow.sim.kernels.repeat import repeat
from fuseflow.sim.kernels.scan import scan_compressed, scan_dense
from fuseflow.sim.kernels.source import root
from fuseflow.sim.machine import BlockTiming, Machine
from fuseflow.sim.result import NodeStats
from fuseflow.sim.stream import Stream

T = TypeVar("T", bound=np.generic)

Step = Callable[[], None]


class Unit:
    """One node: ``step`` runs its kernel until it starves, is full or has finished, and ``state`` says which."""

    __slots__ = ("inputs", "node", "outputs", "seen", "sink", "state", "status", "step")

    def __init__(
        self, node: Node, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream], step: Step
    ) -> None:
        self.node = node
        self.state = state
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.step = step
        self.status = 0
        self.seen = 0
        self.sink: CrdSink | ValSink | None = None

    @property
    def clock(self) -> int:
        """Largest clock of the node's units, in cycles."""
        return int(max(self.state[layout.CLOCK], self.state[layout.SECOND_CLOCK]))

    def stats(self) -> NodeStats:
        """The counters so far."""
        block = self.node.block
        count, extra = int(self.state[layout.COUNT]), int(self.state[layout.EXTRA])
        is_flops = isinstance(block, BinaryALU | UnaryALU | Reduce | SparseAccumulator)
        return NodeStats(
            name=self.node.name,
            final_clock_cycles=self.clock,
            busy_cycles=int(self.state[layout.BUSY]),
            flops=count if is_flops else 0,
            values_read=count if isinstance(block, Array) else 0,
            values_written=count if isinstance(block, ValWriter) else 0,
            coordinates_read=count + 2 * extra if isinstance(block, LevelScanner) and not block.dense else 0,
            coordinates_written=count + extra if isinstance(block, CrdWriter) else 0,
        )


def build_unit(
    node: Node,
    state: Words,
    inputs: Sequence[Stream],
    outputs: Sequence[Stream],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
    summed: bool = False,
) -> Unit:
    """The unit of ``node`` on streams in the order of its block's ports; ``summed``: a product that is added up.

    Raises SimulationError when a tensor is not bound, or its storage is not what the block reads.
    """
    block = node.block
    unit = Unit(node, state, inputs, outputs, lambda: None)
    match block:
        case Root():
            unit.step = _root(state, *outputs)
        case LevelScanner():
            unit.step = _scanner(node.name, block, state, inputs, outputs, tensors, machine)
        case Repeat():
            data, signal = inputs
            (out,) = outputs
            empty_fiber = block.missing is Missing.EMPTY_FIBER
            unit.step = lambda: repeat(state, data.buffer, signal.buffer, out.buffer, empty_fiber)
        case Joiner():
            unit.step = _joiner(block, state, inputs, outputs)
        case Locate():
            unit.step = _locate(block, state, inputs, outputs)
        case Array():
            values = read_only(bound_tensor(node.name, block.tensor, tensors).values, np.float32)
            fetching = machine.array.latency_cycles, machine.array.interval_cycles
            refs, vals = inputs[0], outputs[0]
            unit.step = lambda: array(state, refs.buffer, vals.buffer, values, *fetching)
        case BinaryALU():
            left, right = inputs
            (result,) = outputs
            code = BINARY_CODES[block.op]
            timing = binary_timing(machine, summed)
            pace = timing.latency_cycles, timing.interval_cycles
            unit.step = lambda: binary(state, left.buffer, right.buffer, result.buffer, code, *pace)
        case UnaryALU():
            unit.step = Unary(block, machine.unary, state, inputs[0], outputs[0])
        case Reduce():
            unit.step = _reduce(block, state, inputs, outputs, machine)
        case SparseAccumulator():
            if block.order == 1:
                unit.step = DenseSums(block, state, inputs, outputs)
            elif block.order == 2:
                unit.step = PairSums(block, state, inputs, outputs)
            else:
                raise SimulationError(
                    f"{node.name} is a sparse accumulator of order {block.order}; only orders 1 and 2 have a "
                    "compiled kernel; use interpret(...) / engine='interpreter', or choose a dataflow order that "
                    "keeps at most two index variables inside the reduced one"
                )
        case CrdWriter():
            unit.step = unit.sink = CrdSink(state, inputs[0])
        case ValWriter():
            unit.step = unit.sink = ValSink(state, inputs[0])
        case (
            Generator()
            | Sink()
            | RepeatSignal()
            | Repeater()
            | CoordDrop()
            | CoordHold()
            | CoordMask()
            | Flatten()
            | Fork()
            | Gather()
            | Concat()
            | StopDrop()
            | ValueDrop()
        ):
            raise no_kernel(node)
        case _:
            assert_never(block)
    return unit


def binary_timing(machine: Machine, summed: bool) -> BlockTiming:
    """Timing of a binary ALU, which may be a product that a reduction or an accumulator adds up."""
    return machine.product if summed and machine.product is not None else machine.binary


def _root(state: Words, out: Stream) -> Step:
    def step() -> None:
        state[layout.CLOCK] = state[layout.BUSY] = root(out.buffer)
        state[layout.STATUS] = layout.FINISHED

    return step


def _scanner(
    name: str,
    block: LevelScanner,
    state: Words,
    inputs: Sequence[Stream],
    outputs: Sequence[Stream],
    tensors: Mapping[str, FiberTree],
    machine: Machine,
) -> Step:
    (refs,) = inputs
    crd, ref = outputs
    empty_fiber = block.missing is Missing.EMPTY_FIBER
    extent = block.extent
    if extent is not None:
        return lambda: scan_dense(state, refs.buffer, crd.buffer, ref.buffer, extent, empty_fiber)
    level = compressed_level(name, block, tensors)
    segments = read_only(level.segments, np.int64)
    coordinates = read_only(level.coordinates, np.int32)
    timing = machine.scanner
    loads = ceil(len(segments) * timing.data_load_factor) + ceil(len(coordinates) * timing.data_load_factor)
    state[layout.CLOCK] = state[layout.BUSY] = loads + timing.startup_delay_cycles
    state[layout.MEMORY] = -1  # no reference before the first
    pace = (
        timing.initial_delay_cycles,
        timing.output_latency_cycles,
        timing.sequential_interval_cycles,
        timing.miss_latency_cycles,
        timing.row_size,
    )
    return lambda: scan_compressed(
        state, refs.buffer, crd.buffer, ref.buffer, segments, coordinates, *pace, empty_fiber
    )


def _joiner(block: Joiner, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream]) -> Step:
    union = block.join is Join.UNION
    if len(block.payloads) == 2:
        crd0, in0, crd1, in1 = inputs
        crd, out0, out1 = outputs
        join2 = union2 if union else intersect2
        return lambda: join2(
            state, crd0.buffer, in0.buffer, crd1.buffer, in1.buffer, crd.buffer, out0.buffer, out1.buffer
        )
    crds, payloads, outs = inputs[::2], inputs[1::2], outputs[1:]
    merged = outputs[0]
    return lambda: join_many(
        state,
        tuple(stream.buffer for stream in crds),
        tuple(stream.buffer for stream in payloads),
        merged.buffer,
        tuple(stream.buffer for stream in outs),
        union,
    )


def _locate(block: Locate, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream]) -> Step:
    ref, crd = inputs[:2]
    parent = inputs[-1]  # not read without has_parent
    located, ref_out, crd_out = outputs
    return lambda: locate(
        state,
        ref.buffer,
        crd.buffer,
        parent.buffer,
        located.buffer,
        ref_out.buffer,
        crd_out.buffer,
        block.extent,
        block.has_parent,
    )


def _reduce(block: Reduce, state: Words, inputs: Sequence[Stream], outputs: Sequence[Stream], machine: Machine) -> Step:
    values, guard = inputs[0], inputs[-1]  # the guard is not read unless guarded
    (out,) = outputs
    largest = block.op is ReduceOp.MAX
    identity = np.finfo(np.float32).min if largest else np.float32(0)
    state[layout.MEMORY] = int(identity.view(np.uint32))
    latency = 1 if largest else machine.reduce.latency_cycles
    interval = machine.reduce.interval_cycles
    return lambda: reduce(
        state, values.buffer, guard.buffer, out.buffer, block.guarded, largest, identity, latency, interval
    )


def read_only(data: NDArray[Any], kind: type[T]) -> NDArray[T]:
    """Contiguous view that cannot be written: one type for the compiler, whatever the flags of the user's array."""
    view = np.ascontiguousarray(data, dtype=kind).view()
    view.flags.writeable = False
    return view
