"""Charts and graphs as ``<svg>`` elements for one page: themed by its style sheet, with ids of their own."""

import re
from typing import Any

import altair as alt
import vl_convert

_INK = "currentColor"
"""Text and lines take the colour of the text around them, so that a chart is readable in light and dark."""
_THEME: dict[str, dict[str, Any]] = {
    "axis": {"labelColor": _INK, "titleColor": _INK, "gridColor": _INK, "gridOpacity": 0.13, "domainColor": _INK,
             "domainOpacity": 0.5, "tickColor": _INK, "tickOpacity": 0.5},
    "title": {"color": _INK, "subtitleColor": _INK},
    "legend": {"labelColor": _INK, "titleColor": _INK},
    "text": {"color": _INK},
}  # fmt: skip


def chart_svg(chart: alt.LayerChart, prefix: str) -> str:
    """``chart`` drawn without a background; ``prefix`` keeps its ids apart from those of other pictures."""
    spec: dict[str, Any] = chart.to_dict()
    config = spec.setdefault("config", {})
    config["background"] = "transparent"
    for part, settings in _THEME.items():
        config[part] = {**config.get(part, {}), **settings}
    spec.pop("background", None)
    return with_ids(vl_convert.vegalite_to_svg(spec), prefix)


def with_ids(svg: str, prefix: str) -> str:
    """``svg`` with ``prefix`` before every id and every reference to one. Text content is left alone."""

    def renamed(tag: re.Match[str]) -> str:
        named = re.sub(r'(\sid=")', rf"\g<1>{prefix}", tag.group())
        return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", named)

    return re.sub(r"<[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", renamed, svg)
