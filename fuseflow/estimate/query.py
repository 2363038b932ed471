"""Counting the coordinates of streams: queries over relations, answered once each.

A stream's coordinates are the assignments of its index variables that satisfy a set of *atoms*: a relation applied to
variables (a level that was scanned), a choice between sets of atoms (a union), or a thinning (an intersection whose
rate is given instead of the operands' patterns).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fuseflow.estimate.relations import Elimination, Factor, Relation, Var, distinct


@dataclass(frozen=True, slots=True)
class Atom:
    """``relation`` holds for the values of ``variables``, which stand in the order of its columns."""

    relation: Relation
    variables: tuple[Var, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the ``choices`` holds."""

    choices: frozenset["Condition"]


@dataclass(frozen=True, slots=True)
class Thinned:
    """A fraction ``rate`` of the values of ``variable`` is left."""

    variable: Var
    rate: float


Condition = frozenset["Atom | Either | Thinned"]
ALWAYS: Condition = frozenset()
NEVER: Condition = frozenset({Either(frozenset())})


def either(choices: Iterable[Condition], given: Condition = ALWAYS) -> Condition:
    """The condition that one of ``choices`` holds, where ``given`` holds anyway."""
    left = {choice - given for choice in choices}
    weakest = {choice for choice in left if not any(other < choice for other in left)}
    if frozenset() in weakest:
        return ALWAYS
    return next(iter(weakest)) if len(weakest) == 1 else frozenset({Either(frozenset(weakest))})


@dataclass(slots=True, repr=False)
class Counter:
    """Answers to queries, each computed once. Share one between estimates to share what they have in common.

    An ``exact`` one raises SampledError where it would have to sample.
    """

    counts: dict[tuple[Condition, frozenset[Var]], float] = field(default_factory=dict)
    projections: dict[tuple[Condition, frozenset[Var]], Condition] = field(default_factory=dict)
    projected: dict[Condition, Condition] = field(default_factory=dict)
    lanes: dict[tuple[Var, bytes], Condition] = field(default_factory=dict)
    exact: bool = False

    def count(self, condition: Condition, variables: Sequence[Var]) -> float:
        """How many assignments of ``variables`` satisfy ``condition``, which speaks of no others."""
        key = (condition, frozenset(variables))
        if key not in self.counts:
            self.counts[key] = self._count(condition, key[1])
        return self.counts[key]

    def _count(self, condition: Condition, variables: frozenset[Var]) -> float:
        union = next((atom for atom in condition if isinstance(atom, Either)), None)
        if union is not None:
            # Inclusion and exclusion over the choices of one union.
            rest = condition - {union}
            total = 0.0
            choices = tuple(union.choices)
            for size in range(1, len(choices) + 1):
                for chosen in combinations(choices, size):
                    total += (1 if size % 2 else -1) * self.count(simplify(rest.union(*chosen)), tuple(variables))
            return total
        total = 1.0
        atoms, free = set(condition), set(variables)
        while free:
            part, names = _connected(atoms, free)
            atoms -= part
            free -= names
            if part == condition and names == variables:
                return self._count_part(condition, names)
            total *= self.count(frozenset(part), tuple(names))
        return total

    def _count_part(self, condition: Condition, variables: set[Var]) -> float:
        work = _elimination(condition, boolean=False, exact=self.exact)
        work.run(variables)
        return work.scalar

    def lane(self, variable: Var, coordinates: NDArray[np.int64]) -> Condition:
        """That ``variable`` is one of ``coordinates``, which a lane was dealt.

        The same object for all streams that are dealt alike, so that what their conditions have in common shows.
        """
        key = (variable, coordinates.tobytes())
        if key not in self.lanes:
            self.lanes[key] = frozenset({Atom(Relation((variable[1],), (coordinates,)), (variable,))})
        return self.lanes[key]

    def coordinates(self, condition: Condition, variable: Var) -> NDArray[np.int64]:
        """The values of ``variable`` that satisfy ``condition``, which speaks of no other, in ascending order."""
        found = np.ones(variable[1], np.bool_)
        for atom in condition:
            match atom:
                case Atom(relation, _):
                    holds = np.zeros(variable[1], np.bool_)
                    holds[relation.columns[0]] = True
                    found &= holds
                case Either(choices):
                    any_of = np.zeros(variable[1], np.bool_)
                    for choice in choices:
                        any_of[self.coordinates(choice, variable)] = True
                    found &= any_of
                case Thinned():
                    pass
        return np.flatnonzero(found)

    def exists(self, condition: Condition, over: Iterable[Var]) -> Condition:
        """What ``condition`` says of the other variables: that there are values of ``over`` that satisfy it."""
        gone = frozenset(over)
        key = (condition, gone)
        if key not in self.projections:
            self.projections[key] = self._exists(condition, gone)
        return self.projections[key]

    def _exists(self, condition: Condition, gone: frozenset[Var]) -> Condition:
        touched = {atom for atom in condition if gone & variables_of(atom)}
        rest = condition - touched
        union = next((atom for atom in touched if isinstance(atom, Either)), None)
        if union is not None:
            others = condition - {union}
            found = (self.exists(simplify(others | choice), gone) for choice in union.choices)
            return either(list(found), rest) | rest
        result: set[Atom | Either | Thinned] = set(rest)
        left, names = set(touched), set(gone)
        while names:
            part, known = _connected(left, {next(iter(names))}, within=names)
            left -= part
            names -= known & gone
            kept = frozenset(known - gone)
            if part and kept:
                result |= self._project(frozenset(part), frozenset(known & gone))
            elif not self.count(frozenset(part), tuple(known)):
                return NEVER
        return simplify(frozenset(result))

    def _project(self, condition: Condition, gone: frozenset[Var]) -> Condition:
        """The projection of connected atoms; found again under any names of the variables."""
        atoms = sorted(
            (atom for atom in condition if isinstance(atom, Atom)), key=lambda atom: (atom.relation, atom.variables)
        )
        names: dict[Var, Var] = {}
        for atom in atoms:
            for name in atom.variables:
                mark = "-" if name in gone else "+"
                names.setdefault(name, (f"{mark}{len(names)}", name[1]))
        key = renamed(frozenset(atoms), names)
        if key not in self.projected:
            self.projected[key] = self._eliminated(key, frozenset(names[name] for name in gone if name in names))
        return renamed(self.projected[key], {new: old for old, new in names.items()})

    def _eliminated(self, condition: Condition, gone: frozenset[Var]) -> Condition:
        work = _elimination(condition, boolean=True, exact=self.exact)
        work.run(gone)
        result: set[Atom | Either | Thinned] = set()
        for variable, vector in work.vectors.items():
            (places,) = vector.nonzero()
            result |= self._atom(Relation((variable[1],), (places,)), (variable,))
        for table in work.tables:
            single = distinct(table)
            sizes = tuple(size for _, size in single.variables)
            result |= self._atom(Relation(sizes, single.columns, single.weights), single.variables)
        return frozenset(result)

    def _atom(self, relation: Relation, variables: tuple[Var, ...]) -> Condition:
        return ALWAYS if relation.full else frozenset({Atom(relation, variables)})


def variables_of(atom: Atom | Either | Thinned) -> frozenset[Var]:
    """The variables that an atom speaks of."""
    match atom:
        case Atom(_, variables):
            return frozenset(variables)
        case Either(choices):
            return frozenset(name for choice in choices for inner in choice for name in variables_of(inner))
        case Thinned(variable, _):
            return frozenset({variable})


def simplify(condition: Condition) -> Condition:
    """``condition`` without what the rest of it implies: levels above other levels, unions that hold anyway."""
    implied: set[Atom | Either | Thinned] = set()
    for atom in condition:
        if isinstance(atom, Atom):
            parent = atom.relation.parent
            while parent is not None:
                implied.add(Atom(parent, atom.variables[: len(parent.sizes)]))
                parent = parent.parent
        elif isinstance(atom, Either) and any(choice <= condition for choice in atom.choices):
            implied.add(atom)
    return condition - implied


def renamed(condition: Condition, names: dict[Var, Var]) -> Condition:
    """``condition`` about other variables."""
    found: set[Atom | Either | Thinned] = set()
    for atom in condition:
        match atom:
            case Atom(relation, variables):
                found.add(Atom(relation, tuple(names.get(name, name) for name in variables)))
            case Either(choices):
                found.add(Either(frozenset(renamed(choice, names) for choice in choices)))
            case Thinned(variable, rate):
                found.add(Thinned(names.get(variable, variable), rate))
    return frozenset(found)


def _elimination(condition: Condition, boolean: bool, exact: bool) -> Elimination:
    work = Elimination(boolean, exact)
    for atom in sorted((atom for atom in condition if isinstance(atom, Atom)), key=lambda item: item.relation.number):
        work.add(Factor(atom.variables, atom.relation.columns, atom.relation.weights))
    for thin in condition:
        if isinstance(thin, Thinned) and not boolean:
            work.scalar *= thin.rate
    return work


def _connected(
    atoms: set["Atom | Either | Thinned"], variables: set[Var], within: set[Var] | None = None
) -> tuple[set["Atom | Either | Thinned"], set[Var]]:
    """Atoms and variables connected with one of ``variables``; only through variables in ``within``, if given."""
    names = {min(variables)}
    part: set[Atom | Either | Thinned] = set()
    frontier = set(names)
    while frontier:
        reached = {atom for atom in atoms - part if frontier & variables_of(atom)}
        part |= reached
        found = {name for atom in reached for name in variables_of(atom)} - names
        names |= found
        frontier = found if within is None else found & within
    return part, names
