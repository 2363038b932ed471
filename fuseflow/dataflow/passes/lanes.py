"""Parallel lanes: everything that is done per coordinate of one index variable is done by several copies (paper §7).

The published pass cuts the graph where the text happens to stand (compiler notes §5.1). Here the cut follows the paths
of the streams. Streams on the level of the index are dealt out to the lanes by a fork each; streams that do not depend
on it are broadcast; a node all of whose outputs depend on the index is copied per lane. What leaves the copies, to a
writer, a reduction of the index or an accumulator of an outer one, is gathered in the order in which it was dealt, with
the level's coordinates as the guard. So every stream outside of the lanes stays what it was, token for token.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fuseflow.dataflow.blocks import Fork, Gather, Joiner, LevelScanner, Locate, Reduce, Sink
from fuseflow.dataflow.graph import Graph, Node, Part, Port
from fuseflow.dataflow.paths import Path, stream_paths
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import ScheduleError


def parallelise(
    graph: Graph, index: str, lanes: int, boundaries: Sequence[int] = (), owners: Sequence[int] = ()
) -> Graph:
    """``graph`` with ``lanes`` copies of everything below each level of ``index``.

    Coordinates are dealt out in turn or, with ascending ``boundaries``, by the range they fall into; ``owners`` gives
    the lane of every range, by default one range per lane. Any number of lanes is right, whatever the level's size.
    Raises ScheduleError if no level iterates ``index`` or if ``lanes``, ``boundaries`` or ``owners`` make no sense.
    """
    if lanes < 1:
        raise ScheduleError(f"graph {graph.name!r}: {lanes} lanes for index {index}; use 1 lane or more")
    wrong = len(boundaries) != (len(owners) or lanes) - 1 or list(boundaries) != sorted(boundaries)
    if (boundaries or owners) and wrong:
        raise ScheduleError(
            f"graph {graph.name!r}: {lanes} lanes for index {index} need {(len(owners) or lanes) - 1} ascending "
            f"boundaries, not {tuple(boundaries)}"
        )
    found = [path for path in dict.fromkeys(stream_paths(graph).values()) if path and _base(path[-1]) == index]
    if not found:
        names = sorted({_base(name) for path in stream_paths(graph).values() for name in path})
        raise ScheduleError(
            f"graph {graph.name!r} has no level of index {index!r} to spread over lanes; it iterates {' '.join(names)}"
        )
    for path in found if lanes > 1 else ():
        graph = _Lanes(graph, path, lanes, tuple(boundaries), tuple(owners)).build()
    return graph


def _base(name: str) -> str:
    return name.partition("@")[0]


@dataclass(slots=True)
class _Lanes:
    """One level being spread: ``body`` are the nodes that are copied, ``made`` the new graph so far."""

    graph: Graph
    path: Path
    lanes: int
    boundaries: tuple[int, ...]
    owners: tuple[int, ...]
    paths: dict[Port, Path] = field(init=False)
    kinds: dict[Port, StreamKind] = field(init=False)
    body: set[str] = field(init=False)
    guard: Port = field(init=False)
    made: list[Node] = field(default_factory=list)
    forks: dict[Port, str] = field(default_factory=dict)
    gathers: dict[Port, Port] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.paths = stream_paths(self.graph)
        self.kinds = {
            Port(node.name, spec.name): spec.kinds[0] for node in self.graph.nodes for spec in node.block.outputs
        }
        self.body = set()
        for node in self.graph.nodes:
            if self.is_body(node):
                self.body.add(node.name)
        built = {node.name for node in self.graph.nodes if node.part is Part.CONSTRUCTION}
        guards = [
            port
            for port, path in self.paths.items()
            if path == self.path and port.node not in self.body | built and self.kinds[port] is StreamKind.CRD
        ]
        self.guard = guards[-1]

    def below(self, path: Path) -> bool:
        return path[: len(self.path)] == self.path

    def forms_level(self, node: Node) -> bool:
        """Whether ``node`` is part of what makes the level's coordinates."""
        if not isinstance(node.block, LevelScanner | Joiner | Locate):
            return False
        return all(self.paths[Port(node.name, spec.name)] == self.path for spec in node.block.outputs)

    def is_body(self, node: Node) -> bool:
        if node.part is Part.CONSTRUCTION or isinstance(node.block, Sink) or self.forms_level(node):
            return False
        outputs = [self.paths[Port(node.name, spec.name)] for spec in node.block.outputs]
        dependent = [port for port in node.inputs if self.below(self.paths[port])]
        # Deeper streams that were not made in the lanes (an accumulator's inner levels) cannot be dealt out by a fork.
        dealt = all(port.node in self.body or self.paths[port] == self.path for port in dependent)
        return bool(dependent) and dealt and all(map(self.below, outputs))

    def build(self) -> Graph:
        for node in self.graph.nodes:
            if node.name not in self.body:
                self.made.append(replace(node, inputs=tuple(self.outside(port) for port in node.inputs)))
                continue
            node = self.guarded(node)
            dealt = [[self.inside(port, lane) for port in node.inputs] for lane in range(self.lanes)]
            for lane, inputs in enumerate(dealt):
                role = f"{node.role} (lane {lane})" if node.role else f"lane {lane}"
                self.made.append(replace(node, name=_copy(node.name, lane), inputs=tuple(inputs), role=role))
        return Graph(self.graph.name, tuple(self.made), self.graph.outputs)

    def guarded(self, node: Node) -> Node:
        """``node`` ready for a lane that may get no coordinate of a fiber at all: a reduction needs its guard then."""
        if not isinstance(node.block, Reduce) or node.block.guarded:
            return node
        above = self.paths[node.inputs[0]][:-1]
        before = itertools.takewhile(lambda port: port.node != node.name, self.paths)
        crds = [port for port in before if self.paths[port] == above and self.kinds[port] is StreamKind.CRD]
        return replace(node, block=replace(node.block, guarded=True), inputs=(*node.inputs, crds[-1]))

    def inside(self, port: Port, lane: int) -> Port:
        """What a copy in ``lane`` reads in place of ``port``."""
        if port.node in self.body:
            return Port(_copy(port.node, lane), port.name)
        if self.paths[port] != self.path:
            return port
        if port not in self.forks:
            name = f"fork_{port.node}_{port.name}"
            guide = (self.guard,) if self.boundaries else ()
            block = Fork(self.lanes, self.kinds[port], self.boundaries, self.owners)
            role = f"deals index {self.path[-1]} out to {self.lanes} lanes"
            self.made.append(Node(name, block, (port, *guide), Part.ITERATION, role))
            self.forks[port] = name
        return Port(self.forks[port], f"out{lane}")

    def outside(self, port: Port) -> Port:
        """What a node outside of the lanes reads in place of ``port``."""
        if port.node not in self.body:
            return port
        if port not in self.gathers:
            name = f"gather_{port.node}_{port.name}"
            depth = len(self.paths[port]) - len(self.path)
            block = Gather(self.lanes, self.kinds[port], True, depth, self.boundaries, self.owners)
            role = f"joins the lanes of index {self.path[-1]}"
            lanes = tuple(Port(_copy(port.node, lane), port.name) for lane in range(self.lanes))
            self.made.append(Node(name, block, (*lanes, self.guard), Part.ITERATION, role))
            self.gathers[port] = Port(name, "out")
        return self.gathers[port]


def _copy(name: str, lane: int) -> str:
    return f"{name}@{lane}"
