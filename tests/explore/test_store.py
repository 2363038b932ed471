"""The result store: what it keeps, and what it says of damaged, newer, full and read-only ones."""

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.errors import StoreError
from fuseflow.explore import Outcome, Status, Store

ABOUT = {"model": "m", "schedule": "s", "schedule_json": "{}", "machine": "comal", "version": "1"}
NODES = pd.DataFrame({"node": ["a"], "flops": [3]})


def test_keeps_results_and_never_replaces_finished_ones(tmp_path: Path) -> None:
    store = Store.at(tmp_path / "new" / "store")
    assert store.find(["k"]) == {} and store.table().empty
    store.write(Outcome("k", Status.TOO_LONG, "took longer than 1 s", limit=1.0), ABOUT)
    store.write(Outcome("k", Status.DONE, "", 5, 6, 7, 8, 0.0, 0.1), ABOUT, NODES)
    store.write(Outcome("k", Status.FAILED, "later"), ABOUT)
    assert store.find(["k", "other"]) == {"k": Outcome("k", Status.DONE, "", 5, 6, 7, 8, 0.0, 0.1)}
    pd.testing.assert_frame_equal(store.nodes("k"), NODES)
    (row,) = ff.results(store.folder).to_dict("records")
    assert (row["model"], row["cycles"], row["status"]) == ("m", 5, "done")


def test_the_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FUSEFLOW_RESULTS", str(tmp_path))
    assert Store.at(None).folder == tmp_path
    monkeypatch.delenv("FUSEFLOW_RESULTS")
    assert Store.at(None).folder == Path("fuseflow-results")


def test_a_damaged_store(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.index.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"is damaged: results\.sqlite: .*Move the folder away"):
        ff.results(tmp_path)
    with pytest.raises(StoreError, match="is damaged"):
        store.write(Outcome("k", Status.FAILED), ABOUT)
    with pytest.raises(StoreError, match=r"counters of result nothing in .* cannot be read"):
        store.nodes("nothing")


def test_a_newer_store(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with sqlite3.connect(store.index) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="is of version 7, this fuseflow reads up to 1; update fuseflow"):
        store.table()


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(StoreError, match=r"no space left for results .* What was finished before is safe"):
        Store(tmp_path).write(Outcome("k", Status.DONE), ABOUT, NODES)
    assert not list(tmp_path.rglob("*.tmp"))


def test_an_index_on_a_full_disk(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(Outcome("k", Status.DONE, cycles=1, flops=1, bytes=1), ABOUT)
    with sqlite3.connect(store.index) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    original = sqlite3.connect

    def small(*args: object, **options: object) -> sqlite3.Connection:
        connection = original(*args, **options)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        with pytest.raises(StoreError, match="no space left for results"):
            store.write(Outcome("long", Status.FAILED, "x" * 100_000), ABOUT)
    assert store.find(["k"])["k"].cycles == 1


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """It is no matter of permissions."""
    store = Store(tmp_path)
    store.write(Outcome("k", Status.DONE, cycles=1, flops=1, bytes=1), ABOUT)
    code = (
        "import resource, sys; from fuseflow.explore import Outcome, Status, Store\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "Store(sys.argv[1]).write(Outcome('long', Status.FAILED, 'x' * 100_000), {})"
    )
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert "the disk may be full or damaged, or a limit on the size of files reached (ulimit -f)" in found.stderr
    assert store.find(["k", "long"]).keys() == {"k"}


def test_another_table(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with sqlite3.connect(store.index) as connection:
        connection.execute("CREATE TABLE results (a INTEGER)")
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StoreError, match=r"no such column: key; results.sqlite is no index of results of fuseflow"):
        store.table()


@pytest.mark.parametrize("change", ["status = 'weird'", "cycles = 'abc'", "cycles = NULL", "flops = NULL"])
def test_rows_without_what_a_result_has_are_computed_again(tmp_path: Path, change: str) -> None:
    store = Store(tmp_path)
    store.write(Outcome("k", Status.DONE, cycles=1, flops=2, bytes=3), ABOUT)
    with sqlite3.connect(store.index) as connection:
        connection.execute(f"UPDATE results SET {change}")
    assert store.find(["k"]) == {}
    again = Outcome("k", Status.DONE, cycles=5, flops=6, bytes=7)
    store.write(again, ABOUT)
    assert store.find(["k"]) == {"k": again}


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match="cannot write results to"):
        Store(file / "below").write(Outcome("k", Status.DONE), ABOUT)
    with pytest.raises(StoreError, match="is no folder"):
        Store(file)


def test_a_folder_may_be_text(tmp_path: Path) -> None:
    assert Store(str(tmp_path)) == Store(tmp_path)  # type: ignore[arg-type]  # what a user may well write
    assert Store(str(tmp_path)).table().empty  # type: ignore[arg-type]  # as above
