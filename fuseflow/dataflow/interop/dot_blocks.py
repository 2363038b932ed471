"""What each node type of SAM's DOT is for us: the block, and which port an edge means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    Comparison,
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
from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.interop.dot_text import DotNode
from fuseflow.dataflow.tokens import StreamKind, parse_tokens
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import VerifyError
from fuseflow.formats import FiberTree, LevelKind
from fuseflow.formats.check import MAX_DIMENSION

BINARY = {
    "mul": BinaryOp.MUL, "fp_mul": BinaryOp.MUL, "fp_add": BinaryOp.ADD, "sub": BinaryOp.SUB, "div": BinaryOp.DIV,
    "fp_div": BinaryOp.DIV, "maximum": BinaryOp.MAX, "minimum": BinaryOp.MIN,
}  # fmt: skip
"""Types of ALUs with two inputs; ``add`` has its sign in an attribute."""
UNARY = {**{op.value: op for op in UnaryOp}, "fp_exp": UnaryOp.EXP}
MOST_OPERANDS = 4096


@dataclass(slots=True)
class Item:
    """A node of the file: SAM's type, its attributes, and what was found out about its inputs.

    ``kinds`` is the stream kind of each input that is fed, ``operands`` the operands of a joiner as they appear,
    ``tree`` the data of the tensor it reads, ``merged`` whether a repeat has taken in its signal generator.
    """

    id: str
    type: str
    line: int
    attributes: Mapping[str, str]
    modes: Mapping[str, tuple[int, ...]]
    where: str
    tree: FiberTree | None
    kinds: dict[str, str] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)
    merged: bool = False

    @classmethod
    def read(
        cls, node: DotNode, modes: Mapping[str, tuple[int, ...]], tensors: Mapping[str, FiberTree], where: str
    ) -> "Item":
        """The item of a node statement; VerifyError if its comment and its attributes disagree."""
        said = {}
        for part in filter(None, node.attributes.get("comment", "").split(",")):
            key, equals, value = part.partition("=")
            if equals:
                said[key.strip()] = value.strip()
        for key, value in said.items():
            if key in node.attributes and node.attributes[key] != value:
                raise VerifyError(
                    f"{where}, line {node.line}: node {node.name!r} has {key}={node.attributes[key]!r}, but its "
                    f"comment says {key}={value!r}; make them agree"
                )
        attributes = {**said, **node.attributes}
        kind = attributes.get("type", "")
        if not kind:
            raise VerifyError(f"{where}, line {node.line}: node {node.name!r} has no type; say what block it is")
        return cls(node.name, kind, node.line, attributes, modes, where, tensors.get(attributes.get("tensor", "")))

    @property
    def name(self) -> str:
        """Name of our node: numbers get their type in front."""
        return f"{self.type}_{self.id}" if self.id.lstrip("-").isdigit() else self.id

    @property
    def shown(self) -> str:
        return f"node {self.id!r} ({self.type})"

    @property
    def drops_zeros(self) -> bool:
        """Whether a coordinate drop is one of values: SAM then calls the inner stream ``vals``."""
        return self.attributes.get("inner") == "vals"

    @property
    def unit(self) -> bool:
        return self.attributes.get("ff_unit") == "true"

    @property
    def takes_points(self) -> bool:
        """Whether it is an accumulator as SAM means it, without what ours needs to know."""
        return self.type == "spaccumulator" and "ff_reduced" not in self.attributes

    @property
    def part(self) -> str:
        return self.attributes.get("ff_part", "")

    @property
    def reads_root(self) -> bool:
        return self.attributes.get("root") == "true" or self.type == "arrayvals"

    @property
    def root_port(self) -> str:
        return "data" if self.type == "repeat" else "ref"

    def fault(self, text: str) -> VerifyError:
        return VerifyError(f"{self.where}, line {self.line}: {self.shown} {text}")

    def get(self, key: str, default: str | None = None) -> str:
        """An attribute; VerifyError if it is missing and there is no default."""
        value = self.attributes.get(key, default)
        if value is None:
            raise self.fault(f"has no attribute {key!r}")
        return value

    def number(self, key: str, most: int = MAX_DIMENSION, default: str | None = None) -> int:
        """An attribute that is a whole number."""
        text = self.get(key, default)
        if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= most):
            raise self.fault(f"has {key}={text!r:.40}; expected a whole number up to {most}")
        return int(text)

    def numbers(self, key: str) -> tuple[int, ...]:
        """An attribute that is a list of whole numbers; none where it is missing."""
        words = self.get(key, "").split()
        for text in words:
            if not (text.isascii() and text.isdigit() and len(text) < 12):
                raise self.fault(f"has {key} with {text!r:.40}; expected whole numbers")
        return tuple(map(int, words))

    def kind(self, key: str) -> StreamKind:
        try:
            return StreamKind(self.get(key))
        except ValueError:
            raise self.fault(f"has {key}={self.get(key)!r:.40}; expected crd, ref or val") from None

    @property
    def missing(self) -> Missing:
        return Missing.FORWARD if self.attributes.get("ff_missing") == "forward" else Missing.EMPTY_FIBER

    def level(self) -> int:
        """Storage level of the dimension that ``mode`` names."""
        tensor, mode = self.get("tensor"), self.number("mode", 99)
        if tensor not in self.modes:
            raise self.fault(f"is of tensor {tensor!r}, whose format the graph's comment does not say")
        if mode not in self.modes[tensor]:
            raise self.fault(f"has mode {mode}, but the comment on top gives {tensor!r} the modes {self.modes[tensor]}")
        return self.modes[tensor].index(mode)


def _hint(attributes: Mapping[str, str]) -> tuple[str, str]:
    """What an edge says about a port: its side (in, out, outer, inner or nothing) and an index variable or a tensor."""
    text = attributes.get("comment") or attributes.get("label", "").partition("_")[2]
    side, dash, name = text.partition("-")
    if not dash:
        side, name = "", text
    return side, attributes.get("index", name) if side not in ("in", "out") else name


def output_port(item: Item, kind: str, attributes: Mapping[str, str]) -> str:
    """The port of ``item`` that an edge of ``kind`` leaves."""
    if "ff_from" in attributes:
        return attributes["ff_from"]
    side, name = _hint(attributes)
    match item.type:
        case "fiberlookup" if kind in ("crd", "ref"):
            return kind
        case "root":
            return "ref"
        case "repeat":
            return "out"
        case "repsiggen":
            return "signal"
        case "intersect" | "union" if kind == "crd":
            return "crd"
        case "intersect" | "union":
            return f"out{operand(item, name)}"
        case "crddrop" if item.drops_zeros:
            return "val" if kind == "val" else "crd"
        case "crddrop" | "crdhold":
            return side if side in ("outer", "inner") else _pair_side(item, name)
        case "spaccumulator" if kind == "crd":
            return f"crd:{name}"
        case "fiberwrite":
            raise item.fault("is a writer; nothing leaves it")
        case "stopdrop" | "gather":
            return "out"
        case _:
            return "val"


def input_port(item: Item, kind: str, attributes: Mapping[str, str], source: Item, fed: Mapping[str, Port]) -> str:
    """The port of ``item`` that an edge of ``kind`` enters; ``fed`` are those that edges before it entered."""
    if "ff_to" in attributes:
        return attributes["ff_to"]
    side, name = _hint(attributes)
    match item.type:
        case "intersect" | "union":
            if side != "in" or not name:
                raise item.fault(f"has an input of kind {kind} that does not say its tensor, as in {kind}_in-B")
            return f"{'crd' if kind == 'crd' else 'in'}{operand(item, name)}"
        case "repeat":
            return "signal" if kind == "repsig" else "data"
        case "repsiggen":
            return "in"
        case "crddrop" if item.drops_zeros:
            return "val" if kind == "val" else "crd"
        case "crddrop" | "crdhold":
            return _pair_side(item, name or source.attributes.get("index", ""))
        case "spaccumulator" if kind == "crd":
            return f"crd:{name}"
        case "fiberwrite":
            return "val" if item.get("mode") == "vals" else "crd"
        case "arrayvals" | "fiberlookup":
            return "ref"
        case "add" | "mul" | "sub" | "div" | "maximum" | "minimum" | "fp_mul" | "fp_add" | "fp_div":
            return "b" if "a" in fed else "a"
        case "stopdrop" | "sink" | "fork":
            return "in"
        case "valdrop":
            return "crd" if kind == "crd" else "val"
        case _:
            return "val"


def operand(item: Item, tensor: str) -> int:
    """Number of the operand of a joiner that belongs to ``tensor``."""
    if tensor not in item.operands:
        if len(item.operands) >= MOST_OPERANDS:
            raise item.fault(f"has more than {MOST_OPERANDS} operands")
        item.operands.append(tensor)
    return item.operands.index(tensor)


def _pair_side(item: Item, index: str) -> str:
    outer, inner = item.get("outer"), item.get("inner")
    if index == outer and index != inner:
        return "outer"
    if index == inner:
        return "inner"
    raise item.fault(f"has a stream of index {index!r}, but works on {outer} and {inner}")


def block_of(item: Item, ports: Mapping[str, Port]) -> Block:
    """The block of an item whose inputs are known."""
    payload = StreamKind.VAL if item.kinds.get("data") == "val" else StreamKind.REF
    match item.type:
        case "root":
            return Root(item.get("tensor"))
        case "fiberlookup":
            return _lookup(item)
        case "repeat" if item.merged:
            return Repeat(item.get("index"), payload, item.missing)
        case "repeat":
            return Repeater(item.get("index"), payload, item.missing)
        case "repsiggen":
            return RepeatSignal(item.get("index"))
        case "intersect" | "union":
            count = len({port.removeprefix("crd").removeprefix("in") for port in ports})
            kinds = tuple(
                StreamKind.VAL if item.kinds.get(f"in{number}") == "val" else StreamKind.REF for number in range(count)
            )
            return Joiner(Join(item.type), item.get("index"), kinds)
        case "arrayvals":
            return Array(item.get("tensor"))
        case "add":
            return BinaryALU(BinaryOp.SUB if item.get("sub", "0") == "1" else BinaryOp.ADD)
        case "reduce" | "max_reduce":
            guarded = item.get("ff_guarded", "") == "true"
            return Reduce(ReduceOp.MAX if item.type == "max_reduce" else ReduceOp.SUM, guarded)
        case "spaccumulator":
            return _accumulator(item)
        case "fiberwrite" if item.get("mode") == "vals":
            return ValWriter(item.get("tensor"))
        case "fiberwrite":
            return CrdWriter(item.get("tensor"), item.level(), item.get("index"))
        case _:
            return _other(item)


def _other(item: Item) -> Block:
    if item.type in BINARY:
        return BinaryALU(BINARY[item.type])
    if item.type in UNARY:
        op = UNARY[item.type]
        try:
            return UnaryALU(op, float(item.get("ff_scalar", "0" if not op.takes_scalar else None)))
        except ValueError:
            raise item.fault(f"has ff_scalar={item.get('ff_scalar')!r:.40}; expected a number") from None
    match item.type:
        case "locate":
            parent = item.get("ff_parent", "false") == "true"
            level, extent = item.number("ff_level", 99), item.number("ff_extent")
            return Locate(item.get("tensor"), level, item.get("index"), extent, parent)
        case "crddrop" if item.drops_zeros:
            return ValueDrop(item.get("outer"))
        case "crddrop":
            return CoordDrop(item.get("outer"), item.get("inner"))
        case "crdhold":
            return CoordHold(item.get("outer"), item.get("inner"))
        case "crdmask":
            try:
                return CoordMask(item.get("outer"), item.get("inner"), Comparison(item.get("ff_masked")))
            except ValueError:
                raise item.fault(f"has ff_masked={item.get('ff_masked')!r:.40}, which is no comparison") from None
        case "flatten":
            return Flatten(item.get("outer"), item.get("inner"), item.get("index"), item.number("ff_factor"))
        case "fork":
            lanes = item.number("ff_lanes", MOST_OPERANDS)
            return Fork(lanes, item.kind("ff_payload"), item.numbers("ff_boundaries"), item.numbers("ff_owners"))
        case "gather":
            guarded = item.get("ff_guarded", "false") == "true"
            lanes, depth = item.number("ff_lanes", MOST_OPERANDS), item.number("ff_depth", 99, "1")
            ranges = item.numbers("ff_boundaries"), item.numbers("ff_owners")
            return Gather(lanes, item.kind("ff_payload"), guarded, depth, *ranges)
        case "concat":
            operands, offsets = item.number("ff_operands", MOST_OPERANDS), item.numbers("ff_offsets")
            return Concat(item.get("index"), operands, item.kind("ff_payload"), offsets)
        case "stopdrop":
            return StopDrop(item.kind("ff_payload"))
        case "valdrop":
            return ValueDrop(item.get("index"))
        case "sink":
            return Sink()
        case "generator":
            kind = item.kind("ff_stream")
            level = -1 if item.get("ff_level", "-1") == "-1" else item.number("ff_level", 99)
            return Generator(kind, tuple(parse_tokens(item.get("ff_tokens"), kind)), item.get("tensor") or None, level)
        case _:
            raise item.fault(f"is of type {item.type!r}, which no block here has")


def _lookup(item: Item) -> LevelScanner:
    level, layout = item.level(), item.get("format")
    if layout not in ("dense", "compressed"):
        raise item.fault(f"has format {layout!r:.40}; expected dense or compressed")
    tree = item.tree
    if tree is not None:
        _check_tree(item, tree, level, layout)
    extent = None
    if layout == "dense":
        if "ff_extent" in item.attributes:
            extent = item.number("ff_extent")
        elif tree is not None:
            extent = tree.shape[tree.format.mode_order[level]]
        else:
            raise item.fault("scans a dense level, whose size the file does not say; give the tensor")
    return LevelScanner(item.get("tensor"), level, item.get("index"), extent, item.missing)


def _check_tree(item: Item, tree: FiberTree, level: int, layout: str) -> None:
    tensor = item.get("tensor")
    if tree.format.mode_order != item.modes[tensor]:
        raise item.fault(
            f"reads tensor {tensor!r} in mode order {item.modes[tensor]}, but the data given are stored in "
            f"{tree.format.mode_order}; convert them"
        )
    kind = LevelKind.DENSE if layout == "dense" else LevelKind.COMPRESSED
    if layout == "compressed" and tree.format.levels[level].kind is not kind:
        raise item.fault(
            f"reads level {level} of {tensor!r} as compressed, but the data given store it "
            f"{tree.format.levels[level].kind.name.lower()}; convert them"
        )


def _accumulator(item: Item) -> SparseAccumulator:
    """The block that our own attributes describe; what SAM means by points is read by :mod:`.dot_points`."""
    order = item.number("order", 10)
    if order < 1:
        raise item.fault("has order 0; a sum without index variables is a reduce")
    names = tuple(item.get(f"in{number}") for number in range(order))
    extents = [part for part in item.get("ff_extents", ",".join(["0"] * order)).split(",") if part]
    if len(extents) != order or not all(part.isascii() and part.isdigit() and len(part) < 11 for part in extents):
        raise item.fault(f"has ff_extents={item.get('ff_extents')!r:.40}; expected {order} sizes")
    return SparseAccumulator(item.get("ff_reduced"), tuple(reversed(names)), tuple(map(int, extents)))
