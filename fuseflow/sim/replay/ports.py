"""How each primitive of SAM is run on ours: names of its ports and parameters on one side, our units on the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fuseflow.dataflow.blocks import Join, Missing
from fuseflow.dataflow.tokens import DONE, Stop, StreamKind, Token
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import Process, Unit, is_payload
from fuseflow.sim.blocks.coordinates import coord_drop, coord_hold
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.source import generate
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.channel import Channel
from fuseflow.sim.interpret import run
from fuseflow.sim.machine import BlockTiming, ScannerTiming
from fuseflow.sim.replay.operations import MOST_COORDINATES
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.wiring import integers, segments

Streams = Mapping[str, Sequence[Token]]
PLAIN = BlockTiming()


@dataclass(frozen=True, slots=True)
class Given:
    """What a case gives its primitive."""

    params: Record
    inputs: Streams

    def stream(self, port: str) -> Sequence[Token]:
        """Tokens of input ``port``; DataError if the case has none."""
        if port not in self.inputs:
            raise self.params.fault(f"there is no input {port!r}; the case has {', '.join(self.inputs) or 'none'}")
        return self.inputs[port]


@dataclass(frozen=True, slots=True)
class Seen:
    """What left the ports, and what the memories held at the end; ``fill`` is what was in them before."""

    streams: Streams = field(default_factory=dict)
    memory: Mapping[str, Sequence[float]] = field(default_factory=dict)
    fill: float = 0.0


def kind_of(port: str) -> StreamKind:
    """Kind of a stream by SAM's name of its port."""
    if "repsig" in port:
        return StreamKind.SIGNAL
    if "val" in port:
        return StreamKind.VAL
    return StreamKind.REF if "ref" in port else StreamKind.CRD


def drive(make: Callable[[Unit], Process], inputs: Sequence[Sequence[Token]], outputs: int) -> list[list[Token]]:
    """Tokens of the ``outputs`` of a unit whose ``inputs`` come one token a cycle."""
    units: list[Unit] = []
    sources = []
    for number, tokens in enumerate(inputs):
        channel = Channel(f"source {number}", f"unit, input {number}")
        source = Unit(channel.source, [], [channel])
        source.process = generate(source, tokens)
        units.append(source)
        sources.append(channel)
    sinks = [Channel(f"unit, output {number}", None, record=[]) for number in range(outputs)]
    unit = Unit("unit", sources, sinks)
    unit.process = make(unit)
    run([*units, unit])
    return [[token for token, _ in sink.record or []] for sink in sinks]


def _binary(op: BinaryOp) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        inputs = [given.stream("val1"), given.stream("val2")]
        return Seen({"val": drive(lambda unit: binary(unit, op, PLAIN), inputs, 1)[0]})

    return run_case


def _add(given: Given) -> Seen:
    """``val1 + val2``, either negated."""
    first, second = given.stream("val1"), given.stream("val2")
    negated = given.params.option("neg1", bool, False), given.params.option("neg2", bool, False)
    if negated == (True, False):
        first, second = second, first
    op = BinaryOp.SUB if negated[0] != negated[1] else BinaryOp.ADD
    (total,) = drive(lambda unit: binary(unit, op, PLAIN), [first, second], 1)
    if negated == (True, True):
        (total,) = drive(lambda unit: unary(unit, UnaryOp.NEG, 0.0, PLAIN), [total], 1)
    return Seen({"val": total})


def _array(given: Given) -> Seen | None:
    """Loads; a store at references 0, 1, 2, ... is what a value writer does, and no other store is ours."""
    if "store_val" in given.inputs:
        refs = [token for token in given.stream("store_ref") if is_payload(token)]
        if refs != list(range(len(refs))):
            return None
        return Seen(memory={"vals": _values(given.stream("store_val"))})
    values = np.array(given.params.numbers("vals"), np.float32)
    return Seen({"val": drive(lambda unit: fetch(unit, values, PLAIN), [given.stream("ref")], 1)[0]})


def _values(tokens: Sequence[Token]) -> list[float]:
    values: list[float] = []
    drive(lambda unit: write_val(unit, values), [tokens], 0)
    return values


def _coordinates(make: Callable[[Unit], Process]) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        outer, inner = drive(make, [given.stream("outer_crd"), given.stream("inner_crd")], 2)
        return Seen({"outer_crd": outer, "inner_crd": inner})

    return run_case


def _scan_compressed(given: Given) -> Seen:
    seg, crds = segments(given.params), integers(given.params, "crd")
    crd, ref = drive(
        lambda unit: scan_compressed(unit, seg, crds, ScannerTiming(), Missing.EMPTY_FIBER), [given.stream("ref")], 2
    )
    return Seen({"crd": crd, "ref": ref})


def _scan_dense(given: Given) -> Seen:
    extent = given.params.count("dim", 0, MOST_COORDINATES)
    crd, ref = drive(lambda unit: scan_dense(unit, extent, Missing.EMPTY_FIBER), [given.stream("ref")], 2)
    return Seen({"crd": crd, "ref": ref})


def _write_crd(given: Given) -> Seen:
    coordinates: list[int] = []
    ends: list[int] = []
    drive(lambda unit: write_crd(unit, coordinates, ends), [given.stream("crd")], 0)
    return Seen(memory={"crd": coordinates, "seg": [0, *ends]}, fill=given.params.option("fill", float, 0.0))


def _write_val(given: Given) -> Seen:
    fill = given.params.option("fill", float, 0.0)
    return Seen(memory={"vals": _values(given.stream("val"))}, fill=fill)


def _join(kind: Join) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        sides = sum(port.startswith("crd") for port in given.inputs)
        names = [f"{port}{side}" for side in range(1, sides + 1) for port in ("crd", "ref")]
        crd, *refs = drive(lambda unit: join(unit, kind), [given.stream(name) for name in names], sides + 1)
        return Seen({"crd": crd} | {f"ref{side}": ref for side, ref in enumerate(refs, start=1)})

    return run_case


def _reduce(given: Given) -> Seen:
    return Seen({"val": drive(lambda unit: reduce(unit, ReduceOp.SUM, PLAIN), [given.stream("val")], 1)[0]})


def _repeat(given: Given) -> Seen:
    inputs = [given.stream("ref"), given.stream("repsig")]
    return Seen({"ref": drive(lambda unit: repeat(unit, Missing.EMPTY_FIBER), inputs, 1)[0]})


def _repeat_signal(given: Given) -> Seen:
    return Seen({"repsig": drive(repeat_signal, [given.stream("crd")], 1)[0]})


def _accumulate_rows(given: Given) -> Seen:
    """Points of one row after another: the row is a fiber outside ours, and each point a fiber of the reduced level."""
    rows: list[list[tuple[Token, Token]]] = []
    outer: list[Token] = []
    for row, inner, val in _points(given):
        if not outer or row != outer[-1]:
            outer.append(row)
            rows.append([])
        rows[-1].append((inner, val))
    reduced: list[Token] = []
    crd: list[Token] = []
    val_in: list[Token] = []
    for number, points in enumerate(rows):
        above = Stop(1) if number == len(rows) - 1 else Stop(0)
        for place, (inner, val) in enumerate(points):
            below = Stop(above.level + 1) if place == len(points) - 1 else Stop(0)
            crd += [inner, below]
            val_in += [val, below]
        reduced += [*range(len(points)), above]
    if not rows:
        reduced, crd, val_in = [Stop(1)], [Stop(2)], [Stop(2)]
    streams = [[*crd, DONE], [*reduced, DONE], [*val_in, DONE]]
    crd_out, val_out = drive(lambda unit: accumulate(unit, 1), streams, 2)
    return _accumulated(given, [*outer, Stop(0), DONE], crd_out, val_out)


def _accumulate_all(given: Given) -> Seen:
    """Points in any order: each a fiber of the reduced level, with one coordinate on both levels inside it."""
    points = _points(given)
    outer: list[Token] = []
    inner: list[Token] = []
    val_in: list[Token] = []
    for number, (row, coordinate, val) in enumerate(points):
        last = number == len(points) - 1
        outer += [row, Stop(1 if last else 0)]
        inner += [coordinate, Stop(2 if last else 1)]
        val_in += [val, Stop(2 if last else 1)]
    if not points:
        outer, inner, val_in = [Stop(1)], [Stop(2)], [Stop(2)]
    reduced = [*range(len(points)), Stop(0)]
    streams = [[*inner, DONE], [*outer, DONE], [*reduced, DONE], [*val_in, DONE]]
    crd_out, outer_out, val_out = drive(lambda unit: accumulate(unit, 2), streams, 3)
    return _accumulated(given, outer_out, crd_out, val_out)


def _points(given: Given) -> list[tuple[Token, Token, Token]]:
    """Outer coordinate, inner coordinate and value of every point; stops do not belong to points."""
    ports = [given.stream(port) for port in ("outer_crdpt", "inner_crdpt", "val")]
    payloads = [[token for token in port if is_payload(token)] for port in ports]
    if len({len(tokens) for tokens in payloads}) > 1:
        raise given.params.fault(f"the inputs hold {[len(tokens) for tokens in payloads]} points; they must be as many")
    return list(zip(*payloads, strict=True))


def _accumulated(given: Given, outer: list[Token], inner: list[Token], val: list[Token]) -> Seen:
    if not given.params.option("val_stkn", bool, True):
        val = [token for token in val if not isinstance(token, Stop)]
    return Seen({"outer_crd": outer, "inner_crd": inner, "val": val})


RUNS: dict[str, Callable[[Given], Seen | None]] = {
    "add": _add,
    "arrayvals": _array,
    "crddrop": _coordinates(coord_drop),
    "crdhold": _coordinates(coord_hold),
    "fiberlookup_compressed": _scan_compressed,
    "fiberlookup_dense": _scan_dense,
    "fiberwrite_compressed": _write_crd,
    "fiberwrite_vals": _write_val,
    "intersect": _join(Join.INTERSECT),
    "max": _binary(BinaryOp.MAX),
    "mul": _binary(BinaryOp.MUL),
    "reduce": _reduce,
    "repeat": _repeat,
    "repsiggen": _repeat_signal,
    "spaccumulator_1": _accumulate_rows,
    "spaccumulator_2": _accumulate_all,
    "union": _join(Join.UNION),
}
"""By SAM's name of the primitive; ``None`` instead of a result says that no block of ours has these ports."""
