"""A sweep that is killed again and again ends with the same table, and computes nothing twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fuseflow.explore import Status, Store

ROOT = Path(__file__).resolve().parents[2]
MACHINES = int(os.environ.get("FUSEFLOW_KILL_MACHINES", "8"))
KILLS = int(os.environ.get("FUSEFLOW_KILLS", "2"))
"""``make kill-test`` asks for 200 candidates and 20 kills."""


def start(store: Path) -> "subprocess.Popen[str]":
    code = [sys.executable, "-m", "tests.explore.sweep", str(store), str(MACHINES)]
    return subprocess.Popen(code, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finished(store: Path) -> dict[str, tuple[int, float]]:
    """Cycles and time of writing of what is done, by key."""
    table = Store(store).table()
    done = table[table["status"] == Status.DONE.value]
    return {row["key"]: (row["cycles"], row["finished"]) for row in done.to_dict("records")}


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    random_moments = random.Random(5)
    process = start(tmp_path / "whole")
    wanted, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    total = len(finished(tmp_path / "whole"))
    assert total == len(wanted.splitlines()) - 1
    store = tmp_path / "killed"
    known: dict[str, tuple[int, float]] = {}
    kills = 0
    while kills < KILLS:
        step = max(1, (total - len(known)) // (KILLS - kills + 1))
        target = len(known) + random_moments.randint(1, step)
        process = start(store)
        while len(finished(store)) < target and process.poll() is None:
            time.sleep(0.005)
        time.sleep(random_moments.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        kills += 1
        now = finished(store)
        assert {key: now.get(key) for key in known} == known, "a finished result was lost or computed again"
        known = now
    process = start(store)
    ended, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert ended == wanted
    now = finished(store)
    assert {key: now[key] for key in known} == known
    assert len(now) == total
    for key in now:
        assert not Store(store).nodes(key).empty
