"""What a simulation returns: the cycles, the result tensor, the counters of every node and, on request, its streams.

The plain interpreter and the compiled engine return the same type, equal to the cycle and to the counter.
"""

from dataclasses import dataclass, field, fields

import pandas as pd

from fuseflow.dataflow.graph import Port
from fuseflow.dataflow.tokens import Token
from fuseflow.errors import SimulationError
from fuseflow.formats import FiberTree
from fuseflow.sim.machine import Machine
from fuseflow.sim.trace import KernelTrace


@dataclass(frozen=True, slots=True)
class NodeStats:
    """Counters of one node of a graph (simulator §5).

    ``final_clock_cycles`` is the largest over the units of the node (a repeat has two, every other node one; broadcasts
    belong to no node). ``busy_cycles`` counts the cycles that its last unit, which has the outputs, advanced on its own
    account and not by waiting for a token or for room; the two of a repeat have the same once a run is complete.
    ``flops`` counts results of ALUs and values accumulated by reductions
    and accumulators; the other counters are elements read from or written to memory: ``values_read`` by arrays
    (``N`` reads nothing), ``coordinates_read`` by compressed scanners (coordinates, and two segment entries per
    reference that differs from the one before), ``coordinates_written`` by coordinate writers (coordinates, and one
    segment entry per stop that does not follow another stop). Dense scanners read no memory.
    """

    name: str
    final_clock_cycles: int
    busy_cycles: int
    flops: int = 0
    values_read: int = 0
    values_written: int = 0
    coordinates_read: int = 0
    coordinates_written: int = 0


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """One channel of a run: ``source`` and ``target`` as :meth:`fuseflow.sim.machine.Machine.capacity` has them.

    ``largest_fill`` is the most slots in use at once, a slot being in use from the send of a token to the arrival of
    its credit, a cycle after the take; 0 if it was not measured. ``waited_cycles`` the producer waited for room.
    """

    source: str
    target: str
    capacity: int | None
    tokens: int
    largest_fill: int
    waited_cycles: int


@dataclass(frozen=True)
class Result:
    """One run of one graph on one machine.

    ``cycles`` is the largest final clock of any unit, broadcasts included (simulator rule 1.4). ``outputs`` holds the
    results by name, every level compressed. ``nodes`` stand in the order of the graph. ``streams`` holds, when the run
    was recorded, what left each output port of each node as (token, stamp), with the stamps of the producer.
    ``channels`` is there if the run measured them, ``trace`` if it
    was traced. A run that was stopped is not ``complete``: it has no outputs, and
    cycles and counters are those up to there.
    """

    cycles: int
    outputs: dict[str, FiberTree]
    nodes: tuple[NodeStats, ...]
    streams: dict[Port, list[tuple[Token, int]]] | None = None
    machine: Machine = field(default_factory=Machine)
    channels: tuple[ChannelStats, ...] | None = None
    complete: bool = True
    trace: KernelTrace | None = None

    @property
    def output(self) -> FiberTree:
        """The result of a graph that has exactly one; KeyError otherwise, SimulationError if the run was stopped."""
        if not self.complete:
            raise SimulationError(f"the run was stopped at cycle {self.cycles}, so it has no output; run it to its end")
        if len(self.outputs) != 1:
            raise KeyError(f"the graph has {len(self.outputs)} results: {', '.join(self.outputs)}; use Result.outputs")
        return next(iter(self.outputs.values()))

    @property
    def flops(self) -> int:
        """Floating-point operations of all nodes."""
        return sum(node.flops for node in self.nodes)

    @property
    def bytes(self) -> int:
        """Memory traffic of all nodes, reads and writes, in bytes."""
        values = sum(node.values_read + node.values_written for node in self.nodes)
        coordinates = sum(node.coordinates_read + node.coordinates_written for node in self.nodes)
        return values * self.machine.value_bytes + coordinates * self.machine.coordinate_bytes

    def node(self, name: str) -> NodeStats:
        """Counters of the node called ``name``; KeyError if the graph has none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(f"no node {name!r} in this result; nodes: {', '.join(node.name for node in self.nodes)}")

    def table(self) -> pd.DataFrame:
        """One row per node (column ``node``, as in a trace), one column per counter, in the order of the graph."""
        columns = [column.name for column in fields(NodeStats)]
        rows = [[getattr(node, column) for column in columns] for node in self.nodes]
        return pd.DataFrame(rows, columns=columns).rename(columns={"name": "node"})

    def __repr__(self) -> str:
        return (
            f"Result: {self.cycles} cycles, {self.flops} flops, {self.bytes} bytes, "
            f"{sum(tree.stored for tree in self.outputs.values())} stored values, {len(self.nodes)} nodes"
        )
