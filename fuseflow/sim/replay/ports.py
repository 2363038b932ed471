"""How each primitive of SAM is run on ours: names of its ports and parameters on one side, our units on the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fuseflow.dataflow.attributes import wrong_attribute, wrong_number_of_ports
from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Concat,
    CoordDrop,
    CoordHold,
    CrdWriter,
    Join,
    Joiner,
    LevelScanner,
    Missing,
    Reduce,
    Repeater,
    RepeatSignal,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.tokens import DONE, Stop, StreamKind, Token
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.formats import CompressedLevel
from fuseflow.sim.blocks.accumulate import accumulate
from fuseflow.sim.blocks.alu import binary, unary
from fuseflow.sim.blocks.array import fetch
from fuseflow.sim.blocks.base import is_payload
from fuseflow.sim.blocks.concat import concat
from fuseflow.sim.blocks.coordinates import coord_drop, coord_hold
from fuseflow.sim.blocks.join import join
from fuseflow.sim.blocks.reduce import reduce
from fuseflow.sim.blocks.repeat import repeat, repeat_signal
from fuseflow.sim.blocks.scan import scan_compressed, scan_dense
from fuseflow.sim.blocks.write import write_crd, write_val
from fuseflow.sim.machine import BlockTiming, ScannerTiming
from fuseflow.sim.replay.driving import NAME, Part, drive
from fuseflow.sim.replay.operations import MOST_COORDINATES
from fuseflow.sim.replay.record import Record
from fuseflow.sim.replay.result import Engine
from fuseflow.sim.replay.wiring import integers, segments

Streams = Mapping[str, Sequence[Token]]
PLAIN = BlockTiming()


@dataclass(frozen=True, slots=True)
class Given:
    """What a case gives its primitive, and the engine that is to run it."""

    params: Record
    inputs: Streams
    engine: Engine = Engine.INTERPRETER

    def stream(self, port: str) -> Sequence[Token]:
        """Tokens of input ``port``; DataError if the case has none."""
        if port not in self.inputs:
            raise self.params.fault(f"there is no input {port!r}; the case has {', '.join(self.inputs) or 'none'}")
        return self.inputs[port]

    def drive(self, part: Part, *inputs: Sequence[Token]) -> list[list[Token]]:
        """Tokens of the outputs of ``part`` on ``inputs``."""
        return drive(self.engine, part, inputs)


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


def _binary(op: BinaryOp) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        part = Part(BinaryALU(op), lambda unit: binary(unit, op, PLAIN))
        return Seen({"val": given.drive(part, given.stream("val1"), given.stream("val2"))[0]})

    return run_case


def _add(given: Given) -> Seen:
    """``val1 + val2``, either negated."""
    first, second = given.stream("val1"), given.stream("val2")
    negated = given.params.option("neg1", bool, False), given.params.option("neg2", bool, False)
    if negated == (True, False):
        first, second = second, first
    op = BinaryOp.SUB if negated[0] != negated[1] else BinaryOp.ADD
    (total,) = given.drive(Part(BinaryALU(op), lambda unit: binary(unit, op, PLAIN)), first, second)
    if negated == (True, True):
        negation = Part(UnaryALU(UnaryOp.NEG), lambda unit: unary(unit, UnaryOp.NEG, 0.0, PLAIN))
        (total,) = given.drive(negation, total)
    return Seen({"val": total})


def _array(given: Given) -> Seen | None:
    """Loads; a store at references 0, 1, 2, ... is what a value writer does, and no other store is ours."""
    if "store_val" in given.inputs:
        refs = [token for token in given.stream("store_ref") if is_payload(token)]
        if refs != list(range(len(refs))):
            return None
        return Seen(memory={"vals": _values(given, given.stream("store_val"))})
    values = np.array(given.params.numbers("vals"), np.float32)
    part = Part(Array(NAME), lambda unit: fetch(unit, values, PLAIN), values=values)
    return Seen({"val": given.drive(part, given.stream("ref"))[0]})


def _values(given: Given, tokens: Sequence[Token]) -> list[float]:
    values: list[float] = []
    given.drive(Part(ValWriter(NAME), lambda unit: write_val(unit, values), written=values), tokens)
    return values


def _coordinates(part: Part) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        outer, inner = given.drive(part, given.stream("outer_crd"), given.stream("inner_crd"))
        return Seen({"outer_crd": outer, "inner_crd": inner})

    return run_case


def _scan_compressed(given: Given) -> Seen:
    seg, crds = segments(given.params), integers(given.params, "crd")
    part = Part(
        LevelScanner(NAME, 0, "i", None, Missing.EMPTY_FIBER),
        lambda unit: scan_compressed(unit, seg, crds, ScannerTiming(), Missing.EMPTY_FIBER),
        level=CompressedLevel(seg, crds.astype(np.int32)),
    )
    crd, ref = given.drive(part, given.stream("ref"))
    return Seen({"crd": crd, "ref": ref})


def _scan_dense(given: Given) -> Seen:
    extent = given.params.count("dim", 0, MOST_COORDINATES)
    part = Part(
        LevelScanner(NAME, 0, "i", extent, Missing.EMPTY_FIBER),
        lambda unit: scan_dense(unit, extent, Missing.EMPTY_FIBER),
    )
    crd, ref = given.drive(part, given.stream("ref"))
    return Seen({"crd": crd, "ref": ref})


def _write_crd(given: Given) -> Seen:
    coordinates: list[int] = []
    ends: list[int] = []
    written = coordinates, ends
    part = Part(CrdWriter(NAME, 0, "i"), lambda unit: write_crd(unit, coordinates, ends), written=written)
    given.drive(part, given.stream("crd"))
    return Seen(memory={"crd": coordinates, "seg": [0, *ends]}, fill=given.params.option("fill", float, 0.0))


def _write_val(given: Given) -> Seen:
    fill = given.params.option("fill", float, 0.0)
    return Seen(memory={"vals": _values(given, given.stream("val"))}, fill=fill)


def _join(kind: Join) -> Callable[[Given], Seen]:
    def run_case(given: Given) -> Seen:
        sides = sum(port.startswith("crd") for port in given.inputs)
        names = [f"{port}{side}" for side in range(1, sides + 1) for port in ("crd", "ref")]
        part = Part(Joiner(kind, "i", (StreamKind.REF,) * sides), lambda unit: join(unit, kind))
        crd, *refs = given.drive(part, *(given.stream(name) for name in names))
        return Seen({"crd": crd} | {f"ref{side}": ref for side, ref in enumerate(refs, start=1)})

    return run_case


def _concat(given: Given) -> Seen:
    """Ours, not SAM's: ports ``crd1``, ``crd2``, ..., ``crd`` (or ``ref``, ``val``); ``offsets`` is a parameter."""
    out = min(given.inputs, default="crd1").rstrip("0123456789")
    names = [f"{out}{number}" for number in range(1, len(given.inputs) + 1)]
    offsets = integers(given.params, "offsets").tolist() if "offsets" in given.params.data else []
    block = Concat("i", len(names), kind_of(out), tuple(offsets))
    fault = wrong_number_of_ports(block) or wrong_attribute(block)
    if fault is not None:
        raise given.params.fault(f"a concat {fault}")
    moves = block.moves
    part = Part(block, lambda unit: concat(unit, moves))
    return Seen({out: given.drive(part, *(given.stream(name) for name in names))[0]})


def _reduce(given: Given) -> Seen:
    part = Part(Reduce(ReduceOp.SUM), lambda unit: reduce(unit, ReduceOp.SUM, PLAIN))
    return Seen({"val": given.drive(part, given.stream("val"))[0]})


def _repeat(given: Given) -> Seen:
    block = Repeater("i", StreamKind.REF, Missing.EMPTY_FIBER)
    part = Part(block, lambda unit: repeat(unit, Missing.EMPTY_FIBER))
    return Seen({"ref": given.drive(part, given.stream("ref"), given.stream("repsig"))[0]})


def _repeat_signal(given: Given) -> Seen:
    return Seen({"repsig": given.drive(Part(RepeatSignal("i"), repeat_signal), given.stream("crd"))[0]})


def _accumulator(order: int) -> Part:
    extent = 1 << 30
    block = SparseAccumulator("k", tuple(f"i{level}" for level in range(order)), (extent,) * order)
    return Part(block, lambda unit: accumulate(unit, order))


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
    crd_out, val_out = given.drive(_accumulator(1), *streams)
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
    crd_out, outer_out, val_out = given.drive(_accumulator(2), *streams)
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
    "concat": _concat,
    "crddrop": _coordinates(Part(CoordDrop("i", "j"), coord_drop)),
    "crdhold": _coordinates(Part(CoordHold("i", "j"), coord_hold)),
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
"""By SAM's name of the primitive, or ours where SAM has none; ``None`` instead of a result says that no block of ours
has these ports."""
