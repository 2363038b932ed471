"""SAM's sparse accumulator takes points, ours takes streams that are nested: the way from one to the other.

SAM holds every outer coordinate for each inner one (``crdhold``) and gives the accumulator a list of points with their
values; what is summed away shows only in the nesting of the values. Ours takes the coordinate stream of each level,
the summed one included. So holds are undone, and the level that no point names is the one that is summed.
"""

from collections.abc import Callable, Mapping

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CoordDrop,
    CoordHold,
    Joiner,
    LevelScanner,
    Locate,
    Reduce,
    Repeat,
    Repeater,
    Root,
    SparseAccumulator,
    StopDrop,
    UnaryALU,
)
from fuseflow.dataflow.graph import Node, Port
from fuseflow.dataflow.interop.dot_blocks import Item
from fuseflow.dataflow.interop.draft import Draft
from fuseflow.dataflow.tokens import StreamKind

Nest = tuple[str, ...]

MOST_NODES = 2000
"""Every stream of the graph is looked at for the level that is summed."""


def unfold_points(draft: Draft, item: Item, ports: Mapping[str, Port], size_of: Callable[[str], int]) -> None:
    """Add ``item``, an accumulator of points fed by ``ports``, to ``draft``, and rewire what reads it.

    ``size_of`` gives the size of an index variable. VerifyError if values and points do not belong together.
    """
    if len(draft.nodes) > MOST_NODES:
        raise item.fault(f"takes points in a graph of {len(draft.nodes)} nodes; at most {MOST_NODES} are read")
    order = item.number("order", 10)
    names = [item.get(f"in{number}") for number in range(order + 1) if f"in{number}" in item.attributes]
    if order < 1 or len(names) < order:
        raise item.fault(f"has order {order}, but names {len(names)} index variables, in0 to in{len(names) - 1}")
    if "val" not in ports:
        raise item.fault("input 'val' is not fed")
    kept = tuple(reversed(names[:order]))
    nest = index_nest(draft.nodes, ports["val"])
    if nest is None or nest[-order:] != kept or len(nest) <= order:
        raise item.fault(
            f"input 'val' reads {ports['val']}, whose values are nested {_shown(nest)}, but its points are at "
            f"{_shown(kept)} and one level above is summed{_who_summed(draft.nodes, ports['val'], names[0])}"
        )
    crds = [_coordinates(draft, item, ports, nest[: len(nest) - number]) for number in range(order + 1)]
    block = SparseAccumulator(nest[-order - 1], kept, tuple(size_of(index) for index in kept))
    draft.add(item.name, block, [*crds, ports["val"]])
    moved = {f"crd:{index}": Port(item.name, f"crd{number}") for number, index in enumerate(reversed(kept))}
    for index in nest[: -order - 1]:
        at = nest.index(index) + 1
        moved[f"crd:{index}"] = _coordinates(draft, item, ports, nest[:at])
    for node in list(draft.nodes.values()):
        if any(port.node == item.name and port.name.startswith("crd:") for port in node.inputs):
            draft.rewire(node.name, [_moved(item, port, moved) for port in node.inputs])


def remove_unread_holds(draft: Draft) -> None:
    """Take out the coordinate holds that nobody reads any more."""
    while True:
        read = {port.node for node in draft.nodes.values() for port in node.inputs}
        unread = [name for name, node in draft.nodes.items() if isinstance(node.block, CoordHold) and name not in read]
        if not unread:
            return
        for name in unread:
            del draft.nodes[name]


def index_nest(nodes: Mapping[str, Node], port: Port) -> Nest | None:
    """Index variables of the levels of a stream, outermost first; None where it cannot be told."""
    steps = 0
    tail: list[str] = []
    cut = 0
    while port.node in nodes and steps <= 4 * len(nodes):
        steps += 1
        node = nodes[port.node]
        added: str | None = None
        match node.block:
            case Root():
                return tuple(reversed(tail)) if not cut else None
            case LevelScanner(index=index):
                added, port = index, node.inputs[0]
            case Repeat(index=index) | Repeater(index=index):
                added, port = index, node.inputs[0]
            case Joiner():
                port = node.inputs[0]
            case Reduce():
                cut, port = cut + 1, node.inputs[0]
            case CoordDrop() | CoordHold():
                held = isinstance(node.block, CoordHold)
                port = node.inputs[1 if port.name == "inner" or held else 0]
            case Locate():
                port = node.inputs[1]
            case Array() | BinaryALU() | UnaryALU() | StopDrop():
                port = node.inputs[0]
            case _:
                return None
        if added is not None:
            if cut:
                cut -= 1
            else:
                tail.append(added)
    return None


def _coordinates(draft: Draft, item: Item, ports: Mapping[str, Port], nest: Nest) -> Port:
    """The coordinate stream of the innermost level of ``nest``: among the inputs, else anywhere in the graph."""
    given = ports.get(f"crd:{nest[-1]}")
    if given is not None:
        while given.node in draft.nodes and isinstance(draft.nodes[given.node].block, CoordHold):
            node = draft.nodes[given.node]
            given = node.inputs[0 if given.name == "outer" else 1]
        if index_nest(draft.nodes, given) == nest:
            return given
    for node in reversed(draft.nodes.values()):
        if not isinstance(node.block, Joiner | LevelScanner):
            continue
        for spec in node.block.outputs:
            port = Port(node.name, spec.name)
            if spec.kinds == (StreamKind.CRD,) and index_nest(draft.nodes, port) == nest:
                return port
    raise item.fault(f"needs the coordinates of {nest[-1]} nested {_shown(nest)}, and no stream has them")


def _moved(item: Item, port: Port, moved: Mapping[str, Port]) -> Port:
    if port.node != item.name or not port.name.startswith("crd:"):
        return port
    if port.name not in moved:
        raise item.fault(f"has no coordinates of {port.name[4:]!r}; it has {', '.join(name[4:] for name in moved)}")
    return moved[port.name]


def _who_summed(nodes: Mapping[str, Node], port: Port, index: str) -> str:
    """The reduction in front of the accumulator that has summed ``index`` away, in words."""
    node = nodes.get(port.node)
    if node is not None and isinstance(node.block, Reduce):
        before = index_nest(nodes, node.inputs[0])
        if before is not None and before[-1:] == (index,):
            return f": {node.name!r} in front of it has summed {index} away already; take that reduce out"
    return ""


def _shown(nest: Nest | None) -> str:
    return " ".join(nest) if nest else "at no known level"
