"""What an operation over loops means: which statements it makes, and of what its result is a view."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fuseflow.einsum import Access, BinaryOp, Expression, Origin, ReduceOp, Statement, Unary, UnaryOp
from fuseflow.formats import Format
from fuseflow.frontend.mlir.body import Apply, Constant, Operand, Term
from fuseflow.frontend.mlir.builder import INDEX_NAMES, Builder, Splat, Value, View, access_of
from fuseflow.frontend.mlir.cursor import Cursor
from fuseflow.frontend.mlir.types import AffineMap, TensorType

LOWEST = -1e30
"""A maximum may start from any number up to this one: no value of a model is as low."""


@dataclass(slots=True)
class Binder:
    """Values by name, and the formats that result types say."""

    cursor: Cursor
    builder: Builder
    values: dict[str, Value] = field(default_factory=dict)
    formats: dict[str, Format] = field(default_factory=dict)

    def origin(self, name: str, at: int) -> Origin:
        return Origin(group=name, layer="", source=f"line {self.cursor.line(at)}")

    def finish(
        self,
        name: str,
        at: int,
        maps: list[AffineMap],
        ins: list[Value],
        outs: list[Value],
        body: Term,
        kind: TensorType | None,
    ) -> None:
        """Bind ``name`` to what the body computes over the loops of ``maps``."""
        if len(outs) != 1:
            raise self.cursor.fault(f"it has {len(outs)} outputs; one is read", at)
        sizes = self.loop_sizes(maps, [*ins, *outs], at)
        operands: list[Access | float] = []
        for value, indexing in zip(ins, maps, strict=False):
            operands.append(self.access(value, indexing, sizes, at))
        out_map = maps[len(ins)]
        reduced = [loop for loop in range(out_map.loops) if loop not in out_map.results]
        out = Operand(len(ins))
        if not reduced and not _mentions(body, out):
            self.bind(name, at, body, operands, ins, maps, kind, outs[0].shape)
            return
        combined = _combined(body, out)
        if combined is None:
            raise self.cursor.fault("its body is no sum and no maximum over its reduction loops", at)
        op, term = combined
        init = outs[0]
        kept = tuple(INDEX_NAMES[loop] for loop in out_map.results if loop is not None)
        label, origin = identifier(name), self.origin(identifier(name), at)
        expression = self.builder.reduced(op, term, operands, label, kept, origin)
        missing = [loop for loop in reduced if INDEX_NAMES[loop] not in _used(expression)]
        if missing:
            raise self.cursor.fault(f"nothing depends on its loop d{missing[0]}, over which it reduces", at)
        result = self.builder.add(label, expression, kept, origin)
        result = self.started(op, init, out_map, result, sizes, at)
        numbers = {index: place for place, index in enumerate(result.indices)}
        dims = tuple(None if loop is None else numbers[INDEX_NAMES[loop]] for loop in out_map.results)
        self.put(name, View(result.tensor, dims, init.shape), kind)

    def started(
        self, op: ReduceOp, init: Value, out_map: AffineMap, result: Access, sizes: dict[int, int], at: int
    ) -> Access:
        """The reduction with what it starts from, unless that is the neutral number."""
        origin = self.origin(result.tensor, at)
        if isinstance(init, Splat):
            if init.value is None:
                raise self.cursor.fault("it reduces into a tensor that has not been filled", at)
            if op is ReduceOp.SUM:
                if init.value == 0.0:
                    return result
                return self.builder.add(
                    result.tensor, Unary(UnaryOp.ADD_SCALAR, result, init.value), result.indices, origin
                )
            if init.value <= LOWEST:
                return result
            raise self.cursor.fault(f"its maximum starts from {init.value:g}; from minus infinity it would be read", at)
        start = self.access(init, out_map, sizes, at)
        assert isinstance(start, Access)
        combine = self.builder.binary(BinaryOp.ADD if op is ReduceOp.SUM else BinaryOp.MAX, start, result, "", origin)
        assert not isinstance(combine, float)
        return self.builder.add(result.tensor, combine, result.indices, origin)

    def bind(
        self,
        name: str,
        at: int,
        body: Term,
        operands: list[Access | float],
        ins: list[Value],
        maps: list[AffineMap],
        kind: TensorType | None,
        shape: tuple[int, ...],
    ) -> None:
        """An element-wise result; a body that only passes an input on is another view of it."""
        label, out_map = identifier(name), maps[len(ins)]
        found = self.builder.expression(body, operands, label, self.origin(label, at))
        if isinstance(found, float):
            self.values[name] = Splat(found, shape)
            return
        if not isinstance(found, Access):
            used = _used(found)
            kept = tuple(
                INDEX_NAMES[loop] for loop in out_map.results if loop is not None and INDEX_NAMES[loop] in used
            )
            found = self.builder.add(label, found, kept, self.origin(label, at))
        numbers = {index: place for place, index in enumerate(found.indices)}
        dims = tuple(None if loop is None else numbers.get(INDEX_NAMES[loop]) for loop in out_map.results)
        self.put(name, View(found.tensor, dims, shape), kind)

    def put(self, name: str, view: View, kind: TensorType | None) -> None:
        """Bind ``name``; the encoding of its type is the format of what it is a view of, unless that has one."""
        self.values[name] = view
        order = tuple(dimension for dimension in view.dims if dimension is not None)
        leaf = self.builder.leaves.get(view.tensor)
        whole = len(order) == len(view.dims) and sorted(order) == list(range(len(self.builder.shapes[view.tensor])))
        if not whole:
            return
        layout = Format.dense(len(order)) if kind is None or kind.format is None else kind.format
        moved = Format(layout.levels, tuple(order[mode] for mode in layout.mode_order))
        if leaf is None:
            if kind is not None and kind.format is not None:
                self.formats.setdefault(view.tensor, moved)
        elif leaf.format is None and not leaf.argument:
            leaf.format = moved

    def access(self, value: Value, indexing: AffineMap, sizes: dict[int, int], at: int) -> Access | float:
        if isinstance(value, Splat):
            if value.value is None:
                raise self.cursor.fault("it reads a tensor that has not been filled", at)
            return value.value
        found = access_of(value, indexing.results, sizes)
        if found is None:
            raise self.cursor.fault("its maps use the constant 0 at a dimension of more than 1", at)
        return found

    def loop_sizes(self, maps: Iterable[AffineMap], values: Iterable[Value], at: int) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for number, (indexing, value) in enumerate(zip(maps, values, strict=False)):
            if len(indexing.results) != len(value.shape):
                raise self.cursor.fault(
                    f"operand {number} has {len(value.shape)} dimensions, but its map {len(indexing.results)}", at
                )
            for loop, size in zip(indexing.results, value.shape, strict=True):
                if loop is not None and sizes.setdefault(loop, size) != size:
                    raise self.cursor.fault(
                        f"operand {number} has size {size} at loop d{loop}, but another operand {sizes[loop]}", at
                    )
        return sizes


def identifier(name: str) -> str:
    """``%arg0`` as ``arg0``, ``%3`` as ``v3``, the name of a resource with underscores."""
    text = re.sub(r"\W", "_", name.lstrip("%")).strip("_") or "v"
    return f"v{text}" if text[0].isdigit() else text


def _mentions(term: Term, operand: Operand) -> bool:
    match term:
        case Operand():
            return term == operand
        case Apply(operands=operands):
            return any(_mentions(each, operand) for each in operands)
        case Constant():
            return False
        case _:
            return _mentions(term.left, operand) or _mentions(term.right, operand)


def _combined(term: Term, out: Operand) -> tuple[ReduceOp, Term] | None:
    """The reduction that a body ``out op term`` is."""
    match term:
        case Apply(BinaryOp.ADD | BinaryOp.MAX as op, (left, right)) if out in (left, right) and left != right:
            other = right if left == out else left
            if not _mentions(other, out):
                return (ReduceOp.SUM if op is BinaryOp.ADD else ReduceOp.MAX), other
    return None


def _used(expression: Expression) -> set[str]:
    return set(Statement(Access("", ()), expression).indices)
