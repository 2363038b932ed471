"""From the reference simulator's protobuf message to a graph of ours.

Broadcasts vanish, since our ports have any number of readers; a stream of a channel becomes the port that writes it.
What the reference leaves open (which level a lookup reads, sizes, results) comes from our extension fields or, in a
foreign graph, from the wiring and the shapes of the tensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fuseflow.dataflow.blocks import (
    Array,
    Block,
    CrdWriter,
    Fork,
    Gather,
    Joiner,
    LevelScanner,
    Locate,
    Repeat,
    Root,
    SparseAccumulator,
)
from fuseflow.dataflow.graph import Graph, Node, Output, Part, Port
from fuseflow.dataflow.interop.comal_blocks import Channel, Operation, block_of
from fuseflow.dataflow.interop.comal_data import StoredLevel
from fuseflow.dataflow.interop.draft import MOST_STEPS, Draft, results, trace_reference
from fuseflow.dataflow.verify import depths
from fuseflow.errors import VerifyError

MOST_OPERATIONS = 100_000
MOST_LEVELS = 64

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Imported:
    """A graph and, for every tensor it reads, the levels that its files hold, outermost first."""

    graph: Graph
    levels: Mapping[str, tuple[StoredLevel, ...]]


def from_message(root: Any, shapes: Shapes, where: str = "the graph") -> Imported:
    """The graph of a ``ComalGraph`` message; ``shapes`` are sizes by dimension of the tensors it reads.

    Raises VerifyError, naming operation and stream, for a message that is no graph that can run.
    """
    return _Importer(root, shapes, where).graph()


class _Importer:
    """State of one import: operations by name, and for every channel its writer and its reader."""

    def __init__(self, root: Any, shapes: Shapes, where: str) -> None:
        self.root, self.shapes, self.where = root, shapes, where
        self.operations: dict[str, Operation] = {}
        self.blocks: dict[str, Block] = {}
        self.writers: dict[Channel, Port] = {}
        self.readers: dict[Channel, str] = {}
        self.copies: dict[Channel, Channel] = {}
        self.modes: dict[str, dict[int, tuple[int, bool]]] = {}
        self.readers_of: dict[Port, list[tuple[Node, int]]] = {}
        self.draft = Draft(root.graph.name or root.name or "imported")

    def fault(self, text: str) -> VerifyError:
        return VerifyError(f"{self.where}: {text}")

    def graph(self) -> Imported:
        count = len(self.root.graph.operators)
        if not 0 < count <= MOST_OPERATIONS:
            raise self.fault(f"it has {count} operations; a graph has from 1 to {MOST_OPERATIONS}")
        for number, whole in enumerate(self.root.graph.operators):
            self.read(number, whole)
        self.connect()
        for operation in self.operations.values():
            self.add(operation)
        self.settle()
        sizes = self.index_sizes()
        self.settle_accumulators(sizes)
        outputs = self.results(sizes)
        levels = {name: self.stored(name) for name in self.read_tensors()}
        return Imported(self.draft.finish(outputs), levels)

    # Streams

    def read(self, number: int, whole: Any) -> None:
        """Note one operation, with its block and the streams it reads and writes."""
        kind = whole.WhichOneof("op")
        name = unique = whole.name or f"operation_{whole.id or number}"
        if kind is None:
            raise VerifyError(
                f"{self.where}, operation {name!r} (number {number}): its kind is not known here; the schema is "
                "that of the published simulator, which has no concat, for one (write such a graph as DOT)"
            )
        count = 2
        while unique in self.operations:
            unique, count = f"{name}_{count}", count + 1
        operation = Operation(unique, kind, getattr(whole, kind), whole, self.where)
        self.operations[unique] = operation
        block = block_of(operation)
        if block is not None:
            self.blocks[unique] = block
        for channel in operation.reads:
            if channel in self.readers:
                other = self.readers[channel]
                raise operation.fault(f"{_shown(channel)} is read by {other!r} as well; copy it with a broadcast")
            self.readers[channel] = unique

    def connect(self) -> None:
        """Every channel has one writer; what a broadcast writes is what it reads."""
        for operation in self.operations.values():
            for port, channel in operation.writes.items():
                if channel in self.writers or channel in self.copies:
                    raise operation.fault(f"output {port!r} writes {_shown(channel)}, which has a writer already")
                if operation.kind == "broadcast":
                    self.copies[channel] = operation.reads[0]
                else:
                    self.writers[channel] = Port(operation.name, port)
        for channel in (*self.writers, *self.copies):
            if channel not in self.readers:
                raise VerifyError(f"{self.where}: nobody reads {_shown(channel)}; set the id of an unused output to 0")

    def source(self, operation: Operation, channel: Channel) -> Port:
        """The port whose tokens arrive on ``channel``."""
        seen = {channel}
        while channel in self.copies:
            channel = self.copies[channel]
            if channel in seen:
                raise operation.fault(f"it reads {_shown(channel)}, which only broadcasts of itself feed")
            seen.add(channel)
        if channel not in self.writers:
            raise operation.fault(f"it reads {_shown(channel)}, which no operation writes")
        return self.writers[channel]

    # Blocks

    def add(self, operation: Operation) -> None:
        if operation.name not in self.blocks:
            return
        inputs = [self.source(operation, channel) for channel in operation.reads]
        try:
            part = Part(operation.whole.x_part) if operation.whole.x_part else None
        except ValueError:
            raise operation.fault(f"part {operation.whole.x_part!r} is unknown") from None
        self.draft.add(operation.name, self.blocks[operation.name], inputs, part, operation.whole.x_role)
        self.draft.where[operation.name] = f"operation {operation.whole.id} of {self.where}"

    def settle(self) -> None:
        """Fill in what only the wiring says: tensors of roots, of foreign locates, and levels of foreign lookups."""
        nodes = self.draft.nodes
        for name, node in list(nodes.items()):
            if isinstance(node.block, Locate) and not node.block.tensor:
                self.draft.replace(name, self.located(node))
            if isinstance(node.block, Root) and not node.block.tensor:
                self.draft.replace(name, Root(self.rooted(Port(name, "ref"))))
        for name in [node.name for node in self.draft.ordered()]:
            node = nodes[name]
            if not isinstance(node.block, LevelScanner):
                continue
            message = self.operations[name].message
            level = node.block.level
            if not message.HasField("x_level"):
                found = trace_reference(nodes, node.inputs[0])
                level = found[1] + 1 if found else 0
            extent = node.block.extent
            if node.block.dense and not message.HasField("x_extent"):
                extent = self.size(self.operations[name], node.block.tensor, int(message.mode))
            self.draft.replace(
                name, LevelScanner(node.block.tensor, level, node.block.index, extent, node.block.missing)
            )
            self.note_level(name, node.block.tensor, level, int(message.mode), extent is not None)
        self.settle_writers()

    def settle_writers(self) -> None:
        """A foreign coordinate writer writes the level that its stream is nested in."""
        nodes = self.draft.nodes
        foreign = [
            name
            for name, node in nodes.items()
            if isinstance(node.block, CrdWriter) and not self.operations[name].message.HasField("x_level")
        ]
        found = depths(Graph(self.draft.name, self.draft.ordered(), ())) if foreign else {}
        for name in foreign:
            block = nodes[name].block
            assert isinstance(block, CrdWriter)
            self.draft.replace(name, CrdWriter(block.tensor, found[nodes[name].inputs[0]] - 1, block.index))

    def settle_accumulators(self, sizes: Mapping[str, int]) -> None:
        """Sizes of the index variables that a foreign accumulator keeps."""
        for name, node in list(self.draft.nodes.items()):
            match node.block:
                case SparseAccumulator(reduced=reduced, indices=indices):
                    operation = self.operations[name]
                    if operation.message.x_extents:
                        continue
                    unknown = [index for index in indices if index not in sizes]
                    if unknown:
                        raise operation.fault(f"the size of index {unknown[0]!r} is not known; give the tensors")
                    extents = tuple(sizes[index] for index in indices)
                    self.draft.replace(name, SparseAccumulator(reduced, indices, extents))
                case _:
                    pass

    def note_level(self, name: str, tensor: str, level: int, mode: int, dense: bool) -> None:
        known = self.modes.setdefault(tensor, {})
        if known.setdefault(level, (mode, dense)) != (mode, dense):
            other = known[level]
            raise self.operations[name].fault(
                f"it reads level {level} of {tensor!r} as dimension {mode}, {_kind(dense)}, but another operation as "
                f"dimension {other[0]}, {_kind(other[1])}",
            )

    def located(self, node: Node) -> Locate:
        """A foreign locate goes into the outermost level of the tensor that its reference is used for."""
        tensor = self.rooted(Port(node.name, "located"))
        crd = self.index_of(node.inputs[1])
        extent = self.size(self.operations[node.name], tensor, 0)
        return Locate(tensor, 0, crd, extent)

    def rooted(self, port: Port) -> str:
        """The tensor that a reference at ``port`` is used for, found forward through what passes references on."""
        waiting, seen = [port], {port}
        while waiting and len(seen) < MOST_STEPS:
            at = waiting.pop()
            for node, number in self.uses().get(at, ()):
                match node.block:
                    case LevelScanner(tensor=tensor) | Array(tensor=tensor):
                        return tensor
                    case Repeat() | Fork() | Gather() if number == 0 or isinstance(node.block, Gather):
                        passed = [Port(node.name, spec.name) for spec in node.block.outputs]
                    case Joiner() if number % 2:
                        passed = [Port(node.name, f"out{number // 2}")]
                    case Locate() if number == 0:
                        passed = [Port(node.name, "ref")]
                    case _:
                        passed = []
                waiting += [each for each in passed if each not in seen]
                seen.update(passed)
        raise self.operations[port.node].fault(f"nothing tells which tensor its output {port.name!r} leads into")

    def uses(self) -> dict[Port, list[tuple[Node, int]]]:
        """Who reads each port, and at which input; made once, when all nodes are there."""
        if not self.readers_of:
            for node in self.draft.nodes.values():
                for number, port in enumerate(node.inputs):
                    self.readers_of.setdefault(port, []).append((node, number))
        return self.readers_of

    def index_of(self, port: Port) -> str:
        block = self.draft.nodes[port.node].block
        return str(getattr(block, "index", ""))

    def size(self, operation: Operation, tensor: str, mode: int) -> int:
        shape = self.shapes.get(tensor)
        if shape is None or mode >= len(shape):
            known = f"its shape is {shape}" if shape is not None else "its shape is not known"
            raise operation.fault(f"it needs the size of dimension {mode} of {tensor!r}, but {known}; give the tensor")
        return shape[mode]

    # Results and tensors

    def read_tensors(self) -> tuple[str, ...]:
        return Graph(self.draft.name, tuple(self.draft.nodes.values()), ()).tensors

    def stored(self, tensor: str) -> tuple[StoredLevel, ...]:
        """Levels of a tensor that the graph reads: those it scans, and between them those it locates."""
        known = dict(self.modes.get(tensor, {}))
        for node in self.draft.nodes.values():
            if isinstance(node.block, Locate) and node.block.tensor == tensor:
                known.setdefault(node.block.level, (-1, True))
        shape = self.shapes.get(tensor, ())
        order = max([len(shape), *(level + 1 for level in known)], default=0)
        if order > MOST_LEVELS:
            raise self.fault(f"tensor {tensor!r} would have {order} levels; at most {MOST_LEVELS} are read")
        free = [mode for mode in range(order) if mode not in {mode for mode, _ in known.values()}]
        levels = []
        for level in range(order):
            mode, dense = known.get(level, (-1, True))
            if mode < 0:
                if not free:
                    raise self.fault(f"tensor {tensor!r}: no dimension is left for its level {level}")
                mode = free.pop(0)
            levels.append(StoredLevel(mode, dense))
        return tuple(levels)

    def index_sizes(self) -> dict[str, int]:
        """Sizes of index variables, from the scanners of tensors whose shape is known."""
        sizes: dict[str, int] = {}
        for name, node in self.draft.nodes.items():
            match node.block:
                case LevelScanner(tensor=tensor, index=index, extent=extent):
                    shape = self.shapes.get(tensor)
                    mode = int(self.operations[name].message.mode)
                    if extent is not None:
                        sizes.setdefault(index, extent)
                    elif shape is not None and mode < len(shape):
                        sizes.setdefault(index, shape[mode])
                case Locate(index=index, extent=int(extent)):
                    sizes.setdefault(index, extent)
                case _:
                    pass
        return sizes

    def results(self, sizes: Mapping[str, int]) -> tuple[Output, ...]:
        if self.root.x_results:
            return tuple(
                Output(
                    each.tensor,
                    tuple(int(size) for size in each.shape),
                    tuple(int(mode) for mode in each.mode_order),
                    tuple(each.indices),
                )
                for each in self.root.x_results
            )

        def size_of(tensor: str, index: str) -> int:
            if index not in sizes:
                raise self.fault(f"the size of index {index!r} of result {tensor!r} is not known; give the tensors")
            return sizes[index]

        modes: dict[str, dict[int, int]] = {}
        for name, node in self.draft.nodes.items():
            if isinstance(node.block, CrdWriter):
                text = self.operations[name].message.mode_val
                if text.isdigit() and len(text) < 4:
                    modes.setdefault(node.block.tensor, {})[node.block.level] = int(text)
        orders = {tensor: tuple(found[level] for level in sorted(found)) for tensor, found in modes.items()}
        return results(self.draft, size_of, orders)


def _shown(channel: Channel) -> str:
    return f"{channel[0].value} channel {channel[1]}"


def _kind(dense: bool) -> str:
    return "dense" if dense else "compressed"
