"""Makes a failing case of the fuzz small: nodes go, streams are written out, data and machines become plain.

A candidate that breaks a rule of graphs does not fail in the way that is asked for, so candidates need not be legal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fuseflow.dataflow import Graph, Node, Output, Part, Port, StreamKind
from fuseflow.dataflow.blocks import Array, CrdWriter, Generator, Root, Sink, ValWriter
from fuseflow.dataflow.tokens import Stop, Token
from fuseflow.errors import FuseflowError
from fuseflow.formats import FiberTree
from fuseflow.sim import Machine, interpret


@dataclass(frozen=True, slots=True)
class Case:
    """What a run is a function of."""

    graph: Graph
    tensors: dict[str, FiberTree]
    machine: Machine


def shrink(case: Case, fails: Callable[[Case], bool], attempts: int = 4000) -> Case:
    """The smallest case found with at most ``attempts`` calls of ``fails`` that still fails; ``case`` has to."""
    smaller = True
    while smaller:
        smaller = False
        for step in (
            _without_writers,
            _on_plainer_machines,
            _with_streams_written_out,
            _without_nodes,
            _with_less_data,
            _with_fewer_tokens,
        ):
            candidates = step(case)
            while attempts > 0 and (candidate := next(candidates, None)) is not None:
                attempts -= 1
                if fails(candidate):
                    case, smaller = candidate, True
                    candidates = step(case)
    return case


def _without_nodes(case: Case) -> Iterator[Case]:
    """One node less, or one that nobody reads any more; the last ones first."""
    for node in reversed(tuple(case.graph)):
        yield replace(case, graph=replace(case.graph, nodes=tuple(other for other in case.graph if other is not node)))
        yield from _bypassed(case, node)
    unread = case.tensors.keys() - _pruned(case).tensors.keys()
    for name in unread:
        yield replace(case, tensors={key: tree for key, tree in case.tensors.items() if key != name})


def _bypassed(case: Case, node: Node) -> Iterator[Case]:
    """Readers of ``node`` read one of its inputs instead."""
    for spec in node.block.outputs:
        port = Port(node.name, spec.name)
        if not any(port in other.inputs for other in case.graph):
            continue
        for source in dict.fromkeys(node.inputs):
            nodes = tuple(
                replace(other, inputs=tuple(source if each == port else each for each in other.inputs))
                for other in case.graph
            )
            yield replace(case, graph=replace(case.graph, nodes=nodes))


def _pruned(case: Case) -> Case:
    """Without nodes that lead nowhere, and tensors that nobody reads."""
    nodes = list(case.graph)
    while True:
        read = {port.node for node in nodes for port in node.inputs}
        kept = [node for node in nodes if node.name in read or not node.block.outputs]
        if len(kept) == len(nodes):
            break
        nodes = kept
    graph = replace(case.graph, nodes=tuple(nodes))
    named = set(graph.tensors) | {node.block.tensor for node in graph if isinstance(node.block, Generator)}
    return replace(case, graph=graph, tensors={name: tree for name, tree in case.tensors.items() if name in named})


def _without_writers(case: Case) -> Iterator[Case]:
    """A result that is one number, and sinks where the writers were, or nothing."""
    writers = [node for node in case.graph if isinstance(node.block, CrdWriter | ValWriter)]
    if [output.tensor for output in case.graph.outputs] == ["result"]:
        return
    end = (
        Node("root_one", Root("one"), (), Part.ITERATION),
        Node("one", Array("one"), (Port("root_one", "ref"),), Part.ITERATION),
        Node("write_one", ValWriter("result"), (Port("one", "val"),), Part.ITERATION),
    )
    scalar = (Output("result", (), (), ()),)
    case = replace(case, tensors={**case.tensors, "one": FiberTree.from_dense(np.array(1, np.float32))})
    rest = tuple(node for node in case.graph if node not in writers)
    sinks = tuple(replace(node, block=Sink(), role="") for node in writers)
    # Without sinks the chunk core can still run it; then what nobody reads has to stay.
    yield replace(case, graph=replace(case.graph, nodes=(*rest, *end), outputs=scalar))
    for middle in ((), *((sink,) for sink in sinks), sinks):
        yield _pruned(replace(case, graph=replace(case.graph, nodes=(*rest, *middle, *end), outputs=scalar)))


def _with_streams_written_out(case: Case) -> Iterator[Case]:
    """Nodes replaced by the streams that leave them, the last ones first: all before them may go."""
    try:
        streams = interpret(case.graph, case.tensors, case.machine, record=True).streams or {}
    except FuseflowError:
        return
    for node in reversed(tuple(case.graph)):
        if isinstance(node.block, Generator) or not node.block.outputs:
            continue
        ports = {Port(node.name, spec.name): spec.kinds[0] for spec in node.block.outputs}
        read = [port for port in ports if any(port in other.inputs for other in case.graph)]
        for pointed in _pointers(case, [ports[port] for port in read]):
            made = {
                port: Node(f"{node.name}_{port.name}", _generator(streams[port], ports[port], *to), (), Part.ITERATION)
                for port, to in zip(read, pointed, strict=True)
            }
            nodes: list[Node] = []
            for other in case.graph:
                if other is node:
                    nodes += made.values()
                else:
                    inputs = tuple(Port(made[port].name, "out") if port in made else port for port in other.inputs)
                    nodes.append(replace(other, inputs=inputs))
            yield _pruned(replace(case, graph=replace(case.graph, nodes=tuple(nodes))))


def _pointers(case: Case, kinds: list[StreamKind]) -> Iterator[list[tuple[str | None, int]]]:
    """What references may point at: nothing, or every level of every tensor (the verifier knows which is right)."""
    places: list[tuple[str | None, int]] = [(None, -1)]
    if StreamKind.REF in kinds:
        places += [(name, level) for name, tree in case.tensors.items() for level in range(-1, tree.order)]
    for place in places:
        yield [place if kind is StreamKind.REF else (None, -1) for kind in kinds]


def _generator(stream: list[tuple[Token, int]], kind: StreamKind, tensor: str | None, level: int) -> Generator:
    return Generator(kind, tuple(token for token, _ in stream), tensor, level)


def _on_plainer_machines(case: Case) -> Iterator[Case]:
    plain, machine = Machine(), case.machine
    if machine != plain:
        yield replace(case, machine=plain)
    for number in range(len(machine.depths)):
        yield replace(case, machine=replace(machine, depths=machine.depths[:number] + machine.depths[number + 1 :]))
    for name in ("channel_capacity", "scanner", "array", "binary", "unary", "reduce", "product", "memory", "turns"):
        if getattr(machine, name) != getattr(plain, name):
            yield replace(case, machine=replace(machine, **{name: getattr(plain, name)}))


def _with_less_data(case: Case) -> Iterator[Case]:
    """Tensors with half of their elements gone, then single ones, then all values 1."""
    for name, tree in case.tensors.items():
        dense = tree.to_dense()
        places = np.argwhere(dense != 0)
        size = len(places)
        while size > 1:
            size = (size + 1) // 2
            for start in range(0, len(places), size):
                less = dense.copy()
                less[tuple(places[start : start + size].T)] = 0
                yield _with_tensor(case, name, less)
        if (dense[tuple(places.T)] != 1).any():
            yield _with_tensor(case, name, (dense != 0).astype(np.float32))


def _with_tensor(case: Case, name: str, dense: np.ndarray) -> Case:
    layout = case.tensors[name].format
    return replace(case, tensors={**case.tensors, name: FiberTree.from_dense(dense, layout, allow_nonfinite=True)})


def _with_fewer_tokens(case: Case) -> Iterator[Case]:
    """Written-out streams of one shape lose a fiber or a token, all at the same place; single ones after that."""
    makers = [node for node in case.graph if isinstance(node.block, Generator)]
    shapes: dict[tuple[str, ...], list[Node]] = {}
    for node in makers:
        assert isinstance(node.block, Generator)
        shape = tuple(repr(token) if isinstance(token, Stop) else "" for token in node.block.tokens)
        shapes.setdefault(shape, []).append(node)
    for alike in (*shapes.values(), *([node] for node in makers)):
        length = len(alike[0].block.tokens)  # type: ignore[union-attr]  # all are generators
        for size in (length // 2, 2, 1):
            for start in range(0, length - size if size else 0):
                nodes = [_shortened(node, start, size) if node in alike else node for node in case.graph]
                yield replace(case, graph=replace(case.graph, nodes=tuple(nodes)))


def _shortened(node: Node, start: int, size: int) -> Node:
    assert isinstance(node.block, Generator)
    tokens = node.block.tokens
    return replace(node, block=replace(node.block, tokens=tokens[:start] + tokens[start + size :]))
