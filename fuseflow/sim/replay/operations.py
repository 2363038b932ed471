"""What each operation of a timed case is made of. The units are those of the interpreter, under the reference's rule
for ``N`` (``Missing.FORWARD``)."""

from collections.abc import Callable

import numpy as np

from fuseflow.dataflow.blocks import Join, Missing
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.broadcast import broadcast
from fuseflow.sim.blocks.coordinates import coord_drop, coord_hold
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.lanes import fork, gather
from fuseflow.sim.blocks.locate import locate
from fuseflow.sim.blocks.memory_clients import fetch_stored, scan_stored, write_crd_stored, write_val_stored
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.sink import consume
from fuseflow.sim.blocks.source import ROOT_TOKENS, generate
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.machine import BlockTiming, ScannerTiming
from fuseflow.sim.replay.record import MOST, Record
from fuseflow.sim.replay.wiring import Wired, integers, segments, stream_kind

BINARY = {"MUL": BinaryOp.MUL, "ELEMMUL": BinaryOp.MUL, "ADD": BinaryOp.ADD, "SUB": BinaryOp.SUB, "DIV": BinaryOp.DIV}
UNARY = {
    "EXP": UnaryOp.EXP,
    "RSQRT": UnaryOp.RSQRT,
    "SIGMOID": UnaryOp.SIGMOID,
    "SCALARADD": UnaryOp.ADD_SCALAR,
    "SCALARMUL": UnaryOp.MUL_SCALAR,
    "SCALARDIV": UnaryOp.DIV_SCALAR,
    "MAX": UnaryOp.MAX_SCALAR,
    "SIN": UnaryOp.SIN,
    "COS": UnaryOp.COS,
}
MOST_COORDINATES = 10**7
"""A dense level larger than this is taken for corrupt data."""

MOST_SIDE = 10**4
"""So is a block with a longer side."""

TIMING = {
    "startup_delay": "startup_delay_cycles",
    "data_load_factor": "data_load_factor",
    "initial_delay": "initial_delay_cycles",
    "output_latency": "output_latency_cycles",
    "sequential_interval": "sequential_interval_cycles",
    "miss_latency": "miss_latency_cycles",
    "row_size": "row_size",
}


def add_operation(wired: Wired, op: Record, name: str) -> None:
    """Add the units of ``op``; DataError for a kind of operation that is not in simulator Appendix B."""
    kind = op.get("op", str)
    if kind not in _OPERATIONS:
        raise op.fault(f"operation {kind!r} is not understood; known: {', '.join(sorted(_OPERATIONS))}")
    _OPERATIONS[kind](wired, op, name)


def _generator(wired: Wired, op: Record, name: str) -> None:
    stream = op.get("output", str)
    unit = wired.unit(op, name, [], [stream])
    unit.process = generate(unit, op.tokens(op.get("tokens", list), stream_kind(op, stream)))


def _root(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [], [_out(op, "output_ref")])
    unit.process = generate(unit, ROOT_TOKENS)


def _scanner(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_ref", str)], [_out(op, "output_crd"), _out(op, "output_ref")])
    unit.process = _scan(wired, op, unit)


def _scan(wired: Wired, op: Record, unit: Unit) -> Process:
    if op.get("format", str) != "compressed":
        return scan_dense(unit, op.count("dim", 0, MOST_COORDINATES), Missing.FORWARD)
    timing = scanner_timing(op)
    seg, crd = segments(op), integers(op, "crd")
    if wired.controller is None:
        return scan_compressed(unit, seg, crd, timing, Missing.FORWARD)
    ports = wired.controller.reader(f"{unit.name} seg"), wired.controller.reader(f"{unit.name} crd")
    return scan_stored(unit, seg, crd, timing.output_latency_cycles, Missing.FORWARD, *ports)


def scanner_timing(op: Record) -> ScannerTiming:
    """Field ``timing`` of a scanner, defaults for what is not there; DataError for a name that is not known."""
    given = op.inner("timing", op.data.get("timing") or {})
    unknown = given.data.keys() - TIMING.keys()
    if unknown:
        raise given.fault(f"timing {sorted(unknown)} is not understood; known: {', '.join(TIMING)}")
    found = {TIMING[key]: given.count(key, int(key == "row_size")) for key in given.data if key != "data_load_factor"}
    factor = given.option("data_load_factor", float, 0.0)
    if not 0.0 <= factor <= MOST:
        raise given.fault(f"field 'data_load_factor' must be from 0 to {MOST}, not {factor}")
    return ScannerTiming(**found, data_load_factor=factor)


def alu_timing(op: Record) -> BlockTiming:
    """Fields ``latency`` and ``ii`` of an ALU, 1 where they are not there; DataError unless they are cycles."""
    return BlockTiming(*(1 if op.data.get(key) is None else op.count(key) for key in ("latency", "ii")))


def area(op: Record, key: str) -> int:
    """Numbers in a block whose side is field ``key``, 1 if it is not there."""
    return 1 if op.data.get(key) is None else op.count(key, 1, MOST_SIDE) ** 2


def _repeat(wired: Wired, op: Record, name: str) -> None:
    by_ref = op.data.get("in_ref") is not None
    data, out = ("in_ref", "out_ref") if by_ref else ("in_val", "out_val")
    alone = op.data.get("in_repsig") is not None
    signal = op.get("in_repsig" if alone else "internal_repsig", str)
    if not alone:
        source = op.get("rep_ref" if op.data.get("rep_ref") is not None else "rep_val", str)
        generator = wired.unit(op, f"{name} (signal generator)", [source], [signal])
        generator.process = repeat_signal(generator)
    unit = wired.unit(op, name, [op.get(data, str), signal], [_out(op, out)])
    unit.process = repeat(unit, Missing.FORWARD)


def _repeat_signal(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_crd", str)], [_out(op, "output_rep_sig")])
    unit.process = repeat_signal(unit)


def _joiner(wired: Wired, op: Record, name: str) -> None:
    pairs = op.get("input_pairs", list)
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise op.fault("field 'input_pairs' must hold pairs of streams")
    outs = op.texts("output_refs")
    if len(pairs) < 2 or len(outs) < len(pairs):
        raise op.fault(f"a joiner of {len(pairs)} pairs needs 2 pairs or more, and an output each; it has {len(outs)}")
    inputs = [stream for pair in pairs for stream in pair]
    unit = wired.unit(op, name, inputs, [_out(op, "output_crd"), *outs[: len(pairs)]])
    unit.process = join(unit, Join.INTERSECT if op.get("join_type", str) == "INTERSECT" else Join.UNION)


def _locate(wired: Wired, op: Record, name: str) -> None:
    outs = [_out(op, key) for key in ("output_ref1", "output_ref2", "output_crd")]
    unit = wired.unit(op, name, [op.get("input_ref", str), op.get("input_crd", str)], outs)
    unit.process = locate(unit, None)


def _coordinates(wired: Wired, op: Record, name: str) -> None:
    inputs: list[str | None] = [op.get("input_outer_crd", str), op.get("input_inner_crd", str)]
    unit = wired.unit(op, name, inputs, [_out(op, "output_outer_crd"), _out(op, "output_inner_crd")])
    unit.process = (coord_drop if op.get("op", str) == "coord_drop" else coord_hold)(unit)


def _array(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_ref", str)], [_out(op, "output_val")])
    values = np.array(op.numbers("vals"), np.float32)
    timing = BlockTiming(area(op, "block_size"))
    if wired.controller is None:
        unit.process = fetch(unit, values, timing)
    else:
        unit.process = fetch_stored(unit, values, timing, wired.controller.reader(name))


def _alu(wired: Wired, op: Record, name: str) -> None:
    inputs, stage = op.texts("inputs"), op.get("stage", str)
    scalar = op.option("scalar", float, 0.0)
    timing = alu_timing(op)
    unit = wired.unit(op, name, inputs, [_out(op, "output")])
    if len(inputs) == 2 and stage in BINARY:
        unit.process = binary(unit, BINARY[stage], timing)
    elif len(inputs) == 1 and stage in UNARY:
        unit.process = unary(unit, UNARY[stage], scalar, timing)
    else:
        raise op.fault(f"there is no ALU {stage!r} of {len(inputs)} inputs")


def _reduce(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_val", str)], [_out(op, "output_val")])
    kind = ReduceOp.MAX if op.get("reduce_type", str) == "MAX" else ReduceOp.SUM
    # Rule 3.16: the result of a maximum is there after a cycle.
    latency = 1 if kind is ReduceOp.MAX else area(op, "N")
    unit.process = reduce(unit, kind, BlockTiming(latency))


def _accumulator(wired: Wired, op: Record, name: str) -> None:
    order = op.get("order", int)
    if order < 1:
        raise op.fault(f"an accumulator has order 1 or more, not {order}")
    # The file names the outer levels from the inside out, as the units do.
    outer = op.texts("input_outer_crds")[:order]
    outs = list(op.data.get("output_outer_crds") or [])[: order - 1]
    if len(outer) != order or len(outs) != order - 1:
        raise op.fault(f"order {order} needs {order} outer inputs and {order - 1} outer outputs")
    inputs = [op.get("input_inner_crd", str), *outer, op.get("input_val", str)]
    unit = wired.unit(op, name, inputs, [_out(op, "output_inner_crd"), *outs, _out(op, "output_val")])
    unit.process = accumulate(unit, order)


def _crd_writer(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_crd", str)], [])
    if wired.controller is None:
        unit.process = write_crd(unit, [], [], any_order=True)
    else:
        ports = wired.controller.writer(f"{name} crd"), wired.controller.writer(f"{name} seg")
        unit.process = write_crd_stored(unit, [], [], *ports, any_order=True)


def _val_writer(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input_val", str)], [])
    if wired.controller is None:
        unit.process = write_val(unit, [])
    else:
        unit.process = write_val_stored(unit, [], wired.controller.writer(name))


def _sink(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input", str)], [])
    unit.process = consume(unit)


def _copies(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, [op.get("input", str)], op.texts("outputs"))
    if not unit.outputs:
        raise op.fault("has no outputs")
    unit.process = (fork if op.get("op", str) == "fork" else broadcast)(unit)


def _gather(wired: Wired, op: Record, name: str) -> None:
    unit = wired.unit(op, name, op.texts("inputs"), [_out(op, "output")])
    if not unit.inputs:
        raise op.fault("has no inputs")
    unit.process = gather(unit)


def _out(op: Record, key: str) -> str | None:
    """The stream of an output; ``None`` if it is not connected."""
    return op.get(key, str) if op.data.get(key) is not None else None


_OPERATIONS: dict[str, Callable[[Wired, Record, str], None]] = {
    "alu": _alu,
    "array": _array,
    "broadcast": _copies,
    "coord_drop": _coordinates,
    "coord_hold": _coordinates,
    "fiber_lookup": _scanner,
    "fiber_write": _crd_writer,
    "fork": _copies,
    "generator": _generator,
    "join": _gather,
    "joiner": _joiner,
    "locate": _locate,
    "reduce": _reduce,
    "repeat": _repeat,
    "repeat_unit_only": _repeat,
    "repeatsig": _repeat_signal,
    "root": _root,
    "sink": _sink,
    "spacc": _accumulator,
    "val_write": _val_writer,
}
