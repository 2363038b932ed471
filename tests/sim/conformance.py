"""The timed cases of the reference simulator, run through the units of the interpreter (simulator Appendix B)."""

import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fuseflow.dataflow.blocks import Join, Missing
from fuseflow.dataflow.tokens import DONE, StreamKind, parse_tokens
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Process, Unit
from fuseflow.sim.blocks.broadcast import broadcast
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.locate import locate
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.source import ROOT_TOKENS, generate
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.channel import Channel, Stamped
from fuseflow.sim.machine import BlockTiming, ScannerTiming

NOT_OURS = frozenset({"coord_drop", "coord_hold", "fork", "join"})
"""Units of the reference that the block set does not have yet."""

FILE = "comal_timed_streams.json"
KINDS = {"r": StreamKind.REF, "c": StreamKind.CRD, "v": StreamKind.VAL, "p": StreamKind.SIGNAL}
BINARY = {"MUL": BinaryOp.MUL, "ELEMMUL": BinaryOp.MUL, "ADD": BinaryOp.ADD, "SUB": BinaryOp.SUB, "DIV": BinaryOp.DIV}
UNARY = {
    "EXP": UnaryOp.EXP,
    "RSQRT": UnaryOp.RSQRT,
    "SIGMOID": UnaryOp.SIGMOID,
    "SCALARADD": UnaryOp.ADD_SCALAR,
    "SCALARMUL": UnaryOp.MUL_SCALAR,
    "SCALARDIV": UnaryOp.DIV_SCALAR,
}
TIMING = {
    "startup_delay": "startup_delay_cycles",
    "initial_delay": "initial_delay_cycles",
    "output_latency": "output_latency_cycles",
    "sequential_interval": "sequential_interval_cycles",
    "miss_latency": "miss_latency_cycles",
}


def folder() -> Path:
    """Where the cases are: ``FUSEFLOW_CONFORMANCE``, or the folder ``conformance`` in ``shared`` beside the project."""
    named = os.environ.get("FUSEFLOW_CONFORMANCE")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "conformance"


@cache
def cases() -> dict[str, dict[str, Any]]:
    """Cases by name; empty if the folder is absent."""
    if not folder().is_dir():
        return {}
    return {case["name"]: case for case in json.loads((folder() / FILE).read_text())["cases"]}


def reason_to_skip(case: dict[str, Any]) -> str | None:
    if case["hbm"] is not None:
        return "needs the memory model"
    unknown = sorted({op["op"] for op in case["ops"]} & NOT_OURS)
    stages = {op["stage"] for op in case["ops"] if op["op"] == "alu"}
    unknown += sorted(f"alu {stage}" for stage in stages - BINARY.keys() - UNARY.keys())
    return f"needs {', '.join(unknown)}" if unknown else None


@dataclass
class Built:
    """One case wired up: its units, those of each op, and the recorded channels by name."""

    units: list[Unit] = field(default_factory=list)
    by_op: list[list[Unit]] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)


def consume(unit: Unit) -> Process:
    """The sink of the reference: one token a cycle until the stream is closed."""
    (source,) = unit.inputs
    while True:
        token = yield from unit.take(source)
        unit.tick()
        if token is DONE:
            return


def build(case: dict[str, Any]) -> Built:
    built = Built()
    for number, op in enumerate(case["ops"]):
        before = len(built.units)
        _Wiring(built, case["channel_capacity"], f"{op['op']}_{number}").add(op)
        built.by_op.append(built.units[before:])
    for name, channel in built.channels.items():
        assert channel.source != "nothing", f"{name} has no producer"
        if channel.target == "nobody":
            channel.target, channel.abandoned, channel.capacity = None, True, None
    return built


class _Wiring:
    """Adds the units of one op; channels are named in the case and made at first sight."""

    def __init__(self, built: Built, capacity: int, name: str) -> None:
        self.built, self.capacity, self.name = built, capacity, name

    def channel(self, name: str | None) -> Channel:
        if name is None:
            return Channel(self.name, None)
        channels = self.built.channels
        if name not in channels:
            channels[name] = Channel("nothing", "nobody", self.capacity, record=[])
        return channels[name]

    def unit(self, inputs: list[str | None], outputs: list[str | None]) -> Unit:
        sources, sinks = [self.channel(name) for name in inputs], [self.channel(name) for name in outputs]
        for channel in sources:
            channel.target = self.name
        for channel in sinks:
            channel.source = self.name
        unit = Unit(self.name, sources, sinks)
        self.built.units.append(unit)
        return unit

    def add(self, op: dict[str, Any]) -> None:
        match op["op"]:
            case "generator":
                unit = self.unit([], [op["output"]])
                unit.process = generate(unit, parse_tokens(" ".join(op["tokens"]), KINDS[op["output"][0]]))
            case "root":
                unit = self.unit([], [op["output_ref"]])
                unit.process = generate(unit, ROOT_TOKENS)
            case "sink":
                unit = self.unit([op["input"]], [])
                unit.process = consume(unit)
            case "broadcast":
                unit = self.unit([op["input"]], op["outputs"])
                unit.process = broadcast(unit)
            case "fiber_lookup":
                unit = self.unit([op["input_ref"]], [op["output_crd"], op["output_ref"]])
                unit.process = self.scanner(unit, op)
            case "repeatsig":
                unit = self.unit([op["input_crd"]], [op["output_rep_sig"]])
                unit.process = repeat_signal(unit)
            case "repeat_unit_only" | "repeat":
                self.repeater(op)
            case "joiner":
                unit = self.unit(
                    [name for pair in op["input_pairs"] for name in pair], [op["output_crd"], *op["output_refs"]]
                )
                unit.process = join(unit, Join[op["join_type"]])
            case "locate":
                outputs = [op["output_ref1"], op["output_ref2"], op["output_crd"]]
                unit = self.unit([op["input_ref"], op["input_crd"]], outputs)
                unit.process = locate(unit, None)
            case _:
                self.compute(op)

    def scanner(self, unit: Unit, op: dict[str, Any]) -> Process:
        if op["format"] != "compressed":
            return scan_dense(unit, op["dim"], Missing.FORWARD)
        given = {TIMING.get(key, key): value for key, value in (op.get("timing") or {}).items()}
        timing = ScannerTiming(**given)
        return scan_compressed(
            unit, np.array(op["seg"], np.int64), np.array(op["crd"], np.int32), timing, Missing.FORWARD
        )

    def repeater(self, op: dict[str, Any]) -> None:
        data = op.get("in_ref") or op.get("in_val")
        out = op.get("out_ref") if op.get("in_ref") else op.get("out_val")
        signal = op.get("in_repsig") or op["internal_repsig"]
        if op["op"] == "repeat":
            generator = self.unit([op.get("rep_ref") or op.get("rep_val")], [signal])
            generator.process = repeat_signal(generator)
        unit = self.unit([data, signal], [out])
        unit.process = repeat(unit, Missing.FORWARD)

    def compute(self, op: dict[str, Any]) -> None:
        match op["op"]:
            case "array":
                unit = self.unit([op["input_ref"]], [op["output_val"]])
                unit.process = fetch(unit, np.array(op["vals"], np.float32), BlockTiming(op["block_size"] ** 2))
            case "alu":
                unit = self.unit(op["inputs"], [op["output"]])
                timing = BlockTiming(op["latency"], op["ii"])
                if len(op["inputs"]) == 2:
                    unit.process = binary(unit, BINARY[op["stage"]], timing)
                else:
                    unit.process = unary(unit, UNARY[op["stage"]], op.get("scalar", 0.0), timing)
            case "reduce":
                unit = self.unit([op["input_val"]], [op["output_val"]])
                kind = ReduceOp.MAX if op["reduce_type"] == "MAX" else ReduceOp.SUM
                unit.process = reduce(unit, kind, BlockTiming(op.get("N", 1) ** 2))
            case "spacc":
                crds = [op["input_inner_crd"], *op["input_outer_crds"][: op["order"]]]
                outs = [op["output_inner_crd"], *op.get("output_outer_crds", [])[: op["order"] - 1]]
                unit = self.unit([*crds, op["input_val"]], [*outs, op["output_val"]])
                unit.process = accumulate(unit, op["order"])
            case "fiber_write":
                unit = self.unit([op["input_crd"]], [])
                unit.process = write_crd(unit, [], [])
            case "val_write":
                unit = self.unit([op["input_val"]], [])
                unit.process = write_val(unit, [])
            case other:
                raise NotImplementedError(f"op {other!r} is not in the list of ops left out")


def metric_sums(case: dict[str, Any], built: Built) -> dict[str, int]:
    """The lines that the reference prints (simulator §5), summed; those it prints for no unit are absent."""
    sums: dict[str, int] = {}
    for op, units in zip(case["ops"], built.by_op, strict=True):
        counters = units[-1].counters
        lines: dict[str, int] = {}
        match op["op"]:
            case "alu":
                lines = {"Op count": counters.flops}
            case "reduce" if op["reduce_type"] != "MAX":
                lines = {"Reduce count": counters.flops}
            case "spacc" if op["order"] == 1:
                lines = {"Reduce count": counters.flops}
            case "array":
                lines = {"Num reads": counters.values_read}
            case "fiber_lookup" if op["format"] != "compressed":
                lines = {"Uncompressed Crd read count": counters.coordinates_scanned}
            case "fiber_write":
                lines = {"Crd write count (crd)": counters.coordinates_written}
                lines["Crd write count (seg)"] = counters.segments_written
            case "val_write":
                lines = {"Write count": counters.values_written}
        for line, count in lines.items():
            sums[line] = sums.get(line, 0) + count
    return sums


def expected_stream(name: str, entries: list[list[Any]]) -> list[Stamped]:
    kind = StreamKind.SIGNAL if name.startswith("rs") else KINDS[name[0]]
    words = {"Repeat": "R", "Stop": "S", "Done": "D"}
    return [(parse_tokens(words.get(str(word), str(word)), kind)[0], stamp) for word, stamp in entries]
