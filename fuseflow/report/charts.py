"""Altair charts of a comparison: pure functions of DataFrames with the columns of ``fuseflow.Comparison``.

Colours are those of Okabe and Ito, told apart with any colour vision; what they say is also said by position, shape
or text. A chart of synthetic data says so in its subtitle.
"""

from collections.abc import Iterable

import altair as alt
import numpy as np
import pandas as pd

from fuseflow.errors import DataError

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
WIDTH = 460
STEP = 40
_HEIGHT = 220
_FONT_SIZE = 13
_SHORT = "format(datum.value, '~s')"
_LOG_SPAN = 1.25
"""Room on both sides of the outermost points of a logarithmic axis, as a factor."""
_LOG_STEPS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
"""Ticks of a logarithmic axis as multiples of powers of ten, finer and finer; the last puts two into any doubling."""
STYLE = alt.Config(
    font="Helvetica, Arial, sans-serif",
    axis=alt.AxisConfig(
        labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelLimit=260, titlePadding=12, gridOpacity=0.5
    ),
    title=alt.TitleConfig(fontSize=15, subtitleFontSize=12),
    legend=alt.LegendConfig(labelFontSize=12, orient="bottom"),
    view=alt.ViewConfig(stroke=None),
    # A browser's font may be wider than the one that the picture was laid out with.
    padding={"left": 16, "top": 5, "right": 16, "bottom": 5},
)


def speedups(frame: pd.DataFrame) -> alt.LayerChart:
    """Bars of the speedup of every schedule over the one that column ``baseline`` names, with their values."""
    data = _pick(frame, "schedule", "speedup", "baseline").assign(label=lambda rows: rows.speedup.map("{:.2f}×".format))
    top = float(data.speedup.max()) * 1.15
    title = f"speedup over {' and '.join(data.baseline.unique())} (×, more is faster)"
    base = alt.Chart(data).encode(
        y=_schedules(data.schedule), x=alt.X("speedup:Q", title=title, scale=alt.Scale(domain=[0, max(top, 1.1)]))
    )
    bars = base.mark_bar(height={"band": 0.7}).encode(color=_colour(data.schedule))
    labels = base.mark_text(align="left", dx=5, fontSize=_FONT_SIZE).encode(text="label:N")
    line = alt.Chart(pd.DataFrame({"one": [1.0]})).mark_rule(strokeDash=[4, 3], color="#888888").encode(x="one:Q")
    return _finish(alt.LayerChart(layer=[bars, line, labels]), frame, "Speedup")


def against_reference(frame: pd.DataFrame) -> alt.LayerChart:
    """Our cycles and the reference's, joined by a line, on a logarithmic axis; a missing value is said to be so."""
    rows = _pick(frame, "schedule", "cycles", "reference_cycles", "ratio_to_reference")
    data = rows.assign(
        label=[
            "no reference value" if pd.isna(ratio) else f"{ratio:.3g}× reference" for ratio in rows.ratio_to_reference
        ],
        end=rows[["cycles", "reference_cycles"]].max(axis=1),
    )
    points = pd.concat(
        [
            data.assign(whose="fuseflow", value=data.cycles),
            data.assign(whose="reference", value=data.reference_cycles).dropna(subset=["value"]),
        ]
    )[["schedule", "whose", "value"]]
    # The labels stand right of the last point, so the axis goes on for about their width.
    low, high = float(points.value.min()) / _LOG_SPAN, float(points.value.max()) * _LOG_SPAN
    scale = alt.Scale(type="log", domain=[low, low * (high / low) ** 1.6], nice=False)
    y = _schedules(data.schedule)
    whose = ["fuseflow", "reference"]
    x = alt.X("cycles:Q", scale=scale, title="cycles (logarithmic)", axis=_counts(scale))
    lines = alt.Chart(data).mark_rule(color="#888888", strokeWidth=2).encode(
        y=y, x=x, x2="reference_cycles:Q"
    )  # fmt: skip
    marks = alt.Chart(points).mark_point(size=110, strokeWidth=2).encode(
        y=y,
        x=alt.X("value:Q", scale=scale),
        shape=alt.Shape("whose:N", title=None, scale=alt.Scale(domain=whose, range=["circle", "diamond"])),
        color=alt.Color("whose:N", title=None, scale=alt.Scale(domain=whose, range=[PALETTE[0], PALETTE[5]])),
        fill=alt.Fill("whose:N", title=None, scale=alt.Scale(domain=whose, range=[PALETTE[0], "transparent"])),
    )  # fmt: skip
    labels = alt.Chart(data).mark_text(align="left", dx=12, fontSize=_FONT_SIZE).encode(
        y=y, x=alt.X("end:Q", scale=scale), text="label:N"
    )  # fmt: skip
    return _finish(alt.LayerChart(layer=[lines, marks, labels]), frame, "Cycles, ours and the reference's")


def traffic(frame: pd.DataFrame) -> alt.LayerChart:
    """FLOPs against memory traffic, one labelled point per schedule, on logarithmic axes where nothing is zero."""
    data = _pick(frame, "schedule", "flops", "bytes")
    along, scale = _wide(data.flops), _wide(data.bytes)
    shapes = alt.Scale(domain=_names(data.schedule), range=list(SHAPES))
    base = alt.Chart(data).encode(
        x=alt.X("flops:Q", title="FLOPs", scale=along, axis=_counts(along)),
        y=alt.Y("bytes:Q", title="memory traffic (bytes)", scale=scale, axis=_counts(scale)),
    )
    points = base.mark_point(size=130, filled=True, opacity=1).encode(
        color=_colour(data.schedule), shape=alt.Shape("schedule:N", legend=None, scale=shapes)
    )
    labels = (
        alt.Chart(data.assign(bytes=_spread(data.bytes)))
        .mark_text(align="left", dx=12, fontSize=_FONT_SIZE)
        .encode(x=alt.X("flops:Q", scale=along), y=alt.Y("bytes:Q", scale=scale), text="schedule:N")
    )
    return _finish(alt.LayerChart(layer=[points, labels]), frame, "Work and memory traffic", height=_HEIGHT)


def kernels(frame: pd.DataFrame) -> alt.LayerChart:
    """Cycles of every kernel, stacked by schedule in the order in which they run.

    ``frame`` has one row per kernel: schedule, kernel, position (from 0), cycles; and dataset, model, synthetic.
    """
    data = _pick(frame, "schedule", "kernel", "position", "cycles")
    groups = data.groupby("schedule", sort=False).cycles
    end = groups.cumsum()
    widest = float(end.max())
    label_room = data.kernel.str.len() * 7.5 + 8  # about the width of the text in pixels
    fits = data.cycles / widest * WIDTH >= label_room
    data = data.assign(
        start=end - data.cycles, end=end, middle=end - data.cycles / 2, shade=data.position % 2,
        label=data.kernel.where(fits, ""),
    )  # fmt: skip
    base = alt.Chart(data).encode(y=_schedules(data.schedule))
    bars = base.mark_bar(height={"band": 0.7}, stroke="white", strokeWidth=1).encode(
        x=alt.X("start:Q", title="cycles (kernels run one after the other)", axis=_counts()),
        x2="end:Q",
        color=alt.Color("shade:O", legend=None, scale=alt.Scale(domain=[0, 1], range=["#0072B2", "#56B4E9"])),
    )
    labels = base.mark_text(fontSize=12).encode(
        x="middle:Q", text="label:N", color=alt.condition("datum.shade == 0", alt.value("white"), alt.value("black"))
    )
    return _finish(alt.LayerChart(layer=[bars, labels]), frame, "Cycles per kernel")


def _pick(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(f"the chart needs column {missing[0]!r}; the frame has {', '.join(map(str, frame.columns))}")
    if frame.empty:
        raise DataError("the chart needs at least one row; the frame is empty")
    return pd.DataFrame(frame)[list(columns)].reset_index(drop=True)


def _finish(chart: alt.LayerChart, frame: pd.DataFrame, title: str, height: int | None = None) -> alt.LayerChart:
    head = alt.Title(title, subtitle=subject(frame), anchor="start", offset=10)
    return chart.properties(width=WIDTH, height=alt.Step(STEP) if height is None else height, title=head, config=STYLE)


def subject(frame: pd.DataFrame) -> str:
    """What the rows are about: model and data set, and whether the data are synthetic."""
    seen = _pick(frame, "model", "dataset", "synthetic").drop_duplicates()
    return ", ".join(
        f"{row.model}{f' on {row.dataset}' if row.dataset else ''}{' (synthetic twin)' if row.synthetic else ''}"
        for row in seen.itertuples()
    )


def _schedules(values: pd.Series) -> alt.Y:
    return alt.Y("schedule:N", title=None, sort=_names(values))


def _colour(values: pd.Series) -> alt.Color:
    # Vega starts again at the first colour or shape when a range is shorter than its domain.
    return alt.Color("schedule:N", legend=None, scale=alt.Scale(domain=_names(values), range=list(PALETTE)))


def _wide(values: pd.Series) -> alt.Scale:
    """A scale with room for labels around ``values``."""
    low, high = float(values.min()), float(values.max())
    if low > 0:
        return alt.Scale(type="log", domain=[low / 1.5, high * 2], nice=False)
    return alt.Scale(domain=[0, high * 1.3 or 1])


def _spread(values: pd.Series) -> pd.Series:
    """``values`` moved apart until labels of :data:`_FONT_SIZE` beside them on a ``_wide`` axis do not overlap."""
    low, high = float(values.min()), float(values.max())
    if low <= 0:
        return values
    gap = (high * 2 / (low / 1.5)) ** (_FONT_SIZE * 1.3 / _HEIGHT)  # as a factor, since the axis is logarithmic
    moved: dict[int, float] = {}
    for row, value in values.sort_values().items():
        moved[row] = max(float(value), max(moved.values(), default=0.0) * gap)
    return pd.Series(moved).reindex(values.index)


def _counts(scale: alt.Scale | None = None) -> alt.Axis:
    """An axis of counts, as 20k or 3M; on a logarithmic ``scale`` with at least two ticks."""
    settings = {} if scale is None else scale.to_dict()
    if settings.get("type") != "log":
        return alt.Axis(labelExpr=_SHORT, tickCount=6)
    low, high = settings["domain"]
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks: list[float] = []
    for steps in _LOG_STEPS[0 if high / low >= 1e3 else 1 :]:
        ticks = [tick for power in powers for step in steps if low <= (tick := step * 10.0**power) <= high]
        if len(ticks) >= 2:
            break
    return alt.Axis(labelExpr=_SHORT, values=ticks)


def _names(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
