"""The state of one translation: statements so far, names of index variables, and what each traced value is."""

import keyword
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fuseflow.einsum import (
    Access,
    Binary,
    BinaryOp,
    Expression,
    Origin,
    Product,
    ReduceOp,
    Reduction,
    Statement,
    Unary,
    UnaryOp,
)
from fuseflow.errors import TraceError
from fuseflow.frontend.values import Value

if TYPE_CHECKING:
    from torch import fx

INDEX_NAMES = "ijklmnopqrstuvwxyzabcdefgh"


def identifier(text: str) -> str:
    """``text`` as a tensor name: ``conv1.linear.weight`` becomes ``conv1_linear_weight``."""
    name = re.sub(r"\W", "_", text).strip("_") or "t"
    return f"t_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


@dataclass(slots=True)
class Translator:
    """Collects statements. The handlers of the op families call its methods, one per kind of statement."""

    values: dict["fx.Node", Value] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    indices: dict[str, list[str | None]] = field(default_factory=dict)
    names: Iterator[str] = field(default_factory=lambda: _index_names())
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
        """The traced value that ``argument`` stands for."""
        from torch import fx

        if isinstance(argument, fx.Node) and argument in self.values:
            return self.values[argument]
        raise self.fault(f"expected a tensor, got {argument!r}")

    # Statements

    def add(self, name: str, indices: tuple[str, ...], expression: Expression, group: str) -> Value:
        """Append ``name[indices] = expression`` as part of kernel ``group``."""
        sizes: dict[str, int] = {}
        for access in Statement(Access("", ()), expression).operands:
            sizes.update(zip(access.indices, self.shapes[access.tensor], strict=True))
        made = self.declare(name, tuple(sizes[index] for index in indices))
        self.indices[made.tensor] = list(indices)
        source = source_line(self.node) if self.node is not None else ""
        self.statements.append(Statement(Access(made.tensor, indices), expression, Origin(group, self.layer, source)))
        return made

    def product(self, name: str, left: Value, right: Value, group: str) -> Value:
        """Matrix product of two values of order 2."""
        if len(left.shape) != 2 or len(right.shape) != 2:
            raise self.fault(
                f"a product of orders {len(left.shape)} and {len(right.shape)}; only matrices are supported"
            )
        if left.shape[1] != right.shape[0]:
            raise self.fault(f"shapes {left.shape} and {right.shape} do not match in a product")
        row = self.index(left, 0)
        inner = self.index(left, 1, (row,))
        column = self.index(right, 1, (row, inner))
        pair = (left.access((row, inner)), right.access((inner, column)))
        return self.add(name, (row, column), Product(*pair), group)

    def binary(self, name: str, op: BinaryOp, left: Value, right: Value, group: str) -> Value:
        """Element-wise operation; an operand of lower order is aligned at the last dimensions, as in PyTorch."""
        if len(right.shape) > len(left.shape):
            indices = self.all_indices(right)
            shape = right.shape
        else:
            indices = self.all_indices(left)
            shape = left.shape
        accesses = []
        for value in (left, right):
            tail = shape[len(shape) - len(value.shape) :]
            if value.shape != tail:
                raise self.fault(
                    f"shapes {left.shape} and {right.shape} do not match; dimensions of size 1 are not broadcast, "
                    "drop them with squeeze outside the model"
                )
            accesses.append(value.access(indices[len(shape) - len(value.shape) :]))
        expression = Product(*accesses) if op is BinaryOp.MUL else Binary(op, accesses[0], accesses[1])
        return self.add(name, indices, expression, group)

    def unary(self, name: str, op: UnaryOp, operand: Value, group: str, scalar: float = 0.0) -> Value:
        """Element-wise operation on one value."""
        indices = self.all_indices(operand)
        return self.add(name, indices, Unary(op, operand.access(indices), scalar), group)

    def reduction(self, name: str, op: ReduceOp, operand: Value, dimension: int, group: str) -> Value:
        """Reduction over one dimension, which the result lacks."""
        indices = self.all_indices(operand)
        kept = tuple(index for number, index in enumerate(indices) if number != dimension)
        return self.add(name, kept, Reduction(op, operand.access(indices)), group)

    def along(self, name: str, op: BinaryOp, left: Value, right: Value, group: str) -> Value:
        """Element-wise operation of ``left`` with a reduction of it, whose index names it shares."""
        indices = self.all_indices(left)
        kept = tuple(index for index in indices if index in self.indices[right.tensor])
        return self.add(name, indices, Binary(op, left.access(indices), right.access(kept)), group)

    def all_indices(self, value: Value) -> tuple[str, ...]:
        """Distinct index names for every dimension of ``value``."""
        found: tuple[str, ...] = ()
        for dimension in range(len(value.shape)):
            found = (*found, self.index(value, dimension, found))
        return found


def _index_names() -> Iterator[str]:
    number = 1
    while True:
        suffix = "" if number == 1 else str(number)
        yield from (f"{letter}{suffix}" for letter in INDEX_NAMES)
        number += 1


def source_line(node: "fx.Node") -> str:
    """The user's line that made ``node``, as ``file.py:12: code``.

    Where no line is the user's own (a bare ``nn.Sequential``), the module that made it; empty if neither is known.
    """
    frames = re.findall(r'File "([^"]*)", line (\d+), in [^\n]*\n?([^\n]*)', node.meta.get("stack_trace") or "")
    own = [frame for frame in frames if _is_users(frame[0])]
    if own:
        return _line(*own[-1])
    stack = [entry for entry in (node.meta.get("nn_module_stack") or {}).values() if entry[0]]
    if not stack:
        return ""
    path, kind = stack[-1]
    return f"module {path!r}, a {str(getattr(kind, '__name__', kind)).rsplit('.', 1)[-1]}"


def failing_line(error: BaseException) -> str:
    """The innermost line of the user's that ``error`` passed through, as ``file.py:12: code``; empty if none did."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return _line(frames[-1].filename, frames[-1].lineno or 0, frames[-1].line or "") if frames else ""


def _line(path: str, line: int | str, code: str) -> str:
    return f"{path.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}: {code.strip()}"


def _is_users(path: str) -> bool:
    """Whether a file belongs to neither PyTorch nor fuseflow."""
    import torch

    libraries = (Path(torch.__file__).parent, Path(__file__).parents[1])
    return not path.startswith("<") and not any(Path(path).is_relative_to(folder) for folder in libraries)
