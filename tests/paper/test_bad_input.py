"""What a user does to a run: stops it, kills it, gives it too little disk or a folder of another layout."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fuseflow.errors import DataError, StoreError
from fuseflow.explore.store import Store
from fuseflow.paper import Mode, Request, chosen
from fuseflow.paper.reproduce import finished, reproduce

ROOT = Path(__file__).parents[2]
REQUEST = Request(Mode.FAST)
PATIENCE_SECONDS = 120.0


def start(out: Path, *more: str, limits: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
    """Figure 18 in the fast mode, 19 points, in a process of its own."""
    command = [sys.executable, "-m", "fuseflow", "paper", "fig18", "--out", str(out), "-q", *more]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limits
    )


def wait_for_points(store: Store, count: int, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while len(store.table()) < count:
        assert process.poll() is None and time.monotonic() < until, "no point was finished"
        time.sleep(0.02)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_what_is_kept_and_how_to_go_on(kind: signal.Signals, tmp_path: Path) -> None:
    process = start(tmp_path)
    store = Store(tmp_path / "results")
    wait_for_points(store, 2, process)
    process.send_signal(kind)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    done, total = finished(chosen(["fig18"]), REQUEST, store)
    assert process.returncode == 130 and 2 <= done < total == 19
    assert said.strip().splitlines()[-1] == (
        f"interrupted: {done} of 19 points are finished and kept in {store.folder}; the same command goes on from there"
    )


def test_workers_end_when_the_command_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, "--jobs", "2")
    wait_for_points(Store(tmp_path / "results"), 2, process)
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    children = [int(number) for task in tasks for number in (task / "children").read_text().split()]
    assert len(children) >= 2
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)  # ends only when nobody holds its output any more
    until = time.monotonic() + PATIENCE_SECONDS
    while left := [child for child in children if _runs(child)]:
        assert time.monotonic() < until, f"left behind: {left}"
        time.sleep(0.1)
    assert finished(chosen(["fig18"]), REQUEST, Store(tmp_path / "results"))[0] >= 2


def _runs(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_no_room_for_the_results(tmp_path: Path) -> None:
    size = 20_000

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    process = start(tmp_path, limits=limited)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert said.startswith(
        f"error: the store in {tmp_path / 'results'} cannot be used: disk I/O error; the disk may be"
    )


def test_a_folder_in_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data" / "cora.npz").mkdir(parents=True)
    monkeypatch.setenv("FUSEFLOW_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r"cora\.npz is a folder, but cora is read from a file of that name"):
        reproduce(chosen(["fig12"]), REQUEST, tmp_path / "out")
    assert not (tmp_path / "out" / "results").exists()


def test_a_store_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="is no folder, so no results can be in it; give the"):
        reproduce(chosen(["table4"]), REQUEST, tmp_path / "out", store=tmp_path / "store")
