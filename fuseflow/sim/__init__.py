"""Simulation of dataflow graphs, exact to the cycle of the reference simulator."""

from fuseflow.sim.interpret import interpret
from fuseflow.sim.machine import BlockTiming, Machine, ScannerTiming
from fuseflow.sim.result import NodeStats, Result

__all__ = ["BlockTiming", "Machine", "NodeStats", "Result", "ScannerTiming", "interpret"]

from fuseflow.sim.engine import simulate as simulate
