"""What each operation of the reference's graph files is for us: the block, and the streams it reads and writes.

Operations that the reference's own driver rejects, or builds nothing for, are refused here as well, unless our
extension fields say what is meant.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Comparison,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Fork,
    Gather,
    Join,
    Joiner,
    LevelScanner,
    Locate,
    Missing,
    Reduce,
    Repeat,
    RepeatSignal,
    Root,
    SparseAccumulator,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.interop.comal_export import BINARY, FIELD, UNARY
from fuseflow.dataflow.interop.schema import alu_op
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import VerifyError
from fuseflow.formats.check import MAX_DIMENSION

Channel = tuple[StreamKind, int]
CRD, REF, VAL, SIGNAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL, StreamKind.SIGNAL

MOST_LANES = 4096

_BINARY = {name: op for op, name in BINARY.items()} | {"ELEMMUL": BinaryOp.MUL}
_UNARY = {name: op for op, name in UNARY.items() if op is not UnaryOp.MAX_SCALAR}
_KINDS = {name: kind for kind, name in FIELD.items()}


@dataclass(slots=True)
class Operation:
    """One operation: its name and kind, its message and the whole that holds it, and what was read from it.

    ``reads`` are the channels of our block's inputs in order, ``writes`` those of its outputs that are connected.
    """

    name: str
    kind: str
    message: Any
    whole: Any
    where: str
    reads: list[Channel] = field(default_factory=list)
    writes: dict[str, Channel] = field(default_factory=dict)

    def fault(self, text: str) -> VerifyError:
        return VerifyError(f"{self.where}, operation {self.name!r} ({self.kind}): {text}")

    def read(self, stream: Any, kind: StreamKind, label: str) -> None:
        """Note an input; VerifyError if it is not connected."""
        number = int(stream.id.id)
        if number == 0:
            raise self.fault(f"input {label!r} is not connected; every input needs a channel")
        self.reads.append((kind, number))

    def write(self, stream: Any, kind: StreamKind, port: str) -> None:
        """Note an output; channel 0 is one that nobody reads."""
        number = int(stream.id.id)
        if number:
            self.writes[port] = (kind, number)

    def extent(self, value: int, what: str) -> int:
        """A size from the file."""
        if not 0 <= value <= MAX_DIMENSION:
            raise self.fault(f"{what} must be from 0 to {MAX_DIMENSION}, not {value}")
        return int(value)


def block_of(operation: Operation) -> Block | None:
    """The block of an operation, whose streams are noted in it; None for a broadcast."""
    maker = _MAKERS.get(operation.kind)
    if maker is None:
        raise operation.fault("the reference simulator has no unit for it, and neither has this one")
    return maker(operation, operation.message)


def _root(operation: Operation, message: Any) -> Block:
    operation.write(message.output_ref, REF, "ref")
    return Root(message.tensor)


def _lookup(operation: Operation, message: Any) -> Block:
    operation.read(message.input_ref, REF, "input_ref")
    operation.write(message.output_crd, CRD, "crd")
    operation.write(message.output_ref, REF, "ref")
    if not message.tensor:
        raise operation.fault("it names no tensor")
    extent = operation.extent(message.x_extent, "its extent") if message.HasField("x_extent") else None
    if extent is None and message.format != "compressed":
        extent = 0  # settled once the wiring is known
    level = operation.extent(message.x_level, "its level")
    operation.extent(message.mode, "its mode")
    missing = Missing.FORWARD if message.x_forward else Missing.EMPTY_FIBER
    return LevelScanner(message.tensor, level, message.index, extent, missing)


def _crd_write(operation: Operation, message: Any) -> Block:
    operation.read(message.input_crd, CRD, "input_crd")
    return CrdWriter(message.tensor, operation.extent(message.x_level, "its level"), message.index)


def _val_write(operation: Operation, message: Any) -> Block:
    operation.read(message.input_val, VAL, "input_val")
    return ValWriter(message.tensor)


def _repeat(operation: Operation, message: Any) -> Block:
    data, out, signal = (message.WhichOneof(group) for group in ("input_ref", "output_ref", "input_rep_sig"))
    if data is None or signal is None:
        raise operation.fault(f"input {'in_ref' if data is None else 'rep_ref'!r} is not connected")
    if out is not None and out[-3:] != data[-3:]:
        raise operation.fault(f"it repeats {data!r} onto {out!r}; both must be references, or both values")
    kind = _KINDS[data[-3:]]
    operation.read(getattr(message, data), kind, data)
    operation.read(getattr(message, signal), _KINDS[signal[-3:]], signal)
    if out is not None:
        operation.write(getattr(message, out), kind, "out")
    return Repeat(message.index, kind, Missing.FORWARD if message.x_forward else Missing.EMPTY_FIBER)


def _repeatsig(operation: Operation, message: Any) -> Block:
    for name, kind in (("input_crd", CRD), ("x_input_ref", REF), ("x_input_val", VAL)):
        if message.HasField(name):
            operation.read(getattr(message, name), kind, name)
    if len(operation.reads) != 1:
        raise operation.fault(f"it must have one input, not {len(operation.reads)}")
    operation.write(message.output_rep_sig, SIGNAL, "signal")
    return RepeatSignal(message.index)


def _joiner(operation: Operation, message: Any) -> Block:
    pairs, outs = message.input_pairs, message.output_refs
    if len(pairs) < 2:
        raise operation.fault(f"a joiner has 2 input pairs or more, not {len(pairs)}")
    if len(outs) != len(pairs):
        raise operation.fault(f"it has {len(pairs)} input pairs and {len(outs)} outputs; it needs as many")
    payloads = []
    operation.write(message.output_crd, CRD, "crd")
    for number, (pair, out) in enumerate(zip(pairs, outs, strict=True)):
        operation.read(pair.crd, CRD, f"input_pairs[{number}].crd")
        given, made = pair.in_ref.WhichOneof("stream"), out.WhichOneof("stream")
        if given is None or made not in (given, None):
            raise operation.fault(
                f"pair {number} reads {given or 'no payload'} and writes {made or 'none'}; both must be references, or "
                "both values"
            )
        kind = VAL if given == "val_stream" else REF
        operation.read(getattr(pair.in_ref, given), kind, f"input_pairs[{number}].in_ref")
        operation.write(getattr(out, given), kind, f"out{number}")
        payloads.append(kind)
    join = Join.UNION if message.join_type == 1 else Join.INTERSECT
    if message.join_type not in (0, 1):
        raise operation.fault(f"join type {message.join_type} is neither INTERSECT (0) nor UNION (1)")
    return Joiner(join, message.index, tuple(payloads))


def _locate(operation: Operation, message: Any) -> Block:
    if message.HasField("x_input_val"):
        operation.read(message.x_input_val, VAL, "x_input_val")
    elif message.HasField("x_input_crd"):
        operation.read(message.x_input_crd, CRD, "x_input_crd")
    else:
        operation.read(message.input_ref, REF, "input_ref")
    operation.read(message.input_crd, CRD, "input_crd")
    has_parent = message.HasField("x_parent")
    if has_parent:
        operation.read(message.x_parent, REF, "x_parent")
    for stream, kind, port in (
        (message.output_ref1, REF, "located"),
        (message.output_ref2, REF, "ref"),
        (message.output_crd, CRD, "crd"),
    ):
        operation.write(stream, kind, port)
    level = operation.extent(message.x_level, "its level")
    extent = operation.extent(message.x_extent, "its extent")
    return Locate(message.x_tensor, level, message.x_index, extent, has_parent)


def _array(operation: Operation, message: Any) -> Block:
    operation.read(message.input_ref, REF, "input_ref")
    operation.write(message.output_val, VAL, "val")
    if not message.tensor:
        raise operation.fault("it names no tensor")
    if message.blocked:
        raise operation.fault("its values are blocks (blocked = true); only scalar values are read")
    return Array(message.tensor)


def _alu(operation: Operation, message: Any) -> Block:
    if message.WhichOneof("conn") != "vals":
        raise operation.fault("it works on coordinates ('crds'); only 'vals' exist")
    if len(message.stages) != 1:
        raise operation.fault(f"it has {len(message.stages)} stages; one is read")
    number = message.stages[0].op
    name = alu_op(number)
    inputs = message.vals.inputs
    for place, stream in enumerate(inputs):
        operation.read(stream, VAL, f"vals.inputs[{place}]")
    operation.write(message.vals.output, VAL, "val")
    if len(inputs) == 2 and name in _BINARY:
        return BinaryALU(_BINARY[name])
    if len(inputs) == 1 and name == "MAX" and message.scalar != 0.0:
        return UnaryALU(UnaryOp.MAX_SCALAR, message.scalar)
    if len(inputs) == 1 and name in _UNARY:
        op: UnaryOp = _UNARY[name]
        return UnaryALU(op, message.scalar if op.takes_scalar else 0.0)
    raise operation.fault(f"operation {name or number} on {len(inputs)} inputs is not supported")


def _reduce(operation: Operation, message: Any) -> Block:
    operation.read(message.input_val, VAL, "input_val")
    guarded = message.HasField("x_guard")
    if guarded:
        operation.read(message.x_guard, CRD, "x_guard")
    operation.write(message.output_val, VAL, "val")
    if message.reduce_type not in (0, 1, 2):
        raise operation.fault(f"reduce type {message.reduce_type} is none of ADD (0), MAX (1), ADDSUM (2)")
    return Reduce(ReduceOp.MAX if message.reduce_type == 1 else ReduceOp.SUM, guarded)


def _accumulator(operation: Operation, message: Any) -> Block:
    outer, out = message.input_outer_crds, message.output_outer_crds
    order = message.order
    if not 1 <= order == len(outer) <= 10 or len(out) < order - 1:
        raise operation.fault(
            f"order {order} needs as many outer coordinate streams, and one less going out: it has {len(outer)} and "
            f"{len(out)}"
        )
    operation.read(message.input_inner_crd, CRD, "input_inner_crd")
    for place, stream in enumerate(outer):
        operation.read(stream, CRD, f"input_outer_crds[{place}]")
    operation.read(message.input_val, VAL, "input_val")
    operation.write(message.output_inner_crd, CRD, "crd0")
    for place, stream in enumerate(out[: order - 1]):
        operation.write(stream, CRD, f"crd{place + 1}")
    operation.write(message.output_val, VAL, "val")
    names = [message.inner_crd, *message.outer_crds]
    if len(names) != order + 1:
        raise operation.fault(f"it names {len(names)} index variables; order {order} has {order + 1}")
    *kept, reduced = names
    extents = tuple(operation.extent(size, "an extent") for size in message.x_extents) or (0,) * order
    return SparseAccumulator(reduced, tuple(reversed(kept)), extents)


def _pair(operation: Operation, message: Any) -> Block:
    operation.read(message.input_outer_crd, CRD, "input_outer_crd")
    operation.read(message.input_inner_crd, CRD, "input_inner_crd")
    operation.write(message.output_outer_crd, CRD, "outer")
    operation.write(message.output_inner_crd, CRD, "inner")
    if operation.kind == "coord_drop":
        return CoordDrop(message.outer_crd, message.inner_crd)
    return CoordHold(message.outer_crd, message.inner_crd)


def _mask(operation: Operation, message: Any) -> Block:
    if not message.x_masked:
        raise operation.fault("it does not say what it masks, and the reference simulator rejects it")
    try:
        masked = Comparison(message.x_masked)
    except ValueError:
        known = ", ".join(repr(each.value) for each in Comparison)
        raise operation.fault(f"mask {message.x_masked!r} is none of {known}") from None
    operation.read(message.input_outer_crd, CRD, "input_outer_crd")
    operation.read(message.input_inner_crd, CRD, "input_inner_crd")
    operation.read(message.input_ref, REF, "input_ref")
    operation.write(message.output_outer_crd, CRD, "outer")
    operation.write(message.output_inner_crd, CRD, "inner")
    operation.write(message.output_ref, REF, "ref")
    return CoordMask(message.x_outer, message.x_inner, masked)


def _bundle(operation: Operation, message: Any) -> tuple[StreamKind, Any]:
    kind = message.WhichOneof("conn")
    if kind is None:
        raise operation.fault("it has no streams")
    return _KINDS[kind], getattr(message, kind)


def _lanes(operation: Operation, kind: StreamKind, streams: Iterable[Any]) -> int:
    lanes = len(list(streams))
    if not 1 <= lanes <= MOST_LANES:
        raise operation.fault(f"it has {lanes} lanes; from 1 to {MOST_LANES} are read")
    if kind is SIGNAL:
        raise operation.fault("it deals out repeat signals, which the reference simulator rejects")
    return lanes


def _fork(operation: Operation, message: Any) -> Block:
    kind, bundle = _bundle(operation, message)
    lanes = _lanes(operation, kind, bundle.outputs)
    operation.read(bundle.input, kind, "input")
    for number, stream in enumerate(bundle.outputs):
        operation.write(stream, kind, f"out{number}")
    return Fork(lanes, kind)


def _gather(operation: Operation, message: Any) -> Block:
    kind, bundle = _bundle(operation, message)
    lanes = _lanes(operation, kind, bundle.inputs)
    for number, stream in enumerate(bundle.inputs):
        operation.read(stream, kind, f"inputs[{number}]")
    guarded = message.HasField("x_guard")
    if guarded:
        operation.read(message.x_guard, CRD, "x_guard")
    operation.write(bundle.output, kind, "out")
    return Gather(lanes, kind, guarded)


def _broadcast(operation: Operation, message: Any) -> Block | None:
    kind, bundle = _bundle(operation, message)
    operation.read(bundle.input, kind, "input")
    for number, stream in enumerate(bundle.outputs):
        operation.write(stream, kind, f"outputs[{number}]")
    return None


_MAKERS: dict[str, Callable[[Operation, Any], Block | None]] = {
    "root": _root,
    "joiner": _joiner,
    "fiber_lookup": _lookup,
    "fiber_write": _crd_write,
    "repeat": _repeat,
    "repeatsig": _repeatsig,
    "alu": _alu,
    "reduce": _reduce,
    "coord_hold": _pair,
    "coord_drop": _pair,
    "coord_mask": _mask,
    "array": _array,
    "spacc": _accumulator,
    "val_write": _val_write,
    "broadcast": _broadcast,
    "fork": _fork,
    "join": _gather,
    "locate": _locate,
}
