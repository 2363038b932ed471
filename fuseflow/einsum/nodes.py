"""The program: a list of statements, each one operator on tensors indexed by named index variables.

``T[i,j] = A[i,k] * X[k,j]`` is a :class:`Statement` whose expression is a :class:`Product`; the index ``k``, absent
from the output, is summed. Nested expressions exist in the text form only: the parser splits them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fuseflow.einsum.operators import BinaryOp, ReduceOp, UnaryOp
from fuseflow.errors import ProgramError
from fuseflow.formats import Format

if TYPE_CHECKING:
    from fuseflow.einsum.explain import Explanation


@dataclass(frozen=True, slots=True)
class Access:
    """One use of a tensor: ``indices[d]`` is the index variable of dimension ``d``."""

    tensor: str
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """``left * right``, summed over every index variable that the output lacks."""

    left: Access
    right: Access


@dataclass(frozen=True, slots=True)
class Binary:
    """Element-wise ``op`` other than multiplication; an operand is broadcast over the indices it lacks."""

    op: BinaryOp
    left: Access
    right: Access


@dataclass(frozen=True, slots=True)
class Unary:
    """Element-wise ``op``, with ``scalar`` where it takes one."""

    op: UnaryOp
    operand: Access
    scalar: float = 0.0


@dataclass(frozen=True, slots=True)
class Reduction:
    """``op`` over the index variables of ``operand`` that the output lacks."""

    op: ReduceOp
    operand: Access


@dataclass(frozen=True, slots=True)
class Mask:
    """``operand`` where ``mask`` stores an element; everything else is masked out.

    A masked-out element takes no part in a later maximum, sum or element-wise operation (as if it were minus
    infinity before a softmax) and counts as zero in a product and in a program's output.
    """

    operand: Access
    mask: Access


@dataclass(frozen=True, slots=True)
class Reshape:
    """The elements of ``operand``, taken in lexicographic order of ``order``, fill an array of ``shape`` row by row.

    ``order`` permutes the indices of ``operand``. Every index of the output is new.
    """

    operand: Access
    order: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """``parts`` one after the other along the output's index ``index``.

    Each part has one index of its own where the output has ``index``, and shares all others with it.
    """

    parts: tuple[Access, ...]
    index: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Positions ``start``, ``start + step``... below ``stop`` of ``operand`` along ``index``.

    The output has a new index instead of ``index``; or none, if there is exactly one position.
    """

    operand: Access
    index: str
    start: int
    stop: int
    step: int = 1

    @property
    def positions(self) -> range:
        """The positions that are taken."""
        return range(self.start, self.stop, self.step)


@dataclass(frozen=True, slots=True)
class Gather:
    """``positions`` of ``operand`` along ``index``, in this order, with repeats; the output has a new index there."""

    operand: Access
    index: str
    positions: tuple[int, ...]


Layout = Reshape | Concat | Slice | Gather
"""Moves stored elements without computing. A layout statement stands between fusion regions, never in one."""

Computation = Product | Binary | Unary | Reduction | Mask
Expression = Computation | Layout


def operands(expression: Expression) -> tuple[Access, ...]:
    """The accesses an expression reads, left to right."""
    match expression:
        case Concat(parts):
            return parts
        case Reshape(operand) | Slice(operand) | Gather(operand):
            return (operand,)
        case Product(left, right) | Binary(_, left, right):
            return (left, right)
        case Unary(_, operand, _) | Reduction(_, operand):
            return (operand,)
        case Mask(operand, mask):
            return (operand, mask)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement comes from.

    ``group`` is the kernel it belongs to when nothing is fused, ``layer`` the layer of the model, ``source`` the line
    of the user's Python (or text) that asked for it.
    """

    group: str = ""
    layer: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """``output = expression``. Two statements are equal when they compute the same, wherever they come from.

    ``indices`` are its index variables in order of first use in the operands, ``reduced`` those that the output lacks.
    """

    output: Access
    expression: Expression
    origin: Origin = field(default_factory=Origin, compare=False)
    operands: tuple[Access, ...] = field(init=False, compare=False, repr=False)
    indices: tuple[str, ...] = field(init=False, compare=False, repr=False)
    reduced: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Derived once: compiling asks for them tens of thousands of times.
        found = operands(self.expression)
        indices = tuple(dict.fromkeys(index for access in found for index in access.indices))
        object.__setattr__(self, "operands", found)
        object.__setattr__(self, "indices", indices)
        object.__setattr__(self, "reduced", tuple(index for index in indices if index not in self.output.indices))

    @property
    def name(self) -> str:
        """Name of the tensor it defines, which also names the statement."""
        return self.output.tensor

    @property
    def is_layout(self) -> bool:
        """Whether it only moves stored elements: a barrier between fusion regions."""
        return isinstance(self.expression, Reshape | Concat | Slice | Gather)


@dataclass(frozen=True, slots=True)
class Tensor:
    """Declaration of a tensor: ``shape`` by dimension and its storage format.

    In a blocked program (:mod:`.blocked`) ``tile`` is the block size of every dimension, 1 where it is not blocked,
    and ``shape`` counts blocks.
    """

    name: str
    shape: tuple[int, ...]
    format: Format
    tile: tuple[int, ...] = ()

    @property
    def order(self) -> int:
        return len(self.shape)

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Its shape in elements."""
        return tuple(size * block for size, block in zip(self.shape, self.tile or (1,) * self.order, strict=True))


@dataclass(frozen=True, slots=True)
class Program:
    """A straight-line tensor program.

    ``tensors`` declares every tensor: the inputs first, then one per statement (intermediates and results are stored
    in the declared format where a fusion region ends). ``outputs`` names the results.
    """

    tensors: tuple[Tensor, ...]
    statements: tuple[Statement, ...]
    outputs: tuple[str, ...]

    def tensor(self, name: str) -> Tensor:
        """The declaration of ``name``; ProgramError if there is none."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        names = ", ".join(tensor.name for tensor in self.tensors) or "none"
        raise ProgramError(f"the program has no tensor {name!r}; it has {names}")

    def statement(self, name: str) -> Statement:
        """The statement that defines ``name``; ProgramError if there is none."""
        for statement in self.statements:
            if statement.name == name:
                return statement
        names = ", ".join(item.name for item in self.statements) or "nothing"
        raise ProgramError(f"no statement defines {name!r}; statements define {names}")

    def stored_as(self, formats: Mapping[str, Format]) -> "Program":
        """This program with the tensors named in ``formats`` stored as it says; other names are ignored."""
        tensors = tuple(replace(item, format=formats.get(item.name, item.format)) for item in self.tensors)
        return replace(self, tensors=tensors)

    @property
    def blocked(self) -> bool:
        """Whether values are tiles."""
        return any(size > 1 for tensor in self.tensors for size in tensor.tile)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Tensors that no statement defines."""
        defined = {statement.name for statement in self.statements}
        return tuple(tensor for tensor in self.tensors if tensor.name not in defined)

    def readers(self, name: str) -> tuple[Statement, ...]:
        """Statements that read tensor ``name``."""
        return tuple(
            statement for statement in self.statements if any(access.tensor == name for access in statement.operands)
        )

    def explain(self) -> "Explanation":
        """What unstored elements mean in every statement: zero, masked out, or densified."""
        from fuseflow.einsum.explain import explain

        return explain(self)

    def extents(self, statement: Statement) -> dict[str, int]:
        """Size of every index variable of ``statement``."""
        sizes: dict[str, int] = {}
        for access in statement.operands:
            sizes.update(zip(access.indices, self.tensor(access.tensor).shape, strict=True))
        return sizes

    @property
    def computations(self) -> tuple[Statement, ...]:
        """The statements that compute something: all but the layout statements."""
        return tuple(statement for statement in self.statements if not statement.is_layout)

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    def __repr__(self) -> str:
        from fuseflow.einsum.show import show

        return show(self)
