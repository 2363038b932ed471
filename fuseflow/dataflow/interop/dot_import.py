"""From SAM's DOT to a graph of ours.

Broadcasts vanish, a repeat signal generator and its repeat become one block, and roots that SAM leaves out appear.
Ports are found by tensor and index (or by our own port names where the file has them), never by the order of edges
alone; only the operands of an ALU go by it, as SAM's do. SAM's writers skip empty fibers, so a stop dropper stands
before those that follow a coordinate drop; and reductions of a foreign graph are guarded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import CoordDrop, CrdWriter, Joiner, LevelScanner, Locate, Reduce, Root, StopDrop
from fuseflow.dataflow.graph import Graph, Part, Port
from fuseflow.dataflow.interop.alignment import deciders
from fuseflow.dataflow.interop.dot_blocks import Item, block_of, input_port, output_port
from fuseflow.dataflow.interop.dot_points import remove_unread_holds, unfold_points
from fuseflow.dataflow.interop.dot_text import DotEdge, DotGraph, parse_dot
from fuseflow.dataflow.interop.draft import Draft, results
from fuseflow.errors import DataError, FormatError, VerifyError
from fuseflow.formats import FiberTree, Format

_HEADER = re.compile(r"(?P<letters>[a-z]*)(?P<modes>\d*)")
_LETTERS = {"d": "d", "s": "c"}
_KINDS = ("crd", "ref", "val", "repsig")
_BY_STYLE = {"bold": "ref", "dashed": "crd", "dotted": "repsig"}


def from_dot_text(text: str, tensors: Mapping[str, FiberTree] | None = None, where: str = "the graph") -> Graph:
    """The graph that SAM DOT ``text`` describes.

    ``tensors`` are what it reads: their shapes are the sizes that a foreign file does not say. Raises DataError for
    text that is no such DOT (with line and token), VerifyError for a graph that is not right (with block and port).
    """
    return _Importer(parse_dot(text, where), tensors or {}, where).graph()


def header_formats(dot: DotGraph, where: str) -> dict[str, Format]:
    """The format of every tensor, as the graph's comment gives it: ``X=ss01,B=ds10``, the result first.

    DataError for a comment of another form, and for level letters other than d (dense) and s (compressed).
    """
    found: dict[str, Format] = {}
    for part in filter(None, dot.attributes.get("comment", "").split(",")):
        name, equals, layout = part.strip().partition("=")
        match = _HEADER.fullmatch(layout.strip())
        if not equals or match is None:
            raise DataError(
                f"{where}: the graph's comment says {part!r:.60}; expected tensor=letters and storage order, as B=ss01"
            )
        letters, modes = ("", "") if layout.strip() == "none" else match.groups()
        unknown = sorted(set(letters) - set(_LETTERS))
        if unknown or len(letters) != len(modes):
            what = f"not {unknown[0]!r}" if unknown else f"not {len(letters)} letters and {len(modes)} digits"
            raise DataError(
                f"{where}: format {layout!r:.60} of {name!r} must have a letter (d dense, s compressed) and a digit "
                f"per level, {what}"
            )
        text = "".join(_LETTERS[letter] for letter in letters) + (":" + ",".join(modes) if modes else "")
        try:
            found[name] = Format.parse(text, len(letters))
        except FormatError as fault:
            raise DataError(f"{where}: format {layout!r:.60} of {name!r}: {fault}") from None
    return found


@dataclass(slots=True)
class _Wire:
    """An edge with its ends resolved through broadcasts: stream kind and port hints at both ends."""

    source: str
    target: str
    kind: str
    edge: DotEdge
    start: DotEdge
    names: dict[str, str] = field(default_factory=dict)


class _Importer:
    """State of one import."""

    def __init__(self, dot: DotGraph, tensors: Mapping[str, FiberTree], where: str) -> None:
        self.dot, self.tensors, self.where = dot, tensors, where
        self.header = {name: layout.mode_order for name, layout in header_formats(dot, where).items()}
        self.items = {name: Item.read(node, self.header, tensors, where) for name, node in dot.nodes.items()}
        self.draft = Draft(dot.attributes.get("ff_name") or dot.name or "imported")
        self.inputs: dict[str, dict[str, Port]] = {name: {} for name in self.items}

    def fault(self, line: int, text: str) -> VerifyError:
        return VerifyError(f"{self.where}, line {line}: {text}")

    def graph(self) -> Graph:
        wires = self.wires()
        for wire in wires:
            self.connect(wire)
        self.add_nodes()
        for name, item in self.items.items():
            if item.takes_points:
                unfold_points(self.draft, item, self.inputs[name], lambda index: self.size_of("", index))
                self.draft.where[item.name] = f"node {item.id} in line {item.line} of {self.where}"
        if any(item.takes_points for item in self.items.values()):
            remove_unread_holds(self.draft)
        if "ff_name" not in self.dot.attributes:
            self.guard_sums()
        self.drop_stops()
        return self.draft.finish(results(self.draft, self.size_of, self.header))

    # Edges

    def wires(self) -> list[_Wire]:
        """Every edge between blocks, those of broadcasts replaced by edges from what they copy."""
        feeds: dict[str, DotEdge] = {}
        for edge in self.dot.edges:
            for end in (edge.source, edge.target):
                if end not in self.items:
                    raise self.fault(edge.line, f"edge {edge.source} -> {edge.target}: there is no node {end!r}")
            if self.items[edge.target].type == "broadcast":
                if edge.target in feeds:
                    raise self.fault(edge.line, f"broadcast {edge.target!r} has two inputs; it copies one stream")
                feeds[edge.target] = edge
        found = []
        for edge in self.dot.edges:
            if self.items[edge.target].type == "broadcast":
                continue
            start, seen = edge, set()
            while self.items[start.source].type == "broadcast":
                if start.source in seen or start.source not in feeds:
                    raise self.fault(edge.line, f"broadcast {start.source!r} has no input but itself")
                seen.add(start.source)
                start = feeds[start.source]
            kinds = {_kind(edge), _kind(start)}
            if len(kinds) > 1:
                raise self.fault(
                    edge.line,
                    f"edge {edge.source} -> {edge.target} is of kind {_kind(edge)}, but what it copies {_kind(start)}",
                )
            found.append(_Wire(start.source, edge.target, _kind(edge), edge, start))
        return found

    def connect(self, wire: _Wire) -> None:
        source, target = self.items[wire.source], self.items[wire.target]
        port = Port(source.name, output_port(source, wire.kind, wire.start.attributes))
        into = input_port(target, wire.kind, wire.edge.attributes, source, self.inputs[wire.target])
        if into in self.inputs[wire.target]:
            other = self.inputs[wire.target][into]
            raise self.fault(wire.edge.line, f"input {into!r} of {target.shown} is fed twice: by {other} and {port}")
        self.inputs[wire.target][into] = port
        target.kinds[into] = wire.kind

    # Nodes

    def add_nodes(self) -> None:
        """Blocks of all items; roots and merged repeats among them."""
        signals = {item.name: name for name, item in self.items.items() if item.type == "repsiggen" and not item.unit}
        leave_out = set(signals.values())
        for name, item in self.items.items():
            if item.type == "broadcast" or name in leave_out or item.takes_points:
                continue
            ports = self.inputs[name]
            if item.type == "repeat" and "signal" in ports:
                merged = signals.get(ports["signal"].node)
                if merged is not None:
                    if "in" not in self.inputs[merged]:
                        raise self.fault(self.items[merged].line, f"{self.items[merged].shown} has no input")
                    ports["signal"] = self.inputs[merged]["in"]
                    item.merged = True
            if item.reads_root and not (ports.keys() & {"ref", "data"}):
                ports[item.root_port] = self.add_root(item)
            block = block_of(item, ports)
            wanted = [spec.name for spec in block.inputs]
            missing = [each for each in wanted if each not in ports]
            surplus = [each for each in ports if each not in wanted]
            if missing or surplus:
                what = f"input {missing[0]!r} is not fed" if missing else f"has no input {surplus[0]!r}"
                raise self.fault(item.line, f"{item.shown}: {what}; its inputs are {', '.join(wanted) or 'none'}")
            part = Part(item.part) if item.part in [each.value for each in Part] else None
            self.draft.add(item.name, block, [ports[each] for each in wanted], part, item.get("ff_role", ""))
            self.draft.where[item.name] = f"node {item.id} in line {item.line} of {self.where}"

    def add_root(self, item: Item) -> Port:
        tensor = item.get("tensor", "")
        if not tensor:
            raise self.fault(item.line, f"{item.shown} reads a root but names no tensor")
        name = self.draft.fresh(item.get("ff_root", "") or f"root_{tensor}")
        self.draft.add(name, Root(tensor), (), None, item.get("ff_root_role", ""))
        return Port(name, "ref")

    def guard_sums(self) -> None:
        """Tell reductions how many fibers there are, which values with empty fibers above do not (repair 5)."""
        nests, _ = deciders(Graph(self.draft.name, self.draft.ordered(), ()))
        for name, node in list(self.draft.nodes.items()):
            match node.block:
                case Reduce(op=op, guarded=False):
                    above = nests.get(node.inputs[0], ())[-2:-1]
                    if above and isinstance(self.draft.nodes[above[0]].block, Joiner | LevelScanner):
                        self.draft.replace(name, Reduce(op, guarded=True))
                        self.draft.rewire(name, [node.inputs[0], Port(above[0], "crd")])
                case _:
                    pass

    def drop_stops(self) -> None:
        """A stop dropper before every inner writer of a result whose outer coordinates come from a coordinate drop."""
        writers: dict[str, dict[int, str]] = {}
        for name, node in self.draft.nodes.items():
            if isinstance(node.block, CrdWriter):
                writers.setdefault(node.block.tensor, {})[node.block.level] = name
        for levels in writers.values():
            dropped = False
            for level in sorted(levels):
                node = self.draft.nodes[levels[level]]
                source = self.draft.nodes.get(node.inputs[0].node)
                if dropped and source is not None and not isinstance(source.block, StopDrop):
                    name = self.draft.fresh(f"{node.name}_stops")
                    self.draft.add(name, StopDrop(), node.inputs, Part.CONSTRUCTION)
                    self.draft.rewire(node.name, [Port(name, "out")])
                dropped = dropped or (source is not None and isinstance(source.block, CoordDrop))

    # Sizes

    def size_of(self, tensor: str, index: str) -> int:
        """Size of ``index`` as a level of result ``tensor``."""
        given = self.results_shapes().get(tensor)
        if given is not None:
            for node in self.draft.nodes.values():
                match node.block:
                    case CrdWriter(tensor=name, level=level, index=own) if name == tensor and own == index:
                        modes = self.header.get(tensor, ())
                        if level < len(modes) and modes[level] < len(given):
                            return given[modes[level]]
                    case _:
                        pass
        for node in self.draft.nodes.values():
            match node.block:
                case LevelScanner(tensor=name, level=level, index=own) if own == index:
                    if node.block.extent is not None:
                        return node.block.extent
                    if name in self.tensors:
                        return self.tensors[name].shape[self.header[name][level]]
                case Locate(index=own, extent=extent) if own == index:
                    return extent
                case _:
                    pass
        raise VerifyError(
            f"{self.where}: the size of index {index!r} of result {tensor!r} is not known: the file does not say it, "
            "and no tensor with that index is given; give the tensors that the graph reads"
        )

    def results_shapes(self) -> dict[str, tuple[int, ...]]:
        found = {}
        for part in filter(None, self.dot.attributes.get("ff_results", "").split(",")):
            name, _, sizes = part.partition("=")
            texts = [each for each in sizes.split("x") if each]
            if not all(each.isascii() and each.isdigit() and len(each) < 11 for each in texts):
                raise DataError(f"{self.where}: ff_results says {part!r:.60}; expected tensor=sizes, as in X=4x5")
            found[name] = tuple(int(each) for each in texts)
        return found


def _kind(edge: DotEdge) -> str:
    """Stream kind of an edge: its type, or what its label or line style says."""
    found = edge.attributes.get("type") or edge.attributes.get("label", "").partition("_")[0]
    if found in _KINDS:
        return found
    return _BY_STYLE.get(edge.attributes.get("style", ""), "val")
