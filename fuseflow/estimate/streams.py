"""Streams as the estimate sees them: index variables, and when a coordinate is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import assert_never

import numpy as np

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
from fuseflow.errors import SimulationError
from fuseflow.estimate.patterns import Pattern
from fuseflow.estimate.query import ALWAYS, Condition, Counter, Thinned, either, simplify
from fuseflow.estimate.relations import Var


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream nested over ``path``; ``conditions[d]`` says which coordinates of its first ``d + 1`` variables occur.

    A stream of references points into ``tensor`` at the coordinates ``bound``, by level. Where ``present`` does not
    hold, the token is ``N``.
    """

    path: tuple[Var, ...] = ()
    conditions: tuple[Condition, ...] = ()
    tensor: str | None = None
    bound: tuple[Var, ...] = ()
    present: Condition = ALWAYS

    @property
    def last(self) -> Condition:
        return self.conditions[-1] if self.conditions else ALWAYS

    def tokens(self, counter: Counter, present: bool = False) -> float:
        """Payloads and ``N`` of the stream, or its payloads alone."""
        condition = simplify(self.last | self.present) if present else self.last
        return counter.count(condition, self.path)

    def stops(self, counter: Counter, depth: int | None = None) -> float:
        """Stop tokens: one per innermost fiber, and one for every empty fiber further out."""
        deep = len(self.path) if depth is None else depth
        if deep == 0:
            return 0.0
        found = 1.0
        for level in range(1, deep):
            outer = counter.count(self.conditions[level - 1], self.path[:level])
            found = outer + found - self.filled_fibers(counter, level)
        return found

    def filled_fibers(self, counter: Counter, depth: int) -> float:
        """Fibers at ``depth`` (1 is the outermost) that have a coordinate."""
        condition = counter.exists(self.conditions[depth - 1], (self.path[depth - 1],))
        return counter.count(condition, self.path[: depth - 1])

    def above(self) -> "Stream":
        """The stream of the level above, without its payload."""
        return Stream(self.path[:-1], self.conditions[:-1])

    def ends(self, condition: Condition) -> "Stream":
        """The stream with another innermost condition."""
        return replace(self, conditions=(*self.conditions[:-1], simplify(condition)))


def trace_streams(
    graph: Graph, patterns: Mapping[str, Pattern], rates: Mapping[str, float], counter: Counter
) -> dict[Port, Stream]:
    """The stream at every port of ``graph``.

    ``patterns`` say where the stored tensors have elements. An intersection at an index variable in ``rates`` leaves
    that fraction of the coordinates of its sparser operand. Raises SimulationError for a block that no compiled graph
    holds.
    """
    return _Trace(graph, patterns, rates, counter).all()


@dataclass(slots=True)
class _Trace:
    """Streams by port, and by the variables whose lanes are taken as one there.

    What a gather passes on is what one lane would if it got all coordinates: a union or a projection within a lane
    cannot be told apart afterwards into what the lane got and what there is.
    """

    graph: Graph
    patterns: Mapping[str, Pattern]
    rates: Mapping[str, float]
    counter: Counter
    found: dict[tuple[Port, frozenset[Var]], Stream] = field(default_factory=dict)
    nodes: dict[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {node.name: node for node in self.graph}

    def all(self) -> dict[Port, Stream]:
        for node in self.graph:
            self._trace(node)
        return {port: stream for (port, together), stream in self.found.items() if not together}

    def _trace(self, node: Node) -> None:
        """Find the streams of the outputs of ``node``, and those of one lane that gets everything, before a gather."""
        todo = [(node, frozenset[Var]())]
        while todo:
            node, together = todo[-1]
            wanted = [(port, together) for port in node.inputs]
            if isinstance(node.block, Gather):
                wanted = wanted[:1]
                if wanted[0] in self.found:
                    variable = _dealt(self.found[wanted[0]], node.block.depth)
                    wanted = [(node.inputs[0], together | {variable})]
            missing = [(self.nodes[port.node], lanes) for port, lanes in wanted if (port, lanes) not in self.found]
            if missing:
                todo += missing
                continue
            todo.pop()
            inputs = [self.found[key] for key in wanted]
            if isinstance(node.block, Fork) and inputs[0].path[-1] in together:
                outputs = [inputs[0]] * node.block.lanes
            else:
                outputs = _outputs(node, inputs, self.patterns, self.rates, self.counter)
            for spec, stream in zip(node.block.outputs, outputs, strict=True):
                self.found[Port(node.name, spec.name), together] = stream


def _dealt(stream: Stream, depth: int) -> Var:
    """The variable that lanes were dealt, ``depth`` levels above the innermost of a lane's stream."""
    return stream.path[len(stream.path) - 1 - depth]


def _outputs(
    node: Node, inputs: list[Stream], patterns: Mapping[str, Pattern], rates: Mapping[str, float], counter: Counter
) -> list[Stream]:
    match node.block:
        case Root(tensor):
            return [Stream(tensor=tensor)]
        case LevelScanner() as block:
            return _scan(block, inputs[0], patterns, counter)
        case Repeat():
            data, signal = inputs
            return [replace(signal, tensor=data.tensor, bound=data.bound, present=data.present)]
        case Joiner() as joiner:
            return _join(joiner, inputs, rates, counter)
        case Locate() as locate:
            ref, crd = inputs[0], inputs[1]
            parent = inputs[2] if locate.has_parent else Stream()
            located = replace(crd, tensor=locate.tensor, bound=(*parent.bound, crd.path[-1]), present=parent.present)
            return [located, ref, crd]
        case Array() | UnaryALU() | BinaryALU():
            return [Stream(inputs[0].path, inputs[0].conditions)]
        case Reduce():
            return [inputs[0].above()]
        case SparseAccumulator() as accumulator:
            return _accumulate(accumulator, inputs, counter)
        case Fork() as fork:
            return [inputs[0].ends(inputs[0].last | share) for share in _shares(fork, inputs[0], counter)]
        case Gather():
            return [inputs[0]]  # of all lanes together
        case CoordDrop():
            outer, inner = inputs
            kept = counter.exists(inner.last, (inner.path[-1],))
            return [outer.ends(outer.last | kept), inner]
        case CoordHold():
            return [inputs[1], inputs[1]]
        case RepeatSignal() | StopDrop():
            return [inputs[0]]
        case CrdWriter() | ValWriter() | Sink():
            return []
        case Repeater() | Generator() | CoordMask() | Flatten() | Concat() | ValueDrop():
            raise SimulationError(
                f"node {node.name!r} is a {node.block.kind} block, which the estimate cannot follow: no compiled "
                "graph has one. Simulate the graph instead"
            )
        case _:
            assert_never(node.block)


def _scan(block: LevelScanner, source: Stream, patterns: Mapping[str, Pattern], counter: Counter) -> list[Stream]:
    pattern = patterns.get(block.tensor)
    if pattern is None and block.extent is None:
        raise SimulationError(f"no statistics of tensor {block.tensor!r}; give a density for it, or its data")
    size = block.extent if block.extent is not None else _size(pattern, block.level)
    variable = (block.index, size)
    bound = (*source.bound, variable)
    own = ALWAYS if pattern is None else pattern.condition(bound, counter)
    condition = simplify(source.last | source.present | own)
    path, conditions = (*source.path, variable), (*source.conditions, condition)
    crd = Stream(path, conditions)
    return [crd, replace(crd, tensor=block.tensor, bound=bound)]


def _size(pattern: Pattern | None, level: int) -> int:
    assert pattern is not None
    return pattern.shape[pattern.mode_order[level]]


def _join(block: Joiner, inputs: list[Stream], rates: Mapping[str, float], counter: Counter) -> list[Stream]:
    crds, payloads = inputs[::2], inputs[1::2]
    first = crds[0]
    if block.join is Join.INTERSECT:
        merged = simplify(frozenset().union(*(crd.last for crd in crds)))
        if block.index in rates:
            sparser = min(crds, key=lambda crd: counter.count(crd.last, crd.path))
            merged = sparser.last | frozenset({Thinned(first.path[-1], rates[block.index])})
        crd = first.ends(merged)
        return [crd, *(replace(payload, path=crd.path, conditions=crd.conditions) for payload in payloads)]
    common = frozenset.intersection(*(crd.last for crd in crds))
    crd = first.ends(common | either([crd.last for crd in crds], common))
    outs = []
    for side, payload in zip(crds, payloads, strict=True):
        present = simplify((side.last - crd.last) | payload.present)
        outs.append(replace(payload, path=crd.path, conditions=crd.conditions, present=present))
    return [crd, *outs]


def _accumulate(block: SparseAccumulator, inputs: list[Stream], counter: Counter) -> list[Stream]:
    deepest, order = inputs[0], block.order
    outer = len(deepest.path) - order - 1
    reduced, inner = deepest.path[outer], deepest.path[outer + 1 :]
    path, conditions = [*deepest.path[:outer]], [*deepest.conditions[:outer]]
    for depth, variable in enumerate(inner):
        path.append(variable)
        conditions.append(counter.exists(deepest.last, (reduced, *inner[depth + 1 :])))
    levels = [Stream(tuple(path[: outer + depth]), tuple(conditions[: outer + depth])) for depth in range(1, order + 1)]
    return [*reversed(levels), levels[-1]]


def _shares(block: Fork, stream: Stream, counter: Counter) -> list[Condition]:
    """What every lane gets. Exact where the coordinates are known: ranges, and the outermost level dealt in turn."""
    variable = stream.path[-1]
    if block.boundaries:
        bounds = (0, *block.boundaries, variable[1])
        ranges = [np.arange(low, high) for low, high in pairwise(bounds)]
        if block.owners:
            owners = np.asarray(block.owners)
            mine = [[ranges[place] for place in np.flatnonzero(owners == lane)] for lane in range(block.lanes)]
            parts = [np.concatenate([np.empty(0, np.int64), *found]) for found in mine]
        else:
            parts = ranges
    elif len(stream.path) == 1:
        coordinates = counter.coordinates(stream.last, variable)
        parts = [coordinates[lane :: block.lanes] for lane in range(block.lanes)]
    else:
        return [frozenset({Thinned(variable, 1 / block.lanes)})] * block.lanes
    return [counter.lane(variable, part) for part in parts]
