"""A graph in the making, as both importers build it: nodes in any order, wired by port, then sorted and verified."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fuseflow.dataflow.blocks import (
    Array,
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
    Repeat,
    Repeater,
    RepeatSignal,
    Root,
    SparseAccumulator,
    StopDrop,
    ValueDrop,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Node, Output, Part, Port
from fuseflow.dataflow.interop.alignment import check_alignment
from fuseflow.dataflow.verify import verify
from fuseflow.errors import VerifyError

MOST_STEPS = 1000
"""Blocks that a reference may pass through from one scanner to the next; more are taken for a ring."""

MOST_RESULTS = 64


@dataclass(slots=True)
class Draft:
    """Nodes by name, in file order. ``where`` says for messages where a node stands in its file."""

    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, block: Block, inputs: Sequence[Port], part: Part | None = None, role: str = "") -> None:
        """Add a node; VerifyError if the name is taken."""
        if name in self.nodes:
            raise VerifyError(f"graph {self.name!r}: two nodes are called {name!r}; rename one")
        self.nodes[name] = Node(name, block, tuple(inputs), part or part_of(block), role)

    def fresh(self, base: str) -> str:
        """``base``, or with a number behind it, as no node is called yet."""
        name, number = base, 2
        while name in self.nodes:
            name, number = f"{base}_{number}", number + 1
        return name

    def replace(self, name: str, block: Block) -> None:
        """Give node ``name`` another block."""
        self.nodes[name] = replace(self.nodes[name], block=block)

    def rewire(self, name: str, inputs: Sequence[Port]) -> None:
        """Give node ``name`` other inputs."""
        self.nodes[name] = replace(self.nodes[name], inputs=tuple(inputs))

    def stored_level(self, port: Port) -> tuple[str, int] | None:
        """Tensor and level that a reference leads to (-1 is the root), followed back to where it comes from."""
        return trace_reference(self.nodes, port)

    def ordered(self) -> tuple[Node, ...]:
        """The nodes so far in topological order, those on a cycle last."""
        return _sorted(self.nodes)

    def finish(self, outputs: Sequence[Output]) -> Graph:
        """The graph, sorted and verified. VerifyError says what is wrong and, where known, where in the file."""
        try:
            graph = Graph(self.name, _sorted(self.nodes), tuple(outputs))
            verify(graph)
            check_alignment(graph)
        except VerifyError as fault:
            raise VerifyError(self._located(str(fault))) from None
        return graph

    def _located(self, text: str) -> str:
        for name, where in self.where.items():
            if f"node {name!r}" in text:
                return f"{text} ({where})"
        return text


def trace_reference(nodes: Mapping[str, Node], port: Port) -> tuple[str, int] | None:
    """Tensor and level that the reference stream at ``port`` leads to; None if it cannot be told."""
    for _ in range(MOST_STEPS):
        if port.node not in nodes:
            return None
        node = nodes[port.node]
        match node.block:
            case Root(tensor=tensor):
                return tensor, -1
            case LevelScanner(tensor=tensor, level=level):
                return (tensor, level) if port.name == "ref" else None
            case Locate(tensor=tensor, level=level):
                if port.name == "located":
                    return tensor, level
                port = node.inputs[0]
            case Generator(tensor=str(tensor), level=level):
                return tensor, level
            case Joiner() if port.name.startswith("out"):
                port = node.inputs[2 * int(port.name[3:]) + 1]
            case CoordMask() if port.name == "ref":
                port = node.inputs[2]
            case Repeat() | Repeater() | StopDrop() | Fork() | Gather() | Concat():
                port = node.inputs[0]
            case _:
                return None
    return None


def part_of(block: Block) -> Part:
    """The part of a region that a block of this kind usually serves."""
    match block:
        case CrdWriter() | ValWriter() | CoordDrop() | CoordHold() | StopDrop() | ValueDrop() | Flatten() | Concat():
            return Part.CONSTRUCTION
        case Root() | LevelScanner() | Repeat() | Repeater() | RepeatSignal() | Joiner() | Locate() | CoordMask():
            return Part.ITERATION
        case Array() | SparseAccumulator():
            return Part.COMPUTE
        case _:
            return Part.COMPUTE


def _sorted(nodes: Mapping[str, Node]) -> tuple[Node, ...]:
    """Topological order, as near to the given one as may be. Nodes on a cycle come last, for the verifier to name."""
    place = {name: number for number, name in enumerate(nodes)}
    waits = {name: {port.node for port in node.inputs if port.node in nodes} for name, node in nodes.items()}
    readers: dict[str, list[str]] = {}
    for name, sources in waits.items():
        for source in sources:
            readers.setdefault(source, []).append(name)
    ready = [place[name] for name, sources in waits.items() if not sources]
    heapq.heapify(ready)
    names = list(nodes)
    done: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        for reader in readers.get(name, ()):
            waits[reader].discard(name)
            if not waits[reader]:
                heapq.heappush(ready, place[reader])
    finished = set(done)
    return tuple(nodes[name] for name in (*done, *(each for each in names if each not in finished)))


def results(
    draft: Draft, size_of: Callable[[str, str], int], modes: Mapping[str, tuple[int, ...]]
) -> tuple[Output, ...]:
    """Results as the writers of ``draft`` say, with sizes from ``size_of(tensor, index)`` and mode orders ``modes``."""
    levels: dict[str, dict[int, str]] = {}
    for node in draft.nodes.values():
        match node.block:
            case CrdWriter(tensor=tensor, level=level, index=index):
                levels.setdefault(tensor, {})[level] = index
            case ValWriter(tensor=tensor):
                levels.setdefault(tensor, {})
            case _:
                pass
    if len(levels) > MOST_RESULTS:
        raise VerifyError(f"graph {draft.name!r}: {len(levels)} results are written; at most {MOST_RESULTS} are read")
    made = []
    for tensor, found in levels.items():
        indices = tuple(found[level] for level in sorted(found))
        order = modes.get(tensor, tuple(range(len(indices))))
        if sorted(order) != list(range(len(indices))):
            raise VerifyError(
                f"graph {draft.name!r}: result {tensor!r} is written at {len(indices)} levels, but its mode order is "
                f"{order}; write every level once"
            )
        shape = [0] * len(indices)
        for level, index in enumerate(indices):
            shape[order[level]] = size_of(tensor, index)
        made.append(Output(tensor, tuple(shape), tuple(order), indices))
    return tuple(made)
