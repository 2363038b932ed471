"""Units that wait on each other, and the error that says so; both engines use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.sim.blocks.base import Need
from fuseflow.sim.machine import BROADCAST_OF

RELAXED_SECONDS = 10.0
"""Longest search for depths that remove a deadlock."""


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

    def go_on(self) -> None:
        """Run until no unit can go on; SimulationError as in any run."""


def explain(network: Blocked) -> DeadlockError:
    """The error for ``network``, which goes on with deeper streams to find depths that suffice: it is spent then.

    A full stream of the ring of waiting units is made deeper, by little, until the network ends or stops for good. A
    network with these depths from the start can do the same steps, and what it does does not depend on their order
    (simulator rule 1.2): it does not block where this one went on.
    """
    stuck = network.waiting()
    depths: dict[str, int] = {}
    end = monotonic() + RELAXED_SECONDS
    waiting = stuck
    while waiting and monotonic() < end:
        full = [wait.channel for wait in find_ring(waiting) if wait.need is Need.ROOM]
        if not full:
            break
        channel = min(full, key=lambda name: (name not in depths, network.depth(name)))
        depth = network.depth(channel)
        depths[channel] = depth + (max(1, depth // 16) if channel in depths else 1)
        network.deepen(channel, depths[channel])
        try:
            network.go_on()
        except SimulationError:
            break  # another fault lies behind this one
        waiting = network.waiting()
    named = {name.removeprefix(BROADCAST_OF): depth for name, depth in depths.items()}
    return deadlock(stuck, named, whole=not waiting)


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


def deadlock(waiting: Sequence[Waiting], depths: Mapping[str, int], whole: bool) -> DeadlockError:
    """The error: the ring of units first, then those that wait for it, then the ``depths`` that would do.

    ``whole`` says that a run with these depths was followed to its end.
    """
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
    if depths:
        text = ", ".join(f"{name!r}: {depth}" for name, depth in depths.items())
        lines.append(
            f"make these streams deeper: depths={{{text}}}"
            + ("; the run then comes to its end" if whole else "; that removes this deadlock, maybe not a later one")
            + ". Or make all of them unbounded (channel_capacity=None)"
        )
    else:
        lines.append("the input streams of these nodes do not have the same structure; check the wiring of the graph")
    return DeadlockError("\n".join(lines), ring=tuple(ring), suggestion=dict(depths))
