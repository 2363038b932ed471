"""What a graph shows in a notebook: its picture, or the reason why there is none, beside its text."""

import re

from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.svg import to_svg
from fuseflow.errors import FuseflowError

MAX_DRAWN_NODES = 400
"""Above this a picture is only a shape, and its layout takes seconds; ask ``to_svg`` for it."""


WIDEST_PT = 640.0
"""A picture up to this wide (points) is shown at its own size: a cell has room for it."""


def scaled(picture: str) -> str:
    """``picture`` as wide as its page at most: a notebook would cut a wider one off.

    A notebook shows it as an image, which knows nothing of its page: a wide one therefore has no size of its own, only
    the ratio of its sides.
    """
    style = '<svg style="max-width:100%;height:auto" '
    found = re.match(r'<svg width="([\d.]+)pt" height="[\d.]+pt"', picture)
    if found is None or float(found[1]) <= WIDEST_PT:
        return picture.replace("<svg ", style, 1)
    return f'{style}width="100%"{picture[found.end() :]}'


def mimebundle(graph: Graph) -> dict[str, str]:
    """Representations of ``graph`` by MIME type, for ``_repr_mimebundle_``; the text is always there."""
    text = repr(graph)
    if len(graph) > MAX_DRAWN_NODES:
        return {
            "text/plain": f"{text}\n(no picture above {MAX_DRAWN_NODES} nodes; to_svg(graph) draws it all the same)"
        }
    try:
        return {"text/plain": text, "image/svg+xml": scaled(to_svg(graph))}
    except FuseflowError as fault:
        return {"text/plain": f"{text}\n(no picture: {fault})"}
