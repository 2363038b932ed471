"""The command line: what it prints where, what it writes, and how it fails."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import fuseflow as ff
from fuseflow import cli
from fuseflow.cli import output
from fuseflow.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
KEYS = {
    "model", "dataset", "synthetic", "schedule", "kernels", "nodes", "cycles", "speedup", "flops", "bytes",
    "max_rel_error", "compile_seconds", "simulate_seconds",
}  # fmt: skip
KARATE = ("run", "gcn", "--dataset", "karate")


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSEFLOW_DATA", raising=False)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def failure(*arguments: str, code: int = 2) -> str:
    """The message of a command that must fail: on stderr, without a traceback, with nothing on stdout."""
    result = invoke(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert isinstance(result.exception, SystemExit)
    return re.sub(r"[\s│]+", " ", result.stderr)


def shell(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "fuseflow", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background may ignore it
        **options,
    )  # fmt: skip


def test_run_prints_a_table_and_writes_json_and_report(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = invoke(*KARATE, "--json", str(out / "rows.json"), "--report", str(out))
    assert result.exit_code == 0, result.output
    for word in ("schedule", "over unfused", "FLOPs", "bytes", "error", "reference", "ratio", "seconds"):
        assert word in result.stdout
    assert "gcn on karate (real data), machine comal, errors against eager PyTorch" in result.stdout
    assert f"report: {out / 'report.html'}" in result.stdout
    assert result.stderr == ""
    rows = json.loads((out / "rows.json").read_text())
    assert [row["schedule"] for row in rows] == ["unfused", "partial", "full"]
    assert all(set(row) >= KEYS for row in rows)
    assert f"{rows[2]['cycles']:,}" in result.stdout
    assert sorted(each.name for each in out.iterdir()) == ["report.html", "rows.json"]


def test_tiles_run_beside_the_schedules_and_say_how_wide_the_units_are() -> None:
    attention = ("run", "attention", "--small", "--block", "4", "--schedule", "full", "--tile", "4", "--quiet")
    wide = invoke(*attention)
    assert wide.exit_code == 0, wide.output
    assert "full tile 4" in wide.output
    assert "with tiles: machine comal, tiles with a lane per element (the paper's)" in wide.output
    rows = json.loads(invoke(*attention, "--equal-throughput", "--json", "-").stdout)
    assert rows[1]["flops"] == rows[0]["flops"]
    assert rows[1]["machine"].endswith("equal throughput (1 multiply-add and 1 word per cycle)")
    assert "the block is 3, which does not divide" in failure(*attention[:-3], "--tile", "3")


def test_json_on_stdout_is_all_there_is_on_stdout() -> None:
    result = invoke(*KARATE, "--schedule", "partial", "--json", "-", "--engine", "interpreter")
    (row,) = json.loads(result.stdout)
    assert row["reference_cycles"] is None
    assert row["ratio_to_reference"] is None
    assert row["schedule"] == "partial"
    assert "gcn on karate" in result.stderr


def test_options_of_the_model_reach_it() -> None:
    plain = json.loads(invoke(*KARATE, "--schedule", "partial", "--json", "-").stdout)[0]
    for option in (("--hidden", "4"), ("--weight-sparsity", "0"), ("--features", "csr")):
        other = json.loads(invoke(*KARATE, "--schedule", "partial", "--json", "-", *option).stdout)[0]
        assert other["flops"] != plain["flops"] or other["bytes"] != plain["bytes"], option


def test_a_twin_is_called_one_in_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import dataclasses

    twin = dataclasses.replace(ff.models.gcn("karate"), dataset="cora", synthetic=True)
    output.print_comparison(ff.compare(twin, ["partial"]), twin, None, to_stderr=False)
    shown = capsys.readouterr().out
    assert "gcn on synthetic twin of cora (no real data found), machine comal" in shown
    assert "29,997,611" in shown
    assert "reference: FuseFlow Fig. 12, artifact plot data; differences are explained in docs/fidelity.md" in shown


def test_a_narrow_terminal_gets_the_table_turned(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    output._print_wide_or_turned(["schedule", "cycles", "bytes"], [["a" * 20, "1" * 12, "2" * 12]], to_stderr=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["cycles", "bytes"]
    assert "1" * 12 in lines[1]


def test_schedules_round_trip_through_a_file(tmp_path: Path) -> None:
    printed = invoke("schedule", "gcn", "--dataset", "karate", "--preset", "full")
    schedule = ff.Schedule.from_json(printed.stdout)
    assert schedule == ff.Schedule.full(ff.models.gcn("karate"))
    path = tmp_path / "mine.json"
    path.write_text(printed.stdout.replace('"full"', '"mine"'))
    rows = json.loads(invoke(*KARATE, "--schedule", f"full, {path}", "--json", "-").stdout)
    assert [row["schedule"] for row in rows] == ["full", "mine"]
    assert rows[0]["cycles"] == rows[1]["cycles"]


@pytest.mark.parametrize(
    ("what", "start"),
    [
        ("program", "FusedRegion conv2"),
        ("table", "conv2: order i j l m\n"),
        ("graph", "Graph conv2: 35 nodes"),
        ("dot", 'digraph "conv2" {'),
        ("svg", "<svg"),
    ],
)
def test_show_prints_each_stage_of_a_region(what: str, start: str) -> None:
    result = invoke("show", "gcn", "--dataset", "karate", "--region", "conv2", "--what", what)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(start)


def test_show_prints_everything_without_a_region() -> None:
    shown = invoke("show", "gcn", "--dataset", "karate", "--what", "graph").stdout
    assert "Graph conv1: 29 nodes" in shown
    assert "Graph conv2: 35 nodes" in shown
    assert repr(ff.models.gcn("karate").program) in invoke("show", "gcn", "--dataset", "karate").stdout


def test_data_sets_are_listed_with_what_would_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = invoke("data", "list").stdout
    assert re.search(r"karate +34 .*real data", shown)
    assert re.search(r"cora +2,708 +10,556 +1,433 +7 +MIT +synthetic twin", shown)
    assert "FUSEFLOW_DATA is not set" in shown
    (tmp_path / "cora.npz").write_bytes(b"")
    monkeypatch.setenv("FUSEFLOW_DATA", str(tmp_path))
    assert re.search(r"cora +2,708 .*real data", invoke("data", "list").stdout)


def test_fetching_goes_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fuseflow.datasets

    monkeypatch.setattr(fuseflow.datasets, "fetch", lambda name, folder: Path(folder) / f"{name}.npz")
    result = invoke("data", "fetch", "cora", "--to", str(tmp_path))
    assert f"wrote {tmp_path / 'cora.npz'}; it is used when FUSEFLOW_DATA is {tmp_path}" in result.stdout
    monkeypatch.setenv("FUSEFLOW_DATA", str(tmp_path))
    assert str(tmp_path / "cora.npz") in invoke("data", "fetch", "cora").stdout


def test_version() -> None:
    assert invoke("--version").stdout == f"fuseflow {ff.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "gnn"), "unknown model 'gnn'; use one of gcn"),
        (
            ("run", "gcn", "--dataset", "core"),
            'data set must be one of karate, cora, cora_ml, dblp, collab, mag, not "core"',
        ),
        ((*KARATE, "--schedule", "fast"), "unknown schedule 'fast'; use one of unfused, partial, full or the path"),
        ((*KARATE, "--schedule", ","), "--schedule names no schedule; use unfused, partial, full"),
        ((*KARATE, "--schedule", "full,full"), "2 schedules are called 'full'"),
        ((*KARATE, "--schedule", "none.json"), "cannot read a schedule from none.json: No such file or directory"),
        ((*KARATE, "--schedule", "/none/mine.json"), "cannot read a schedule from /none/mine.json: No such file"),
        ((*KARATE, "--engine", "fast"), "'fast' is not one of 'compiled', 'interpreter'"),
        ((*KARATE, "--features", "coo"), "'coo' is not one of 'dense', 'csr'"),
        ((*KARATE, "--hidden", "0"), "greater than or equal to 1"),
        ((*KARATE, "--weight-sparsity", "1.5"), "less than or equal to 1"),
        ((*KARATE, "--weight-sparsity", "much"), "--weight-sparsity"),
        (("show", "gcn", "--dataset", "karate", "--region", "x"), "has no region 'x'; its regions: conv1, conv2"),
        (("show", "gcn", "--dataset", "karate", "--what", "svg"), "choose one with --region: conv1, conv2"),
        (("show", "gcn", "--what", "picture"), "'program', 'table', 'graph', 'dot', 'svg'"),
        (("schedule", "gcn", "--preset", "half"), "'unfused', 'partial', 'full'"),
        (("data", "fetch", "core"), "data set must be one of karate"),
        (("walk",), "No such command 'walk'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments: tuple[str, ...], message: str) -> None:
    assert message in failure(*arguments)


def test_an_illegal_schedule_is_refused_before_anything_runs(tmp_path: Path) -> None:
    regions = ff.Schedule.full(ff.models.gcn("karate")).regions
    path = tmp_path / "half.json"
    ff.Schedule("half", (ff.Region("all", regions[0].statements[:2]),)).save(path)
    message = failure(*KARATE, "--schedule", f"partial,{path}", "--json", str(tmp_path / "out.json"))
    assert message.startswith("error: ")
    assert [each.name for each in tmp_path.iterdir()] == ["half.json"]


def test_places_that_cannot_be_written_are_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr("fuseflow.cli.run.make_model", never)
    (tmp_path / "file").write_text("")
    inside = str(tmp_path / "file" / "x")
    assert "cannot write the report into" in failure(*KARATE, "--report", inside)
    assert "file is a file; give the path of a folder" in failure(*KARATE, "--json", inside)
    assert "it is a folder; give the path of a file" in failure(*KARATE, "--json", str(tmp_path))


def test_a_report_that_fails_does_not_lose_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise DataError("the disk is full")

    monkeypatch.setattr(ff.Comparison, "report", fail)
    result = invoke(*KARATE, "--schedule", "partial", "--json", str(tmp_path / "a.json"), "--report", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == "error: the disk is full\n"
    assert "partial" in result.stdout
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_an_empty_path_is_refused(option: str) -> None:
    assert f"Invalid value for '{option}': it is empty; give a path" in failure(*KARATE, option, "")


def test_the_seed_has_the_range_of_the_generators() -> None:
    assert "Invalid value for '--seed'" in failure(*KARATE, "--seed", str(2**63))
    assert invoke("show", "gcn", "--dataset", "karate", "--seed", str(2**63 - 1)).exit_code == 0
    assert "Invalid value for '--hidden'" in failure(*KARATE, "--hidden", "9" * 12)


def test_json_does_not_take_the_place_of_a_device_or_pipe(tmp_path: Path) -> None:
    assert "it is a device; give the path of a file, or - for stdout" in failure(*KARATE, "--json", os.devnull)
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe; give the path of a file, or - for stdout" in failure(
        *KARATE, "--json", str(tmp_path / "pipe")
    )
    assert (tmp_path / "pipe").is_fifo()
    assert "File name too long" in failure(*KARATE, "--json", "a" * 300)
    assert "File name too long" in failure(*KARATE, "--report", "a" * 300)


def test_json_goes_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("real.json")
    assert invoke(*KARATE, "--schedule", "full", "--json", str(tmp_path / "link.json")).exit_code == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())[0]["schedule"] == "full"


def test_json_into_the_file_that_stdout_goes_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-m", "fuseflow", *KARATE, "--json", str(path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=file, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"error: cannot write {path}: stdout goes there already; give another file, or - for stdout\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [("--help",), ("data", "list"), (*KARATE, "--schedule", "full", "--json", "-")])
def test_a_full_disk_behind_stdout_is_one_message(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fuseflow", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "error: input or output failed: No space left on device; check the disk and where the output goes\n"
    )


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (MemoryError(), "error: there is not enough memory; take a smaller model"),
        (PermissionError(13, "Permission denied", "x.npz"), "error: cannot read or write x.npz: Permission denied;"),
    ],
)
def test_what_the_system_refuses_is_one_message(
    raised: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("fuseflow.cli.run.make_model", fail)
    assert failure(*KARATE).startswith(message)


def test_the_table_names_the_schedule_that_speedups_are_over() -> None:
    shown = invoke(*KARATE, "--schedule", "partial,full")
    assert "over partial" in shown.stdout


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fuseflow.cli.run.make_model", stop)
    assert failure(*KARATE, code=130) == "interrupted "


def test_an_interrupt_from_outside_leaves_no_traceback(tmp_path: Path) -> None:
    process = shell("run", "gcn", "--dataset", "cora_ml", "--engine", "interpreter", "--json", str(tmp_path / "a.json"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == ("", "interrupted\n")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = shell("show", "gcn", "--dataset", "karate", "--what", "dot", "--region", "conv1")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from fuseflow.cli import app\n"
        "assert CliRunner().invoke(app, ['run', '--help']).exit_code == 0\n"
        "print(sorted({'torch', 'numba', 'altair', 'pandas', 'networkx', 'vl_convert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"
