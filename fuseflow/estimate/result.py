"""What an estimate says: FLOPs, bytes and cycles, per node, per kernel and in all, and which node sets the pace."""

from dataclasses import dataclass

import pandas as pd

from fuseflow.sim.lane_use import lane_use, lane_words
from fuseflow.sim.machine import Machine


@dataclass(frozen=True, slots=True)
class NodeEstimate:
    """Expected counters of a node, named as in :class:`fuseflow.sim.NodeStats`."""

    name: str
    busy_cycles: float
    final_clock_cycles: float
    flops: float
    values_read: float
    values_written: float
    coordinates_read: float
    coordinates_written: float
    role: str = ""


@dataclass(frozen=True, slots=True)
class KernelEstimate:
    """One graph. ``memory_cycles`` is what a memory that is not ideal needs at least; ``fifo_tokens`` how many tokens
    wait in all streams together where one operand of a node comes earlier than another."""

    name: str
    nodes: tuple[NodeEstimate, ...]
    machine: Machine
    memory_cycles: float = 0.0
    fifo_tokens: float = 0.0

    @property
    def cycles(self) -> float:
        """When the last node is done, or the memory, whichever is later."""
        return max(max((node.final_clock_cycles for node in self.nodes), default=0.0), self.memory_cycles)

    @property
    def flops(self) -> float:
        return sum(node.flops for node in self.nodes)

    @property
    def bytes(self) -> float:
        values = sum(node.values_read + node.values_written for node in self.nodes)
        coordinates = sum(node.coordinates_read + node.coordinates_written for node in self.nodes)
        return values * self.machine.value_bytes + coordinates * self.machine.coordinate_bytes

    @property
    def limiting(self) -> NodeEstimate:
        """The node that is busy longest; the most upstream one of several."""
        return max(self.nodes, key=lambda node: node.busy_cycles)

    @property
    def memory_bound(self) -> bool:
        return self.memory_cycles > 0 and self.memory_cycles >= self.cycles


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimate of a whole schedule; kernels run one after the other."""

    schedule: str
    kernels: tuple[KernelEstimate, ...]
    seconds: float = 0.0

    @property
    def cycles(self) -> float:
        return sum(kernel.cycles for kernel in self.kernels)

    @property
    def flops(self) -> float:
        return sum(kernel.flops for kernel in self.kernels)

    @property
    def bytes(self) -> float:
        return sum(kernel.bytes for kernel in self.kernels)

    @property
    def limiting(self) -> NodeEstimate:
        """The limiting node of the kernel that takes longest."""
        return max(self.kernels, key=lambda kernel: kernel.cycles).limiting

    def table(self, by: str = "kernel") -> pd.DataFrame:
        """One row per kernel (``by="kernel"``) or per node (``by="node"``)."""
        if by == "kernel":
            rows = [
                (kernel.name, kernel.cycles, kernel.flops, kernel.bytes, kernel.limiting.name)
                for kernel in self.kernels
            ]
            return pd.DataFrame(rows, columns=["kernel", "cycles", "flops", "bytes", "limiting_node"])
        if by != "node":
            raise ValueError(f"by must be 'kernel' or 'node', not {by!r}")
        columns = [name for name in NodeEstimate.__slots__ if name != "role"]
        rows_by_node = [
            (kernel.name, *(getattr(node, column) for column in columns))
            for kernel in self.kernels
            for node in kernel.nodes
        ]
        return pd.DataFrame(rows_by_node, columns=["kernel", *columns]).rename(columns={"name": "node"})

    def lanes(self) -> pd.DataFrame:
        """How busy every parallel lane would be, as ``Run.lanes()``; empty without lanes."""
        by_kernel = dict(tuple(self.table("node").groupby("kernel", sort=False)))
        return lane_use((kernel.name, kernel.cycles, by_kernel[kernel.name]) for kernel in self.kernels)

    def explain(self, nodes: int = 3) -> str:
        """Where the cycles come from: every kernel, the ``nodes`` busiest nodes of each, and how even its lanes are."""
        lanes = lane_words(self.lanes())
        lines = [
            f"Schedule {self.schedule}: about {self.cycles:,.0f} cycles, {self.flops:,.0f} FLOPs, "
            f"{self.bytes:,.0f} bytes in {len(self.kernels)} kernel{'s' if len(self.kernels) != 1 else ''}"
        ]
        for kernel in sorted(self.kernels, key=lambda item: -item.cycles):
            share = kernel.cycles / self.cycles if self.cycles else 0.0
            lines.append(f"  {kernel.name}: {kernel.cycles:,.0f} cycles ({share:.0%})")
            if kernel.memory_bound:
                lines.append(f"    limited by memory: all requests take {kernel.memory_cycles:,.0f} cycles")
            busiest = sorted(kernel.nodes, key=lambda node: -node.busy_cycles)[:nodes]
            for number, node in enumerate(busiest):
                part = node.busy_cycles / kernel.cycles if kernel.cycles else 0.0
                word = "limited by" if number == 0 and not kernel.memory_bound else "then"
                what = f", which {node.role}" if node.role else ""
                lines.append(f"    {word} {node.name}{what}: busy {node.busy_cycles:,.0f} cycles ({part:.0%})")
            if kernel.name in lanes:
                lines.append(f"    {lanes[kernel.name]}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"Estimate {self.schedule}: {self.cycles:,.0f} cycles, {self.flops:,.0f} FLOPs, {self.bytes:,.0f} bytes; "
            f"limited by {self.limiting.name}"
        )
