"""Simulation of dataflow graphs, exact to the cycle of the reference simulator.

``simulate`` is the compiled engine, ``interpret`` the plain interpreter that it equals in every result and counter.
"""

from fuseflow.sim.engine import Progress, simulate
from fuseflow.sim.interpret import interpret
from fuseflow.sim.machine import BlockTiming, Machine, ScannerTiming
from fuseflow.sim.memory import Memory, MemoryKind
from fuseflow.sim.result import NodeStats, Result
from fuseflow.sim.steps import Passage, Steps, Wire, steps

__all__ = [
    "BlockTiming",
    "Machine",
    "Memory",
    "MemoryKind",
    "NodeStats",
    "Passage",
    "Progress",
    "Result",
    "ScannerTiming",
    "Steps",
    "Wire",
    "interpret",
    "simulate",
    "steps",
]
