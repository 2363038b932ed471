"""What the figures say of rows: verdicts follow the numbers, and a missing point is no verdict."""

import itertools

import pandas as pd
import pytest

from fuseflow.paper import fig4b, fig14, fig15, fig18, table3
from fuseflow.paper.experiment import Base, Mode, Request, Verdict
from fuseflow.paper.points import point_key
from fuseflow.paper.reference import FIGURE_14

FAST = Request(Mode.FAST)


def verdict(found: list[Verdict], what: str) -> Verdict:
    (item,) = (item for item in found if item.what == what)
    return item


@pytest.mark.parametrize(("steeper", "depends"), [(1.0, False), (2.0, True), (None, None)])
def test_whether_the_gain_depends_on_the_pattern(steeper: float | None, depends: bool | None) -> None:
    rows = [
        {"pattern": pattern, "sparsity": sparsity, "schedule": schedule, "speedup": 1 + sparsity}
        for pattern, sparsity, schedule in itertools.product(fig15.PATTERNS, (0.5, 0.9), ("partial", "full"))
    ]
    frame = pd.DataFrame(rows)
    chosen = (frame["pattern"] == "power law") & (frame["schedule"] == "full")
    frame.loc[chosen, "speedup"] *= float("nan") if steeper is None else steeper
    found = fig15.judge(frame, FAST)
    assert verdict(found, "full: the gain depends on the pattern").agrees is depends
    assert verdict(found, "partial: the gain depends on the pattern").agrees is False


def test_every_drawn_pattern_is_a_point_of_its_own() -> None:
    bars = fig15.declare(Request(Mode.COMPLETE))
    keys = {point_key(point) for bar in bars for point, _ in bar.parts}
    assert len(keys) == len(bars) == 3 * 3 * 6 * 3


def test_memory_on_is_held_against_the_number() -> None:
    """A gain in the right direction is not the published gain."""
    rows = [
        {"dataset": dataset, "compiler": name, "memory": memory, "run": 0, "speedup": speedup}
        for dataset in ("collab", "collab, 1,000 nodes")
        for memory in (fig4b.IDEAL, fig4b.HBM)
        for name, speedup in (
            (fig4b.SERIES[Base.UNFUSED], 1.0),
            (fig4b.SERIES[Base.EXPRESSION_GLOBAL], 0.2),
            (fig4b.SERIES[Base.EXPRESSION], 1.5),
            (fig4b.SERIES[Base.PARTIAL], 1.5 * (1.1 if memory == fig4b.HBM else 1.05)),
        )
    ]
    found = fig4b.judge(pd.DataFrame(rows), FAST)
    on = verdict(found, "FuseFlow over prior compilers, memory model on (collab, 1,000 nodes)")
    assert on.agrees is False and on.ours == "1.1x"


def test_intensity_is_operations_per_access() -> None:
    """The published counts themselves, as rows, agree with the published intensity; half the FLOPs do not."""
    counts = FIGURE_14["cora_ml"]
    rows = [
        {
            "dataset": "cora_ml", "weights": "one draw", "run": 0, "configuration": name, "flops": counts[base.value][0],
            "bytes": 4 * counts[base.value][1], "dense_tokens": 0, "held_coordinates": 0,
        }
        for base, name in fig14.SERIES.items()
    ]  # fmt: skip
    what = "cora_ml first layer fused: operational intensity"
    frame = fig14.derive(pd.DataFrame(rows), FAST)
    assert verdict(fig14.judge(frame, FAST), what).ratio == pytest.approx(1)
    rows[1]["flops"] = counts["first"][0] / 2
    frame = fig14.derive(pd.DataFrame(rows), FAST)
    assert verdict(fig14.judge(frame, FAST), what).agrees is False


def test_the_factor_of_figure_18_needs_every_order() -> None:
    rows = [
        {"columns": 16, "run": 0, "order": order, "cycles": cycles} for order, cycles in (("ikjl", 1), ("jilk", 29))
    ]
    what = "best over worst order, C with 16 columns"
    assert verdict(fig18.judge(fig18.derive(pd.DataFrame(rows), FAST), FAST), what).agrees is True
    rows.append({"columns": 16, "run": 0, "order": "lkij", "cycles": None})
    found = verdict(fig18.judge(fig18.derive(pd.DataFrame(rows), FAST), FAST), what)
    assert (found.ours, found.agrees) == ("missing", None)


@pytest.mark.parametrize(("error", "agrees"), [(0.02, True), (0.09, False), (float("nan"), None)])
def test_table_3_judges_every_schedule(error: float, agrees: bool | None) -> None:
    row = {"model": "gcn", "dataset": "cora_ml", "schedule": "full", "flops_error": error, "bytes_error": error}
    (found,) = table3.judge(pd.DataFrame([row]), FAST)
    assert found.agrees is agrees
    assert "nan" not in found.ours
