"""Units that wait on each other, and the error that says so; both engines use it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.sim.blocks.base import Need
from fuseflow.sim.machine import BROADCAST_OF

DEEPENINGS = 1024
"""Most times that a search for depths makes a stream deeper; each takes its part of the operations that it may do."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """``unit`` waits at ``clock_cycles`` for ``need`` on ``channel``, which ``other`` would have to give.

    ``state`` shows the channel with its fill and next token.
    """

    unit: str
    clock_cycles: int
    need: Need
    channel: str
    state: str
    other: str

    def __str__(self) -> str:
        source, _, target = self.channel.partition(" -> ")
        port = target if self.need is Need.TOKEN else source
        return f"{self.unit} at cycle {self.clock_cycles} waits for {self.need.value} on {port}: {self.state}"


class Blocked(Protocol):
    """A network in which no unit can go on."""

    def waiting(self) -> list[Waiting]:
        """The units that have not finished, and what each waits for."""

    def depth(self, channel: str) -> int:
        """Capacity of a bounded channel."""

    def deepen(self, channel: str, depth: int) -> None:
        """Give a channel a larger capacity, and let its producer try again."""

    def go_on(self, operations: int) -> int:
        """Run until no unit can go on or about ``operations`` are done; how many. SimulationError as in any run."""

    @property
    def search_operations(self) -> int:
        """Operations, of whatever kind it counts, that it does in about a second: the same ones on every machine."""


class Ending(Enum):
    """How a search for depths ended, and what is known of a run with these depths."""

    WHOLE = "the run then comes to its end"
    CUT = "the search was cut off here, so a run with these may still block: repeat it with them to search on"
    BLOCKED = "the run then blocks later, where no depth helps: input streams of a node differ in structure"
    FAULTY = "the run then meets another error"


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What a search has found: depths by stream."""

    depths: dict[str, int]
    ending: Ending


def relax(network: Blocked) -> Relaxed:
    """Go on with deeper streams from where ``network`` is blocked, to find depths that suffice: it is spent then.

    A full stream of the ring of waiting units is made deeper, by little, until the network ends or stops for good. A
    network with these depths from the start can do the same steps, and what it does does not depend on their order
    (simulator rule 1.2): it does not block where this one went on. The search is bounded in operations, not in time, so
    it finds the same on every machine.
    """
    depths: dict[str, int] = {}
    left = network.search_operations
    deepening = left // DEEPENINGS
    ending = Ending.WHOLE
    while waiting := network.waiting():
        full = [wait.channel for wait in find_ring(waiting) if wait.need is Need.ROOM]
        if not full:
            ending = Ending.BLOCKED
            break
        channel = min(full, key=lambda name: (name not in depths, network.depth(name)))
        depth = network.depth(channel)
        depths[channel] = depth + (max(1, depth // 16) if channel in depths else 1)
        network.deepen(channel, depths[channel])
        try:
            left -= network.go_on(left) + deepening
        except SimulationError:
            ending = Ending.FAULTY
            break
        if left <= 0:
            ending = Ending.CUT
            break
    return Relaxed({name.removeprefix(BROADCAST_OF): depth for name, depth in depths.items()}, ending)


def explain(network: Blocked, search: Callable[[Blocked], Relaxed] = relax) -> DeadlockError:
    """The error for ``network``, which is spent then; ``search`` finds depths that suffice."""
    stuck = network.waiting()
    return deadlock(stuck, search(network))


def find_ring(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Units each of which waits for the next, the last for the first; empty if there are none such."""
    by_name = {wait.unit: wait for wait in waiting}
    done: set[str] = set()
    for start in waiting:
        path: list[str] = []
        name = start.unit
        while name in by_name and name not in done and name not in path:
            path.append(name)
            name = by_name[name].other
        if name in path:
            return [by_name[each] for each in path[path.index(name) :]]
        done |= set(path)
    return []


def deadlock(waiting: Sequence[Waiting], found: Relaxed) -> DeadlockError:
    """The error: the ring of units first, then those that wait for it, then the depths that were ``found``."""
    ring = find_ring(waiting)
    names = [wait.unit for wait in ring]
    lines = [f"deadlock: {len(waiting)} units wait on each other and none can go on"]
    if ring:
        lines.append(f"the ring of waiting units: {' -> '.join([*names, names[0]])}")
        lines += [f"  {wait}" for wait in ring]
    others = [wait for wait in waiting if wait.unit not in names]
    if ring and others:
        lines.append("waiting for these:")
    lines += [f"  {wait}" for wait in others]
    if found.depths:
        text = ", ".join(f"{name!r}: {depth}" for name, depth in found.depths.items())
        lines.append(
            f"make these streams deeper: depths={{{text}}}; {found.ending.value}. Or make all of them unbounded "
            "(channel_capacity=None)"
        )
    else:
        lines.append("the input streams of these nodes do not have the same structure; check the wiring of the graph")
    return DeadlockError("\n".join(lines), tuple(ring), found.depths, found.ending is Ending.WHOLE)
