"""Charts of the paper's figures: pure functions of DataFrames; colours of Okabe and Ito, as in ``fuseflow.report``.

A missing value is drawn as the word "missing" where its mark would stand.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd

from fuseflow.report.charts import PALETTE, STYLE

HEIGHT = 200
_MISSING = "#777777"


def bars(
    frame: pd.DataFrame,
    *,
    group: str,
    series: str,
    value: str,
    title: str,
    y: str,
    panel: str | None = None,
    log: bool = True,
    rule: float | None = 1.0,
    low: str | None = None,
    high: str | None = None,
    digits: str = ".2f",
) -> alt.VConcatChart:
    """Grouped bars with their values, a row of panels by ``panel``; ``low`` and ``high`` are ends of an error bar."""
    data = frame.copy()
    data["shown"] = data[value].astype("float64")
    names = list(dict.fromkeys(data[series]))
    known = data["shown"].dropna()
    floor = 1.0 if known.empty else float(known.min())
    ceiling = 1.0 if known.empty else float(known.max())
    domain = [min(floor, 1.0) / 1.6, max(ceiling, 1.0) * 2.2] if log else [0, ceiling * 1.18]
    data["base"] = 1.0 if log and rule == 1.0 else (domain[0] if log else 0.0)
    data["label"] = ["missing" if pd.isna(item) else _words(item, digits) for item in data["shown"]]
    data["place"] = data["shown"].fillna(1.0 if log else 0.0)
    data["above"] = data[["place", "base"]].max(axis=1)
    scale = alt.Scale(type="log" if log else "linear", domain=domain, nice=False)
    colour = alt.Scale(domain=names, range=list(PALETTE[: len(names)]))
    legend = alt.Legend(labelLimit=320, columns=2) if len(names) > 1 else None
    panels: list[Any] = []
    for name in [None] if panel is None else list(dict.fromkeys(data[panel])):
        part = data if name is None else data[data[panel] == name]
        groups = list(dict.fromkeys(part[group]))
        base = alt.Chart(part).encode(
            x=alt.X(f"{group}:N", sort=groups, title=None, axis=alt.Axis(labelAngle=-25, labelLimit=260)),
            xOffset=alt.XOffset(f"{series}:N", sort=names, scale=alt.Scale(domain=names)),
        )
        axis = alt.Axis(values=_ticks(domain) if log else alt.Undefined, format="~g" if log else "~s")
        drawn = base.transform_filter("isValid(datum.shown)").mark_bar().encode(
            y=alt.Y("shown:Q", scale=scale, title=y if not panels else None, axis=axis),
            y2="base:Q",
            color=alt.Color(f"{series}:N", scale=colour, sort=names, title=None, legend=legend),
        )  # fmt: skip
        texts = base.mark_text(dy=-4, fontSize=9, angle=270, align="left", baseline="middle", dx=3).encode(
            y=alt.Y("above:Q", scale=scale),
            text="label:N",
            color=alt.condition("isValid(datum.shown)", alt.value("#222222"), alt.value(_MISSING)),
        )
        layers: list[Any] = [drawn, texts]
        if low is not None and high is not None:
            layers.append(
                base.transform_filter(f"datum.{high} > datum.{low}")
                .mark_rule(strokeWidth=2, color="#222222")
                .encode(y=alt.Y(f"{low}:Q", scale=scale), y2=f"{high}:Q")
            )
        if rule is not None:
            layers.append(alt.Chart(pd.DataFrame({"at": [rule]})).mark_rule(strokeDash=[4, 3]).encode(y="at:Q"))
        width = max(120, (22 if len(names) > 1 else 30) * len(groups) * len(names))
        panels.append(alt.LayerChart(layer=layers, width=width, height=HEIGHT, title=name or ""))
    row: alt.HConcatChart = alt.HConcatChart(hconcat=panels, spacing=14)
    return finish(row.resolve_scale(xOffset="independent"), title)


def lines(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    series: str,
    title: str,
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
    panel: str | None = None,
    low: str | None = None,
    high: str | None = None,
    ideal: bool = False,
    x_format: str = "~g",
) -> alt.VConcatChart:
    """Lines with points; with ``ideal``, the dashed diagonal y = x."""
    names = list(dict.fromkeys(frame[series]))
    colour = alt.Scale(domain=names, range=list(PALETTE[: len(names)]))
    shapes = alt.Scale(domain=names, range=["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"])
    at = sorted(set(frame[x]))
    scale_x = alt.Scale(type="log", base=2, nice=False) if log_x else alt.Scale(zero=False)
    ends = [frame[column].astype("float64").dropna() for column in (y, low, high) if column is not None]
    least, most = min(end.min() for end in ends), max(end.max() for end in ends)
    domain = [least / 1.1, most * 1.1] if log_y and least > 0 else alt.Undefined  # the same in every panel
    ticks = alt.Axis(values=at if ideal else _ticks(domain), format="~g") if isinstance(domain, list) else alt.Axis()
    scale_y = alt.Scale(type="log", domain=domain, nice=False) if log_y else alt.Scale(zero=False)
    tight = not log_x and len(at) > 1 and 8 * min(b - a for a, b in pairwise(at)) < at[-1] - at[0] + 1e-9
    angle = -45 if tight or len(at) > 8 else 0  # every point has its label, and none touches the next
    below = alt.Axis(values=at, format=x_format, labelOverlap=False, labelAngle=angle)
    legend = alt.Legend(labelLimit=420) if len(names) > 1 or panel is None else None
    panels: list[Any] = []
    for name in [None] if panel is None else list(dict.fromkeys(frame[panel])):
        part = frame if name is None else frame[frame[panel] == name]
        base = alt.Chart(part).encode(
            x=alt.X(f"{x}:Q", scale=scale_x, title=x_title, axis=below),
            y=alt.Y(f"{y}:Q", scale=scale_y, title=y_title if not panels else None, axis=ticks),
            color=alt.Color(f"{series}:N", scale=colour, sort=names, title=None, legend=legend),
        )
        shape = alt.Shape(f"{series}:N", scale=shapes, sort=names, title=None, legend=legend)
        layers: list[Any] = [base.mark_line(), base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape)]
        if low is not None and high is not None:
            layers.append(base.mark_rule().encode(y=alt.Y(f"{low}:Q", scale=scale_y), y2=f"{high}:Q"))
        if ideal:
            line = alt.Chart(pd.DataFrame({"at": at})).mark_line(strokeDash=[4, 3], color=_MISSING)
            layers.append(line.encode(x=alt.X("at:Q", scale=scale_x), y=alt.Y("at:Q", scale=scale_y)))
        panels.append(alt.LayerChart(layer=layers, width=240, height=HEIGHT, title=name or ""))
    return finish(alt.HConcatChart(hconcat=panels, spacing=14), title)


def scatter(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    series: str,
    panel: str,
    title: str,
    x_title: str,
    y_title: str,
    slopes: bool = False,
) -> alt.VConcatChart:
    """Points of ``series`` on two logarithmic axes, a panel by ``panel``; what is missing is listed in the title.

    With ``slopes``, a dashed line through the origin and each point: what has the same ratio of ``y`` to ``x``.
    """
    names = list(dict.fromkeys(frame[series]))
    colour = alt.Scale(domain=names, range=list(PALETTE[: len(names)]))
    shapes = alt.Scale(domain=names, range=["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"])
    panels = []
    for name in dict.fromkeys(frame[panel]):
        part = frame[frame[panel] == name]
        absent = [str(row) for row in part.loc[part[x].isna(), series]]
        heading = f"{name} (missing: {', '.join(absent)})" if absent else str(name)
        axis = alt.Axis(values=[0.5, 0.7, 1, 2, 4, 8, 16, 32], format="~g")
        base = alt.Chart(part.dropna(subset=[x, y])).encode(
            x=alt.X(f"{x}:Q", scale=alt.Scale(type="log", nice=False, padding=15), title=x_title, axis=axis),
            y=alt.Y(f"{y}:Q", scale=alt.Scale(type="log", nice=False, padding=15), title=y_title, axis=axis),
        )
        points = base.mark_point(filled=False, size=140, strokeWidth=2.5).encode(
            color=alt.Color(f"{series}:N", scale=colour, sort=names, title=None),
            shape=alt.Shape(f"{series}:N", scale=shapes, sort=names, title=None),
        )
        layers: list[Any] = [points]
        if slopes:
            layers.insert(0, _slopes(part.dropna(subset=[x, y]), x, y, series, names, colour))
        panels.append(alt.LayerChart(layer=layers, width=230, height=HEIGHT, title=heading))
    return finish(alt.HConcatChart(hconcat=panels, spacing=14), title)


def _slopes(part: pd.DataFrame, x: str, y: str, series: str, names: list[str], colour: alt.Scale) -> alt.Chart:
    """Lines of a constant ratio ``y``/``x``, as far as the points of the panel reach."""
    low, high = part[x].min(), part[x].max()
    ends = pd.concat([part.assign(**{x: end, y: part[y] / part[x] * end}) for end in (low, high)])
    drawn: alt.Chart = alt.Chart(ends).mark_line(strokeDash=[4, 3], strokeWidth=1).encode(
        x=f"{x}:Q", y=f"{y}:Q", color=alt.Color(f"{series}:N", scale=colour, sort=names, title=None)
    )  # fmt: skip
    return drawn


def _words(value: float, digits: str) -> str:
    return f"{value:,.0f}" if value >= 100 else format(value, digits)


def _ticks(domain: Sequence[float]) -> list[float]:
    low, high = domain
    steps = (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
    return [tick for power in range(-6, 9) for step in steps if low <= (tick := step * 10.0**power) <= high]


def finish(chart: Any, title: str) -> alt.VConcatChart:
    """The title above the whole, and the style of all our charts."""
    made = alt.VConcatChart(vconcat=[chart], title=alt.TitleParams(title, anchor="start"), config=STYLE)
    return made


def stack(parts: Sequence[alt.VConcatChart]) -> alt.VConcatChart:
    """Charts one above the other, each with its title; scales are their own."""
    inner = [part.copy() for part in parts]
    for part in inner:
        part.config = alt.Undefined
    made: alt.VConcatChart = alt.VConcatChart(vconcat=inner, config=STYLE, spacing=24)
    made = made.resolve_scale(color="independent", xOffset="independent")
    return made
