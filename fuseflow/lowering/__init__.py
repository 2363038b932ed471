"""Lowering of fused regions to dataflow graphs (paper §6)."""

from fuseflow.lowering.columns import Column
from fuseflow.lowering.copies import Copy, copy_program, identity_tree
from fuseflow.lowering.levels import Fills
from fuseflow.lowering.lower import Lowered, OnCycle, lower
from fuseflow.lowering.spread import spread
from fuseflow.lowering.table import VALUE_ROW, Cell, FusionTable

__all__ = [
    "VALUE_ROW",
    "Cell",
    "Column",
    "Copy",
    "Fills",
    "FusionTable",
    "Lowered",
    "OnCycle",
    "copy_program",
    "identity_tree",
    "lower",
    "spread",
]
