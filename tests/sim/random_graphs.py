"""Random dataflow graphs of every block, with data, machines and depths: deterministic in their seed.

A graph is a nest of coordinate streams ("levels") with references and values that grow block by block: each step looks
at the streams that are there with their nesting and adds a block whose inputs fit. Streams that nobody reads go to
sinks or writers. Everything a step needs to be legal is that the streams it joins come from one nest, which ``Bundle``
keeps: streams of one shape.

Odd seeds give what the chunk core can run: the compiler's own blocks, with nests as the lowering makes them, on machines
without bounded streams and modelled memory. Even seeds give everything.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from fuseflow.dataflow import Graph, Node, Output, Part, Port, Stop, StreamKind
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
from fuseflow.dataflow.tokens import DONE, EMPTY, Token
from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.formats import FiberTree, Format, LevelKind
from fuseflow.sim import BlockTiming, Machine, Memory, ScannerTiming, TurnTiming
from fuseflow.sim.memory import DramTiming

SIZES = (3, 4, 2, 5)
"""Sizes of the dimensions of a tensor, outermost first."""

SLOW = Machine(
    name="slow",
    scanner=ScannerTiming(3, 0.3, 2, 4, 2, 9, 2),
    array=BlockTiming(5, 2),
    binary=BlockTiming(16, 4),
    unary=BlockTiming(7, 3),
    reduce=BlockTiming(9, 2),
    product=BlockTiming(11, 5),
)
MACHINES = (
    Machine(),
    SLOW,
    Machine.pipelined(),
    Machine.block(4),
    Machine.true_block(3),
    Machine(name="hbm", memory=Memory.hbm()),
    Machine(name="hbm2", memory=Memory.hbm2()),
    Machine(name="small dram", memory=Memory.hbm2(DramTiming(2, 2, 64, 16, 3, 5, 7, 4, 20, 1, 2))),
    Machine(name="slow hbm", memory=Memory.hbm(3, 5, 7, 11), array=BlockTiming(4, 1), turns=TurnTiming(2, 1, 3, 2)),
)
PLAIN_MACHINES = (Machine(), Machine(), SLOW, Machine.block(4), Machine.true_block(3))
DEPTHS = (None, None, 1, 2, 3, 5, 16, 200)
SCALARS = {UnaryOp.ADD_SCALAR: 1.5, UnaryOp.MUL_SCALAR: -0.5, UnaryOp.DIV_SCALAR: 4.0}


@dataclass(slots=True)
class Bundle:
    """Streams of one nest: ``crds[l]`` is the coordinate stream of level ``l`` (nested ``l + 1`` deep), with its size;
    ``ref`` (of tensor ``tensor``, innermost level) and ``val`` are as deep as the last of them."""

    crds: list[str]
    sizes: list[int]
    ref: str | None
    tensor: str
    val: str | None = None


@dataclass(slots=True)
class Maker:
    rng: np.random.Generator
    plain: bool = False
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, FiberTree] = field(default_factory=dict)

    def add(self, block: Block, *inputs: str) -> str:
        name = f"{block.kind}_{len(self.nodes)}"
        ports = tuple(Port(*text.split(".")) for text in inputs)
        self.nodes.append(Node(name, block, ports, Part.ITERATION))
        return name

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def tensor(self, order: int, compressed: bool = True, sizes: tuple[int, ...] = SIZES) -> str:
        """A new one with the first ``order`` of ``sizes``; levels may be dense unless ``compressed``."""
        name = f"{'ABCDEFGH'[len(self.tensors) % 8]}{len(self.tensors) // 8 or ''}"
        shape = sizes[:order]
        kept = self.rng.random(shape) < self.rng.choice([0.0, 0.3, 0.6, 1.0])
        values = np.asarray(self.rng.standard_normal(shape) * kept)
        special = self.rng.random(shape) < 0.02
        values[special] = self.rng.choice([np.inf, -np.inf, np.nan, -0.0, 1e30])
        letters = "".join("c" if compressed or self.chance(0.5) else "d" for _ in range(order))
        self.tensors[name] = FiberTree.from_dense(
            values.astype(np.float32), Format.parse(letters, order), allow_nonfinite=True
        )
        return name

    def scan(self, order: int, root: str | None = None) -> Bundle:
        """All levels of a new tensor from its root."""
        name = self.tensor(order, compressed=self.chance(0.7))
        tree = self.tensors[name]
        ref = root or f"{self.add(Root(name))}.ref"
        crds: list[str] = []
        for level in range(order):
            extent = SIZES[level] if tree.format.levels[level].kind is LevelKind.DENSE else None
            scanned = self.add(LevelScanner(name, level, "ijkl"[level], extent), ref)
            crds.append(f"{scanned}.crd")
            ref = f"{scanned}.ref"
        return Bundle(crds, list(SIZES[:order]), ref, name)

    def fetch(self, bundle: Bundle) -> str:
        """The value stream of a bundle."""
        if bundle.val is None:
            if bundle.ref is None:
                bundle.val = self.generated_values(bundle)
            else:
                bundle.val = f"{self.add(Array(bundle.tensor), bundle.ref)}.val"
        return bundle.val

    def generated_values(self, bundle: Bundle) -> str:
        """Values for a bundle without references: what the signal of its innermost level repeats."""
        if self.plain:
            name = self.tensor(0)
            one = self.add(Root(name))
            out = f"{self.add(Array(name), f'{one}.ref')}.val"
        else:
            one = self.add(Generator(StreamKind.VAL, (2.5, DONE)))
            out = f"{one}.out"
        for crd in bundle.crds:
            out = f"{self.add(Repeat('r', StreamKind.VAL), out, crd)}.out"
        return out

    # Steps: each takes a bundle and gives what is left of it.

    def unary(self, bundle: Bundle) -> Bundle:
        op = list(UnaryOp)[int(self.rng.integers(len(UnaryOp)))]
        scalar = SCALARS.get(op, 0.75) if op.takes_scalar else 0.0
        made = self.add(UnaryALU(op, scalar), self.fetch(bundle))
        return replace(bundle, val=f"{made}.val")

    def binary(self, bundle: Bundle) -> Bundle:
        op = list(BinaryOp)[int(self.rng.integers(len(BinaryOp)))]
        other = f"{self.add(UnaryALU(UnaryOp.ADD_SCALAR, 0.5), self.fetch(bundle))}.val"
        pair = (self.fetch(bundle), other) if self.chance(0.5) else (other, self.fetch(bundle))
        return replace(bundle, val=f"{self.add(BinaryALU(op), *pair)}.val")

    def joined(self, bundle: Bundle) -> Bundle:
        """Join with other operands, level by level from the outermost."""
        order = len(bundle.crds)
        count = int(self.rng.integers(1, 4))
        kind = Join.UNION if self.chance(0.5) else Join.INTERSECT
        names = [self.tensor(order) for _ in range(count + 1)]
        refs = [f"{self.add(Root(name))}.ref" for name in names]
        crds: list[str] = []
        for level in range(order):
            scans = [
                self.add(LevelScanner(name, level, "ijkl"[level]), ref) for name, ref in zip(names, refs, strict=True)
            ]
            wires = [wire for scan in scans for wire in (f"{scan}.crd", f"{scan}.ref")]
            block = Joiner(kind, "ijkl"[level], (StreamKind.REF,) * len(scans))
            made = self.add(block, *wires)
            crds.append(f"{made}.crd")
            refs = [f"{made}.out{number}" for number in range(len(scans))]
        values = [f"{self.add(Array(name), ref)}.val" for name, ref in zip(names, refs, strict=True)]
        op = BinaryOp.ADD if kind is Join.UNION else BinaryOp.MUL
        total = values[0]
        for value in values[1:]:
            total = f"{self.add(BinaryALU(op), total, value)}.val"
        return Bundle(crds, list(SIZES[:order]), refs[0], names[0], total)

    def located(self, bundle: Bundle) -> Bundle:
        """Locate the coordinates of the outermost level in a dense vector."""
        if len(bundle.crds) != 1 or bundle.ref is None:
            return bundle
        name = self.tensor(1)
        dense = np.arange(bundle.sizes[0], dtype=np.float32)
        self.tensors[name] = FiberTree.from_dense(dense, Format.dense(1))
        made = self.add(Locate(name, 0, "i", bundle.sizes[0]), bundle.ref, bundle.crds[0])
        own = f"{self.add(Array(bundle.tensor), f'{made}.ref')}.val"
        other = f"{self.add(Array(name), f'{made}.located')}.val"
        product = self.add(BinaryALU(BinaryOp.MUL), own, other)
        return Bundle([f"{made}.crd"], bundle.sizes, f"{made}.ref", bundle.tensor, f"{product}.val")

    def reduced(self, bundle: Bundle) -> Bundle:
        """Reduce the innermost level, guarded where a guard is there."""
        val = self.fetch(bundle)
        op = ReduceOp.SUM if self.chance(0.6) else ReduceOp.MAX
        guarded = len(bundle.crds) > 1
        made = self.add(Reduce(op, guarded), val, *([bundle.crds[-2]] if guarded else []))
        return Bundle(bundle.crds[:-1], bundle.sizes[:-1], None, bundle.tensor, f"{made}.val")

    def accumulated(self, bundle: Bundle) -> Bundle:
        """Sum over the outermost of some of the innermost levels."""
        depth = len(bundle.crds)
        if depth < 2:
            return self.reduced(bundle)
        order = int(self.rng.integers(1, min(depth, 3) if self.plain else depth))
        inner = list(reversed(bundle.crds[depth - order - 1 :]))
        sizes = bundle.sizes[depth - order :]
        block = SparseAccumulator("k", tuple("ijkl"[:order]), tuple(sizes))
        made = self.add(block, *inner, self.fetch(bundle))
        crds = [*bundle.crds[: depth - order - 1], *(f"{made}.crd{level}" for level in range(order - 1, -1, -1))]
        return Bundle(crds, [*bundle.sizes[: depth - order - 1], *sizes], None, bundle.tensor, f"{made}.val")

    def product(self, bundle: Bundle) -> Bundle:
        """X[i,j] = A[i,k] * B[k,j], rows of B found by position, by an intersect, or in a masked operand."""
        width = int(self.rng.choice([1, 2, 5, 17]))
        left, pick = self.scan(2), int(self.rng.integers(3))
        right = self.tensor(2, False, (SIZES[1], width))
        kinds = self.tensors[right].format.levels
        outer, ref = left.crds[1], left.ref
        if pick == 0 and kinds[0].kind is LevelKind.DENSE:
            made = self.add(Locate(right, 0, "k", SIZES[1]), str(ref), outer)
            outer, ref, rows = f"{made}.crd", f"{made}.ref", f"{made}.located"
        else:
            outer, ref, rows = self.found(left, right, masked=pick == 1)
        extents = [width if kind.kind is LevelKind.DENSE else None for kind in kinds]
        inner = self.add(LevelScanner(right, 1, "j", extents[1]), rows)
        again = self.add(Repeat("j"), str(ref), f"{inner}.crd")
        values = f"{self.add(Array(left.tensor), f'{again}.out')}.val", f"{self.add(Array(right), f'{inner}.ref')}.val"
        value = f"{self.add(BinaryALU(BinaryOp.MUL), *(values if self.chance(0.5) else values[::-1]))}.val"
        crds = [left.crds[0], outer, f"{inner}.crd"]
        if self.chance(0.3):
            return Bundle(crds, [*SIZES[:2], width], None, left.tensor, value)
        summed = self.add(SparseAccumulator("k", ("j",), (width,)), crds[2], crds[1], value)
        return Bundle([crds[0], f"{summed}.crd0"], [SIZES[0], width], None, left.tensor, f"{summed}.val")

    def found(self, left: Bundle, right: str, masked: bool) -> tuple[str, str, str]:
        """Coordinates of k, references of ``left`` and rows of ``right`` where both have them.

        ``masked``: where the union of ``right`` with a dense level has them, so rows may be missing.
        """
        kind = self.tensors[right].format.levels[0].kind
        root = self.add(Repeat("i"), f"{self.add(Root(right))}.ref", left.crds[0])
        extent = SIZES[1] if kind is LevelKind.DENSE else None
        rows = self.add(LevelScanner(right, 0, "k", extent), f"{root}.out")
        sides = [(left.crds[1], str(left.ref))]
        if masked:
            name = self.tensor(1, sizes=SIZES[1:])
            self.tensors[name] = FiberTree.from_dense(np.ones(SIZES[1], np.float32), Format.dense(1))
            again = self.add(Repeat("i"), f"{self.add(Root(name))}.ref", left.crds[0])
            full = self.add(LevelScanner(name, 0, "k", SIZES[1]), f"{again}.out")
            wires = (f"{rows}.crd", f"{rows}.ref", f"{full}.crd", f"{full}.ref")
            union = self.add(Joiner(Join.UNION, "k", (StreamKind.REF,) * 2), *wires)
            sides += [(f"{union}.crd", f"{union}.out0"), (f"{union}.crd", f"{union}.out1")]
        else:
            sides.append((f"{rows}.crd", f"{rows}.ref"))
        turn = int(self.rng.integers(len(sides))) if not masked or self.chance(0.5) else 0
        sides = [*sides[turn:], *sides[:turn]]
        block = Joiner(Join.INTERSECT, "k", (StreamKind.REF,) * len(sides))
        made = self.add(block, *(wire for side in sides for wire in side))
        own, other = (f"{made}.out{(number - turn) % len(sides)}" for number in (0, 1))
        return f"{made}.crd", own, other

    def held_and_flattened(self, bundle: Bundle) -> Bundle:
        """Side streams of two neighbouring levels: hold, flatten, mask, drop; the bundle stays."""
        depth = len(bundle.crds)
        if depth < 2:
            return bundle
        outer, inner = bundle.crds[-2:]
        pick = int(self.rng.integers(4))
        if pick == 0:
            self.add(CoordHold("i", "j"), outer, inner)
        elif pick == 1:
            self.add(Flatten("i", "j", "f", bundle.sizes[-1]), outer, inner)
        elif pick == 2 and bundle.ref is not None:
            comparison = list(Comparison)[int(self.rng.integers(len(Comparison)))]
            made = self.add(CoordMask("i", "j", comparison), outer, inner, bundle.ref)
            crds = [*bundle.crds[:-2], f"{made}.outer", f"{made}.inner"]
            if depth == 2:
                return Bundle(crds, bundle.sizes, f"{made}.ref", bundle.tensor)
        elif pick == 3:
            made = self.add(CoordDrop("i", "j"), outer, inner)
            self.add(StopDrop(), f"{made}.inner")
        return bundle

    def dropped(self, bundle: Bundle) -> Bundle:
        """Drop zeros; fibers may become empty."""
        made = self.add(ValueDrop("j"), self.fetch(bundle), bundle.crds[-1])
        return Bundle([*bundle.crds[:-1], f"{made}.crd"], bundle.sizes, None, bundle.tensor, f"{made}.val")

    def signalled(self, bundle: Bundle) -> Bundle:
        """A repeat in two blocks."""
        signal = self.add(RepeatSignal("r"), bundle.crds[0])
        one = self.add(Generator(StreamKind.VAL, (float(self.rng.standard_normal()), DONE)))
        self.add(Repeater("r", StreamKind.VAL), f"{one}.out", f"{signal}.signal")
        return bundle

    def scaled(self, bundle: Bundle) -> Bundle:
        """Times one value, repeated over all levels."""
        made = self.add(BinaryALU(BinaryOp.MUL), self.fetch(bundle), self.generated_values(bundle))
        return replace(bundle, val=f"{made}.val")

    def in_lanes(self, bundle: Bundle) -> Bundle:
        """Scan another level in parallel lanes of the outermost coordinates."""
        if len(bundle.crds) != 1 or bundle.ref is None or self.tensors[bundle.tensor].format.levels[0] is None:
            return bundle
        lanes = int(self.rng.integers(1, 4))
        name = self.tensor(2)
        root = self.add(Root(name))
        rows = self.add(LevelScanner(name, 0, "i"), f"{root}.ref")
        fork = self.add(Fork(lanes), f"{rows}.ref")
        scans = [self.add(LevelScanner(name, 1, "j"), f"{fork}.out{lane}") for lane in range(lanes)]
        guard = f"{rows}.crd"
        crd = self.add(Gather(lanes, StreamKind.CRD, True), *(f"{scan}.crd" for scan in scans), guard)
        ref = self.add(Gather(lanes, StreamKind.REF, True), *(f"{scan}.ref" for scan in scans), guard)
        if self.chance(0.3):
            self.add(Gather(lanes, StreamKind.CRD), *(f"{scan}.crd" for scan in scans))
        return Bundle([guard, f"{crd}.out"], list(SIZES[:2]), f"{ref}.out", name)

    def concatenated(self, bundle: Bundle) -> Bundle:
        """The innermost levels of some tensors side by side below the union of their outer ones, or one by itself."""
        order, count = len(bundle.crds), int(self.rng.integers(1, 4))
        index, tensor, ref = "ijkl"[order - 1], bundle.tensor, bundle.ref
        if self.chance(0.4) and bundle.sizes[-1] <= 20:
            outer, inner = bundle.crds[:-1], [bundle.crds[-1]] * count
            sizes, values = [bundle.sizes[-1]] * count, [self.fetch(bundle)] * count
            if ref is not None:
                ref = f"{self.add(Concat(index, count, StreamKind.REF), *[ref] * count)}.out"
        else:
            sizes = self.rng.integers(1, 6, count).tolist()
            names = [self.tensor(order, sizes=(*SIZES[: order - 1], size)) for size in sizes]
            outer, inner, refs = self.united(names, order)
            values = [f"{self.add(Array(name), found)}.val" for name, found in zip(names, refs, strict=True)]
            tensor, ref = names[0], None
        offsets = tuple(sum(sizes[:number]) for number in range(count))
        crd = self.add(Concat(index, count, StreamKind.CRD, offsets), *inner)
        val = self.add(Concat(index, count), *values)
        return Bundle([*outer, f"{crd}.out"], [*bundle.sizes[:-1], sum(sizes)], ref, tensor, f"{val}.out")

    def united(self, names: list[str], order: int) -> tuple[list[str], list[str], list[str]]:
        """Union of all levels of the tensors but the innermost, and of that the coordinates and references of each."""
        refs = [f"{self.add(Root(name))}.ref" for name in names]
        outer: list[str] = []
        for level in range(order):
            block = [LevelScanner(name, level, "ijkl"[level]) for name in names]
            scans = [self.add(each, ref) for each, ref in zip(block, refs, strict=True)]
            crds, refs = [f"{scan}.crd" for scan in scans], [f"{scan}.ref" for scan in scans]
            if level == order - 1:
                break
            if len(names) > 1:
                union = Joiner(Join.UNION, "ijkl"[level], (StreamKind.REF,) * len(names))
                made = self.add(union, *(wire for pair in zip(crds, refs, strict=True) for wire in pair))
                crds, refs = [f"{made}.crd"], [f"{made}.out{number}" for number in range(len(names))]
                self.add(Concat("n", len(names), StreamKind.REF), *refs)  # references with N
            outer.append(crds[0])
        return outer, crds, refs

    def generated(self, bundle: Bundle) -> Bundle:
        """A hand-written nest of two levels, with empty fibers, and values with ``N``."""
        rows = int(self.rng.integers(0, 4))
        outer: list[Token] = [*sorted(self.rng.choice(SIZES[0], min(rows, SIZES[0]), replace=False).tolist())]
        inner: list[Token] = []
        values: list[Token] = []
        count = max(len(outer), 1)
        for number in range(count):
            size = int(self.rng.integers(0, SIZES[1])) if outer else 0
            inner += sorted(self.rng.choice(SIZES[1], size, replace=False).tolist())
            values += [EMPTY if self.chance(0.2) else float(self.rng.standard_normal()) for _ in range(size)]
            stop = Stop(1 if number == count - 1 else 0)
            inner.append(stop)
            values.append(stop)
        made = [
            self.add(Generator(kind, (*tokens, DONE)))
            for kind, tokens in (
                (StreamKind.CRD, [*outer, Stop(0)]),
                (StreamKind.CRD, inner),
                (StreamKind.VAL, values),
            )
        ]
        read = self.add(UnaryALU(UnaryOp.IDENTITY), f"{made[2]}.out")
        return Bundle([f"{made[0]}.out", f"{made[1]}.out"], list(SIZES[:2]), None, bundle.tensor, f"{read}.val")

    STEPS = (
        unary, unary, binary, binary, joined, located, reduced, accumulated, accumulated, held_and_flattened,
        held_and_flattened, dropped, signalled, scaled, in_lanes, generated, concatenated,
    )  # fmt: skip

    PLAIN_STEPS = (
        unary, binary, joined, joined, located, reduced, accumulated, scaled, product, product, product,
    )  # fmt: skip

    def graph(self, bundle: Bundle) -> Graph:
        """Write the bundle; sinks take some of what nobody reads."""
        val = self.fetch(bundle)
        for level, crd in enumerate(bundle.crds):
            self.add(CrdWriter("X", level, "ijkl"[level]), crd)
        self.add(ValWriter("X"), val)
        read = {port for node in self.nodes for port in node.inputs}
        for node in tuple(self.nodes):
            for spec in node.block.outputs:
                if Port(node.name, spec.name) not in read and not self.plain and self.chance(0.6):
                    self.add(Sink(), f"{node.name}.{spec.name}")
        order = len(bundle.crds)
        output = Output("X", tuple(bundle.sizes), tuple(range(order)), tuple("ijkl"[:order]))
        return Graph("random", tuple(self.nodes), (output,))


def random_graph(seed: int) -> tuple[Graph, dict[str, FiberTree]]:
    """A graph with its tensors."""
    maker = Maker(np.random.default_rng(seed), plain=seed % 2 == 1)
    steps = Maker.PLAIN_STEPS if maker.plain else Maker.STEPS
    bundle = maker.scan(int(maker.rng.integers(1, 5)))
    for _ in range(int(maker.rng.integers(1, 6))):
        if len(maker.tensors) > 3:
            break
        step = steps[int(maker.rng.integers(len(steps)))]
        if bundle.crds or step in (Maker.generated, Maker.in_lanes, Maker.unary, Maker.product):
            bundle = step(maker, bundle)
    return maker.graph(bundle), maker.tensors


def random_machine(seed: int, graph: Graph) -> Machine:
    """A machine with a depth for all streams, and other ones for some."""
    rng = np.random.default_rng(seed + 1_000_000)
    if seed % 2 == 1:
        return PLAIN_MACHINES[int(rng.integers(len(PLAIN_MACHINES)))]
    machine = replace(MACHINES[int(rng.integers(len(MACHINES)))], channel_capacity=rng.choice(DEPTHS))
    if machine.channel_capacity is not None:
        machine = replace(machine, channel_capacity=int(machine.channel_capacity))
    read = sorted({str(port) for node in graph for port in node.inputs})
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.4 else 0):
        machine = machine.with_depth(str(rng.choice(read)), int(rng.integers(1, 30)))
    return machine
