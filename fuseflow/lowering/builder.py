"""Graph builder: adds nodes, merges identical ones, and names them.

Two nodes are the same when block (with all its attributes) and inputs are the same. Names follow from what a node does
(``scan_A_i``, ``intersect_k``), with a number where that is not unique, so equal inputs give equal graphs.
"""

from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    Block,
    CoordDrop,
    CrdWriter,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Root,
    SparseAccumulator,
    StopDrop,
    Tile,
    UnaryALU,
    ValWriter,
)
from fuseflow.dataflow.graph import Node, Part, Port


@dataclass(slots=True)
class Builder:
    """Nodes in the order they were added, which is topological because inputs must exist."""

    nodes: list[Node] = field(default_factory=list)
    known: dict[tuple[Block, tuple[Port, ...]], str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add(self, block: Block, inputs: tuple[Port, ...], part: Part, stem: str, role: str) -> str:
        """Name of the node for ``block`` on ``inputs``, new or existing; ``stem`` is the name it would like."""
        key = (block, inputs)
        if key not in self.known:
            number = self.counts.get(stem, 0) + 1
            self.counts[stem] = number
            name = stem if number == 1 else f"{stem}_{number}"
            if name in self.names:  # another stem ends in a number
                return self.add(block, inputs, part, stem, role)
            self.names.add(name)
            self.nodes.append(Node(name, block, inputs, part, role))
            self.known[key] = name
        return self.known[key]

    def root(self, tensor: str) -> Port:
        name = self.add(Root(tensor), (), Part.ITERATION, f"root_{tensor}", f"root reference of {tensor}")
        return Port(name, "ref")

    def scan(self, tensor: str, level: int, index: str, extent: int | None, reference: Port) -> tuple[Port, Port]:
        """Coordinates and references of a level; ``extent`` is given for a dense one."""
        kind = "compressed" if extent is None else "dense"
        name = self.add(
            LevelScanner(tensor, level, index, extent),
            (reference,),
            Part.ITERATION,
            f"scan_{tensor}_{index}",
            f"scans {kind} level {level} of {tensor} for index {index}",
        )
        return Port(name, "crd"), Port(name, "ref")

    def repeat(self, index: str, data: Port, signal: Port, what: str, payload: Repeat, part: Part) -> Port:
        name = self.add(payload, (data, signal), part, f"repeat_{what}_{index}", f"repeats {what} over index {index}")
        return Port(name, "out")

    def join(self, block: Joiner, inputs: tuple[Port, ...], role: str) -> str:
        return self.add(block, inputs, Part.ITERATION, f"{block.join.value}_{block.index}", role)

    def locate(self, block: Locate, inputs: tuple[Port, ...], role: str) -> str:
        return self.add(block, inputs, Part.ITERATION, f"locate_{block.tensor}_{block.index}", role)

    def array(self, tensor: str, reference: Port, tiles: tuple[Tile, ...] = ()) -> Port:
        block = Array(tensor, tiles)
        name = self.add(block, (reference,), Part.COMPUTE, f"values_{tensor}", f"reads the values of {tensor}")
        return Port(name, "val")

    def compute(self, block: BinaryALU | UnaryALU | Reduce, inputs: tuple[Port, ...], stem: str, role: str) -> Port:
        return Port(self.add(block, inputs, Part.COMPUTE, stem, role), "val")

    def accumulate(self, block: SparseAccumulator, inputs: tuple[Port, ...], tensor: str) -> str:
        role = f"sums {tensor} over {block.reduced} into {', '.join(block.indices)}"
        return self.add(block, inputs, Part.COMPUTE, f"accumulate_{tensor}", role)

    def drop(self, tensor: str, outer: str, inner: str, outer_crd: Port, inner_crd: Port) -> tuple[Port, Port]:
        """Coordinates of two levels of a result without the outer ones whose fibers are empty."""
        role = f"drops coordinates of {outer} for which {tensor} has no coordinate of {inner}"
        pair = (outer_crd, inner_crd)
        name = self.add(CoordDrop(outer, inner), pair, Part.CONSTRUCTION, f"drop_{tensor}_{outer}", role)
        return Port(name, "outer"), Port(name, "inner")

    def drop_stops(self, tensor: str, index: str, crd: Port) -> Port:
        """Coordinates of a level of a result without the ends of fibers that were dropped."""
        role = f"drops the ends of the fibers of {index} that were dropped"
        return Port(self.add(StopDrop(), (crd,), Part.CONSTRUCTION, f"drop_stops_{tensor}_{index}", role), "out")

    def write_crd(self, tensor: str, level: int, index: str, crd: Port) -> None:
        role = f"writes the coordinates of {tensor} for index {index}"
        self.add(CrdWriter(tensor, level, index), (crd,), Part.CONSTRUCTION, f"write_{tensor}_{index}", role)

    def write_val(self, tensor: str, val: Port, tiles: tuple[Tile, ...] = ()) -> None:
        self.add(
            ValWriter(tensor, tiles),
            (val,),
            Part.CONSTRUCTION,
            f"write_{tensor}_values",
            f"writes the values of {tensor}",
        )
