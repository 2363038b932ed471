"""``fuseflow replay``."""

import json
from pathlib import Path

from typer.testing import CliRunner

from fuseflow.cli import app
from tests.sim.conformance import TIMED, folder

CASE = {
    "name": "sink",
    "channel_capacity": 10,
    "hbm": None,
    "ops": [
        {"op": "generator", "output": "r1", "tokens": ["0", "D"], "final_clock": [2]},
        {"op": "sink", "input": "r1", "final_clock": [3]},
    ],
    "elapsed": 3,
    "metric_sums": {},
    "streams": {"r1": [["0", 1], ["D", 2]]},
}


def replay(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["replay", str(path)])
    return result.exit_code, result.output


def write(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({"about": "test", "cases": [{**CASE, **changes}]}))
    return path


def test_a_case_that_holds(tmp_path: Path) -> None:
    code, output = replay(write(tmp_path / TIMED))
    assert code == 0 and output.strip().endswith("1 passed, 0 failed")


def test_a_case_that_does_not(tmp_path: Path) -> None:
    code, output = replay(write(tmp_path / TIMED, elapsed=4))
    assert code == 1 and output.strip().endswith("0 passed, 1 failed")


def test_foreign_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    code, output = replay(tmp_path / "x.json")
    assert code == 2 and "x.json" in output


def test_recorded_cases() -> None:
    if folder().is_dir():
        code, output = replay(folder())
        assert code == 0 and output.strip().endswith(" passed, 0 failed")
