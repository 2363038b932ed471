"""Shared by the experiments: numbers as text, and verdicts about them."""

import math

import pandas as pd

from fuseflow.paper.experiment import Verdict

MISSING = "missing"


def number(value: float | None, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits, large whole numbers with commas, or "missing"."""
    if value is None or pd.isna(value):
        return MISSING
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def times(value: float | None) -> str:
    """A factor."""
    return MISSING if value is None or pd.isna(value) else f"{number(value)}x"


def near(what: str, paper: float, ours: float | None, tolerance: float, reason: str = "", unit: str = "x") -> Verdict:
    """Whether ``ours`` is within a relative ``tolerance`` of ``paper``; ``reason`` is given where it is not."""
    text = times if unit == "x" else number
    if ours is None or pd.isna(ours):
        return Verdict(what, text(paper), MISSING, None, None, "a point of it is missing")
    ratio = ours / paper
    agrees = abs(ratio - 1) <= tolerance
    return Verdict(what, text(paper), text(ours), ratio, agrees, "" if agrees else reason)


def claimed(
    what: str, paper: str, ours: str, holds: bool | None, reason: str = "", ratio: float | None = None
) -> Verdict:
    """A claim that holds or not, without a number to be near to."""
    return Verdict(what, paper, ours, ratio, holds, "" if holds else reason)


def value_at(frame: pd.DataFrame, column: str, **where: object) -> float | None:
    """Mean of ``column`` over the rows with these labels (seeds); None where there are none or one is missing."""
    part = frame
    for name, wanted in where.items():
        part = part[part[name] == wanted]
    values = part[column].astype("float64")
    return None if values.empty or values.isna().any() else float(values.mean())


def geometric_mean(values: list[float]) -> float:
    """Geometric mean of positive numbers."""
    return math.exp(sum(math.log(value) for value in values) / len(values))
