"""Graphs from and for other tools: SAM's DOT, and the reference simulator's protobuf with its data files.

Whatever comes in passes the same verifier as a graph of ours.
"""

from fuseflow.dataflow.interop.comal import read_comal, read_graph, write_comal
from fuseflow.dataflow.interop.comal_export import extensions

__all__ = ["extensions", "read_comal", "read_graph", "write_comal"]
