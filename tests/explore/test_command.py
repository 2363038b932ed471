"""``fuseflow explore`` and ``fuseflow results``."""

import json
import re
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
    listed = invoke("results", "--store", store).stdout
    assert "sae" in listed
    assert re.search(r"\d\.\d\d +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d|\de-\d\d", listed), listed
    nothing = invoke("results", "--store", str(tmp_path / "nothing"))
    assert nothing.exit_code == 0 and nothing.stdout == f"no results in {tmp_path / 'nothing'}\n"


def test_lanes_passes_and_blocks(tmp_path: Path) -> None:
    sizes = ("--small", "--sequence", "16", "--block", "4", "--heads", "2", "--width", "8")
    vary = ("--lanes", "j=1,2", "--passes", "hoist,dead", "--blocks", "0,4,5", "--scatter", "contiguous")
    limits = ("--orders", "1", "--budget", "2", "--workers", "1", "--store", str(tmp_path / "store"))
    best = tmp_path / "best.json"
    result = invoke("explore", "attention", *sizes, *vary, *limits, "--save", str(best))
    assert result.exit_code == 0, result.output
    assert {"blocks", "lanes"} <= set(result.stdout.split("\n")[0].split())
    assert "blocks of 5: left out, the block is 5, which does not divide dimension 2 of 'queries'" in result.stdout
    schedule = ff.Schedule.load(best)
    assert schedule.blocks == 4
    assert {lanes for region in schedule.regions for lanes in region.lanes} == {ff.Lanes("j", 2, ff.Scatter.CONTIGUOUS)}
    model = ff.models.attention(4, small=True, sequence=16, heads=2, width=8)
    run = ff.compile(model, schedule).simulate()
    run.check()
    assert f"{run.cycles:,} cycles simulated" in result.stdout


def test_blocks_by_name(tmp_path: Path) -> None:
    small = ("--small", "--sequence", "16", "--block", "4", "--heads", "1", "--width", "4", "--orders", "1")
    sizes = ("--blocks", "masked_fill_mask=0, 4x4", "--blocks", "n=0,5")
    limits = ("--budget", "1", "--workers", "1", "--store", str(tmp_path))
    result = invoke("explore", "attention", *small, *sizes, *limits)
    assert result.exit_code == 0, result.output
    assert "blocks masked_fill_mask 4 x 4" in result.stdout
    assert (
        "blocks of n 5: left out, the block of 'n' is 5, which does not divide dimension 3 of 'values' of size 4"
        in result.stdout
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "x"), "'x' is not TENSOR=FORMAT|FORMAT"),
        (("--format", "nothing=dd"), "'nothing', which is no stored tensor of the program"),
        (("--partitions", "some"), "partitions must be one of 'contiguous', 'legal', not 'some'"),
        (("--lanes", "i"), "--lanes: 'i' is not INDEX=N,N, as in \"k=1,4\""),
        (("--lanes", "i=1,x"), "--lanes: 'i=1,x' is not INDEX=N,N"),
        (("--lanes", "i=2", "--lanes", "i=4"), "index 'i' is given twice; put its numbers into one, as in i=2,4"),
        (("--lanes", "i=0"), "lanes of index 'i' must be 1 or more, not 0"),
        (("--passes", "locates,some"), "a graph pass is one of 'locates', 'joins', 'repeats'"),
        (("--scatter", "some"), "'some' is not one of 'round_robin', 'contiguous', 'balanced'"),
        (("--blocks", "8,"), "--blocks: '8,' is not N,N, as in \"0,8,16\" (0: without tiles), nor NAME=N,N"),
        (("--blocks", "x=8,"), "--blocks: 'x=8,' is not NAME=N,N, as in \"A=0,16\" or, by dimension of a tensor"),
        (("--blocks", "=8"), "--blocks: '=8' is not NAME=N,N"),
        (("--blocks", "x=0", "--blocks", "x=2"), "--blocks: 'x' is given twice; put its sizes into one, as in x=0,16"),
        (("--blocks", "8", "--blocks", "x=2"), "--blocks: 8 is for the whole model, x by name; give one kind"),
        (("--blocks", "z=0,2"), "blocks names 'z', which is neither a tensor nor an index variable of the program"),
        (("--blocks", "x=0,2x2x2"), "blocks gives (2, 2, 2) for 'x' of shape (34, 34)"),
        (("--blocks", "-8"), "--blocks: '-8' is not N,N"),
        (("--blocks", "3"), "no block size fits. blocks of 3: the block is 3, which does not divide dimension"),
        (("--budget", "0"), "greater than or equal to 1"),
        (("--dataset", "nowhere"), "nowhere"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = invoke("explore", "gcn", "--dataset", "karate", "--store", str(tmp_path), *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
