"""The state of one translation: statements so far, names of index variables, and what each traced value is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Concat,
    Expression,
    Gather,
    Layout,
    Mask,
    Origin,
    Product,
    ReduceOp,
    Reduction,
    Reshape,
    Slice,
    Statement,
    Unary,
    UnaryOp,
    output_shape,
)
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
class Translator:
    """Collects statements. The handlers of the op families call its methods, one per kind of statement.

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

    def contract(
        self,
        name: str,
        pair: tuple[Value, Value],
        labels: tuple[Sequence[int], Sequence[int]],
        out: Sequence[int],
        group: str,
    ) -> Value:
        """Product of two values summed over every label that ``out`` lacks; size 1 is broadcast against the other."""
        sizes: dict[int, int] = {}
        for value, own in zip(pair, labels, strict=True):
            for size, label in zip(value.shape, own, strict=True):
                if sizes.get(label, size) not in (1, size) and size != 1:
                    raise self.fault(f"shapes {pair[0].shape} and {pair[1].shape} do not match in a product")
                sizes[label] = max(size, sizes.get(label, size)) if size else 0
        left, right = (self.fitted(value, own, sizes) for value, own in zip(pair, labels, strict=True))
        names = self.bind((left, labels[0]), (right, labels[1]))
        repeats = prod(sizes[label] for label in sizes if label not in out and label not in names)
        product = Product(self.read(left, labels[0], names), self.read(right, labels[1], names))
        shape = tuple(sizes[label] for label in out)
        made = self.result(name, out, shape, names, product, group)
        return made if repeats == 1 else self.unary(f"{name}_all", UnaryOp.MUL_SCALAR, made, group, float(repeats))

    def fitted(self, value: Value, labels: Sequence[int], sizes: Mapping[int, int]) -> Value:
        """``value`` without the real dimensions of size 1 that are broadcast."""
        for dimension, label in enumerate(labels):
            if value.axes[dimension] is not None and value.shape[dimension] == 1 != sizes[label]:
                value = self.dropped(value, dimension).widened(dimension)
        return value

    def product(self, name: str, left: Value, right: Value, group: str) -> Value:
        """``left @ right`` by the rules of ``torch.matmul``."""
        if not left.shape or not right.shape:
            raise self.fault("a product of a tensor of order 0; multiply with * instead")
        rows = -1 if len(left.shape) > 1 else None
        columns = -3 if len(right.shape) > 1 else None
        batch = max(len(left.shape), len(right.shape), 2) - 2
        lead = [list(range(batch - max(len(value.shape) - 2, 0), batch)) for value in (left, right)]
        labels = (
            (*lead[0], *([rows] if rows is not None else []), -2),
            (*lead[1], -2, *([columns] if columns is not None else [])),
        )
        if left.shape[-1] != right.shape[-2 if columns is not None else -1]:
            raise self.fault(f"shapes {left.shape} and {right.shape} do not match in a product")
        out = [*range(batch), *(label for label in (rows, columns) if label is not None)]
        return self.contract(name, (left, right), labels, out, group)

    def binary(self, name: str, op: BinaryOp, left: Value, right: Value, group: str) -> Value:
        """Element-wise operation with PyTorch's broadcasting."""
        order = max(len(left.shape), len(right.shape))
        labels = [tuple(range(order - len(value.shape), order)) for value in (left, right)]
        sizes: dict[int, int] = {}
        for value, own in zip((left, right), labels, strict=True):
            for size, label in zip(value.shape, own, strict=True):
                known = sizes.setdefault(label, size)
                if size != known and 1 not in (size, known):
                    raise self.fault(f"shapes {left.shape} and {right.shape} do not match")
                sizes[label] = size if known == 1 else known
        left, right = (self.fitted(value, own, sizes) for value, own in zip((left, right), labels, strict=True))
        parts = [(left, labels[0]), (right, labels[1])]
        names = self.bind(*(reversed(parts) if len(right.shape) > len(left.shape) else parts))
        accesses = [self.read(value, own, names) for value, own in parts]
        expression = Product(*accesses) if op is BinaryOp.MUL else Binary(op, accesses[0], accesses[1])
        return self.result(name, range(order), [sizes[label] for label in range(order)], names, expression, group)

    def mask(self, name: str, operand: Value, mask: Value, group: str) -> Value:
        """``operand`` where ``mask`` stores an element, minus infinity elsewhere."""
        order = max(len(operand.shape), len(mask.shape))
        labels = [tuple(range(order - len(value.shape), order)) for value in (operand, mask)]
        sizes = {label: 1 for label in range(order)}
        for value, own in zip((operand, mask), labels, strict=True):
            sizes |= {label: size for size, label in zip(value.shape, own, strict=True) if size != 1}
        fitted = self.fitted(operand, labels[0], sizes)
        names = self.bind((fitted, labels[0]), (mask, labels[1]))
        expression = Mask(self.read(fitted, labels[0], names), self.read(mask, labels[1], names))
        return self.result(name, range(order), [sizes[label] for label in range(order)], names, expression, group)

    def unary(self, name: str, op: UnaryOp, operand: Value, group: str, scalar: float = 0.0) -> Value:
        """Element-wise operation on one value."""
        labels = range(len(operand.shape))
        names = self.bind((operand, labels))
        return self.result(
            name, labels, operand.shape, names, Unary(op, self.read(operand, labels, names), scalar), group
        )

    def reduction(
        self, name: str, op: ReduceOp, operand: Value, dimensions: Sequence[int], group: str, keep: bool = False
    ) -> Value:
        """Reduction over ``dimensions``, which the result lacks, or has with size 1 if ``keep``."""
        labels = range(len(operand.shape))
        names = self.bind((operand, labels))
        reduced = [label for label in dimensions if label in names]
        repeats = prod(operand.shape[label] for label in dimensions if label not in names)
        left = {label: names[label] for label in names if label not in dimensions}
        shape = [1 if label in dimensions else operand.shape[label] for label in labels]
        if reduced:
            made = self.result(name, labels, shape, left, Reduction(op, self.read(operand, labels, names)), group)
        else:
            made = Value(operand.tensor, operand.axes, tuple(shape))
        if op is ReduceOp.SUM and repeats != 1:
            made = self.unary(f"{name}_all", UnaryOp.MUL_SCALAR, made, group, float(repeats))
        if not keep:
            for dimension in sorted(dimensions, reverse=True):
                made = made.without(dimension)
        return made

    # Layouts

    def move(self, name: str, indices: tuple[str, ...], expression: Layout) -> str:
        """Append a layout statement: a barrier, which belongs to no kernel."""
        return self.add(name, indices, expression, "")

    def fresh(self, count: int = 1) -> tuple[str, ...]:
        """New index names."""
        return tuple(next(self.names) for _ in range(count))

    def reshaped(self, name: str, value: Value, shape: Sequence[int]) -> Value:
        """The elements of ``value`` in order, as a stored tensor of ``shape``."""
        for dimension, size in enumerate(value.shape):
            if value.axes[dimension] is None and size != 1:
                value = self.solid(name, value)
                break
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand = self.read(value, labels, names)
        order = tuple(names[label] for label in labels if label in names)
        made = self.move(name, self.fresh(len(shape)), Reshape(operand, order, tuple(shape)))
        return Value(made, tuple(range(len(shape))), tuple(shape))

    def dropped(self, value: Value, dimension: int) -> Value:
        """``value`` without a dimension of size 1."""
        if value.axes[dimension] is None:
            return value.without(dimension)
        kept = [other for other in value.real if other != dimension]
        made = self.reshaped(f"{value.tensor}_squeezed", value, [value.shape[other] for other in kept])
        axes = [kept.index(other) if other in kept else None for other in range(len(value.shape)) if other != dimension]
        return Value(made.tensor, tuple(axes), (*value.shape[:dimension], *value.shape[dimension + 1 :]))

    def solid(self, name: str, value: Value) -> Value:
        """``value`` with every dimension stored."""
        if None not in value.axes:
            return value
        shape = [value.shape[d] if axis is not None else 1 for d, axis in enumerate(value.axes)]
        made = self.reshaped(f"{name}_solid", Value(value.tensor, value.axes, tuple(shape)), shape)
        for dimension, size in enumerate(value.shape):
            if value.axes[dimension] is None and size != 1:
                made = self.gathered(f"{name}_solid", made, dimension, (0,) * size)
        return made

    def gathered(self, name: str, value: Value, dimension: int, positions: Sequence[int]) -> Value:
        """``positions`` of ``value`` along one dimension, by a slice where they are evenly spaced."""
        shape = (*value.shape[:dimension], len(positions), *value.shape[dimension + 1 :])
        if value.axes[dimension] is None:
            return Value(value.tensor, value.axes, shape)
        if tuple(positions) == tuple(range(value.shape[dimension])):
            return value
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand, index = self.read(value, labels, names), names[dimension]
        steps = {second - first for first, second in pairwise(positions)}
        (new,) = self.fresh()
        expression: Layout
        if positions and len(steps) <= 1 and min(steps, default=1) > 0:
            expression = Slice(operand, index, positions[0], positions[-1] + 1, steps.pop() if steps else 1)
        else:
            expression = Gather(operand, index, tuple(positions))
        names[dimension] = new
        return self.result(name, labels, shape, names, expression, "")

    def selected(self, name: str, value: Value, dimension: int, position: int) -> Value:
        """One position of ``value`` along ``dimension``, which the result lacks."""
        if value.axes[dimension] is None:
            return value.without(dimension)
        labels = range(len(value.shape))
        names = self.bind((value, labels))
        operand = self.read(value, labels, names)
        expression = Slice(operand, names.pop(dimension), position, position + 1)
        shape = [1 if label == dimension else value.shape[label] for label in labels]
        return self.result(name, labels, shape, names, expression, "").without(dimension)

    def concatenated(self, name: str, values: Sequence[Value], dimension: int) -> Value:
        """``values`` one after the other along ``dimension``."""
        parts = [self.solid(name, value) for value in values]
        labels = range(len(parts[0].shape))
        (new,) = self.fresh()
        shared = self.bind((parts[0], labels))
        accesses = []
        for part in parts:
            for label in labels:
                if label != dimension and part.shape[label] != parts[0].shape[label]:
                    raise self.fault(f"shapes {parts[0].shape} and {part.shape} do not match along dimension {label}")
            (own,) = self.fresh()
            accesses.append(self.read(part, labels, {**shared, dimension: own}))
        size = sum(part.shape[dimension] for part in parts)
        shape = [size if label == dimension else parts[0].shape[label] for label in labels]
        names = {**shared, dimension: new}
        return self.result(name, labels, shape, names, Concat(tuple(accesses), new), "")


def root(translator: Translator, node: "fx.Node") -> "fx.Node":
    """The node whose memory ``node`` is a view of."""
    while node in translator.storage:
        node = translator.storage[node]
    return node
