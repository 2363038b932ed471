"""The verifier: the one place that says which dataflow graphs are legal. It runs before every simulation.

Checked, in this order: types of fields; names, arities and ports; stream kinds; topological order; what each block asks
of its own attributes (``attributes``); where references lead; the nesting depth of every stream; the writers. Reading
an output port never or often is legal. Not checked: whether the graph computes what was meant.
"""

from collections.abc import Iterator, Sequence

from fuseflow.dataflow.attributes import wrong_attribute, wrong_number_of_ports
from fuseflow.dataflow.blocks import (
    Array,
    Concat,
    CoordMask,
    CrdWriter,
    Fork,
    Gather,
    Generator,
    Joiner,
    LevelScanner,
    Locate,
    PortSpec,
    Repeat,
    Repeater,
    Root,
    StopDrop,
    ValWriter,
)
from fuseflow.dataflow.fields import wrong_field
from fuseflow.dataflow.graph import Graph, Node, Output, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import VerifyError
from fuseflow.formats.check import MAX_DIMENSION

MAX_DEPTH = 10
"""Deepest nesting of a stream; its stop tokens are then ``S0`` to ``S9``, as in SAM's one-digit notation."""


def verify(graph: Graph) -> None:
    """Raise VerifyError, naming nodes and ports, at the first rule that ``graph`` breaks."""
    _check_types(graph)
    _check_wiring(graph)
    for node in graph.nodes:
        _ask(graph, node, wrong_attribute(node.block))
    _check_references(graph)
    _check_writers(graph, _solve_depths(graph))


def depths(graph: Graph) -> dict[Port, int]:
    """Nesting depth of every output port: 0 for a root reference, 1 for the coordinates of the outermost level.

    A stream of depth ``d`` ends in ``S<d-1> D`` (``D`` alone for 0). Raises VerifyError if streams that meet in a block
    disagree, or if the graph is not wired properly.
    """
    _check_types(graph)
    _check_wiring(graph)
    return _solve_depths(graph)


def _error(graph: Graph, node: Node | None, text: str) -> VerifyError:
    where = f"graph {graph.name!r}" + (f", node {node.name!r}" if node else "")
    return VerifyError(f"{where}: {text}")


def _wires(node: Node) -> Iterator[tuple[PortSpec, Port]]:
    yield from zip(node.block.inputs, node.inputs, strict=True)


def _names(specs: Sequence[PortSpec]) -> str:
    return ", ".join(spec.name for spec in specs) or "none"


def _kinds(spec: PortSpec) -> str:
    return " or ".join(kind.value for kind in spec.kinds)


def _check_types(graph: Graph) -> None:
    """Every field of the graph, its nodes, blocks and outputs has the type that its class declares."""
    fault = wrong_field(graph, Graph, "graph")
    if fault is not None:
        raise VerifyError(f"{fault}; the classes of fuseflow.dataflow say what their fields are")


def _ask(graph: Graph, node: Node, fault: str | None) -> None:
    if fault is not None:
        raise _error(graph, node, fault)


def _check_wiring(graph: Graph) -> None:
    """Names are unique, every input is connected, ports exist, kinds fit, producers stand first."""
    position: dict[str, int] = {}
    for number, node in enumerate(graph.nodes):
        if node.name in position:
            text = f"nodes {position[node.name]} and {number} have the same name; names must be unique, rename one"
            raise _error(graph, node, text)
        position[node.name] = number
    for number, node in enumerate(graph.nodes):
        _ask(graph, node, wrong_number_of_ports(node.block))
        wanted = node.block.inputs
        if len(node.inputs) != len(wanted):
            remedy = "connect the missing ones" if len(node.inputs) < len(wanted) else "remove the surplus"
            text = f"has {len(node.inputs)} inputs, but its block reads {len(wanted)}: {_names(wanted)}; {remedy}"
            raise _error(graph, node, text)
        for spec, port in _wires(node):
            if port.node not in position:
                text = (
                    f"input {spec.name!r} reads {port}, but there is no node {port.node!r}; add it or rewire the input"
                )
                raise _error(graph, node, text)
            _check_wire(graph, node, spec, port, graph.nodes[position[port.node]])
            if position[port.node] >= number:
                raise _error(graph, node, _order_text(graph, node, spec, port))


def _check_wire(graph: Graph, node: Node, spec: PortSpec, port: Port, producer: Node) -> None:
    for out in producer.block.outputs:
        if out.name == port.name:
            kind = out.kinds[0]
            break
    else:
        text = (
            f"input {spec.name!r} reads {port}, but the outputs of {port.node!r} are: {_names(producer.block.outputs)}"
        )
        raise _error(graph, node, text)
    if kind not in spec.kinds:
        text = (
            f"input {spec.name!r} takes a {_kinds(spec)} stream, but {port} is a {kind.value} stream; rewire the input"
        )
        raise _error(graph, node, text)
    if isinstance(node.block, Repeat | Repeater) and spec.name == "data" and kind is not node.block.payload:
        text = (
            f"input 'data' reads {port}, a {kind.value} stream, but the block repeats {node.block.payload.value} "
            f"payloads onto output 'out'; set payload=StreamKind.{kind.name} or rewire the input"
        )
        raise _error(graph, node, text)


def _order_text(graph: Graph, node: Node, spec: PortSpec, port: Port) -> str:
    """Tell a wrong order from a cycle, and show the cycle."""
    feeds = {other.name: [wire.node for wire in other.inputs] for other in graph.nodes}
    path, seen = [port.node], {port.node}
    trail: list[Iterator[str]] = [iter(feeds.get(port.node, []))]
    while path and path[-1] != node.name:
        step = next((name for name in trail[-1] if name not in seen), None)
        if step is None:
            path.pop()
            trail.pop()
        else:
            seen.add(step)
            path.append(step)
            trail.append(iter(feeds.get(step, [])))
    if path:
        ring = " -> ".join([node.name, *reversed(path[:-1]), node.name])
        return f"input {spec.name!r} reads {port}, which depends on the node itself: {ring}; a graph has no cycles"
    return f"input {spec.name!r} reads {port}, which stands later in the graph; list nodes in topological order"


def _check_references(graph: Graph) -> None:
    """A reference that indexes stored arrays must point into the tensor and level it is used for."""
    target: dict[Port, tuple[str, int]] = {}
    for node in graph.nodes:
        block, name = node.block, node.name
        match block:
            case Root(tensor=tensor):
                target[Port(name, "ref")] = (tensor, -1)
            case LevelScanner(tensor=tensor, level=level):
                if not block.dense:
                    _expect(graph, node, "ref", target.get(node.inputs[0]), (tensor, level - 1))
                target[Port(name, "ref")] = (tensor, level)
            case Generator(stream=StreamKind.REF, tensor=str(tensor), level=level):
                target[Port(name, "out")] = (tensor, level)
            case Repeat() | Repeater() | StopDrop():
                _pass(target, node.inputs[0], Port(name, "out"))
            case CoordMask():
                _pass(target, node.inputs[2], Port(name, "ref"))
            case Fork(lanes=lanes):
                for number in range(lanes):
                    _pass(target, node.inputs[0], Port(name, f"out{number}"))
            case Gather(lanes=count) | Concat(operands=count):
                if len({target.get(port) for port in node.inputs[:count]}) == 1:
                    _pass(target, node.inputs[0], Port(name, "out"))
            case Joiner(payloads=payloads):
                for number in range(len(payloads)):
                    _pass(target, node.inputs[2 * number + 1], Port(name, f"out{number}"))
            case Locate(tensor=tensor, level=level):
                if block.has_parent:
                    _expect(graph, node, "parent", target.get(node.inputs[2]), (tensor, level - 1))
                target[Port(name, "located")] = (tensor, level)
                _pass(target, node.inputs[0], Port(name, "ref"))
            case Array(tensor=tensor):
                found = target.get(node.inputs[0])
                _expect(graph, node, "ref", found, (tensor, found[1] if found else -1))
            case _:
                pass


def _pass(target: dict[Port, tuple[str, int]], source: Port, out: Port) -> None:
    if source in target:
        target[out] = target[source]


def _expect(graph: Graph, node: Node, name: str, found: tuple[str, int] | None, wanted: tuple[str, int]) -> None:
    if found == wanted:
        return
    port = node.inputs[[spec.name for spec in node.block.inputs].index(name)]
    leads = "is no reference into a tensor" if found is None else f"points into {_place(*found)}"
    text = f"input {name!r} must be a reference into {_place(*wanted)}, but {port} {leads}; rewire the input"
    raise _error(graph, node, text)


def _place(tensor: str, level: int) -> str:
    return f"the root of {tensor!r}" if level < 0 else f"level {level} of {tensor!r}"


def _solve_depths(graph: Graph) -> dict[Port, int]:
    """Propagate depths in topological order: the first input fixes the base depth of a node, the others must agree."""
    found: dict[Port, int] = {}
    for node in graph.nodes:
        base, first = 0, None
        for spec, port in _wires(node):
            if first is None:
                base, first = found[port] - spec.depth, (spec, port)
            elif found[port] != base + spec.depth:
                text = (
                    f"input {spec.name!r} reads {port} at depth {found[port]}, but input {first[0].name!r} reads "
                    f"{first[1]} at depth {found[first[1]]}, which asks for depth {base + spec.depth}; "
                    "scan, repeat or reduce one of the two streams until both are nested alike"
                )
                raise _error(graph, node, text)
        if isinstance(node.block, Concat) and base < 1:
            what = "but what is concatenated are fibers; scan or repeat the streams first"
            raise _error(graph, node, f"input 'in0' reads {node.inputs[0]} at depth 0, {what}")
        for spec in node.block.outputs:
            depth = base + spec.depth
            least = 1 if spec.kinds == (StreamKind.CRD,) else 0
            if depth < least and first is not None:
                text = (
                    f"output {spec.name!r} would have depth {depth}, below {least}: input {first[0].name!r} reads "
                    f"{first[1]} at depth {found[first[1]]}; it must be nested {least - depth} deeper"
                )
                raise _error(graph, node, text)
            if depth > MAX_DEPTH:
                text = (
                    f"output {spec.name!r} would be nested {depth} levels deep, more than {MAX_DEPTH}; "
                    "split the fusion region so that fewer index variables are open at once"
                )
                raise _error(graph, node, text)
            found[Port(node.name, spec.name)] = depth
    return found


def _check_writers(graph: Graph, found: dict[Port, int]) -> None:
    """One coordinate writer per level of every result and one value writer, each at its own depth."""
    results: dict[str, Output] = {}
    for out in graph.outputs:
        order = len(out.indices)
        if len(out.shape) != order or sorted(out.mode_order) != list(range(order)):
            text = (
                f"output {out.tensor!r} has indices {out.indices}, shape {out.shape} and mode order {out.mode_order}; "
                f"it needs {order} sizes and a permutation of 0..{order - 1}"
            )
            raise _error(graph, None, text)
        if any(not 0 <= size <= MAX_DIMENSION for size in out.shape):
            text = f"output {out.tensor!r} has shape {out.shape}; a size is 0 or more, and at most {MAX_DIMENSION}"
            raise _error(graph, None, text)
        if out.tensor in results:
            raise _error(graph, None, f"two outputs are called {out.tensor!r}; rename one")
        results[out.tensor] = out
    if not results:
        raise _error(graph, None, "has no output; declare the tensor that its writers write")
    writers: dict[tuple[str, int], Node] = {}
    for node in graph.nodes:
        if isinstance(node.block, CrdWriter | ValWriter):
            _check_writer(graph, node, node.block, results, writers, found)
    for out in graph.outputs:
        if (out.tensor, len(out.indices)) not in writers:
            raise _error(graph, None, f"no ValWriter writes the values of output {out.tensor!r}; add one")
        for level, index in enumerate(out.indices):
            if (out.tensor, level) not in writers:
                text = f"no CrdWriter writes level {level} (index {index!r}) of output {out.tensor!r}; add one"
                raise _error(graph, None, text)


def _check_writer(
    graph: Graph,
    node: Node,
    block: CrdWriter | ValWriter,
    results: dict[str, Output],
    writers: dict[tuple[str, int], Node],
    found: dict[Port, int],
) -> None:
    out = results.get(block.tensor)
    if out is None:
        names = ", ".join(repr(name) for name in results)
        raise _error(graph, node, f"writes tensor {block.tensor!r}, but the outputs of the graph are {names}")
    order = len(out.indices)
    level = block.level if isinstance(block, CrdWriter) else order
    if isinstance(block, CrdWriter) and (not 0 <= level < order or block.index != out.indices[level]):
        text = f"writes level {level} at index {block.index!r}, but the levels of {out.tensor!r} are {out.indices}"
        raise _error(graph, node, text)
    what = "values" if level == order else f"level {level}"
    if (out.tensor, level) in writers:
        other = writers[out.tensor, level].name
        raise _error(graph, node, f"{other!r} already writes {what} of {out.tensor!r}; remove one of the two")
    writers[out.tensor, level] = node
    wanted, port = min(level + 1, order), node.inputs[0]
    if found[port] != wanted:
        remedy = "reduce" if found[port] > wanted else "repeat"
        text = (
            f"input {block.inputs[0].name!r} reads {port} at depth {found[port]}, but {what} of a result "
            f"with {order} levels must come at depth {wanted}; {remedy} the stream first"
        )
        raise _error(graph, node, text)
