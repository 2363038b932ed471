"""Statements that compute: products, elementwise operations, masks and reductions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from fuseflow.einsum import Binary, BinaryOp, Mask, Product, ReduceOp, Reduction, Unary, UnaryOp
from fuseflow.frontend.moves import Moves
from fuseflow.frontend.values import Value


@dataclass(slots=True)
class Translator(Moves):
    """Collects statements. The handlers of the op families call its methods, one per kind of statement."""

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
