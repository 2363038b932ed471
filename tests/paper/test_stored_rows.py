"""The rows behind docs/reproduction.md: their keys are those of today's code, and some are computed again bit for bit."""

from pathlib import Path

import pandas as pd
import pytest

from fuseflow.datasets.graph import find_file
from fuseflow.paper import EXPERIMENTS, Mode, Request
from fuseflow.paper.experiment import Value
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


@pytest.mark.parametrize(("name", "place"), [
    ("fig18", {"columns": 16, "order": "ikjl", "run": 0}),
    ("fig12", {"model": "SAE, small", "schedule": "full", "memory": "HBM"}),
    ("fig12", {"model": "SAE", "dataset": "imagenet (noise)", "schedule": "full", "run": 1}),
    ("fig14", {"dataset": "cora_ml", "configuration": "first layer fused"}),
    ("fig4b", {"dataset": "collab, 1,000 nodes", "compiler": "across expressions (ours)", "memory": "HBM"}),
])  # fmt: skip
def test_a_stored_row_is_computed_again_bit_for_bit(name: str, place: dict[str, Value]) -> None:
    """The smallest rows of figures that read data of all kinds: made, noise, a real graph, a part of a twin."""
    if name == "fig14" and find_file("cora_ml") is None:
        pytest.skip("the row is of the real Cora_ML, which FUSEFLOW_DATA does not have")
    (bar,) = (bar for bar in EXPERIMENTS[name].bars(COMPLETE) if place.items() <= dict(bar.labels).items())
    key = point_key(bar.parts[0][0])[:12]
    (found,) = recompute_rows(EXPERIMENTS[name], COMPLETE, DOCS / f"{name}.csv", [key], 12.0)
    assert found.differences == ()
