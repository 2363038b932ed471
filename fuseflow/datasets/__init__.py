"""Graphs to measure with: real ones where the user has them, synthetic twins of the same size otherwise."""

from fuseflow.datasets.catalog import CATALOG, DataSet, table
from fuseflow.datasets.fetch import fetch
from fuseflow.datasets.graph import DIRECTORY_VARIABLE, GraphData, altered_twin, load

__all__ = ["CATALOG", "DIRECTORY_VARIABLE", "DataSet", "GraphData", "altered_twin", "fetch", "load", "table"]
