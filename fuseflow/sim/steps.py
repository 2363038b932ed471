"""A run of the plain interpreter as a history that can be stepped through, forwards and backwards.

The interpreter runs units in any order, as the model allows; its clocks and stamps say when everything happens. The
history is these times: a token is in its queue from its stamp on, until the cycle in which the reader takes it.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.tokens import Token
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.blocks import Surroundings, Written
from fuseflow.sim.channel import Channel
from fuseflow.sim.given import check_given
from fuseflow.sim.interpret import memory_controller, run, summed_products, wire
from fuseflow.sim.machine import Machine

MAX_TOKENS = 200_000
"""Tokens that a history may hold. More cannot be followed by eye, and would fill the memory of a page."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One token on one wire: in the queue from cycle ``seen`` on, taken in cycle ``taken`` (``None``: never)."""

    token: Token
    seen: int
    taken: int | None


@dataclass(frozen=True, slots=True)
class Wire:
    """A queue between two ends, ``"node.port"`` each; ``target`` is ``None`` where nothing reads.

    A port with several readers feeds ``"broadcast of node.port"``, which feeds each of them. ``capacity`` is in tokens.
    """

    source: str
    target: str | None
    capacity: int | None
    passages: tuple[Passage, ...]

    def queue(self, cycle: int) -> tuple[Token, ...]:
        """Tokens in the queue at the end of ``cycle``, the next one to be taken first."""
        return tuple(
            each.token for each in self.passages if each.seen <= cycle and (each.taken is None or each.taken > cycle)
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """A whole run: every wire with its tokens, and the cycles in which anything happens, in order."""

    graph: Graph
    cycles: int
    wires: tuple[Wire, ...]
    moments: tuple[int, ...]

    def after(self, cycle: int) -> int | None:
        """The next cycle after ``cycle`` in which anything happens."""
        place = bisect_right(self.moments, cycle)
        return self.moments[place] if place < len(self.moments) else None

    def into(self, node: str) -> tuple[Wire, ...]:
        """Wires that ``node`` reads."""
        return tuple(each for each in self.wires if each.target is not None and each.target.rpartition(".")[0] == node)

    def out_of(self, node: str) -> tuple[Wire, ...]:
        """Wires that ``node`` feeds."""
        return tuple(each for each in self.wires if each.source.rpartition(".")[0] == node)


class _Watched(Channel):
    """A channel that keeps when each token came and went."""

    __slots__ = ("came", "went")

    def __init__(
        self,
        source: str,
        target: str | None,
        capacity: int | None = None,
        record: list[tuple[Token, int]] | None = None,
    ) -> None:
        super().__init__(source, target, capacity, record)
        self.came: list[tuple[Token, int]] = []
        self.went: list[int] = []

    def put(self, token: Token, stamp: int) -> None:
        self.came.append((token, stamp))
        if len(self.came) > MAX_TOKENS:
            raise SimulationError(
                f"more than {MAX_TOKENS} tokens on {self.source}: too many to step through; use a smaller tensor"
            )
        super().put(token, stamp)

    def pop(self, clock: int) -> None:
        self.went.append(clock)
        super().pop(clock)


def steps(graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine = Machine()) -> Steps:
    """Run ``graph`` on ``tensors`` in the plain interpreter and keep every token of every wire.

    Raises as :func:`fuseflow.sim.interpret` does, and SimulationError for a run of more than :data:`MAX_TOKENS` tokens.
    """
    check_given(graph, tensors, machine)
    controller = memory_controller(machine)
    around = Surroundings(tensors, machine, Written(), summed_products(graph), controller)
    units = wire(graph, around, None, _Watched)
    run(units, controller)
    channels = [channel for unit in units for channel in unit.outputs if isinstance(channel, _Watched)]
    total = sum(len(channel.came) for channel in channels)
    if total > MAX_TOKENS:
        raise SimulationError(
            f"{total:,} tokens are too many to step through, {MAX_TOKENS:,} is the limit; use a smaller tensor"
        )
    wires = tuple(_history(channel) for channel in channels)
    times = {each.seen for wire_ in wires for each in wire_.passages}
    times |= {each.taken for wire_ in wires for each in wire_.passages if each.taken is not None}
    return Steps(graph, max((unit.clock for unit in units), default=0), wires, tuple(sorted(times)))


def _history(channel: _Watched) -> Wire:
    passages = tuple(
        Passage(token, stamp, channel.went[number] if number < len(channel.went) else None)
        for number, (token, stamp) in enumerate(channel.came)
    )
    return Wire(channel.source, channel.target, channel.capacity, passages)
