"""The rows behind docs/reproduction.md: their keys are those of today's code, and one is computed again bit for bit."""

from pathlib import Path

import pandas as pd
import pytest

from fuseflow.explore.store import Store
from fuseflow.paper import EXPERIMENTS, Mode, Request
from fuseflow.paper.points import point_key
from fuseflow.paper.results import rows_of
from fuseflow.paper.runner import run_points

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


def test_a_stored_row_is_computed_again_bit_for_bit(tmp_path: Path) -> None:
    stored = pd.read_csv(DOCS / "fig18.csv")
    bar = EXPERIMENTS["fig18"].bars(COMPLETE)[0]
    store = Store(tmp_path)
    outcomes = run_points([bar.parts[0][0]], store)
    again = rows_of(EXPERIMENTS["fig18"], [bar], outcomes, store, COMPLETE).iloc[0]
    for column in ("cycles", "flops", "bytes", "nodes", "max_rel_error", "schedule_hash", "seed", "points"):
        assert str(again[column]) == str(stored[column].iloc[0]), column
