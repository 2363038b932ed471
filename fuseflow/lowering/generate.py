"""Code generation for a fused region, level by level (paper §6, Algorithm 2; compiler notes §3).

Every stream of the graph stands on a *path* of index variables. All streams on one path have the same coordinates, so
they are aligned: a level is made once per path, from the join tree of the expression above it, and references and
values below follow it. Reductions take a level away again.
"""

from dataclasses import dataclass, field

from fuseflow.dataflow.blocks import Repeat
from fuseflow.dataflow.graph import Graph, Output, Part, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import FusionError
from fuseflow.formats import Fill, LevelKind
from fuseflow.fusion import FusedRegion, Leaf
from fuseflow.lowering.absent import check_absent
from fuseflow.lowering.builder import Builder
from fuseflow.lowering.columns import Column, Source, walk_columns
from fuseflow.lowering.compute import computed
from fuseflow.lowering.copies import Copy
from fuseflow.lowering.emit import emit
from fuseflow.lowering.joins import (
    Everything,
    FillOf,
    JoinTree,
    complete,
    fill_of,
    includes,
    intersect,
    join_tree,
    occurrences,
    unite,
)
from fuseflow.lowering.levels import Computed, Fills, Level, Path
from fuseflow.lowering.reduce import reduced
from fuseflow.lowering.tiles import Tiles
from fuseflow.lowering.write import write


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
            self.raw[column] = computed(self, column)
            self.computed[column] = reduced(self, column, self.raw[column])
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
        crd, payloads, missing = emit(self, tree, path, fill)
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

    # Result

    def finish(self) -> tuple[Graph, tuple[Copy, ...]]:
        """The whole graph, with writers for the results, and the copies that bring them into their storage order."""
        restores: list[Copy] = []
        outputs: list[Output] = []
        for root in self.roots:
            self.evaluate(root)
        for root in reversed(self.roots):
            output, restore = write(self, root)
            outputs.append(output)
            restores += [restore] if restore is not None else []
        return Graph(self.region.name, tuple(self.builder.nodes), tuple(outputs)), tuple(restores)
