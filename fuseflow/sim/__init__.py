"""Simulation of dataflow graphs, exact to the cycle of the reference simulator.

``simulate`` is the compiled engine, ``interpret`` the plain interpreter that it equals in every result and counter.
"""

from fuseflow.sim.engine import simulate
from fuseflow.sim.engine_limits import Core
from fuseflow.sim.interpret import interpret
from fuseflow.sim.machine import BlockTiming, Machine, ScannerTiming, TileTiming, TurnTiming
from fuseflow.sim.memory import DramTiming, Memory, MemoryKind
from fuseflow.sim.observation import Observation
from fuseflow.sim.progress import Progress
from fuseflow.sim.result import ChannelStats, NodeStats, Result
from fuseflow.sim.steps import Passage, Steps, Wire, steps
from fuseflow.sim.trace import KernelTrace, Trace, TraceFrame, TraceOptions

__all__ = [
    "BlockTiming",
    "ChannelStats",
    "Core",
    "DramTiming",
    "KernelTrace",
    "Machine",
    "Memory",
    "MemoryKind",
    "NodeStats",
    "Observation",
    "Passage",
    "Progress",
    "Result",
    "ScannerTiming",
    "Steps",
    "TileTiming",
    "Trace",
    "TraceFrame",
    "TraceOptions",
    "TurnTiming",
    "Wire",
    "interpret",
    "simulate",
    "steps",
]
