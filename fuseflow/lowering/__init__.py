"""Lowering of fused regions to dataflow graphs (paper §6)."""

from fuseflow.lowering.columns import Column
from fuseflow.lowering.generate import Fills
from fuseflow.lowering.lower import Lowered, lower
from fuseflow.lowering.table import VALUE_ROW, Cell, FusionTable

__all__ = ["VALUE_ROW", "Cell", "Column", "Fills", "FusionTable", "Lowered", "lower"]
