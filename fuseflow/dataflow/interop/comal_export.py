"""From a graph of ours to the reference simulator's protobuf message.

Channels there have one producer and one consumer, so a port with several readers gets a broadcast, which costs the
cycle that our simulator charges for it. What the reference cannot say travels in extension fields (``schema``);
:func:`extensions` lists it.
"""

from collections.abc import Mapping
from typing import Any, assert_never

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
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.interop.schema import comal_graph, enum_value
from fuseflow.dataflow.interop.tiles import refuse_tiles
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.dataflow.verify import verify
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import VerifyError

CHANNEL_SIZE = 1024
"""What the published compiler writes; the reference simulator ignores it."""

BINARY = {
    BinaryOp.ADD: "ADD",
    BinaryOp.SUB: "SUB",
    BinaryOp.MUL: "MUL",
    BinaryOp.DIV: "DIV",
    BinaryOp.MAX: "X_MAXIMUM",
    BinaryOp.MIN: "X_MINIMUM",
}
UNARY = {
    UnaryOp.IDENTITY: "X_IDENTITY",
    UnaryOp.NEG: "X_NEG",
    UnaryOp.RELU: "MAX",
    UnaryOp.EXP: "EXP",
    UnaryOp.LOG: "X_LOG",
    UnaryOp.SQRT: "X_SQRT",
    UnaryOp.RSQRT: "RSQRT",
    UnaryOp.SIGMOID: "SIGMOID",
    UnaryOp.TANH: "X_TANH",
    UnaryOp.ADD_SCALAR: "SCALARADD",
    UnaryOp.MUL_SCALAR: "SCALARMUL",
    UnaryOp.DIV_SCALAR: "SCALARDIV",
    UnaryOp.MAX_SCALAR: "MAX",
    UnaryOp.ABS: "X_ABS",
    UnaryOp.SQUARE: "X_SQUARE",
    UnaryOp.RECIPROCAL: "X_RECIPROCAL",
    UnaryOp.GELU: "X_GELU",
    UnaryOp.GELU_TANH: "X_GELU_TANH",
    UnaryOp.SILU: "X_SILU",
    UnaryOp.POW_SCALAR: "X_POW_SCALAR",
    UnaryOp.MIN_SCALAR: "X_MIN_SCALAR",
    UnaryOp.LEAKY_RELU: "X_LEAKY_RELU",
    UnaryOp.ELU: "X_ELU",
    UnaryOp.SIN: "SIN",
    UnaryOp.COS: "COS",
}
FIELD = {StreamKind.REF: "ref", StreamKind.VAL: "val", StreamKind.CRD: "crd", StreamKind.SIGNAL: "repsig"}

Modes = Mapping[str, tuple[int, ...]]


def to_message(graph: Graph, modes: Modes | None = None) -> Any:
    """The ``ComalGraph`` message of ``graph``; ``modes`` are the mode orders of the tensors it reads.

    The reference numbers levels by dimension: a tensor without mode order is taken to be stored as it is. Raises
    VerifyError for a graph that is not well formed, or has a block that the schema has no message for.
    """
    verify(graph)
    refuse_tiles(graph, "The reference's blocks are square, its reductions keep their shape")
    return _Exporter(graph, {**{each.tensor: each.mode_order for each in graph.outputs}, **(modes or {})}).message()


def extensions(graph: Graph) -> tuple[str, ...]:
    """What ``graph`` has that the reference simulator does not, node by node; empty if it can run the graph."""
    found = []
    for node in graph:
        match node.block:
            case Reduce(guarded=True):
                found.append(f"{node.name}: a reduction guarded by coordinates")
            case Locate(has_parent=True):
                found.append(f"{node.name}: a locate with a parent reference")
            case SparseAccumulator() as block if block.order > 2:
                found.append(f"{node.name}: a sparse accumulator of order {block.order}")
            case BinaryALU(op=op) if BINARY[op].startswith("X_"):
                found.append(f"{node.name}: a binary {op.value}")
            case UnaryALU(op=op) if UNARY[op].startswith("X_"):
                found.append(f"{node.name}: a unary {op.value}")
            case Gather(guarded=True):
                found.append(f"{node.name}: a guarded gather")
            case CoordMask() | RepeatSignal():
                found.append(f"{node.name}: a {node.block.kind}, which the reference's driver rejects")
            case Repeat() if graph.stream_kind(node.inputs[1]) is StreamKind.CRD:
                found.append(f"{node.name}: a repeat signal made from coordinates")
            case _:
                pass
    return tuple(found)


class _Exporter:
    """One export: channel numbers by kind, and the channels of every reader of every port."""

    def __init__(self, graph: Graph, modes: Modes) -> None:
        self.graph = graph
        self.modes = modes
        self.kinds = {Port(node.name, spec.name): spec.kinds[0] for node in graph for spec in node.block.outputs}
        self.readers: dict[Port, list[tuple[str, int]]] = {}
        for node in graph:
            for number, port in enumerate(node.inputs):
                self.readers.setdefault(port, []).append((node.name, number))
        self.last = dict.fromkeys(StreamKind, 0)
        self.feeds: dict[tuple[str, int], int] = {}
        self.operations: list[Any] = []
        self.root = comal_graph()(name=graph.name, channel_size=CHANNEL_SIZE)

    def message(self) -> Any:
        program = self.root.graph
        program.name = self.graph.name
        for node in self.graph:
            operation = self.operation(node.name)
            operation.x_part, operation.x_role = node.part.value, node.role
            ports = {spec.name: self.produce(Port(node.name, spec.name)) for spec in node.block.outputs}
            self.fill(operation, node, ports)
            for spec in node.block.outputs:
                self.broadcast(Port(node.name, spec.name), ports[spec.name])
        for output in self.graph.outputs:
            self.root.x_results.add(
                tensor=output.tensor, shape=output.shape, mode_order=output.mode_order, indices=output.indices
            )
        return self.root

    def operation(self, name: str) -> Any:
        operators = self.root.graph.operators
        return operators.add(name=name, id=len(operators) + 1)

    def channel(self, kind: StreamKind) -> int:
        self.last[kind] += 1
        return self.last[kind]

    def produce(self, port: Port) -> int:
        """Channel that ``port`` writes: 0 if nobody reads it; its reader's if there is one."""
        targets = self.readers.get(port, [])
        if not targets:
            return 0
        number = self.channel(self.kinds[port])
        if len(targets) == 1:
            self.feeds[targets[0]] = number
        return number

    def broadcast(self, port: Port, number: int) -> None:
        targets = self.readers.get(port, [])
        if len(targets) < 2:
            return
        kind = self.kinds[port]
        operation = self.operation(f"broadcast {port}")
        bundle = getattr(operation.broadcast, FIELD[kind])
        _set(bundle.input, number)
        for target in targets:
            self.feeds[target] = self.channel(kind)
            _set(bundle.outputs.add(), self.feeds[target])

    def fill(self, operation: Any, node: Node, outs: Mapping[str, int]) -> None:
        """The message of ``node``'s block, with its streams."""
        ins = {spec.name: self.feeds[node.name, number] for number, spec in enumerate(node.block.inputs)}
        kinds = {spec.name: self.kinds[port] for spec, port in zip(node.block.inputs, node.inputs, strict=True)}
        match node.block:
            case Root(tensor=tensor):
                _set(operation.root.output_ref, outs["ref"])
                operation.root.tensor = tensor
            case LevelScanner():
                self.lookup(operation.fiber_lookup, node.block, node.inputs[0], ins, outs)
            case Repeat():
                self.repeat(operation.repeat, node, ins, outs, kinds)
            case RepeatSignal(index=index):
                field = {"crd": "input_crd", "ref": "x_input_ref", "val": "x_input_val"}[FIELD[kinds["in"]]]
                _set(getattr(operation.repeatsig, field), ins["in"])
                _set(operation.repeatsig.output_rep_sig, outs["signal"])
                operation.repeatsig.index = index
            case Joiner():
                _joiner(operation.joiner, node.block, ins, outs)
            case Locate():
                _locate(operation.locate, node.block, ins, outs, kinds)
            case Array(tensor=tensor):
                operation.array.tensor = tensor
                _set(operation.array.input_ref, ins["ref"])
                _set(operation.array.output_val, outs["val"])
            case BinaryALU(op=op):
                name = "ELEMMUL" if op is BinaryOp.MUL and not self.summed(node) else BINARY[op]
                _alu(operation.alu, name, [ins["a"], ins["b"]], outs["val"])
            case UnaryALU(op=op, scalar=scalar):
                _alu(operation.alu, UNARY[op], [ins["val"]], outs["val"])
                operation.alu.scalar = scalar
            case Reduce(op=op, guarded=guarded):
                _set(operation.reduce.input_val, ins["val"])
                _set(operation.reduce.output_val, outs["val"])
                operation.reduce.reduce_type = enum_value("Reduce.ReduceType", "MAX" if op is ReduceOp.MAX else "ADD")
                if guarded:
                    _set(operation.reduce.x_guard, ins["crd"])
            case SparseAccumulator():
                _accumulator(operation.spacc, node.block, ins, outs)
            case CrdWriter(tensor=tensor, level=level, index=index):
                write = operation.fiber_write
                _set(write.input_crd, ins["crd"])
                write.tensor, write.index, write.x_level = tensor, index, level
                write.mode_val, write.format, write.sink = str(self.mode(tensor, level)), "compressed", True
            case ValWriter(tensor=tensor):
                _set(operation.val_write.input_val, ins["val"])
                operation.val_write.tensor, operation.val_write.sink = tensor, True
            case CoordDrop(outer=outer, inner=inner) | CoordHold(outer=outer, inner=inner):
                pair = operation.coord_drop if isinstance(node.block, CoordDrop) else operation.coord_hold
                pair.outer_crd, pair.inner_crd = outer, inner
                _pair(pair, ins, outs)
            case CoordMask(outer=outer, inner=inner, masked=masked):
                mask = operation.coord_mask
                mask.x_outer, mask.x_inner, mask.x_masked = outer, inner, masked.value
                _pair(mask, ins, outs)
                _set(mask.input_ref, ins["ref"])
                _set(mask.output_ref, outs["ref"])
            case Fork(payload=payload):
                bundle = getattr(operation.fork, FIELD[payload])
                _set(bundle.input, ins["in"])
                for number in outs.values():
                    _set(bundle.outputs.add(), number)
            case Gather(lanes=lanes, payload=payload, guarded=guarded):
                bundle = getattr(operation.join, FIELD[payload])
                _set(bundle.output, outs["out"])
                for lane in range(lanes):
                    _set(bundle.inputs.add(), ins[f"in{lane}"])
                if guarded:
                    _set(operation.join.x_guard, ins["crd"])
            case Generator() | Sink() | Repeater() | Flatten() | Concat() | StopDrop() | ValueDrop():
                raise VerifyError(
                    f"graph {self.graph.name!r}, node {node.name!r}: the reference's graph files have no operation for "
                    f"a {node.block.kind}; write the graph as DOT instead"
                )
            case _:
                assert_never(node.block)

    def mode(self, tensor: str, level: int) -> int:
        order = self.modes.get(tensor)
        return level if order is None else order[level]

    def summed(self, node: Node) -> bool:
        """Whether the first reader of a product adds it up (compiler §1.5)."""
        first = next(iter(self.readers.get(Port(node.name, "val"), [])), None)
        return first is not None and isinstance(self.graph.node(first[0]).block, Reduce | SparseAccumulator)

    def lookup(
        self, message: Any, block: LevelScanner, source: Port, ins: Mapping[str, int], outs: Mapping[str, int]
    ) -> None:
        _set(message.input_ref, ins["ref"])
        _set(message.output_ref, outs["ref"])
        _set(message.output_crd, outs["crd"])
        message.index, message.tensor, message.mode = block.index, block.tensor, self.mode(block.tensor, block.level)
        message.format = "dense" if block.dense else "compressed"
        message.src, message.root = True, isinstance(self.graph.node(source.node).block, Root)
        message.x_level, message.x_forward = block.level, block.missing is Missing.FORWARD
        if block.extent is not None:
            message.x_extent = block.extent

    def repeat(
        self,
        message: Any,
        node: Node,
        ins: Mapping[str, int],
        outs: Mapping[str, int],
        kinds: Mapping[str, StreamKind],
    ) -> None:
        block = node.block
        assert isinstance(block, Repeat)
        _set(getattr(message, f"in_{FIELD[block.payload]}"), ins["data"])
        _set(getattr(message, f"out_{FIELD[block.payload]}"), outs["out"])
        signal = {"ref": "rep_ref", "val": "rep_val", "crd": "x_rep_crd"}[FIELD[kinds["signal"]]]
        _set(getattr(message, signal), ins["signal"])
        message.index, message.x_forward = block.index, block.missing is Missing.FORWARD
        message.root = isinstance(self.graph.node(node.inputs[0].node).block, Root)


def _set(stream: Any, number: int) -> None:
    """The channel of a stream; 0 is written out, for a stream that is there but not connected."""
    stream.id.id = number
    stream.id.SetInParent()


def _payload(message: Any, kind: StreamKind, number: int) -> None:
    _set(message.val_stream if kind is StreamKind.VAL else message.ref_stream, number)


def _joiner(message: Any, block: Joiner, ins: Mapping[str, int], outs: Mapping[str, int]) -> None:
    message.join_type = enum_value("Joiner.JoinType", "UNION" if block.join is Join.UNION else "INTERSECT")
    message.index = block.index
    _set(message.output_crd, outs["crd"])
    for number, kind in enumerate(block.payloads):
        pair = message.input_pairs.add()
        _set(pair.crd, ins[f"crd{number}"])
        _payload(pair.in_ref, kind, ins[f"in{number}"])
        _payload(message.output_refs.add(), kind, outs[f"out{number}"])


def _locate(
    message: Any, block: Locate, ins: Mapping[str, int], outs: Mapping[str, int], kinds: Mapping[str, StreamKind]
) -> None:
    _set(message.input_crd, ins["crd"])
    field = {StreamKind.VAL: "x_input_val", StreamKind.CRD: "x_input_crd"}.get(kinds["ref"], "input_ref")
    _set(getattr(message, field), ins["ref"])
    for field, name in (("output_ref1", "located"), ("output_ref2", "ref"), ("output_crd", "crd")):
        _set(getattr(message, field), outs[name])
    message.x_tensor, message.x_level, message.x_index = block.tensor, block.level, block.index
    message.x_extent = block.extent
    if block.has_parent:
        _set(message.x_parent, ins["parent"])


def _alu(message: Any, name: str, inputs: list[int], output: int) -> None:
    for number in inputs:
        _set(message.vals.inputs.add(), number)
    _set(message.vals.output, output)
    message.stages.add(inputs=range(len(inputs)), output=0, op=enum_value("ALU.ALUOp", name))


def _accumulator(message: Any, block: SparseAccumulator, ins: Mapping[str, int], outs: Mapping[str, int]) -> None:
    """Outer coordinates from the innermost out, as the reference lists them (rules 3.18, 6.3): last the reduced one."""
    message.order = block.order
    message.inner_crd = block.indices[-1]
    message.x_extents.extend(block.extents)
    _set(message.input_inner_crd, ins["crd0"])
    _set(message.output_inner_crd, outs["crd0"])
    for number in range(1, block.order + 1):
        _set(message.input_outer_crds.add(), ins[f"crd{number}"])
    message.outer_crds.extend((*reversed(block.indices[:-1]), block.reduced))
    for number in range(1, block.order):
        _set(message.output_outer_crds.add(), outs[f"crd{number}"])
    _set(message.input_val, ins["val"])
    _set(message.output_val, outs["val"])


def _pair(message: Any, ins: Mapping[str, int], outs: Mapping[str, int]) -> None:
    _set(message.input_outer_crd, ins["outer"])
    _set(message.input_inner_crd, ins["inner"])
    _set(message.output_outer_crd, outs["outer"])
    _set(message.output_inner_crd, outs["inner"])
