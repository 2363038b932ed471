"""Graphs from and for other tools: SAM's DOT, and the reference simulator's protobuf with its data files.

Whatever comes in passes the same verifier as a graph of ours.
"""

from fuseflow.dataflow.interop.comal import read_comal, read_graph, write_comal
from fuseflow.dataflow.interop.comal_data import StoredLevel, read_data
from fuseflow.dataflow.interop.comal_export import extensions
from fuseflow.dataflow.interop.dot_export import sam_dot
from fuseflow.dataflow.interop.dot_files import dot_formats, read_dot, write_dot
from fuseflow.dataflow.interop.dot_import import from_dot_text

__all__ = [
    "StoredLevel",
    "dot_formats",
    "extensions",
    "from_dot_text",
    "read_comal",
    "read_data",
    "read_dot",
    "read_graph",
    "sam_dot",
    "write_comal",
    "write_dot",
]
