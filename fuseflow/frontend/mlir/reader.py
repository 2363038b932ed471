"""A module in MLIR text (``linalg`` on tensors, ``sparse_tensor`` encodings) as a program.

Read: one function; ``linalg.generic`` and a few named operations; constants. Everything else is refused by name and
line. Operations that the returned values do not need are read and left out.
"""

import re
from dataclasses import dataclass, field

from fuseflow.einsum import Access, BinaryOp, Unary, UnaryOp
from fuseflow.errors import ProgramError
from fuseflow.frontend.mlir.binder import Binder, identifier
from fuseflow.frontend.mlir.body import VALUE, Apply, Constant, Operand, read_body, read_number
from fuseflow.frontend.mlir.builder import INDEX_NAMES, Leaf, Splat, Value, View
from fuseflow.frontend.mlir.constants import Literal, from_bytes, read_dense, read_resources, shaped
from fuseflow.frontend.mlir.types import (
    FLOATS,
    NAME,
    NUMBER,
    AffineMap,
    Aliases,
    TensorType,
    read_alias,
    read_map,
    read_type,
)

_RESULT = re.compile(r"(%[\w$.-]+)(?::(\d+))?\s*=")
_SYMBOL = re.compile(r'@(?:[\w$.-]+|"[^"]*")')
_STRING = re.compile(r'"([^"]*)"')
_LINE = re.compile(r"[^\n]*")

_NAMED = {
    "linalg.add": BinaryOp.ADD, "linalg.sub": BinaryOp.SUB, "linalg.mul": BinaryOp.MUL, "linalg.div": BinaryOp.DIV,
    "linalg.max": BinaryOp.MAX, "linalg.min": BinaryOp.MIN,
}  # fmt: skip
_NAMED_UNARY = {
    "linalg.exp": UnaryOp.EXP, "linalg.negf": UnaryOp.NEG, "linalg.rsqrt": UnaryOp.RSQRT, "linalg.sqrt": UnaryOp.SQRT,
    "linalg.tanh": UnaryOp.TANH, "linalg.log": UnaryOp.LOG,
}  # fmt: skip
_PRODUCTS = {
    # loops, and the maps of left, right and result
    "linalg.matmul": (3, (0, 2), (2, 1), (0, 1)),
    "linalg.batch_matmul": (4, (0, 1, 3), (0, 3, 2), (0, 1, 2)),
    "linalg.matvec": (2, (0, 1), (1,), (0,)),
    "linalg.vecmat": (2, (1,), (1, 0), (0,)),
}


@dataclass(slots=True)
class Reader(Binder):
    """State of reading one module, besides what is bound so far: aliases, scalars and resources by name."""

    aliases: Aliases = field(default_factory=Aliases)
    scalars: dict[str, Constant] = field(default_factory=dict)
    resources: dict[str, bytes] = field(default_factory=dict)

    def module(self, function: str | None) -> tuple[str, ...]:
        """Read up to the end of the function asked for (the first, if none is) and give the names of its results."""
        cursor = self.cursor
        self.resources = read_resources(cursor.text)
        while True:
            if cursor.ended or cursor.looking_at("{-#"):
                asked = f"function @{function}" if function else "function (func.func)"
                raise cursor.fault(f"the text ends, and there is no {asked} in it")
            if cursor.looking_at("#"):
                read_alias(cursor, self.aliases)
            elif cursor.accept("module"):
                cursor.match(_SYMBOL)
                if cursor.accept("attributes"):
                    cursor.skip_balanced()
                cursor.expect("{")
            elif cursor.accept("}"):
                pass
            elif cursor.accept("func.func"):
                for word in ("private", "public"):
                    cursor.accept(word)
                name = cursor.take(_SYMBOL, "the name of a function such as @main").strip('@"')
                if function is None or name == function:
                    return self.function()
                self.skip_function()
            elif cursor.looking_at("ml_program.global"):
                cursor.match(_LINE)
            else:
                raise cursor.fault(f"expected a function (func.func), not {cursor.shown()}")

    def skip_function(self) -> None:
        self.cursor.skip_balanced()
        while not self.cursor.looking_at("{"):
            if self.cursor.looking_at("attributes"):
                self.cursor.accept("attributes")
                self.cursor.skip_balanced()
                continue
            if self.cursor.match(re.compile(r"->|[\w.]+|,")) is None:
                self.cursor.skip_balanced()
        self.cursor.skip_balanced()

    def function(self) -> tuple[str, ...]:
        cursor = self.cursor
        cursor.expect("(")
        while not cursor.accept(")"):
            if self.values:
                cursor.expect(",")
            at = cursor.at
            name = cursor.take(VALUE, "an argument such as %arg0")
            cursor.expect(":")
            kind = self.type()
            if kind.element not in FLOATS:
                raise cursor.fault(
                    f"argument {name} holds {kind.element}; a program computes with floats: make it f32", at
                )
            if cursor.looking_at("{"):
                cursor.skip_balanced()
            self.values[name] = self.builder.leaf(identifier(name), Leaf(kind.shape, kind.format, argument=True))
        if cursor.accept("->"):
            if cursor.looking_at("("):
                cursor.skip_balanced()
            else:
                self.type()
        if cursor.accept("attributes"):
            cursor.skip_balanced()
        cursor.expect("{")
        while True:
            if cursor.accept("return") or cursor.accept("func.return"):
                return self.results()
            self.operation()

    def results(self) -> tuple[str, ...]:
        at = self.cursor.at
        names = [self.operand()]
        while self.cursor.accept(","):
            names.append(self.operand())
        self.cursor.expect(":")
        outputs: list[str] = []
        for number, value in enumerate(names):
            if number:
                self.cursor.expect(",")
            kind = self.type()
            if isinstance(value, Splat):
                raise self.cursor.fault("a constant is returned; nothing has to be computed for it", at)
            name = self.returned(value, at)
            if kind.format is not None and len(kind.shape) == len(self.builder.shapes[name]):
                self.formats[name] = kind.format
            outputs.append(name)
        return tuple(dict.fromkeys(outputs))

    def returned(self, value: View, at: int) -> str:
        """Name of the statement that makes ``value``, dimensions of size 1 that nothing iterates aside."""
        kept = tuple(dimension for dimension in value.dims if dimension is not None)
        spread = [
            size for size, dimension in zip(value.shape, value.dims, strict=True) if dimension is None and size > 1
        ]
        if spread:
            raise self.cursor.fault(f"a value that is repeated {spread[0]} times is returned; return it once", at)
        if kept == tuple(range(len(kept))) and value.tensor not in self.builder.leaves:
            return value.tensor
        indices = tuple(INDEX_NAMES[number] for number in range(len(kept)))
        out = tuple(indices[kept[number]] for number in range(len(kept)))
        source = Access(value.tensor, indices)
        return self.builder.add("result", Unary(UnaryOp.IDENTITY, source), out, self.origin("result", at)).tensor

    # Pieces

    def type(self) -> TensorType:
        return read_type(self.cursor, self.aliases)

    def operand(self) -> Value:
        at = self.cursor.at
        name = self.cursor.take(VALUE, "a value such as %0")
        base, _, result = name.partition("#")
        if result not in ("", "0"):
            raise self.cursor.fault(f"{name} is a second result; only the first of an operation is read", at)
        if base in self.scalars:
            return Splat(self.scalars[base].value, ())
        if base not in self.values:
            raise self.cursor.fault(f"{name} is not defined above", at)
        return self.values[base]

    def operands(self, word: str, count: int | None = None) -> list[Value]:
        """``ins(%a, %b : t, t)``, which must be ``count`` if that is given; empty if there is none."""
        at = self.cursor.at
        found = self.listed(word)
        if count is not None and len(found) != count:
            raise self.cursor.fault(f"{word} must have {count} operands here, not {len(found)}", at)
        return found

    def listed(self, word: str) -> list[Value]:
        if not self.cursor.accept(word):
            return []
        self.cursor.expect("(")
        found = [self.operand()]
        while self.cursor.accept(","):
            found.append(self.operand())
        self.cursor.expect(":")
        self.type()
        while self.cursor.accept(","):
            self.type()
        self.cursor.expect(")")
        return found

    def result_type(self) -> TensorType | None:
        """``-> t`` or ``-> (t, t)``, of which the first counts."""
        if not self.cursor.accept("->"):
            return None
        if not self.cursor.accept("("):
            return self.type()
        kind = self.type()
        while self.cursor.accept(","):
            self.type()
        self.cursor.expect(")")
        return kind

    # Operations

    def operation(self) -> None:
        cursor = self.cursor
        at = cursor.at
        found = cursor.match(_RESULT)
        if found is None:
            raise cursor.fault(f"expected an operation or return, not {cursor.shown()}")
        name, op_at = found[1], cursor.at
        op = cursor.take(NAME, "an operation such as linalg.generic")
        try:
            self.define(name, op, op_at)
        except ProgramError as fault:
            text = str(fault)
            raise fault if ", column " in text else cursor.fault(f"{op}: {text}", at) from None

    def define(self, name: str, op: str, at: int) -> None:
        cursor = self.cursor
        if op == "arith.constant":
            self.constant(name)
        elif op == "tensor.empty":
            cursor.expect("(")
            cursor.expect(")")
            cursor.expect(":")
            self.values[name] = Splat(None, self.type().shape)
        elif op == "linalg.fill":
            (value,), (init,) = self.operands("ins", 1), self.operands("outs", 1)
            self.result_type()
            if not isinstance(value, Splat) or value.value is None:
                raise cursor.fault("linalg.fill with a value that is no constant", at)
            self.values[name] = Splat(value.value, init.shape)
        elif op == "linalg.generic":
            self.generic(name, at)
        elif op == "linalg.transpose":
            self.transpose(name, at)
        elif op in _PRODUCTS:
            loops, left, right, out = _PRODUCTS[op]
            maps = [AffineMap(loops, each) for each in (left, right, out)]
            body = Apply(BinaryOp.ADD, (Operand(2), Apply(BinaryOp.MUL, (Operand(0), Operand(1)))))
            self.finish(name, at, maps, self.operands("ins", 2), self.operands("outs", 1), body, self.result_type())
        elif op in _NAMED or op in _NAMED_UNARY:
            ins, outs = self.operands("ins", 2 if op in _NAMED else 1), self.operands("outs", 1)
            order = len(outs[0].shape)
            maps = [AffineMap(order, tuple(range(order)))] * (len(ins) + 1)
            chosen = _NAMED.get(op) or _NAMED_UNARY[op]
            self.finish(
                name,
                at,
                maps,
                ins,
                outs,
                Apply(chosen, tuple(Operand(number) for number in range(len(ins)))),
                self.result_type(),
            )
        elif op in ("tensor.expand_shape", "tensor.collapse_shape"):
            self.reshape(name, op, at)
        elif op == "tensor.cast":
            value = self.operand()
            cursor.expect(":")
            self.type()
            cursor.expect("to")
            self.type()
            self.values[name] = value
        else:
            raise cursor.fault(f"operation {op!r} is not supported", at)

    def constant(self, name: str) -> None:
        cursor = self.cursor
        at = cursor.at
        if cursor.looking_at("dense"):
            found, start = read_dense(cursor)
            cursor.expect(":")
            kind = self.type()
            self.numbers(name, shaped(cursor, found, kind, start), kind)
        elif cursor.accept("dense_resource"):
            cursor.expect("<")
            resource = cursor.take(re.compile(r"[\w.$-]+"), "the name of a resource")
            cursor.expect(">")
            cursor.expect(":")
            kind = self.type()
            if resource in self.resources:
                self.numbers(name, from_bytes(cursor, self.resources[resource], kind, at), kind)
            else:
                self.values[name] = self.builder.leaf(identifier(resource), Leaf(kind.shape, kind.format))
        else:
            value = 1.0 if cursor.looking_at("true") else 0.0
            if cursor.match(re.compile("true|false")) is None:
                value = read_number(cursor)
                cursor.expect(":")
                self.type()
            self.scalars[name] = Constant(value)

    def numbers(self, name: str, found: Literal, kind: TensorType) -> None:
        if isinstance(found, float):
            self.values[name] = Splat(found, kind.shape)
        elif found.size == 1:
            self.values[name] = Splat(float(found.reshape(())), kind.shape)
        else:
            self.values[name] = self.builder.leaf(identifier(name), Leaf(kind.shape, kind.format, found))

    def generic(self, name: str, at: int) -> None:
        cursor = self.cursor
        cursor.expect("{")
        maps: list[AffineMap] = []
        reduction: list[bool] = []
        while not cursor.accept("}"):
            key = cursor.take(NAME, "an attribute of linalg.generic")
            cursor.expect("=")
            if key == "indexing_maps":
                cursor.expect("[")
                while not cursor.accept("]"):
                    maps.append(read_map(cursor, self.aliases))
                    cursor.accept(",")
            elif key == "iterator_types":
                cursor.expect("[")
                while not cursor.accept("]"):
                    loop = cursor.take(_STRING, 'a loop kind such as "parallel"').strip('"')
                    if loop not in ("parallel", "reduction"):
                        raise cursor.fault(f'a loop of kind "{loop}"; only "parallel" and "reduction" are known', at)
                    reduction.append(loop == "reduction")
                    cursor.accept(",")
            else:
                if cursor.match(_STRING) is None:
                    cursor.skip_balanced()
            cursor.accept(",")
        ins, outs = self.operands("ins"), self.operands("outs")
        if cursor.accept("attrs"):
            cursor.expect("=")
            cursor.skip_balanced()
        body = read_body(cursor, self.scalars, self.aliases)
        if len(maps) != len(ins) + len(outs) or any(each.loops != len(reduction) for each in maps):
            raise cursor.fault(
                f"it has {len(ins)} inputs, {len(outs)} outputs and {len(reduction)} loops, but {len(maps)} indexing "
                f"maps over {sorted({each.loops for each in maps})} loops",
                at,
            )
        self.finish(name, at, maps[: len(ins) + 1], ins, outs[:1], body[0], self.result_type())

    def transpose(self, name: str, at: int) -> None:
        (source,), outs = self.operands("ins", 1), self.operands("outs", 1)
        cursor = self.cursor
        cursor.expect("permutation")
        cursor.expect("=")
        cursor.expect("[")
        order: list[int] = []
        while not cursor.accept("]"):
            order.append(int(cursor.take(NUMBER, "a dimension")))
            cursor.accept(",")
        if sorted(order) != list(range(len(source.shape))):
            raise cursor.fault(f"permutation {order} must name the {len(source.shape)} dimensions once", at)
        loops = len(order)
        maps = [AffineMap(loops, tuple(order.index(dimension) for dimension in range(loops)))]
        maps.append(AffineMap(loops, tuple(range(loops))))
        self.finish(name, at, maps, [source], outs, Operand(0), self.result_type())

    def reshape(self, name: str, op: str, at: int) -> None:
        """Dimensions of size 1 may come and go; any other reshape is refused."""
        value = self.operand()
        self.cursor.skip_balanced()
        if self.cursor.accept("output_shape"):
            self.cursor.skip_balanced()
        self.cursor.expect(":")
        self.type()
        self.cursor.expect("into")
        kind = self.type()
        if isinstance(value, Splat):
            self.values[name] = Splat(value.value, kind.shape)
            return
        sizes = [size for size in value.shape if size != 1]
        if sizes != [size for size in kind.shape if size != 1]:
            raise self.cursor.fault(
                f"{op} from {value.shape} to {kind.shape}: only dimensions of size 1 may change", at
            )
        wide = iter([each for each, size in zip(value.dims, value.shape, strict=True) if size != 1])
        unit = iter(
            [each for each, size in zip(value.dims, value.shape, strict=True) if size == 1 and each is not None]
        )
        dims = tuple(next(wide) if size != 1 else next(unit, None) for size in kind.shape)
        if next(unit, None) is not None:
            raise self.cursor.fault(f"{op} takes away a dimension of size 1 that is stored; keep it", at)
        self.values[name] = View(value.tensor, dims, kind.shape)
