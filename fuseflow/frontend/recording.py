"""The state of one translation: statements so far, names of index variables, and what each traced value is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuseflow.einsum import Access, Expression, Origin, Statement, output_shape
from fuseflow.errors import TraceError
from fuseflow.frontend.hidden import Hidden, check_hidden
from fuseflow.frontend.naming import identifier, index_names, source_line
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    import torch
    from torch import fx


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Data of an input of the program.

    ``data`` lacks those dimensions of ``shape`` that are not in ``kept``; ``label`` is the user's name for it, and
    ``layout`` how it is stored unless the user says otherwise.
    """

    label: str
    data: "torch.Tensor"
    shape: tuple[int, ...]
    kept: tuple[int, ...]
    layout: str | None = None


@dataclass(slots=True)
class Recording:
    """What a translation has found so far: statements, index names, and what each traced value is.

    ``known`` holds what can be computed while tracing (see :mod:`.constants`), ``given`` the data of float inputs,
    which only comparisons may look at. ``storage`` names the node whose memory a view shares; ``hidden`` says what
    masked-out elements are in PyTorch (see :mod:`.hidden`), ``kept`` which elements a mask has left.
    """

    values: dict["fx.Node", "Value | list[Value]"] = field(default_factory=dict)
    known: dict["fx.Node", "torch.Tensor"] = field(default_factory=dict)
    known_lists: dict["fx.Node", list["torch.Tensor"]] = field(default_factory=dict)
    masks: dict[tuple[tuple[int, ...], bytes], Value] = field(default_factory=dict)
    given: dict["fx.Node", "torch.Tensor"] = field(default_factory=dict)
    labels: dict["fx.Node", str] = field(default_factory=dict)
    from_data: set["fx.Node"] = field(default_factory=set)
    storage: dict["fx.Node", "fx.Node"] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    hidden: dict[str, Hidden] = field(default_factory=dict)
    kept: dict[str, "torch.Tensor"] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    indices: dict[str, list[str | None]] = field(default_factory=dict)
    names: Iterator[str] = field(default_factory=lambda: index_names())
    node: "fx.Node | None" = None
    layer: str = ""

    # Names

    def declare(self, name: str, shape: tuple[int, ...]) -> Value:
        """A new tensor, whose dimensions have no index names yet."""
        taken, number = name, 2
        while taken in self.shapes:
            taken, number = f"{name}_{number}", number + 1
        self.shapes[taken] = shape
        self.indices[taken] = [None] * len(shape)
        return Value(taken, tuple(range(len(shape))), shape)

    def fresh(self, count: int = 1) -> tuple[str, ...]:
        """New index names."""
        return tuple(next(self.names) for _ in range(count))

    def index(self, value: Value, dimension: int, avoid: tuple[str, ...] = ()) -> str:
        """Index name of a dimension of ``value``; a new one if it has none or must ``avoid`` it."""
        slot = value.axes[dimension]
        assert slot is not None  # a dimension that the tensor lacks needs no index
        known = self.indices[value.tensor][slot]
        if known is not None and known not in avoid:
            return known
        fresh = next(self.names)
        if known is None:
            self.indices[value.tensor][slot] = fresh
        return fresh

    def kernel(self, stem: str) -> str:
        """Name of a new kernel: ``stem``, or ``stem_2``, ``stem_3``... if that or a part of it is taken."""
        taken = {statement.origin.group for statement in self.statements}
        name, number = stem, 2
        while any(other == name or other.startswith(f"{name}.") for other in taken):
            name, number = f"{stem}_{number}", number + 1
        return name

    # Where we are

    @property
    def where(self) -> str:
        """The operation under translation and the user's line, for messages."""
        if self.node is None:
            return "the module"
        return f"{self.node.target} ({source_line(self.node)})" if source_line(self.node) else str(self.node.target)

    def fault(self, message: str) -> TraceError:
        return TraceError(f"{self.where}: {message}")

    def value(self, argument: object) -> Value:
        """The traced value that ``argument`` stands for; a constant becomes an input of the program."""
        from torch import fx

        if isinstance(argument, fx.Node):
            found = self.values.get(argument)
            if isinstance(found, Value):
                return found
            if found is None and argument in self.known:
                self.values[argument] = made = self.constant(self.label(argument), self.known[argument])
                return made
        raise self.fault(f"expected a tensor, got {argument!r}")

    def shape(self, node: "fx.Node") -> tuple[int, ...]:
        """Shape of the result of ``node`` as exported; TraceError if it is not fixed."""
        sizes = tuple(node.meta["val"].shape)
        if not all(isinstance(size, int) for size in sizes):
            raise self.fault(f"has the shape {sizes}, which is not fixed; shapes must not depend on data")
        return sizes

    def label(self, node: "fx.Node") -> str:
        """What the user calls a constant: the forward argument or buffer behind it, or the name of the operation."""
        return self.labels.get(node, node.name)

    def constant(self, label: str, data: "torch.Tensor", layout: str | None = None) -> Value:
        """A new input of the program that holds ``data``, without its dimensions of size 1.

        ``layout`` is its format, where the user asks for none: all levels ``"c"`` or ``"d"``, or ``"csr"`` for dense
        levels above a compressed one.
        """
        import torch

        shape = tuple(data.shape)
        kept = tuple(dimension for dimension, size in enumerate(shape) if size != 1)
        dense = data.to_dense() if data.layout is not torch.strided and len(kept) < len(shape) else data
        stored = dense.reshape([shape[dimension] for dimension in kept]) if len(kept) < len(shape) else dense
        made = self.declare(identifier(label), tuple(stored.shape))
        self.sources[made.tensor] = Source(label, stored, shape, kept, layout)
        axes = tuple(kept.index(dimension) if dimension in kept else None for dimension in range(len(shape)))
        return Value(made.tensor, axes, shape)

    # Statements

    def add(self, name: str, indices: tuple[str, ...], expression: Expression, group: str) -> str:
        """Append ``name[indices] = expression`` as part of kernel ``group``; the name of the new tensor."""
        statement = Statement(Access(name, indices), expression)
        if statement.is_layout:
            shape = output_shape(statement, self.shapes)
        else:
            sizes: dict[str, int] = {}
            for access in statement.operands:
                sizes.update(zip(access.indices, self.shapes[access.tensor], strict=True))
            shape = tuple(sizes[index] for index in indices)
        made = self.declare(name, shape).tensor
        self.indices[made] = list(indices)
        source = source_line(self.node) if self.node is not None else ""
        self.statements.append(Statement(Access(made, indices), expression, Origin(group, self.layer, source)))
        check_hidden(self, self.statements[-1])
        return made

    def bind(self, *parts: tuple[Value, Sequence[int]]) -> dict[int, str]:
        """Index names for the labels of each value's dimensions; a label that no tensor has gets none."""
        names: dict[int, str] = {}
        for value, labels in parts:
            for dimension, label in enumerate(labels):
                if label not in names and value.axes[dimension] is not None:
                    names[label] = self.index(value, dimension, tuple(names.values()))
        return names

    def read(self, value: Value, labels: Sequence[int], names: Mapping[int, str]) -> Access:
        """Access to ``value`` whose dimension ``d`` has the index of label ``labels[d]``."""
        return value.access([names[labels[dimension]] for dimension in value.real])

    def result(
        self,
        name: str,
        labels: Sequence[int],
        shape: Sequence[int],
        names: Mapping[int, str],
        expression: Expression,
        group: str,
    ) -> Value:
        """Append a statement whose value has dimensions ``labels`` of ``shape``, real where the label has a name."""
        made = self.add(name, tuple(names[label] for label in labels if label in names), expression, group)
        axes, place = [], 0
        for label in labels:
            axes.append(place if label in names else None)
            place += label in names
        return Value(made, tuple(axes), tuple(shape))


def root(recording: Recording, node: "fx.Node") -> "fx.Node":
    """The node whose memory ``node`` is a view of."""
    while node in recording.storage:
        node = recording.storage[node]
    return node
