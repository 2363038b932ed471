"""Charts are functions of DataFrames: what they show and what they say of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fuseflow.errors import DataError
from fuseflow.report import charts
from fuseflow.report.svg import chart_svg


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": "gcn", "dataset": "cora", "synthetic": True, "schedule": ["unfused", "full"], "cycles": [100, 400],
            "speedup": [1.0, 0.25], "baseline": "unfused", "flops": [10, 50], "bytes": [1000, 1010],
            "reference_cycles": [110.0, np.nan], "ratio_to_reference": [100 / 110, np.nan],
        }
    )  # fmt: skip


@pytest.fixture
def kernels(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [("unfused", "a", 0, 30), ("unfused", "a_long_name_for_a_short_bar", 1, 70), ("full", "all", 0, 400)]
    data = pd.DataFrame(rows, columns=["schedule", "kernel", "position", "cycles"])
    return data.assign(model="gcn", dataset="cora", synthetic=True)


def drawn(chart: Any) -> str:
    return chart_svg(chart, "p-")


def test_speedups_have_values_and_a_baseline(frame: pd.DataFrame) -> None:
    svg = drawn(charts.speedups(frame))
    assert ">1.00×<" in svg
    assert ">0.25×<" in svg
    assert "speedup over unfused (×, more is faster)" in svg


def test_a_missing_reference_value_is_said_to_be_missing(frame: pd.DataFrame) -> None:
    svg = drawn(charts.against_reference(frame))
    assert ">0.909× reference<" in svg
    assert ">no reference value<" in svg
    assert svg.count("whose: reference") == 1


def test_labels_of_close_points_do_not_overlap(frame: pd.DataFrame) -> None:
    spread = charts._spread(frame.bytes)
    low, high = np.log([1000 / 1.5, 2020])
    pixels = (np.log(spread) - low) / (high - low) * 220
    assert abs(pixels[1] - pixels[0]) >= 13
    assert ">unfused<" in drawn(charts.traffic(frame))


def test_no_work_is_drawn_on_a_linear_axis(frame: pd.DataFrame) -> None:
    chart = charts.traffic(frame.assign(flops=[0, 5], bytes=0))
    assert ">full<" in drawn(chart)


@pytest.mark.parametrize("count", [1, 7, 20, 31, 45_634, 98_765, 158_452, 999_999])
def test_a_logarithmic_axis_has_two_ticks_for_one_schedule(frame: pd.DataFrame, count: int) -> None:
    one = frame.head(1).assign(flops=count, bytes=count + 1, cycles=count, reference_cycles=float(count))
    for scale in (charts._wide(one.flops), charts._wide(one.bytes)):
        low, high = scale.to_dict()["domain"]
        ticks = charts._counts(scale).to_dict()["values"]
        assert len(ticks) >= 2
        assert all(low <= tick <= high for tick in ticks)
    axis = charts.against_reference(one).to_dict()["layer"][0]["encoding"]["x"]["axis"]
    assert len(axis["values"]) >= 2


def test_a_wide_logarithmic_axis_has_a_tick_per_power_of_ten() -> None:
    scale = charts._wide(pd.Series([100, 200_000]))
    assert charts._counts(scale).to_dict()["values"] == [100.0, 1000.0, 10_000.0, 100_000.0]


def test_kernels_are_stacked_and_named_where_the_name_fits(kernels: pd.DataFrame) -> None:
    chart = charts.kernels(kernels)
    data = chart.data
    assert list(data.start) == [0, 30, 0]
    assert list(data.end) == [30, 100, 400]
    svg = drawn(chart)
    assert ">all<" in svg
    assert ">a_long_name_for_a_short_bar<" not in svg


@pytest.mark.parametrize("name", ["speedups", "against_reference", "traffic"])
def test_synthetic_data_are_labelled_and_units_named(frame: pd.DataFrame, name: str) -> None:
    make = getattr(charts, name)
    assert ">gcn on cora (synthetic twin)<" in drawn(make(frame))
    assert ">gcn on cora<" in drawn(make(frame.assign(synthetic=False)))
    assert any(unit in drawn(make(frame)) for unit in ("(×", "cycles", "(bytes)"))


def test_names_are_escaped(frame: pd.DataFrame) -> None:
    svg = drawn(charts.speedups(frame.assign(schedule=["<b>x</b>", "y&z"])))
    assert "<b>" not in svg
    assert "&lt;b&gt;x&lt;/b&gt;" in svg


def test_a_frame_that_does_not_fit_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="the chart needs column 'speedup'; the frame has model, dataset"):
        charts.speedups(frame.drop(columns="speedup"))
    with pytest.raises(DataError, match="needs at least one row; the frame is empty"):
        charts.speedups(frame.head(0))
