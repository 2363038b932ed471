"""``fuseflow explore`` and ``fuseflow results``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import fuseflow as ff
from fuseflow import cli


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def test_explore_prints_saves_and_resumes(tmp_path: Path) -> None:
    store, best = str(tmp_path / "store"), tmp_path / "best.json"
    call = ("explore", "sae", "--small", "--budget", "2", "--workers", "1", "--store", store)
    first = invoke(*call, "--save", str(best))
    assert first.exit_code == 0, first.output
    assert "16 schedules in 16 partitions" in first.stdout
    assert "cycles simulated" in first.stdout and "is limited by" in first.stdout
    schedule = ff.Schedule.load(best)
    ff.compile(ff.models.sae(small=True), schedule)
    again = invoke(*call, "--json", "-")
    rows = json.loads(again.stdout)
    assert {"done", "pruned"} <= {row["status"] for row in rows}
    listed = invoke("results", "--store", store, "--json", "-")
    stored = json.loads(listed.stdout)
    assert {row["key"] for row in stored} == {row["key"] for row in rows if row["status"] == "done"}
    assert "sae" in invoke("results", "--store", store).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "x"), "'x' is not TENSOR=FORMAT|FORMAT"),
        (("--format", "nothing=dd"), "'nothing', which is no stored tensor of the program"),
        (("--partitions", "some"), "partitions must be one of 'contiguous', 'legal', not 'some'"),
        (("--budget", "0"), "greater than or equal to 1"),
        (("--dataset", "nowhere"), "nowhere"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = invoke("explore", "gcn", "--dataset", "karate", "--store", str(tmp_path), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
