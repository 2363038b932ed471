"""What a graph shows in a notebook: its picture, or the reason why there is none, beside its text."""

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.svg import to_svg
from fuseflow.errors import FuseflowError

MAX_DRAWN_NODES = 400
"""Above this a picture is only a shape, and its layout takes seconds; ask ``to_svg`` for it."""


def mimebundle(graph: Graph) -> dict[str, str]:
    """Representations of ``graph`` by MIME type, for ``_repr_mimebundle_``; the text is always there."""
    text = repr(graph)
    if len(graph) > MAX_DRAWN_NODES:
        return {
            "text/plain": f"{text}\n(no picture above {MAX_DRAWN_NODES} nodes; to_svg(graph) draws it all the same)"
        }
    try:
        # As wide as its page at most: a notebook would cut a wider picture off.
        picture = to_svg(graph).replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)
        return {"text/plain": text, "image/svg+xml": picture}
    except FuseflowError as fault:
        return {"text/plain": f"{text}\n(no picture: {fault})"}
