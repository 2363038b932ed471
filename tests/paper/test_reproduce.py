"""A small experiment end to end: files, numbers against independent runs, resuming, missing points, messages."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import fuseflow as ff
from fuseflow.cli import app
from fuseflow.errors import DataError, FuseflowError
from fuseflow.explore.store import Status, Store
from fuseflow.paper import charts, reproduce
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Experiment,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Verdict,
)
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.points import point_key
from fuseflow.paper.recompute import recompute, recompute_rows
from fuseflow.paper.results import speedups
from fuseflow.paper.runner import PaperProgress, points_of, run_points

MODEL = ModelSpec.of(Kind.GCN, dataset="karate", weight_sparsity=0.5)
REQUEST = Request(Mode.FAST)


def bars(request: Request) -> tuple[Bar, ...]:
    single = [
        Bar.of(Point(MODEL, ScheduleSpec(base)), dataset="karate", schedule=base.value)
        for base in (Base.UNFUSED, Base.FULL)
    ]
    twice = ((Point(MODEL, ScheduleSpec(Base.PARTIAL)), 2), (Point(MODEL, ScheduleSpec(Base.FULL)), 1))
    return (*single, Bar((("dataset", "karate"), ("schedule", "both")), twice))


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    return speedups(frame, ["dataset"], "schedule", "unfused")


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    return [near("full", 100.0, value_at(frame, "speedup", schedule="full"), 0.05, "a small graph")]


def draw(frame: pd.DataFrame) -> object:
    return charts.bars(frame, group="dataset", series="schedule", value="speedup", title="t", y="speedup")


TINY = Experiment("tiny", "Tiny", "a claim", bars, derive, judge, draw)


def test_end_to_end(tmp_path: Path) -> None:
    (made,) = reproduce([TINY], REQUEST, tmp_path)
    model = ff.models.gcn("karate", weight_sparsity=0.5)
    runs = {name: ff.compile(model, name).simulate() for name in ("unfused", "partial", "full")}
    rows = {row["schedule"]: row for row in csv.DictReader((tmp_path / "tiny" / "data.csv").open())}
    assert int(float(rows["full"]["cycles"])) == runs["full"].cycles
    assert int(float(rows["both"]["cycles"])) == 2 * runs["partial"].cycles + runs["full"].cycles
    assert int(float(rows["unfused"]["flops"])) == runs["unfused"].flops
    assert float(rows["full"]["speedup"]) == pytest.approx(runs["unfused"].cycles / runs["full"].cycles)
    assert float(rows["full"]["max_rel_error"]) == runs["full"].check().max_rel_error
    assert rows["full"]["status"] == "done" and len(rows["full"]["schedule_hash"]) == 12
    key = point_key(Point(MODEL, ScheduleSpec(Base.FULL)))[:12]
    assert rows["full"]["command"].endswith(f"--recompute {key} --against data.csv")
    text = (tmp_path / "tiny" / "comparison.md").read_text()
    assert "| full | 100x | " in text and "| differs |" in text and "a small graph" in text
    assert "3 rows measured" in text and made.missing == 0
    page = (tmp_path / "tiny" / "chart.html").read_text()
    assert "vega" in page and 'src="http' not in page
    assert (tmp_path / "tiny" / "chart.svg").read_text().startswith("<svg")


def test_a_finished_point_is_never_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, seen = Store(tmp_path / "store"), []
    points = points_of(bars(REQUEST))

    def stop(state: PaperProgress) -> None:
        seen.append(state)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_points(points, store, progress=stop)
    assert seen[0].total == 3 and seen[1].remaining_seconds is not None
    finished = store.find([point_key(point) for point in points])
    assert len(finished) == 2
    seen.clear()
    found = run_points(points, store, progress=seen.append)
    assert [state.finished for state in seen] == [3]
    assert all(found[point].status is Status.DONE for point in points)


def test_a_missing_point_is_shown_as_missing(tmp_path: Path) -> None:
    (made,) = reproduce([TINY], REQUEST, tmp_path, gigabytes=1e-6)
    assert made.missing == 3 and made.rows["cycles"].isna().all() and made.rows["speedup"].isna().all()
    assert "more than 0.00 GB" in made.rows["reason"].iloc[0]
    assert ">missing</text>" in (tmp_path / "tiny" / "chart.svg").read_text()
    text = (tmp_path / "tiny" / "comparison.md").read_text()
    assert "| full | 100x | missing |  | not judged |" in text and "* missing: gcn" in text
    (unrun,) = reproduce([TINY], REQUEST, tmp_path, store=tmp_path / "other", run=False)
    assert unrun.missing == 3 and unrun.rows["reason"].str.endswith("not run").all()
    (again,) = reproduce([TINY], REQUEST, tmp_path)
    assert again.missing == 0, "with enough memory it is run after all"


def test_recomputed_bit_for_bit(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    reproduce([TINY], REQUEST, tmp_path)
    key = point_key(Point(MODEL, ScheduleSpec(Base.FULL)))
    (same,) = recompute([TINY], REQUEST, store, [key[:12]], 12.0)
    assert same.differences == ()
    import sqlite3

    with sqlite3.connect(store.index) as connection:
        connection.execute("UPDATE results SET cycles = cycles + 1 WHERE key = ?", [key])
    (other,) = recompute([TINY], REQUEST, store, [key[:12]], 12.0)
    assert other.differences and other.differences[0].startswith("cycles: stored ")
    with pytest.raises(DataError, match="0 points of this figure"):
        recompute([TINY], REQUEST, store, ["zzz"], 12.0)
    with pytest.raises(DataError, match=r"there is no finished result .* --against"):
        recompute([TINY], REQUEST, Store(tmp_path / "empty"), [key[:12]], 12.0)


def test_a_row_of_a_file_is_computed_again_without_a_store(tmp_path: Path) -> None:
    """The command of a row has all it needs, also one of several points, and of a file that came without its store."""
    reproduce([TINY], REQUEST, tmp_path, store=tmp_path / "elsewhere")
    file = tmp_path / "tiny" / "data.csv"
    row = next(row for row in csv.DictReader(file.open()) if row["schedule"] == "both")
    keys = row["command"].partition("--recompute ")[2].split()[0].split(",")
    found = recompute_rows(TINY, REQUEST, file, keys, 12.0)
    assert "karate both" in [item.name for item in found] and all(item.differences == () for item in found)
    file.write_text(file.read_text().replace(row["cycles"], str(float(row["cycles"]) + 1)))
    found = recompute_rows(TINY, REQUEST, file, keys, 12.0)
    assert [item.differences[0].startswith("cycles: stored ") for item in found if item.differences] == [True]
    with pytest.raises(DataError, match=r"no row of .* is made of the points zzz"):
        recompute_rows(TINY, REQUEST, file, ["zzz"], 12.0)
    file.write_text(file.read_text().replace(row["points"], f"7x{keys[0]}"))
    with pytest.raises(DataError, match="tiny has no row of the points 7x"):
        recompute_rows(TINY, REQUEST, file, keys, 12.0)
    for bad, said in (("a,b\n1,2\n", "has no column points"), ("", "cannot read")):
        file.write_text(bad)
        with pytest.raises(DataError, match=said):
            recompute_rows(TINY, REQUEST, file, keys, 12.0)


@pytest.mark.parametrize(("arguments", "said"), [
    (["fig99"], "no figure or table 'fig99'"),
    (["table4", "--out", "{file}"], "is a file; give the path of a folder"),
    (["fig18", "--memory", "-1"], "must be more than 0 GB and finite, not -1"),
    (["fig18", "--recompute", "zzz"], "0 points of this figure"),
    (["fig18", "--against", "{file}"], "--against is for --recompute of one figure"),
    (["--recompute", "zzz", "--against", "{file}"], "--against is for --recompute of one figure"),
])  # fmt: skip
def test_messages(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    given = [part.replace("{file}", str(tmp_path / "file")) for part in arguments]
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["paper", *given, *out])
    assert result.exit_code == 2
    assert said in result.output


def test_an_unknown_mode_names_the_modes(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["paper", "table4", "--mode", "slow", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert all(mode.value in result.output for mode in Mode)


def test_a_truncated_graph_file_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cora.npz").write_bytes(b"PK\x03\x04 cut off")
    monkeypatch.setenv("FUSEFLOW_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r"cora\.npz"):
        reproduce([ff_experiment()], REQUEST, tmp_path / "out")
    assert not (tmp_path / "out" / "results").exists()


def ff_experiment() -> Experiment:
    cora = Point(ModelSpec.of(Kind.GCN, dataset="cora", weight_sparsity=0.5), ScheduleSpec(Base.PARTIAL))
    return Experiment(
        "cora", "Cora", "", lambda _: (Bar.of(cora, schedule="partial"),), lambda rows, _: rows, lambda *_: []
    )


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match="has 0 MB left"):
        reproduce([TINY], REQUEST, tmp_path)


def test_tables_without_simulation(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["paper", "table4", "fig20", "--out", str(tmp_path), "-q"])
    assert result.exit_code == 0, result.output
    counts = pd.read_csv(tmp_path / "table4" / "data.csv").set_index("model")
    assert counts.loc["gcn", "constrained"] == 63_063_000
    cells = pd.read_csv(tmp_path / "fig20" / "data.csv")
    assert len(cells) == 25 and cells["same"].sum() >= 24
    assert (tmp_path / "table4" / "table.html").exists()


@pytest.mark.parametrize(("names", "options", "said"), [
    (["fig12"], ["--pictures", "{out}/nothing"], "there is no folder"),
    (["fig18", "table2"], [], "cannot read"),
])  # fmt: skip
def test_what_is_read_is_looked_at_before_anything_runs(
    names: list[str], options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dblp.npz").write_bytes(b"junk")
    monkeypatch.setenv("FUSEFLOW_DATA", str(tmp_path / "data"))
    given = [part.replace("{out}", str(tmp_path)) for part in options]
    result = CliRunner().invoke(app, ["paper", *names, *given, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and said in " ".join(result.output.split())
    assert len(Store(tmp_path / "out" / "results").table()) == 0


def test_missing_points_end_with_one(tmp_path: Path) -> None:
    given = ["paper", "fig16b", "--out", str(tmp_path), "-q"]
    result = CliRunner().invoke(app, [*given, "--memory", "0.001"])
    assert result.exit_code == 1 and "7 rows missing (" in result.output
    assert CliRunner().invoke(app, [*given, "--stored"]).exit_code == 0


def test_lost_counters_are_made_again(tmp_path: Path) -> None:
    reproduce([TINY], REQUEST, tmp_path)
    before = (tmp_path / "tiny" / "data.csv").read_text()
    (lost, *_, damaged) = sorted((tmp_path / "results" / "nodes").rglob("*.parquet"))
    lost.unlink()
    reproduce([TINY], REQUEST, tmp_path)
    assert lost.exists()
    damaged.write_bytes(b"PAR1")
    with pytest.raises(FuseflowError, match="Delete this file: the result is then computed again"):
        reproduce([TINY], REQUEST, tmp_path)
    damaged.unlink()
    reproduce([TINY], REQUEST, tmp_path)
    rows, again = (pd.read_csv(io.StringIO(text)) for text in (before, (tmp_path / "tiny" / "data.csv").read_text()))
    pd.testing.assert_frame_equal(rows.drop(columns="seconds"), again.drop(columns="seconds"))
