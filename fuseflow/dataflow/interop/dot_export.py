"""From a graph of ours to DOT as SAM writes it: every attribute twice, as such and within ``comment``.

Where SAM has the block, the node has SAM's type and attributes. What SAM cannot say stands in attributes that begin
with ``ff_`` (and port names on every edge), which SAM's tools pass over; blocks that SAM does not have keep our name.
"""

from collections.abc import Mapping
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
    Missing,
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
from fuseflow.dataflow.graph import Graph, Node, Port
from fuseflow.dataflow.interop.draft import trace_reference
from fuseflow.dataflow.interop.tiles import refuse_tiles
from fuseflow.dataflow.tokens import StreamKind, Token, show_tokens
from fuseflow.dataflow.verify import verify
from fuseflow.einsum.operators import BinaryOp, ReduceOp
from fuseflow.formats import FiberTree, Format

Attributes = dict[str, str]

_STYLES = {StreamKind.REF: "bold", StreamKind.CRD: "dashed", StreamKind.SIGNAL: "dotted", StreamKind.VAL: ""}
_COLOURS = {
    "fiberlookup": "green4", "fiberwrite": "green3", "arrayvals": "green2", "repeat": "cyan2", "repsiggen": "cyan3",
    "intersect": "purple", "union": "purple", "crddrop": "orange", "crdhold": "orange",
}  # fmt: skip


def sam_dot(graph: Graph, tensors: Mapping[str, FiberTree | Format] | None = None) -> str:
    """SAM DOT text of ``graph``. ``tensors`` (or their formats) give the mode orders of what it reads; a tensor that
    is not among them is taken to be stored dimension by dimension.

    Raises VerifyError for a graph that is not well formed.
    """
    verify(graph)
    refuse_tiles(graph, "SAM's values are numbers")
    return _Exporter(graph, tensors or {}).text()


class _Exporter:
    """One export: mode orders by tensor, and the roots that SAM leaves out."""

    def __init__(self, graph: Graph, tensors: Mapping[str, FiberTree | Format]) -> None:
        self.graph = graph
        self.formats = self.header(tensors)
        readers: dict[Port, list[Node]] = {}
        for node in graph:
            for port in node.inputs:
                readers.setdefault(port, []).append(node)
        self.folded = {
            node.name
            for node in graph
            if isinstance(node.block, Root)
            and len(found := readers.get(Port(node.name, "ref"), [])) == 1
            and _takes_root(found[0], node.name)
        }

    def header(self, tensors: Mapping[str, FiberTree | Format]) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Level letters and mode order of every tensor, the results first."""
        found = {each.tensor: ("s" * len(each.indices), tuple(each.mode_order)) for each in self.graph.outputs}
        levels: dict[str, dict[int, str]] = {}
        for node in self.graph:
            match node.block:
                case LevelScanner(tensor=tensor, level=level):
                    levels.setdefault(tensor, {})[level] = "d" if node.block.dense else "s"
                case Locate(tensor=tensor, level=level):
                    levels.setdefault(tensor, {}).setdefault(level, "d")
                case Root(tensor=tensor) | Array(tensor=tensor):
                    levels.setdefault(tensor, {})
                case _:
                    pass
        for tensor, known in levels.items():
            order = max(known, default=-1) + 1
            tree = tensors.get(tensor)
            layout = tree.format if isinstance(tree, FiberTree) else tree
            modes = tuple(range(order)) if layout is None or layout.order < order else layout.mode_order
            found[tensor] = ("".join(known.get(level, "d") for level in range(len(modes))), modes)
        return found

    def text(self) -> str:
        header = ",".join(
            f"{tensor}={letters + ''.join(map(str, modes)) if letters else 'none'}"
            for tensor, (letters, modes) in self.formats.items()
        )
        shapes = ",".join(f"{each.tensor}={'x'.join(map(str, each.shape))}" for each in self.graph.outputs)
        lines = [
            "digraph SAM {",
            f"    comment={_quoted(header)}",
            f"    ff_name={_quoted(self.graph.name)}",
            f"    ff_results={_quoted(shapes)}",
        ]
        for node in self.graph:
            lines += self.node(node)
        for node in self.graph:
            lines += self.edges(node)
        return "\n".join([*lines, "}", ""])

    def node(self, node: Node) -> list[str]:
        if node.name in self.folded:
            return []
        kind, sam, own = self.describe(node)
        own |= {"ff_part": node.part.value, "ff_role": node.role}
        lines = []
        if isinstance(node.block, Repeat):
            lines.append(_node(_signal(node.name), "repsiggen", {"index": node.block.index}, {}))
        lines.append(_node(node.name, kind, sam, own))
        return lines

    def root(self, node: Node) -> tuple[str, Attributes]:
        """``root`` for SAM, and the name of the root node that it stands for."""
        source = node.inputs[0].node
        if source not in self.folded:
            return "false", {}
        return "true", {"ff_root": source, "ff_root_role": self.graph.node(source).role}

    def mode(self, tensor: str, level: int) -> str:
        return str(self.formats[tensor][1][level])

    def describe(self, node: Node) -> tuple[str, Attributes, Attributes]:
        """Type, SAM's attributes and ours."""
        block = node.block
        match block:
            case LevelScanner(tensor=tensor, level=level, index=index, extent=extent):
                root, own = self.root(node)
                if extent is not None:
                    own["ff_extent"] = str(extent)
                sam = {
                    "index": index, "tensor": tensor, "mode": self.mode(tensor, level),
                    "format": "dense" if block.dense else "compressed", "src": "true", "root": root,
                }  # fmt: skip
                return "fiberlookup", sam, own | _missing(block.missing)
            case Repeat(index=index) | Repeater(index=index):
                root, own = self.root(node)
                tensor = own["ff_root"] if own else ""
                tensor = _root_tensor(self.graph, tensor) if tensor else ""
                return "repeat", {"index": index, "tensor": tensor, "root": root}, own | _missing(block.missing)
            case Joiner(join=join, index=index):
                return join.value, {"index": index}, {}
            case BinaryALU(op=BinaryOp.ADD | BinaryOp.SUB as op):
                return "add", {"sub": "1" if op is BinaryOp.SUB else "0"}, {}
            case Reduce(op=op, guarded=guarded):
                return "reduce" if op is ReduceOp.SUM else "max_reduce", {}, {"ff_guarded": "true"} if guarded else {}
            case SparseAccumulator(reduced=reduced, indices=indices, extents=extents):
                names = {f"in{number}": index for number, index in enumerate(reversed(indices))}
                own = {"ff_reduced": reduced, "ff_extents": ",".join(map(str, extents))}
                return "spaccumulator", {"order": str(block.order), **names}, own
            case CrdWriter(tensor=tensor, level=level, index=index):
                sam = {
                    "index": index, "tensor": tensor, "mode": self.mode(tensor, level), "format": "compressed",
                    "segsize": _product(self.sizes(tensor, level), "+1"),
                    "crdsize": _product(self.sizes(tensor, level + 1), ""), "sink": "true",
                }  # fmt: skip
                return "fiberwrite", sam, {}
            case ValWriter(tensor=tensor):
                size = _product(self.sizes(tensor, len(self.formats[tensor][1])), "")
                return "fiberwrite", {"mode": "vals", "tensor": tensor, "size": size, "sink": "true"}, {}
            case _:
                return plain(block)

    def sizes(self, tensor: str, levels: int) -> tuple[int, ...]:
        (output,) = (each for each in self.graph.outputs if each.tensor == tensor)
        return tuple(output.shape[mode] for mode in output.mode_order[:levels])

    def edges(self, node: Node) -> list[str]:
        lines = []
        names = _operands(self.graph, node)
        for spec, port in zip(node.block.inputs, node.inputs, strict=True):
            if port.node in self.folded:
                continue
            kind = self.graph.stream_kind(port)
            target, to = node.name, spec.name
            hint = _input_hint(node.block, spec, names)
            if isinstance(node.block, Repeat) and spec.name == "signal":
                signal = _signal(node.name)
                lines.append(_edge(port.node, signal, kind, "", port.name, "in"))
                lines.append(_edge(signal, node.name, StreamKind.SIGNAL, "", "signal", "signal"))
                continue
            lines.append(_edge(port.node, target, kind, hint, port.name, to))
        return lines


def plain(block: Block) -> tuple[str, Attributes, Attributes]:
    """Type and attributes of blocks that need nothing but themselves."""
    match block:
        case Root(tensor=tensor):
            return "root", {"tensor": tensor}, {}
        case Locate(tensor=tensor, level=level, index=index, extent=extent, has_parent=has_parent):
            own = {"ff_level": str(level), "ff_extent": str(extent), "ff_parent": str(has_parent).lower()}
            return "locate", {"index": index, "tensor": tensor}, own
        case Array(tensor=tensor):
            return "arrayvals", {"tensor": tensor}, {}
        case BinaryALU(op=op):
            return {BinaryOp.MAX: "maximum", BinaryOp.MIN: "minimum"}.get(op, op.value), {}, {}
        case UnaryALU(op=op, scalar=scalar):
            return op.value, {}, {"ff_scalar": repr(scalar)} if op.takes_scalar else {}
        case RepeatSignal(index=index):
            return "repsiggen", {"index": index}, {"ff_unit": "true"}
        case CoordDrop(outer=outer, inner=inner):
            return "crddrop", {"outer": outer, "inner": inner}, {}
        case CoordHold(outer=outer, inner=inner):
            return "crdhold", {"outer": outer, "inner": inner}, {}
        case CoordMask(outer=outer, inner=inner, masked=masked):
            return "crdmask", {"outer": outer, "inner": inner}, {"ff_masked": masked.value}
        case Flatten(outer=outer, inner=inner, index=index, factor=factor):
            return "flatten", {"outer": outer, "inner": inner, "index": index}, {"ff_factor": str(factor)}
        case Fork(lanes=lanes, payload=payload):
            return "fork", {}, {"ff_lanes": str(lanes), "ff_payload": payload.value, **_ranges(block)}
        case Gather(lanes=lanes, payload=payload, guarded=guarded, depth=depth):
            own = {"ff_lanes": str(lanes), "ff_payload": payload.value, "ff_guarded": str(guarded).lower()}
            return "gather", {}, {**own, "ff_depth": str(depth), **_ranges(block)}
        case Concat(index=index, operands=operands, payload=payload, offsets=offsets):
            own = {"ff_operands": str(operands), "ff_payload": payload.value}
            return "concat", {"index": index}, {**own, "ff_offsets": " ".join(map(str, offsets))}
        case StopDrop(payload=payload):
            return "stopdrop", {}, {"ff_payload": payload.value}
        case ValueDrop(index=index):
            return "valdrop", {"index": index}, {}
        case Sink():
            return "sink", {}, {}
        case Generator(stream=stream, tokens=tokens, tensor=tensor, level=level):
            own = {"ff_stream": stream.value, "ff_tokens": _tokens(tokens), "ff_level": str(level)}
            return "generator", {"tensor": tensor or ""}, own
        case (
            LevelScanner()
            | Repeat()
            | Repeater()
            | Joiner()
            | Reduce()
            | SparseAccumulator()
            | CrdWriter()
            | ValWriter()
        ):
            raise AssertionError("described with its graph")
        case _:
            assert_never(block)


def _ranges(block: Fork | Gather) -> dict[str, str]:
    """How a fork deals by ranges; nothing where it deals in turn."""
    found = {"ff_boundaries": block.boundaries, "ff_owners": block.owners}
    return {key: " ".join(map(str, numbers)) for key, numbers in found.items() if numbers}


def _tokens(tokens: tuple[Token, ...]) -> str:
    """Every digit of floats, unlike what is shown to people."""
    return " ".join(repr(token) if isinstance(token, float) else show_tokens([token]) for token in tokens)


def _takes_root(node: Node, root: str) -> bool:
    """Whether SAM's ``root=true`` on ``node`` says that it reads ``root``."""
    scans = isinstance(node.block, LevelScanner | Repeat | Repeater)
    return scans and node.inputs[0].node == root


def _root_tensor(graph: Graph, root: str) -> str:
    block = graph.node(root).block
    return block.tensor if isinstance(block, Root) else ""


def _missing(missing: Missing) -> Attributes:
    return {"ff_missing": "forward"} if missing is Missing.FORWARD else {}


def _signal(name: str) -> str:
    return f"{name} signal"


def _product(sizes: tuple[int, ...], more: str) -> str:
    """Sizes multiplied out, one more for segments."""
    total = 1
    for size in sizes:
        total *= size
    return str(total + 1 if more else total)


def _operands(graph: Graph, node: Node) -> list[str]:
    """What SAM calls the operands of a joiner: the tensors their references lead into, numbered where two are alike."""
    if not isinstance(node.block, Joiner):
        return []
    nodes = {each.name: each for each in graph}
    names: list[str] = []
    for number in range(len(node.block.payloads)):
        found = trace_reference(nodes, node.inputs[2 * number + 1])
        base = found[0] if found else node.inputs[2 * number + 1].node
        names.append(base if base not in names else f"{base}.{number}")
    return names


def _input_hint(block: Block, spec: PortSpec, operands: list[str]) -> str:
    match block:
        case Joiner():
            return f"in-{operands[int(spec.name.lstrip('crdin'))]}"
        case SparseAccumulator(reduced=reduced, indices=indices) if spec.name.startswith("crd"):
            return f"in-{[*reversed(indices), reduced][int(spec.name[3:])]}"
        case CoordDrop(outer=outer, inner=inner) | CoordHold(outer=outer, inner=inner):
            return f"{spec.name}-{outer if spec.name == 'outer' else inner}"
        case _:
            return ""


def _node(name: str, kind: str, sam: Attributes, own: Attributes) -> str:
    shown = {"type": kind, **sam}
    comment = ",".join(f"{key}={value}" for key, value in shown.items())
    drawn = {"label": f"{kind} {sam.get('index', '')} {sam.get('tensor', '')}".strip(), "shape": "box"}
    drawn |= {"style": "filled", "color": _COLOURS.get(kind, "brown")}
    pairs = {"comment": comment, **drawn, **shown, **{key: value for key, value in own.items() if value}}
    return f"    {_quoted(name)} [{' '.join(f'{key}={_quoted(value)}' for key, value in pairs.items())}]"


def _edge(source: str, target: str, kind: StreamKind, hint: str, out: str, into: str) -> str:
    label = f"{kind.value}_{hint}" if hint else kind.value
    pairs = {"label": label, "style": _STYLES[kind], "type": kind.value, "comment": hint, "ff_from": out, "ff_to": into}
    text = " ".join(f"{key}={_quoted(value)}" for key, value in pairs.items() if value or key == "comment")
    return f"    {_quoted(source)} -> {_quoted(target)} [{text}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
