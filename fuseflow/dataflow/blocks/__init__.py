"""The blocks a dataflow graph is made of, one file per family; ``sim/blocks`` and ``sim/kernels`` mirror them."""

from fuseflow.dataflow.blocks.accumulate import SparseAccumulator
from fuseflow.dataflow.blocks.alu import BinaryALU, UnaryALU
from fuseflow.dataflow.blocks.array import Array
from fuseflow.dataflow.blocks.base import PortSpec
from fuseflow.dataflow.blocks.join import Join, Joiner
from fuseflow.dataflow.blocks.locate import Locate
from fuseflow.dataflow.blocks.reduce import Reduce
from fuseflow.dataflow.blocks.repeat import Repeat
from fuseflow.dataflow.blocks.scan import LevelScanner, Missing
from fuseflow.dataflow.blocks.source import Root
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
)

__all__ = [
    "Array",
    "BinaryALU",
    "Block",
    "CrdWriter",
    "Join",
    "Joiner",
    "LevelScanner",
    "Locate",
    "Missing",
    "PortSpec",
    "Reduce",
    "Repeat",
    "Root",
    "SparseAccumulator",
    "UnaryALU",
    "ValWriter",
]
