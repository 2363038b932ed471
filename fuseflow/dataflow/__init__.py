"""The dataflow graph: blocks, typed streams and tokens, the verifier, and pictures."""

from fuseflow.dataflow.dot import to_dot
from fuseflow.dataflow.graph import Graph, Node, Output, Part, Port
from fuseflow.dataflow.show import mimebundle
from fuseflow.dataflow.svg import to_svg
from fuseflow.dataflow.tokens import (
    DONE,
    EMPTY,
    REPEAT,
    Control,
    Stop,
    StreamKind,
    Token,
    parse_tokens,
    show_tokens,
)
from fuseflow.dataflow.verify import depths, verify

__all__ = [
    "DONE",
    "EMPTY",
    "REPEAT",
    "Control",
    "Graph",
    "Node",
    "Output",
    "Part",
    "Port",
    "Stop",
    "StreamKind",
    "Token",
    "depths",
    "mimebundle",
    "parse_tokens",
    "show_tokens",
    "to_dot",
    "to_svg",
    "verify",
]
