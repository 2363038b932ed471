"""The blocks a dataflow graph is made of, one file per family; ``sim/blocks`` and ``sim/kernels`` mirror them."""

from fuseflow.dataflow.blocks.accumulate import SparseAccumulator
from fuseflow.dataflow.blocks.alu import BinaryALU, UnaryALU
from fuseflow.dataflow.blocks.array import Array
from fuseflow.dataflow.blocks.base import PortSpec
from fuseflow.dataflow.blocks.concat import Concat
from fuseflow.dataflow.blocks.coordinates import Comparison, CoordDrop, CoordHold, CoordMask, Flatten
from fuseflow.dataflow.blocks.drop import StopDrop, ValueDrop
from fuseflow.dataflow.blocks.join import Join, Joiner
from fuseflow.dataflow.blocks.lanes import Fork, Gather
from fuseflow.dataflow.blocks.locate import Locate
from fuseflow.dataflow.blocks.reduce import Reduce
from fuseflow.dataflow.blocks.repeat import Repeat, Repeater, RepeatSignal
from fuseflow.dataflow.blocks.scan import LevelScanner, Missing
from fuseflow.dataflow.blocks.sink import Sink
from fuseflow.dataflow.blocks.source import Generator, Root
from fuseflow.dataflow.blocks.tile import Tile
from fuseflow.dataflow.blocks.write import CrdWriter, ValWriter

Block = (
    Root
    | LevelScanner
    | Repeat
    | Joiner
    | Locate
    | Array
    | BinaryALU
    | UnaryALU
    | Reduce
    | SparseAccumulator
    | CrdWriter
    | ValWriter
    | Generator
    | Sink
    | RepeatSignal
    | Repeater
    | CoordDrop
    | CoordHold
    | CoordMask
    | Flatten
    | Fork
    | Gather
    | Concat
    | StopDrop
    | ValueDrop
)

ValueBlock = Array | BinaryALU | UnaryALU | Reduce | SparseAccumulator | ValWriter
"""Blocks that handle values, and so have ``tiles`` where values are tiles."""

__all__ = [
    "Array",
    "BinaryALU",
    "Block",
    "Comparison",
    "Concat",
    "CoordDrop",
    "CoordHold",
    "CoordMask",
    "CrdWriter",
    "Flatten",
    "Fork",
    "Gather",
    "Generator",
    "Join",
    "Joiner",
    "LevelScanner",
    "Locate",
    "Missing",
    "PortSpec",
    "Reduce",
    "Repeat",
    "RepeatSignal",
    "Repeater",
    "Root",
    "Sink",
    "SparseAccumulator",
    "StopDrop",
    "Tile",
    "UnaryALU",
    "ValWriter",
    "ValueBlock",
    "ValueDrop",
]
