"""The rows behind docs/reproduction.md: their keys are those of today's code, and one is computed again bit for bit."""

from pathlib import Path

import pandas as pd
import pytest

from fuseflow.paper import EXPERIMENTS, Mode, Request
from fuseflow.paper.points import point_key
from fuseflow.paper.recompute import recompute_rows

DOCS = Path(__file__).parents[2] / "docs" / "paper"
COMPLETE = Request(Mode.COMPLETE)


@pytest.mark.parametrize("name", ["fig15", "fig16a", "fig16b", "fig17", "fig18"])
def test_keys_of_stored_rows_are_those_of_todays_code(name: str) -> None:
    """Figures whose data are made from seeds, so that no file of a data set is in their keys."""
    stored = pd.read_csv(DOCS / f"{name}.csv")
    bars = EXPERIMENTS[name].bars(COMPLETE)
    wanted = [" + ".join(f"{times}x{point_key(point)[:12]}" for point, times in bar.parts) for bar in bars]
    assert stored["points"].tolist() == wanted
    assert (stored["status"] == "done").all()


def test_a_stored_row_is_computed_again_bit_for_bit() -> None:
    file = DOCS / "fig18.csv"
    key = pd.read_csv(file)["points"].iloc[0].removeprefix("1x")
    (found,) = recompute_rows(EXPERIMENTS["fig18"], COMPLETE, file, [key], 12.0)
    assert found.differences == ()
