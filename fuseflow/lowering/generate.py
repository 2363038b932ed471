"""Code generation for a fused region, level by level (paper §6, Algorithm 2; compiler notes §3).

Every stream of the graph stands on a *path* of index variables. All streams on one path have the same coordinates, so
they are aligned: a level is made once per path, from the join tree of the expression above it, and references and
values below follow it. Reductions take a level away again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import BinaryALU, Join, Joiner, Locate, Reduce, Repeat, SparseAccumulator, Tile, UnaryALU
from fuseflow.dataflow.graph import Graph, Output, Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum import (
    Binary,
    BinaryOp,
    Mask,
    Product,
    ReduceOp,
    Reduction,
    Unary,
    UnaryOp,
    masked_tensors,
    show_statement,
)
from fuseflow.einsum.masks import default_format
from fuseflow.errors import FusionError
from fuseflow.formats import Fill, Format, LevelKind
from fuseflow.fusion import FusedRegion, Leaf
from fuseflow.lowering.absent import check_absent, check_stored
from fuseflow.lowering.builder import Builder
from fuseflow.lowering.columns import Column, Source, walk_columns
from fuseflow.lowering.copies import Copy, restored
from fuseflow.lowering.joins import (
    All,
    Everything,
    FillOf,
    JoinTree,
    Of,
    Some,
    complete,
    fill_of,
    includes,
    intersect,
    join_tree,
    occurrences,
    unite,
)
from fuseflow.lowering.tiles import Tiles

Path = tuple[str, ...]
Fills = Mapping[str, tuple[Fill, ...]]
"""What is known of each stored tensor's levels, outermost first; tensors left out are judged by their format."""


@dataclass(slots=True)
class Level:
    """Coordinates on one path: who supplies them and what each source's stream looks like after joining.

    ``tree`` is the join tree that made it; ``payloads`` maps a source to its reference or value stream on this path;
    sources in ``missing`` may have ``N`` there.
    """

    crd: Port
    fill: Fill
    payloads: dict[Source, Port]
    missing: set[Source]
    signal: Port
    tree: JoinTree


@dataclass(slots=True)
class Computed:
    """An operation's result: its value stream, and coordinates and fill of the levels that it produced."""

    val: Port
    crds: dict[str, Port]
    fills: dict[str, Fill]


@dataclass(slots=True)
class Lowering:
    """One lowering in progress. ``levels`` and ``computed`` are the memory that makes sharing.

    ``arrays``, ``scanners``, ``raw`` (an operation's values before it reduces) and ``aligned`` (repeats of operand
    values) remember which nodes were made for what, for the fusion table. ``absent`` is kept by :mod:`.absent`;
    ``stored`` says how full the levels of the results are.
    """

    region: FusedRegion
    fills: Fills
    roots: tuple[Column, ...]
    builder: Builder = field(default_factory=Builder)
    levels: dict[Path, Level] = field(default_factory=dict)
    computed: dict[Column, Computed] = field(default_factory=dict)
    references: dict[tuple[Leaf, Path], Port] = field(default_factory=dict)
    arrays: dict[tuple[Leaf, Path], Port] = field(default_factory=dict)
    scanners: dict[tuple[Leaf, Path], Port] = field(default_factory=dict)
    raw: dict[Column, Port] = field(default_factory=dict)
    aligned: dict[Column, list[Port]] = field(default_factory=dict)
    maybe_missing: set[Port] = field(default_factory=set)
    running: list[Column] = field(default_factory=list)
    absent: dict[Column, frozenset[str]] = field(default_factory=dict)
    stored: dict[str, tuple[Fill, ...]] = field(default_factory=dict)
    tiles: Tiles = field(init=False)

    def __post_init__(self) -> None:
        self.tiles = Tiles.of(self.region)

    def evaluate(self, column: Column) -> Computed:
        """Streams of ``column``'s result on its result path; its consumer has made the levels they share."""
        if column not in self.computed:
            if column in self.running:
                chain = " -> ".join(item.name for item in [*self.running, column])
                raise FusionError(f"region {self.region.name!r}: {chain} wait for each other; choose another order")
            self.running.append(column)
            for depth in range(len(column.loops)):
                path = column.loops[: depth + 1]
                if path not in self.levels:
                    self.levels[path] = self.make_level(column, path)
            self.raw[column] = self.compute(column)
            self.computed[column] = self.reduce(column, self.raw[column])
            check_absent(self, column)
            self.running.pop()
        return self.computed[column]

    # Levels

    def make_level(self, column: Column, path: Path) -> Level:
        variable = path[-1]

        def fill(source: Source) -> Fill:
            return self.source_fill(source, path)

        tree = self.needed(column, variable, fill)
        for other in self.neighbours(column, path):
            tree = self.widened(tree, other, column, variable, fill)
        tree = complete(tree, fill)
        crd, payloads, missing = self.emit(tree, path, fill)
        found: dict[Source, Port] = {}
        hidden = [item for _, item in occurrences(tree)]
        named = [(source, payload) for source, payload in payloads if source is not None]
        for wanted in (False, True):  # streams that no inner intersection filters come first
            for (source, payload), filtered in zip(named, hidden, strict=True):
                if filtered is wanted:
                    found.setdefault(source, payload)
        known = fill_of(tree, fill) if self.region.extents[variable] else Fill.UNKNOWN
        level = Level(crd, known, found, missing, payloads[0][1], tree)
        for source in missing:
            if isinstance(source, Column):
                self.maybe_missing.add(found[source])
        return level

    def needed(self, column: Column, variable: str, fill: FillOf) -> JoinTree:
        """Coordinates that ``column`` iterates.

        A masked result stores every zero that is not masked out, so that the two can be told apart.
        """
        tree = join_tree(column, variable, fill)
        view = column.view
        if column in self.roots and view.masked and variable in view.variables and variable not in view.masked:
            return unite([tree, Everything()], fill)
        return tree

    def neighbours(self, column: Column, path: Path) -> list[Column]:
        """Others that iterate ``path`` for themselves: results, and sums over a variable shared between trees."""
        hints, shared = self.region.shared.hints, self.region.shared.merges.shared
        found = [root for root in self.roots if root is not column and root.loops[: len(path)] == path]
        for item in self.columns if path[-1] in shared else ():
            bound = [
                index
                for index, variable in zip(item.view.statement.reduced, item.view.reduced, strict=True)
                if variable == path[-1] and (item.name, item.variables, index) not in hints
            ]
            if bound and item is not column and item not in found and item.loops[: len(path)] == path:
                found.append(item)
        return found

    @property
    def columns(self) -> list[Column]:
        return [source for _, source, _ in walk_columns(self.roots) if isinstance(source, Column)]

    def widened(self, tree: JoinTree, root: Column, column: Column, variable: str, fill: FillOf) -> JoinTree:
        """``tree`` with every coordinate, and every source, that ``root``, which stands in the same nest, needs."""
        wanted = self.needed(root, variable, fill)
        if includes(tree, wanted, fill):
            known = {id(source) for source, _ in occurrences(tree)}
            if all(id(source) in known for source, _ in occurrences(wanted)):
                return tree
            if includes(wanted, tree, fill):
                return intersect([tree, wanted], fill)
        if variable in root.view.masked or variable in column.view.masked:
            raise FusionError(
                f"region {self.region.name!r}: {root.name} and {column.name} share index {variable} but a mask selects "
                f"other coordinates of it for one than for the other. End the region at {root.name}"
            )
        return unite([tree, wanted], fill)

    def source_fill(self, source: Source, path: Path) -> Fill:
        if self.region.extents[path[-1]] == 0:
            return Fill.UNKNOWN  # a dense level of size 0 has every coordinate, and empty fibers
        if isinstance(source, Column):
            return self.evaluate(source).fills[path[-1]]
        if any(source in self.levels[path[:depth]].missing for depth in range(1, len(path))):
            return Fill.UNKNOWN
        number = source.level(path[-1])
        if source.name in self.fills:
            return self.fills[source.name][number]
        return Fill.FULL if source.tensor.format.levels[number].kind is LevelKind.DENSE else Fill.UNKNOWN

    def emit(
        self, tree: JoinTree, path: Path, fill: FillOf
    ) -> tuple[Port, list[tuple[Source | None, Port]], set[Source]]:
        """Nodes for a join tree: its coordinates, every source's payload, and the sources that may be missing."""
        match tree:
            case Of(source) if isinstance(source, Leaf):
                crd, reference = self.scan(source, path)
                return crd, [(source, reference)], set()
            case Of(source):
                assert isinstance(source, Column)
                result = self.evaluate(source)
                # Only the innermost produced level carries values; the ones above have coordinates alone.
                payload = result.val if source.produced[-1] == path[-1] else result.crds[path[-1]]
                return result.crds[path[-1]], [(source, payload)], set()
            case Everything():
                crd, reference = self.scan_everything(path)
                return crd, [(None, reference)], set()
            case All(parts) | Some(parts):
                if any(self.is_outer_level(part, path) for part in parts):
                    return self.emit_aligned(tree, parts, path, fill)
                return self.emit_join(tree, parts, path, fill)

    def is_outer_level(self, tree: JoinTree, path: Path) -> bool:
        """Whether ``tree`` is a level of an accumulator above its innermost, which has coordinates but no payload."""
        return isinstance(tree, Of) and isinstance(tree.source, Column) and tree.source.produced[-1] != path[-1]

    def emit_aligned(
        self, tree: All | Some, parts: tuple[JoinTree, ...], path: Path, fill: FillOf
    ) -> tuple[Port, list[tuple[Source | None, Port]], set[Source]]:
        """A join with an outer level of an accumulator: possible where no coordinate of it is added or dropped."""
        outer = [part for part in parts if self.is_outer_level(part, path)]
        empty = self.region.extents[path[-1]] == 0
        full = empty or all(fill_of(part, fill) is Fill.FULL for part in parts)
        dense = all(part in outer or self.is_dense(part, path, fill) for part in parts)
        if not dense or not (full or (isinstance(tree, All) and len(outer) == 1)):
            assert isinstance(outer[0], Of) and isinstance(outer[0].source, Column)  # is_outer_level says so
            raise self.outer_level_fault(outer[0].source, path)
        crd, _, _ = self.emit(outer[0], path, fill)
        payloads: list[tuple[Source | None, Port]] = []
        for part in (*outer, *(part for part in parts if part not in outer)):
            assert isinstance(part, Of)  # an accumulator's level or a dense one
            if isinstance(part.source, Column):
                payloads.append((part.source, self.emit(part, path, fill)[0]))
            else:
                payloads.append((part.source, self.locate(part.source, path, crd)))
        return crd, payloads, set()

    def outer_level_fault(self, source: Column, path: Path) -> FusionError:
        return FusionError(
            f"region {self.region.name!r}: {source.name} accumulates over {' '.join(source.produced)}, and "
            f"level {path[-1]} of it would have to be joined with other operands. Choose an order in which "
            f"it accumulates over one index, or end the region at {source.name}"
        )

    def is_dense(self, tree: JoinTree, path: Path, fill: FillOf) -> bool:
        if not isinstance(tree, Of) or not isinstance(tree.source, Leaf):
            return False
        leaf = tree.source
        full = fill(leaf) is Fill.FULL or self.region.extents[path[-1]] == 0
        return full and leaf.tensor.format.levels[leaf.level(path[-1])].kind is LevelKind.DENSE

    def locate(self, leaf: Leaf, path: Path, crd: Port) -> Port:
        """References into a dense level of ``leaf`` at the coordinates ``crd``."""
        number, variable = leaf.level(path[-1]), path[-1]
        block = Locate(leaf.name, number, variable, self.region.extents[variable], number > 0)
        parent = (self.reference(leaf, path[:-1]),) if number > 0 else ()
        role = f"goes to index {variable} of dense {leaf.name}"
        self.scanners[leaf, path] = Port(self.builder.locate(block, (crd, crd, *parent), role), "located")
        return self.scanners[leaf, path]

    def emit_join(
        self, tree: All | Some, parts: tuple[JoinTree, ...], path: Path, fill: FillOf
    ) -> tuple[Port, list[tuple[Source | None, Port]], set[Source]]:
        inputs: list[Port] = []
        sources: list[Source | None] = []
        kinds: list[StreamKind] = []
        missing: set[Source] = set()
        certain: set[Source] = set()
        for part in parts:
            crd, payloads, part_missing = self.emit(part, path, fill)
            may_lack = isinstance(tree, Some) and fill_of(part, fill) is not Fill.FULL
            for source, payload in payloads:
                if isinstance(source, Column) and source.produced[-1] != path[-1]:
                    raise self.outer_level_fault(source, path)
                inputs += [crd, payload]
                sources.append(source)
                kinds.append(StreamKind.VAL if isinstance(source, Column) else StreamKind.REF)
                if source is not None:
                    (missing if may_lack or source in part_missing else certain).add(source)
        missing -= certain
        join = Join.INTERSECT if isinstance(tree, All) else Join.UNION
        names = ", ".join("every coordinate" if source is None else source.name for source in sources)
        role = f"{join.value}s {names} at index {path[-1]}"
        node = self.builder.join(Joiner(join, path[-1], tuple(kinds)), tuple(inputs), role)
        return (
            Port(node, "crd"),
            [(source, Port(node, f"out{number}")) for number, source in enumerate(sources)],
            missing,
        )

    def scan(self, leaf: Leaf, path: Path) -> tuple[Port, Port]:
        number = leaf.level(path[-1])
        kind = leaf.tensor.format.levels[number].kind
        if kind is LevelKind.SINGLETON or not leaf.tensor.format.levels[number].unique:
            mode_order = leaf.tensor.format.mode_order
            compressed = Format(Format.parse("c" * len(mode_order), len(mode_order)).levels, mode_order)
            raise FusionError(
                f"tensor {leaf.name!r} is stored as {leaf.tensor.format}; a graph scans dense and compressed levels "
                f'only. Store it as "{compressed}" instead'
            )
        extent = self.region.extents[path[-1]] if kind is LevelKind.DENSE else None
        crd, reference = self.builder.scan(leaf.name, number, path[-1], extent, self.reference(leaf, path[:-1]))
        self.scanners[leaf, path] = reference
        return crd, reference

    def scan_everything(self, path: Path) -> tuple[Port, Port]:
        variable = path[-1]
        reference = self.builder.root(f"all_{variable}")
        for depth in range(1, len(path)):
            reference = self.repeat(reference, path[:depth], f"all_{variable}", StreamKind.REF, Part.ITERATION)
        return self.builder.scan(f"all_{variable}", 0, variable, self.region.extents[variable], reference)

    def reference(self, leaf: Leaf, path: Path) -> Port:
        """Reference stream of ``leaf`` on ``path``: scanned where it has the index, repeated where it lacks it."""
        key = (leaf, path)
        if key not in self.references:
            if not path:
                made = self.builder.root(leaf.name)
            elif path[-1] in leaf.variables:
                made = self.levels[path].payloads[leaf]
            else:
                outer = self.reference(leaf, path[:-1])
                made = self.repeat(outer, path, leaf.name, StreamKind.REF, Part.ITERATION)
            self.references[key] = made
        return self.references[key]

    def repeat(self, data: Port, path: Path, what: str, payload: StreamKind, part: Part) -> Port:
        block = Repeat(path[-1], payload)
        made = self.builder.repeat(path[-1], data, self.levels[path].signal, what, block, part)
        if data in self.maybe_missing:
            self.maybe_missing.add(made)
        return made

    # Values

    def compute(self, column: Column) -> Port:
        """Value stream of the operation on its whole nest, before its reductions."""
        role = f"computes {show_statement(column.view.statement)}"
        name = column.name
        match column.view.statement.expression:
            case Product():
                pair = (self.operand(column, 0), self.operand(column, 1))
                tiles = self.tiles.step(column)
                return self.builder.compute(BinaryALU(BinaryOp.MUL, tiles), pair, f"mul_{name}", role)
            case Binary(op, _, _):
                pair = (self.operand(column, 0), self.operand(column, 1))
                return self.builder.compute(BinaryALU(op, self.tiles.step(column)), pair, f"{op.value}_{name}", role)
            case Unary(op, _, scalar):
                only = (self.operand(column, 0),)
                block = UnaryALU(op, scalar, self.tiles.step(column))
                return self.builder.compute(block, only, f"{op.value}_{name}", role)
            case Reduction():
                return self.operand(column, 0)
            case Mask():
                return self.spread(column, self.operand(column, 0))
            case layout:
                raise FusionError(f"{column.name}: {layout} only moves elements; end the region before it")

    def operand(self, column: Column, number: int) -> Port:
        """Value stream of an operand on ``column``'s whole nest."""
        operand = column.operands[number]
        if isinstance(operand, Leaf):
            tiles = self.tiles.listed(self.tiles.of_leaf(operand))
            values = self.builder.array(operand.name, self.reference(operand, column.loops), tiles)
            self.arrays[operand, column.loops] = values
            return values
        val = self.evaluate(operand).val
        path = operand.result_path
        if operand.produced:
            val = self.levels[path].payloads[operand]
        for depth in range(len(path) + 1, len(column.loops) + 1):
            val = self.repeat(val, column.loops[:depth], operand.name, StreamKind.VAL, Part.COMPUTE)
            self.aligned.setdefault(column, []).append(val)
        return val

    def spread(self, column: Column, val: Port) -> Port:
        """``val`` of a masked operand with every axis that the mask adds to its tiles."""
        tiles = self.tiles.step(column)
        if not tiles or set(tiles[0].axes) == set(tiles[-1].axes):
            return val
        role = f"repeats {column.operands[0].name} within the blocks of the mask"
        block = UnaryALU(UnaryOp.IDENTITY, tiles=(tiles[0], tiles[-1]))
        return self.builder.compute(block, (self.filled(val, column.name, tiles[0]),), f"spread_{column.name}", role)

    def filled(self, val: Port, name: str, tile: Tile) -> Port:
        """``val``, whose values are ``tile``, with missing operands as zeros, for blocks that take no ``N``."""
        if val not in self.maybe_missing:
            return val
        block = UnaryALU(UnaryOp.IDENTITY, tiles=(tile, tile) if self.tiles.sizes else ())
        return self.builder.compute(block, (val,), f"fill_{name}", f"reads missing elements of {name} as 0")

    def reduce(self, column: Column, val: Port) -> Computed:
        """Reduce over the operation's reduced variables, innermost first."""
        path = list(column.loops)
        crds = {loop: self.levels[column.loops[: depth + 1]].crd for depth, loop in enumerate(path)}
        fills = {loop: self.levels[column.loops[: depth + 1]].fill for depth, loop in enumerate(path)}
        tile = self.tiles.raw(column)
        for variable in sorted(column.view.reduced, key=path.index, reverse=True):
            position = path.index(variable)
            inner = path[position + 1 :]
            val = self.filled(val, column.name, tile)
            tiles = self.tiles.listed(tile, self.tiles.result(column))
            tile = self.tiles.result(column)  # the first fold takes all reduced axes of the tile
            if not inner:
                val = self.fold(column, val, tiles, [(crds[loop], fills[loop]) for loop in path[:position]])
            else:
                val = self.accumulate(column, val, tiles, variable, inner, crds)
                _accumulated_fills(fills, variable, inner)
            path.remove(variable)
        produced = column.produced
        return Computed(val, {loop: crds[loop] for loop in produced}, {loop: fills[loop] for loop in produced})

    def fold(self, column: Column, val: Port, tiles: tuple[Tile, ...], above: list[tuple[Port, Fill]]) -> Port:
        op = _reduce_op(column)
        guarded = any(fill is Fill.UNKNOWN for _, fill in above)
        inputs = (val, above[-1][0]) if guarded else (val,)
        role = f"{op.value} of the innermost fibers for {show_statement(column.view.statement)}"
        return self.builder.compute(Reduce(op, guarded, tiles), inputs, f"{op.value}_{column.name}", role)

    def accumulate(
        self,
        column: Column,
        val: Port,
        tiles: tuple[Tile, ...],
        variable: str,
        inner: list[str],
        crds: dict[str, Port],
    ) -> Port:
        op = _reduce_op(column)
        if op is not ReduceOp.SUM:
            raise FusionError(
                f"region {self.region.name!r}: {show_statement(column.view.statement)} would need a {op.value} "
                f"accumulator over {' '.join(inner)}; accumulators sum. Choose an order with {variable} innermost"
            )
        extents = tuple(self.region.extents[loop] for loop in inner)
        inputs = (*(crds[loop] for loop in reversed(inner)), crds[variable], val)
        node = self.builder.accumulate(SparseAccumulator(variable, tuple(inner), extents, tiles), inputs, column.name)
        for number, loop in enumerate(reversed(inner)):
            crds[loop] = Port(node, f"crd{number}")
        return Port(node, "val")

    # Result

    def finish(self) -> tuple[Graph, tuple[Copy, ...]]:
        """The whole graph, with writers for the results, and the copies that bring them into their storage order."""
        restores: list[Copy] = []
        outputs: list[Output] = []
        for root in self.roots:
            self.evaluate(root)
        for root in reversed(self.roots):
            output, restore = self.write(root)
            outputs.append(output)
            restores += [restore] if restore is not None else []
        return Graph(self.region.name, tuple(self.builder.nodes), tuple(outputs)), tuple(restores)

    def drop_empty(self, root: Column, streams: list[Port], layout: Format) -> None:
        """Droppers where a compressed level of the result would store coordinates whose fibers are empty.

        Below a level that drops coordinates no fiber may be empty: the stops of the two could not be told apart.
        """
        path, made = root.result_path, self.computed[root].fills
        fills = [made[loop] if loop in made else self.levels[path[: place + 1]].fill for place, loop in enumerate(path)]
        sizes = [self.region.extents[loop] for loop in path]
        self.stored[root.name] = _stored_fills(fills, layout, sizes)
        dropping = False
        for inner in range(len(path) - 1, 0, -1):
            outer = inner - 1
            if not dropping and fills[inner] is not Fill.UNKNOWN:
                continue
            if layout.levels[outer].kind is LevelKind.DENSE:
                break
            what = (root.name, path[outer], path[inner])
            streams[outer], streams[inner] = self.builder.drop(*what, streams[outer], streams[inner])
            deepest = len(path) if not dropping else inner + 1  # deeper ones have a dropper of stops already
            for level in range(inner, deepest):
                streams[level] = self.builder.drop_stops(root.name, path[level], streams[level])
            dropping = True
            left = [*fills[:outer], Fill.UNKNOWN, *[Fill.NONEMPTY] * (len(path) - inner)]
            self.stored[root.name] = _stored_fills(left, layout, sizes)

    def write(self, root: Column) -> tuple[Output, Copy | None]:
        """Writers for a result, and its copy if it does not come out in the storage order of its declaration."""
        result = self.computed[root]
        path = root.result_path
        check_stored(self, root)
        declared = self.region.program.tensor(root.name)
        mode_order = tuple(root.variables.index(loop) for loop in path)
        # A format that is merely the default is no request: the result is then stored in the order it comes in.
        masked = root.name in masked_tensors(self.region.program)
        kept = mode_order == declared.format.mode_order or declared.format == default_format(declared.order, masked)
        restore = None if kept else restored(declared, mode_order)
        name = root.name if restore is None else restore.source.name
        val = self.filled(result.val, root.name, self.tiles.result(root))
        streams = [
            result.crds[loop] if loop in result.crds else self.levels[path[: place + 1]].crd
            for place, loop in enumerate(path)
        ]
        if restore is None:
            self.drop_empty(root, streams, declared.format)
        for number, (loop, crd) in enumerate(zip(path, streams, strict=True)):
            self.builder.write_crd(name, number, loop, crd)
        stored = self.tiles.over(root.variables)
        self.builder.write_val(name, val, self.tiles.listed(self.tiles.result(root), stored))
        return Output(name, declared.shape, mode_order, path), restore


def _stored_fills(fills: list[Fill], layout: Format, sizes: list[int]) -> tuple[Fill, ...]:
    """What is known of the levels of a result once it is stored as ``layout``, given what its streams hold.

    ``sizes`` are the extents of the levels. A compressed level keeps only coordinates that have something below them.
    """
    found: list[Fill] = []
    added = False  # whether a dense level above has coordinates that the streams lack
    for fill, level, size in zip(fills, layout.levels, sizes, strict=True):
        if level.kind is LevelKind.DENSE:
            found.append(Fill.FULL if size else Fill.UNKNOWN)
            added = added or fill is not Fill.FULL
        else:
            found.append(Fill.UNKNOWN if added else fill)
    for place in range(len(found) - 2, -1, -1):
        if layout.levels[place].kind is not LevelKind.DENSE and Fill.UNKNOWN in found[place + 1 :]:
            found[place] = Fill.UNKNOWN
    return tuple(found)


def _accumulated_fills(fills: dict[str, Fill], reduced: str, inner: list[str]) -> None:
    """Update ``fills`` of the levels ``inner`` (outermost first) from iterated to accumulated over ``reduced``.

    The accumulator has a coordinate of a level only where a value arrived below it.
    """
    for number, loop in enumerate(inner):
        deeper = [fills[name] for name in inner[number + 1 :]]
        if Fill.UNKNOWN in deeper or (number == 0 and fills[reduced] is Fill.UNKNOWN):
            fills[loop] = Fill.UNKNOWN if number == 0 else Fill.NONEMPTY
        elif number > 0:
            fills[loop] = Fill(max(fills[loop], Fill.NONEMPTY))


def _reduce_op(column: Column) -> ReduceOp:
    expression = column.view.statement.expression
    return expression.op if isinstance(expression, Reduction) else ReduceOp.SUM
