"""Graphviz's SVG without what a page does not need: half the text, two thirds of the elements, so that it draws sooner.

Graphviz wraps everything that has a tooltip into a link inside a group; browsers show the title instead. So the tooltip
becomes the title, and titles that only repeat a name, comments and the font of every single text go.
"""

import re

_COMMENT = re.compile(r"<!--.*?-->\n", re.DOTALL)
_WRAPPED = re.compile(r'<title>[^<]*</title>\n<g id="a_[^"]*"><a [^>]*?xlink:title="([^"]*)"[^>]*>\n')
_NAME_ONLY = re.compile(r"<title>[^<]*</title>\n(?!<!---->)")
_LINK = re.compile(r'<g id="a_[^"]*"><a [^>]*>\n')
_KEPT = "<!---->"
_FONT = re.compile(r' font-family="[^"]*"')


def slim(svg: str) -> str:
    """``svg``, as :func:`fuseflow.dataflow.svg.to_svg` gives it; ids, classes, shapes and texts stay."""
    text = _COMMENT.sub("", svg)
    font = _FONT.search(text)
    text = _FONT.sub("", text)
    text = _WRAPPED.sub(lambda found: f"<title>{found[1]}</title>\n{_KEPT}" if found[1].strip() else "", text)
    text = _NAME_ONLY.sub("", text).replace(_KEPT, "")
    text = _LINK.sub("", text).replace("</a>\n</g>\n", "").replace("&#45;", "-")
    return text.replace("<svg ", f"<svg{font[0] if font else ''} ", 1)


_CLUSTER = re.compile(
    r'(<g id="[^"]*" class="cluster[^"]*">\n(?:<title>[^<]*</title>\n)?<(?:path|polygon) fill="([^"]*)"[^>]*/>\n)'
    r"(<text [^>]*>[^<]*</text>\n)"
)
_END = "</g>\n</svg>"


def names_last(svg: str) -> str:
    """A slim ``svg`` whose names of clusters are painted last, on the colour of the cluster.

    An edge that Graphviz leads across a name passes below it.
    """
    names: list[str] = []

    def taken(found: re.Match[str]) -> str:
        halo = f'<text class="ff-cluster-name" paint-order="stroke" stroke="{found[2]}" stroke-width="5" '
        names.append(found[3].replace("<text ", halo, 1))
        return found[1]

    text = _CLUSTER.sub(taken, svg)
    head, end, tail = text.rpartition(_END)
    return f"{head}{''.join(names)}{end}{tail}" if end else svg
