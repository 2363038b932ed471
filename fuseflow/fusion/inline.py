"""Inlining: from the statements of a region to a tree of views per result (paper Algorithm 1, lines 1-3).

Producers are inlined into their consumers by substituting index variables from the result down. Every reduction gets
a fresh index variable per use of its result.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fuseflow.einsum import Program, masked_tensors
from fuseflow.errors import FusionError
from fuseflow.fusion.views import Leaf, Operation, View

Hints = Mapping[tuple[str, tuple[str, ...], str], str]
"""(statement, output variables, reduced index) -> variable to reduce over instead of a fresh one; see ``sharing``."""


MOST_VIEWS = 1500
"""Views of one region: a tensor read in two ways at every step doubles them with every step."""

MOST_DEEP = 150
"""Statements of one region, one inside the other."""


def _too_large(views: Mapping[tuple[str, tuple[str, ...]], View], tensor: str, depth: int) -> FusionError:
    if depth > MOST_DEEP:
        return FusionError(f"a region has more than {MOST_DEEP} statements one inside the other; end it at {tensor!r}")
    count = Counter(name for name, _ in views)
    most, times = count.most_common(1)[0]
    return FusionError(
        f"the fused region would compute more than {MOST_VIEWS} tensors, {most!r} alone {times} times, each for other "
        f"index variables; end the region at {most!r}, so that it is computed once"
    )


@dataclass(frozen=True, slots=True)
class Merges:
    """Index variables shared between the trees of several results.

    ``results`` gives the variable of a result's dimension, ``reductions`` that of a reduction (statement, output
    variables, reduced index) that reduces what a reduction of another tree reduces; see ``siblings``.
    """

    results: Mapping[tuple[str, int], str] = field(default_factory=dict)
    reductions: Hints = field(default_factory=dict)

    @property
    def shared(self) -> frozenset[str]:
        """Variables over which several trees reduce the same operand."""
        return frozenset(self.reductions.values())


@dataclass(frozen=True, slots=True)
class Inlined:
    """A region as trees: the views of its results, consumers before what they read, every view by (tensor, variables),
    and the size of every variable."""

    roots: tuple[Operation, ...]
    views: dict[tuple[str, tuple[str, ...]], View]
    extents: dict[str, int]


def inline(
    program: Program,
    statements: tuple[str, ...],
    outputs: tuple[str, ...],
    hints: Hints,
    merges: Merges,
) -> Inlined:
    """Inline the statements named ``statements`` into view trees that compute ``outputs`` (in program order).

    A result gets index variables of its own, unless ``merges`` names those of another result's tree.
    """
    inside = set(statements)
    masked = masked_tensors(program)
    views: dict[tuple[str, tuple[str, ...]], View] = {}
    extents: dict[str, int] = {}
    taken: set[str] = set()

    def fresh(index: str) -> str:
        name, number = index, 2
        while name in taken:
            name, number = f"{index}{number}", number + 1
        taken.add(name)
        return name

    depth = 0

    def view(tensor: str, variables: tuple[str, ...]) -> View:
        nonlocal depth
        key = (tensor, variables)
        if key not in views:
            depth += 1
            if depth > MOST_DEEP or len(views) > MOST_VIEWS:
                raise _too_large(views, tensor, depth)
            views[key] = operation(tensor, variables) if tensor in inside else leaf(tensor, variables)
            depth -= 1
        return views[key]

    def leaf(tensor: str, variables: tuple[str, ...]) -> Leaf:
        absent = frozenset(variables[dimension] for dimension in masked.get(tensor, ()))
        return Leaf(program.tensor(tensor), variables, absent)

    def operation(name: str, variables: tuple[str, ...]) -> Operation:
        statement = program.statement(name)
        sizes = program.extents(statement)
        binding = dict(zip(statement.output.indices, variables, strict=True))
        for index in statement.reduced:
            hint = hints.get((name, variables, index))
            if hint is None:
                own = fresh(index)  # taken even where it is replaced, so that the names of others do not change
                hint = merges.reductions.get((name, variables, index), own)
            binding[index] = hint
        for index, variable in binding.items():
            extents[variable] = sizes[index]
        operands = tuple(
            view(access.tensor, tuple(binding[index] for index in access.indices)) for access in statement.operands
        )
        return Operation(statement, variables, tuple(binding[index] for index in statement.reduced), operands)

    roots: list[Operation] = []
    for output in reversed(outputs):
        result = program.statement(output).output
        own_variables = [fresh(index) for index in result.indices]
        root = view(output, tuple(merges.results.get((output, place), own) for place, own in enumerate(own_variables)))
        assert isinstance(root, Operation)  # the outputs of a region are among its statements
        roots.append(root)
    return Inlined(tuple(roots), views, extents)
