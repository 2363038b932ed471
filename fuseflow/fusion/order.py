"""The partial order of a region's index variables and its legal dataflow orders (paper Algorithm 1, lines 4-5)."""

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx

from fuseflow.errors import FusionError, ScheduleError


@dataclass(frozen=True, slots=True)
class Constraint:
    """``outer`` must be iterated outside of ``inner``, and why."""

    outer: str
    inner: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartialOrder:
    """Partial order graph: ``variables`` in order of first use by a stored tensor, and the constraints among them."""

    variables: tuple[str, ...]
    constraints: tuple[Constraint, ...]

    def orders(self) -> Iterator[tuple[str, ...]]:
        """Every legal dataflow order, lazily, in lexicographic order of ``variables``.

        Raises FusionError on the first step if the constraints contradict each other.
        """
        self.require_acyclic()
        inner: dict[str, set[str]] = {variable: set() for variable in self.variables}
        for constraint in self.constraints:
            inner[constraint.inner].add(constraint.outer)

        prefix: list[str] = []
        placed: set[str] = set()
        choices = [iter(self.variables)]
        while choices:
            if len(prefix) == len(self.variables):
                yield tuple(prefix)
                choices.pop()
            else:
                ready = (name for name in choices[-1] if name not in placed and inner[name] <= placed)
                variable = next(ready, None)
                if variable is not None:
                    prefix.append(variable)
                    placed.add(variable)
                    choices.append(iter(self.variables))
                    continue
                choices.pop()
            if prefix and choices:
                placed.remove(prefix.pop())

    def _graph(self) -> "nx.DiGraph[str]":
        graph: nx.DiGraph[str] = nx.DiGraph()
        for constraint in self.constraints:
            graph.add_edge(constraint.outer, constraint.inner, reason=constraint.reason)
        return graph

    @property
    def acyclic(self) -> bool:
        """Whether there is a legal order at all."""
        inner: dict[str, list[str]] = {}
        waiting: dict[str, int] = {}
        for outer, after in {(constraint.outer, constraint.inner) for constraint in self.constraints}:
            inner.setdefault(outer, []).append(after)
            waiting.setdefault(outer, 0)
            waiting[after] = waiting.get(after, 0) + 1
        ready = [name for name, count in waiting.items() if count == 0]
        placed = 0
        while ready:
            placed += 1
            for after in inner.get(ready.pop(), ()):
                waiting[after] -= 1
                if waiting[after] == 0:
                    ready.append(after)
        return placed == len(waiting)

    def require_acyclic(self) -> None:
        """FusionError with the cycle and what forces it, if there is one."""
        graph = self._graph()
        try:
            cycle = nx.find_cycle(graph)
        except nx.NetworkXNoCycle:
            return
        steps = "; ".join(
            f"{outer} outside {inner}, because {graph.edges[outer, inner]['reason']}" for outer, inner in cycle
        )
        raise FusionError(
            f"no dataflow order satisfies every storage order: {steps}. Store one of these tensors in another mode "
            'order (a format such as "dd:1,0", for an intermediate too), or end a region between them'
        )

    def check(self, order: tuple[str, ...]) -> None:
        """ScheduleError if ``order`` is not a legal dataflow order."""
        if sorted(order) != sorted(self.variables):
            raise ScheduleError(
                f"order {' '.join(order)} must name every index variable of the region once: {' '.join(self.variables)}"
            )
        place = {variable: number for number, variable in enumerate(order)}
        for constraint in self.constraints:
            if place[constraint.outer] > place[constraint.inner]:
                raise ScheduleError(
                    f"order {' '.join(order)} iterates {constraint.inner} outside {constraint.outer}, but "
                    f"{constraint.reason}. Store it in another mode order or change the order"
                )
