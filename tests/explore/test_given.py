"""What a search is given: wrong types and contradictions are refused in words, before anything is computed."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.candidates import in_words
from fuseflow.errors import ScheduleError, SearchError, StoreError
from fuseflow.explore import CancelledError, Space
from fuseflow.explore.shared_folder import shared_folder
from fuseflow.explored import found_schedule
from fuseflow.sweeping import ExploreProgress


@pytest.fixture(scope="module")
def chain() -> ff.Model:
    rng = np.random.default_rng(3)
    text = "T[i,j] = A[i,k] * X[k,j]\nR[i,j] = relu(T[i,j])\nY[i,l] = R[i,j] * W[j,l]"
    sparse = rng.random((8, 8)) * (rng.random((8, 8)) < 0.3)
    return ff.einsum(text, A=sparse, X=rng.random((8, 6)), W=rng.random((6, 4)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lanes": {"i": 4}}, r'lanes must give choices by name, such as \{"i": \(2, 4\)\}, not \{.i.: 4\}'),
        ({"lanes": [("i", 2)]}, "lanes must give choices by name"),
        ({"lanes": {"i": (True,)}}, "lanes must give choices by name"),
        ({"lanes": {"i": (9,)}}, "9 lanes for index 'i', which has 8 coordinates; use fewer"),
        ({"lanes": {"i": (2,)}, "most_lanes": 1}, "asks for 2 lanes of index 'i', but most_lanes allows 1 in all"),
        ({"lanes": {"i": (2,)}, "scatters": ("balanced",)}, r"scatters must be such as \(ff.Scatter.BALANCED,\), not"),
        ({"machines": ff.Machine()}, r"machines must be such as \(ff.Machine\(\),\), not Machine\("),
        ({"machines": ("fast",)}, "machines must be such as"),
        (
            {"machines": (ff.Machine().with_depth("a.val", 4),)},
            r"machine 'comal' has depths of single streams \(a.val\)",
        ),
        ({"iterations": ("factored",)}, "iterations must be such as"),
        ({"passes": (ff.GraphPass.HOIST,)}, "passes must be such as .*, a tuple of sequences of graph passes, not"),
        ({"passes": (("hoist", "some"),)}, "a graph pass is one of 'locates', .* not 'some'"),
        ({"passes": ()}, r"no sequence of graph passes; give \(\(\),\) for none"),
        ({"orders": "3"}, "orders must be a whole number of 1 or more, not '3'"),
        ({"most_lanes": "4"}, "most_lanes must be a whole number of 1 or more, not '4'"),
        ({"formats": {"A": "dd"}}, "formats must give choices by name"),
        ({"together": ("T", "R")}, r"together must be such as .*, a tuple of tuples of statements, not \('T', 'R'\)"),
        ({"together": "TR"}, "together must be such as"),
        ({"apart": ("T", "R")}, "apart must be such as .*, a tuple of tuples of statements"),
        (
            {"together": (("T", "Y"),), "apart": (("R", "Y"),)},
            "the space is empty: no contiguous partition of T R Y keeps to together=.* and apart=.*; leave some of it "
            'out, or try partitions="legal"',
        ),
        (
            {"partitions": "legal", "together": (("T", "Y"),), "apart": (("R", "Y"),)},
            "no legal partition of T R Y keeps to together=.*; leave some of it out$",
        ),
    ],
)
def test_spaces(chain: ff.Model, fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=message):
        ff.explore(chain, Space(**fields), store=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 1.5}, "budget must be a whole number of 1 or more, not 1.5"),
        ({"budget": 0}, "budget must be 1 or more, not 0"),
        ({"workers": 0}, "workers must be 1 or more, not 0"),
        ({"kept": 0}, "kept must be 1 or more, not 0"),
        ({"seconds": -1}, "seconds must be a number of 0 or more, not -1"),
        ({"bytes_per_worker": float("nan")}, "bytes_per_worker must be a number of 0 or more, not nan"),
        ({"client": 5}, "client must be a Dask client or the address of its scheduler, not 5"),
        ({"client": "nonsense"}, "no Dask cluster answers at 'nonsense' within 5 s"),
        ({"statistics": 3}, "statistics must be a Statistics"),
        ({"progress": 3}, "progress must be a function of an ExploreProgress, not 3"),
    ],
)
def test_options(chain: ff.Model, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    estimated = []
    given = {"progress": estimated.append, "store": tmp_path, **options}
    with pytest.raises(SearchError, match=message):
        ff.explore(chain, **given)
    assert not estimated, "before anything is computed"


def test_other_arguments(chain: ff.Model, tmp_path: Path) -> None:
    wrong: Any = {"lanes": {"i": (2,)}}
    for search in (ff.explore, ff.autoschedule):
        with pytest.raises(ScheduleError, match=r"a space is a Space, such as Space\(lanes="):
            search(chain, wrong, store=tmp_path)
    wrong = "gcn"
    with pytest.raises(SearchError, match=r"a model is wanted, such as ff.models.gcn\('cora'\) gives, not 'gcn'"):
        ff.explore(wrong)
    with pytest.raises(ScheduleError, match=r"estimate takes a Compiled, or a model such as .* not 'gcn'"):
        ff.estimate(wrong)
    for wrong in (5, ""):
        with pytest.raises(StoreError, match=f"store must be a folder or a Store, not {wrong!r}; '.' is the folder"):
            ff.explore(chain, store=wrong)


def test_sequences_of_names_are_passes(chain: ff.Model, tmp_path: Path) -> None:
    names: Any = (("hoist",),)
    found = ff.explore(chain, Space(passes=names), budget=1, workers=1, store=tmp_path)
    schedules = [found.schedule(key) for key in found["key"] if found.schedule(key).name.startswith("found")]
    assert schedules
    assert {region.passes for schedule in schedules for region in schedule} == {(ff.GraphPass.HOIST,)}


def test_memory_is_in_words() -> None:
    assert [in_words(size) for size in (1.5e9, 12e6, 3000, 800)] == ["1.5 GB", "12 MB", "3 kB", "800 bytes"]


def test_the_machine_of_the_best_schedule_is_named(chain: ff.Model, tmp_path: Path) -> None:
    slow = ff.Machine.equal_throughput()
    space = Space(blocks=(2,), machines=(ff.Machine(), slow))
    result = ff.explore(chain, space, budget=8, workers=1, store=tmp_path, prune=False)
    found = found_schedule(result)
    assert "cycles simulated on machine 'comal' (" in found.reason
    assert "on the machine that is fastest at it" in found.reason
    run = ff.compile(chain, found).simulate(found.machine)
    assert run.cycles == found.cycles
    # Of the slow one alone: its presets are those compared with, and its machine is remembered.
    alone = ff.autoschedule(chain, Space(blocks=(2,), machines=(slow,)), budget=8, workers=1, store=tmp_path)
    assert alone.machine == slow and "on machine" not in alone.reason
    assert ff.compile(chain, alone).simulate(alone.machine).cycles == alone.cycles


def test_no_room_for_what_workers_share(chain: ff.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a simulation starts, as an error that says where and what to do."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(
        StoreError, match=r"cannot write the model for the workers to .*missing: No such file .* TMPDIR"
    ):
        ff.explore(chain, budget=1, workers=1, store=tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(StoreError, match=r"cannot write the model for the workers to .*: No space left on device"):
            ff.explore(chain, budget=1, workers=1, store=tmp_path)
    assert not list(tmp_path.glob("fuseflow-sweep-*")), "nothing is left behind"


def test_a_killed_sweep_leaves_no_folder_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one removes it; that of a sweep that still runs, and what is not ours, stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import os, sys, tempfile; from fuseflow.explore.shared_folder import shared_folder\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "with shared_folder() as folder:\n"
        "    (folder / 'model').write_bytes(b'x' * 1000); print(folder, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    left = Path(killed.stdout.strip())
    assert killed.returncode == -signal.SIGKILL and (left / "model").exists()
    other = tmp_path / "fuseflow-sweep-without-lock"
    other.mkdir()
    with shared_folder() as mine:
        assert not left.exists()
        with shared_folder() as second:
            assert mine.exists() and second.exists() and mine != second
        assert mine.exists() and not second.exists()
    assert not mine.exists() and other.exists()


def test_cancelling_while_estimating(chain: ff.Model, tmp_path: Path) -> None:
    def stop(_: ExploreProgress) -> None:
        raise CancelledError

    found = ff.explore(chain, store=tmp_path, workers=1, progress=stop)
    assert found.empty and list(found.columns)
    with pytest.raises(SearchError, match="no candidate was simulated: nothing was tried"):
        _ = found.best
