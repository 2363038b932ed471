"""A run on the token core, step by step."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fuseflow.dataflow.blocks import CrdWriter, ValWriter
from fuseflow.dataflow.graph import Graph
from fuseflow.formats import FiberTree
from fuseflow.sim.assemble import RawLevel, assemble_all
from fuseflow.sim.kernels.tokenwise import layout
from fuseflow.sim.machine import Machine
from fuseflow.sim.result import Result
from fuseflow.sim.tokenwise import stats
from fuseflow.sim.tokenwise.build import build
from fuseflow.sim.tokenwise.running import NetworkRun


class TokenCore(NetworkRun):
    """One run: call :meth:`step` until it says False, then :meth:`result`.

    ``record`` keeps every stream, ``profile`` measures the fill of the channels.
    """

    def __init__(
        self,
        graph: Graph,
        tensors: Mapping[str, FiberTree],
        machine: Machine,
        *,
        record: bool = False,
        profile: bool = False,
        watched: bool = False,
    ) -> None:
        self.graph = graph
        self.machine = machine
        super().__init__(build(graph, tensors, machine, record or watched))
        self.profiled = profile
        if record:
            self.record_tokens(0, layout.UNBOUNDED)
        if profile:
            self._profile()

    def _profile(self) -> None:
        arena = self.network.arena
        arena[layout.PROFILED] = 1
        for channel in self.network.channels:
            if channel.target is not None:
                slots = arena[channel.place + layout.MASK] + 1
                arena[channel.place + layout.SEND_CLOCKS] = arena.allocate(slots)
                arena[channel.place + layout.TAKE_CLOCKS] = arena.allocate(slots)
                arena[channel.place + layout.TAKE_MASK] = slots - 1

    def result(self, recorded: bool = False) -> Result:
        """What the run has come to; without an output if it has not come to its end."""
        levels: dict[tuple[str, int], RawLevel] = {}
        values: dict[str, NDArray[np.float32]] = {}
        for unit in self.network.units if self.finished else ():
            if isinstance(unit.block, CrdWriter):
                levels[unit.block.tensor, unit.block.level] = self.level(unit)
            elif isinstance(unit.block, ValWriter):
                values[unit.block.tensor] = self.values(unit)
        nodes = stats.nodes(self.network, self.graph)
        outputs = assemble_all(self.graph, nodes, levels, values) if self.finished else {}
        return Result(
            stats.cycles(self.network),
            outputs,
            nodes,
            self.streams() if recorded else None,
            self.machine,
            stats.channels(self.network) if self.profiled else None,
            self.finished,
        )
