"""What a lowering remembers: the levels made on a path, and the streams of an operation's result."""

from collections.abc import Mapping
from dataclasses import dataclass

from fuseflow.dataflow.graph import Port
from fuseflow.formats import Fill
from fuseflow.lowering.columns import Source
from fuseflow.lowering.joins import JoinTree

Path = tuple[str, ...]
Fills = Mapping[str, tuple[Fill, ...]]
"""What is known of each stored tensor's levels, outermost first; tensors left out are judged by their format."""


@dataclass(slots=True)
class Level:
    """Coordinates on one path: who supplies them and what each source's stream looks like after joining.

    ``tree`` is the join tree that made it; ``payloads`` maps a source to its reference or value stream on this path;
    sources in ``missing`` may have ``N`` there.
    """

    crd: Port
    fill: Fill
    payloads: dict[Source, Port]
    missing: set[Source]
    signal: Port
    tree: JoinTree


@dataclass(slots=True)
class Computed:
    """An operation's result: its value stream, and coordinates and fill of the levels that it produced."""

    val: Port
    crds: dict[str, Port]
    fills: dict[str, Fill]
