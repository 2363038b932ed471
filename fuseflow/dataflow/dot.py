"""Dataflow graphs as Graphviz DOT text.

Streams are styled as in SAM (references bold, coordinates dashed, values plain, repeat signals dotted), block families
differ in shape and fill, and the three parts of a region are clusters. Colour only repeats what line and shape already
say. Labels are plain text, so that every Graphviz build draws them; nodes, edges and clusters carry ``id`` and
``class``, so that a page can find them in the SVG: ``node-<name>``, ``edge-<from>.<port>-<to>.<port>``,
``part-<part>``.
"""

from dataclasses import dataclass
from typing import assert_never

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Concat,
    CoordDrop,
    CoordHold,
    CoordMask,
    CrdWriter,
    Flatten,
    Fork,
    Gather,
    Generator,
    Joiner,
    LevelScanner,
    Locate,
    PortSpec,
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
from fuseflow.dataflow.graph import Graph, Node, Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp, UnaryOp

FONT = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class _Family:
    """How one family of blocks looks: ``name`` is its SVG class, ``label`` its line in the legend."""

    name: str
    label: str
    shape: str
    fill: str
    style: str = "filled"
    peripheries: int = 1
    margin: str = "0.12,0.06"

    @property
    def attributes(self) -> dict[str, str]:
        return {
            "shape": self.shape,
            "style": self.style,
            "fillcolor": self.fill,
            "peripheries": str(self.peripheries),
            "margin": self.margin,
        }


_SOURCE = _Family("source", "root", "oval", "#FFFFFF", margin="0.04,0.02")
_SCAN = _Family("scan", "level scanner", "box", "#CFE4F5")
_REPEAT = _Family("repeat", "repeat", "box", "#FFF3C4", "rounded,filled")
_JOIN = _Family("join", "intersect, union", "hexagon", "#D5EDE3", margin="0,0")
_LOCATE = _Family("locate", "locate", "box", "#CFE4F5", "filled,diagonals")
_ARRAY = _Family("array", "array", "cylinder", "#FBDDC1")
_ALU = _Family("alu", "ALU", "oval", "#F6D5E5", peripheries=2, margin="0.04,0.02")
_FOLD = _Family("fold", "reduce, accumulate", "invtrapezium", "#E3D8EE", margin="0,0")
_CRD = _Family("coordinates", "drop, hold, mask, flatten", "parallelogram", "#E4EFC8", margin="0,0")
_LANES = _Family("lanes", "fork, gather", "trapezium", "#D3EDEF", margin="0,0")
_SINK = _Family("sink", "sink", "oval", "#E6E6E6", margin="0.04,0.02")
_WRITE = _Family("write", "writer", "note", "#E6E6E6")
_FAMILIES = (_SOURCE, _SCAN, _REPEAT, _JOIN, _LOCATE, _ARRAY, _ALU, _FOLD, _CRD, _LANES, _SINK, _WRITE)


@dataclass(frozen=True, slots=True)
class _Line:
    """How one kind of stream is drawn; the colours are told apart with any colour vision (Okabe and Ito)."""

    label: str
    style: str
    colour: str
    width: float


_LINES = {
    StreamKind.REF: _Line("reference", "bold", "#0072B2", 2.2),
    StreamKind.CRD: _Line("coordinate", "dashed", "#B84E00", 1.2),
    StreamKind.VAL: _Line("value", "solid", "#222222", 1.1),
    StreamKind.SIGNAL: _Line("coordinate, as repeat signal", "dotted", "#8A5A78", 1.4),
}

_PARTS = {
    Part.ITERATION: ("iteration", "#F7FAFD"),
    Part.COMPUTE: ("compute", "#FEFAF5"),
    Part.CONSTRUCTION: ("tensor construction", "#F7F7F7"),
}


_BINARY = {
    BinaryOp.MUL: "a × b",
    BinaryOp.ADD: "a + b",
    BinaryOp.SUB: "a - b",
    BinaryOp.DIV: "a / b",
    BinaryOp.MAX: "max(a, b)",
    BinaryOp.MIN: "min(a, b)",
}
_SCALAR = {
    UnaryOp.ADD_SCALAR: "val + {:g}",
    UnaryOp.MUL_SCALAR: "val × {:g}",
    UnaryOp.DIV_SCALAR: "val / {:g}",
    UnaryOp.POW_SCALAR: "val ^ {:g}",
    UnaryOp.MAX_SCALAR: "max(val, {:g})",
    UnaryOp.MIN_SCALAR: "min(val, {:g})",
    UnaryOp.LEAKY_RELU: "leaky_relu(val, {:g})",
    UnaryOp.ELU: "elu(val, {:g})",
}

_LEGEND_COLUMNS = 3
"""Families side by side in the legend."""

# Edges first: a stream that is led across a block is painted below it, or neither's words could be read.
_GRAPH = {
    "newrank": "true", "fontname": FONT, "nodesep": "0.3", "ranksep": "0.45", "bgcolor": "white", "tooltip": " ",
    "outputorder": "edgesfirst",
}  # fmt: skip
_NODE = {"fontname": FONT, "fontsize": "11", "color": "#444444", "height": "0.35"}
_EDGE = {"fontname": FONT, "fontsize": "9", "arrowsize": "0.7"}


def to_dot(graph: Graph, *, title: str | None = None, legend: bool = True) -> str:
    """DOT text of ``graph``, the same for equal graphs; ``title`` replaces the graph's name.

    The legend lists only the families and streams that occur. Raises VerifyError if an input reads a port that does
    not exist; nothing else is verified, so that a faulty graph can be looked at.
    """
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        _statement("graph", label=graph.name if title is None else title, labelloc="t", fontsize=18, **_GRAPH),
        _statement("node", **_NODE),
        _statement("edge", **_EDGE),
    ]
    for part, (label, fill) in _PARTS.items():
        members = [node for node in graph.nodes if node.part is part]
        if members:
            lines += _cluster(part.value, f"part-{part.value}", label, fill, [_node(node) for node in members])
    writers = [_quoted(node.name) for node in graph.nodes if _family(node.block) is _WRITE]
    if writers:
        lines.append(f"  {{ rank=sink; {'; '.join(writers)} }}")
    for node in graph.nodes:
        lines += _edges(graph, node)
    if legend and graph.nodes:
        lines += _legend(graph)
    return "\n".join([*lines, "}", ""])


def describe(block: Block) -> str:
    """What ``block`` does, in a few words: the second line of its node."""
    match block:
        case Root(tensor=tensor):
            return f"tensor {tensor}"
        case LevelScanner():
            size = f"dense, {block.extent}" if block.dense else "compressed"
            return f"{block.tensor} level {block.level}, index {block.index}\n{size}"
        case Repeat(index=index, payload=payload):
            return f"{payload.value} for each {index}"
        case Joiner(join=join, index=index, payloads=payloads):
            return f"{join.value} at {index}, {len(payloads)} operands"
        case Locate(tensor=tensor, level=level, index=index):
            return f"{tensor} level {level}, index {index}"
        case Array(tensor=tensor):
            return f"values of {tensor}"
        case BinaryALU(op=op):
            return _BINARY[op]
        case UnaryALU(op=op, scalar=scalar):
            return _SCALAR[op].format(scalar) if op.takes_scalar else f"{op.value}(val)"
        case Reduce(op=op, guarded=guarded):
            return f"{op.value} of innermost" + (", guarded" if guarded else "")
        case SparseAccumulator(reduced=reduced, indices=indices):
            return f"sum over {reduced} into {','.join(indices)}"
        case CrdWriter(tensor=tensor, level=level, index=index):
            return f"{tensor} level {level}, index {index}"
        case ValWriter(tensor=tensor):
            return f"values of {tensor}"
        case Generator(stream=stream, tokens=tokens):
            return f"{len(tokens)} {stream.value} tokens"
        case Sink():
            return "drops what comes"
        case RepeatSignal(index=index):
            return f"repeat signal over {index}"
        case Repeater(index=index, payload=payload):
            return f"{payload.value} for each {index}, by signal"
        case CoordDrop(outer=outer, inner=inner):
            return f"{outer} without any {inner}"
        case CoordHold(outer=outer, inner=inner):
            return f"{outer} for each {inner}"
        case CoordMask(outer=outer, inner=inner, masked=masked):
            return f"drop where {masked.value}\no = {outer}, i = {inner}"
        case Flatten(outer=outer, inner=inner, index=index, factor=factor):
            return f"{index} = {outer} × {factor} + {inner}"
        case Fork(lanes=lanes):
            return f"into {lanes} lanes"
        case Gather(lanes=lanes, guarded=guarded):
            return f"from {lanes} lanes" + (", guarded" if guarded else "")
        case Concat(index=index, operands=operands):
            return f"{index} from {operands} streams"
        case StopDrop():
            return "repeated stops"
        case ValueDrop(index=index):
            return f"zeros, at {index}"
        case _:
            assert_never(block)


def _family(block: Block) -> _Family:
    match block:
        case Root() | Generator():
            return _SOURCE
        case LevelScanner():
            return _SCAN
        case Repeat() | RepeatSignal() | Repeater():
            return _REPEAT
        case Joiner():
            return _JOIN
        case Locate():
            return _LOCATE
        case Array():
            return _ARRAY
        case BinaryALU() | UnaryALU():
            return _ALU
        case Reduce() | SparseAccumulator():
            return _FOLD
        case CrdWriter() | ValWriter():
            return _WRITE
        case CoordDrop() | CoordHold() | CoordMask() | Flatten() | StopDrop() | ValueDrop():
            return _CRD
        case Fork() | Gather() | Concat():
            return _LANES
        case Sink():
            return _SINK
        case _:
            assert_never(block)


def _drawn_kind(graph: Graph, node: Node, spec: PortSpec, port: Port) -> StreamKind:
    """A stream that only tells a repeater how often is drawn as the repeat signal it becomes there."""
    kind = graph.stream_kind(port)
    return StreamKind.SIGNAL if isinstance(node.block, Repeat) and spec.name == "signal" else kind


def _node(node: Node) -> str:
    family = _family(node.block)
    text = describe(node.block)
    return _statement(
        _quoted(node.name), label=f"{node.name}\n{text}", id=f"node-{node.name}", tooltip=node.role or text,
        **{"class": f"block {family.name}"}, **family.attributes,
    )  # fmt: skip


def _edges(graph: Graph, node: Node) -> list[str]:
    """Edges into ``node``. Those from one node run side by side: the first carries the labels of all."""
    wires = list(zip(node.block.inputs, node.inputs, strict=True))
    labels: dict[str, list[str]] = {}
    for spec, port in wires:
        labels.setdefault(port.node, []).append(_label(_drawn_kind(graph, node, spec, port), spec))
    lines = []
    for spec, port in wires:
        label = "\n".join(labels.pop(port.node, ()))
        lines.append(_edge(graph, node, spec, port, label))
    return lines


def _label(kind: StreamKind, spec: PortSpec) -> str:
    if spec.name.startswith(kind.value):
        return spec.name
    return kind.value if spec.name in ("data", "signal") else f"{kind.value} {spec.name}"


def _edge(graph: Graph, node: Node, spec: PortSpec, port: Port, label: str) -> str:
    return _statement(
        f"{_quoted(port.node)} -> {_quoted(node.name)}", label=label, id=f"edge-{port}-{node.name}.{spec.name}",
        tooltip=f"{port} -> {node.name}.{spec.name}: {graph.stream_kind(port).value}",
        **_stroke(_drawn_kind(graph, node, spec, port)),
    )  # fmt: skip


def _stroke(kind: StreamKind) -> dict[str, str | float]:
    line = _LINES[kind]
    return {
        "class": f"stream {kind.value}", "style": line.style, "color": line.colour, "fontcolor": line.colour,
        "penwidth": line.width,
    }  # fmt: skip


def _cluster(name: str, identity: str, label: str, fill: str, body: list[str]) -> list[str]:
    head = _statement(
        "graph", label=label, id=identity, style="rounded,filled", color="#BBBBBB", fillcolor=fill, fontsize=13,
        fontcolor="#555555", labeljust="l",
    )  # fmt: skip
    return [f"  subgraph {_quoted('cluster_' + name)} {{", *(f"  {line}" for line in (head, *body)), "  }"]


def _legend(graph: Graph) -> list[str]:
    """One sample per family and per stream kind that the graph uses; invisible edges put the families into rows."""
    used = {_family(node.block).name for node in graph.nodes}
    families = [family for family in _FAMILIES if family.name in used]
    kinds = {
        _drawn_kind(graph, node, spec, port)
        for node in graph.nodes
        for spec, port in zip(node.block.inputs, node.inputs, strict=True)
    }
    body: list[str] = []
    for family in families:
        body.append(_statement(_quoted(f"legend {family.name}"), label=family.label, fontsize=10, **family.attributes))
    for number in range(_LEGEND_COLUMNS, len(families)):
        above, below = (_quoted(f"legend {families[each].name}") for each in (number - _LEGEND_COLUMNS, number))
        body.append(_statement(f"{above} -> {below}", style="invis"))
    drawn = [kind for kind in _LINES if kind in kinds]
    for number in range(len(drawn) + 1 if drawn else 0):
        body.append(_statement(_quoted(f"legend end {number}"), shape="point", width=0.06, height=0.06, label=""))
    for number, kind in enumerate(drawn):
        ends = f"{_quoted(f'legend end {number}')} -> {_quoted(f'legend end {number + 1}')}"
        body.append(_statement(ends, label=f"{kind.value}: {_LINES[kind].label}", **_stroke(kind)))
    return _cluster("legend", "legend", "legend", "#FFFFFF", body)


def _statement(subject: str, **attributes: str | float) -> str:
    pairs = " ".join(
        f"{key}={_quoted(f'{value:g}' if isinstance(value, float) else value)}" for key, value in attributes.items()
    )
    return f"  {subject} [{pairs}];"


def _quoted(value: str | int) -> str:
    """A DOT string that stands for exactly ``value``: no escape, port or markup in it means anything to Graphviz."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
