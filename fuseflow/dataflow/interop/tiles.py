"""Graphs of tiles have no form that other tools read."""

from fuseflow.dataflow.graph import Graph
from fuseflow.errors import VerifyError


def refuse_tiles(graph: Graph, reason: str) -> None:
    """VerifyError if values of ``graph`` are tiles; ``reason`` says why they cannot be written."""
    if graph.tiled:
        raise VerifyError(
            f"graph {graph.name!r} has tiles as values (its schedule has blocks). {reason}, so such a graph cannot be "
            "exported; export it from a schedule without blocks: schedule.with_blocks(None)"
        )
