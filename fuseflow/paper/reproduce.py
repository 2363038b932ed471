"""Running experiments and writing what came out; and running single points again, to compare bit for bit."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fuseflow.errors import DataError
from fuseflow.explore.store import Status, Store
from fuseflow.paper.experiment import Experiment, Point, Request, Verdict
from fuseflow.paper.points import point_key
from fuseflow.paper.results import rows_of
from fuseflow.paper.runner import DEFAULT_GIGABYTES, Report, points_of, run_points, stored_points
from fuseflow.paper.write import verdict_table, write_experiment
from fuseflow.report.folder import check_writable, make_folder

STORE = "results"
"""Folder of the store inside the folder of the output, unless another is named."""
ROOM_BYTES = 200_000_000
"""Free space on the disk that a run wants before it starts."""


@dataclass(frozen=True, slots=True, eq=False)
class Reproduced:
    """One experiment that was run: its rows, verdicts, and where the files are."""

    experiment: Experiment
    rows: pd.DataFrame
    verdicts: list[Verdict]
    folder: Path

    @property
    def missing(self) -> int:
        """Rows without a number."""
        return int((self.rows["status"] == "missing").sum()) if "status" in self.rows else 0


def reproduce(
    experiments: Sequence[Experiment],
    request: Request,
    out: str | Path,
    *,
    store: str | Path | Store | None = None,
    jobs: int = 1,
    gigabytes: float = DEFAULT_GIGABYTES,
    run: bool = True,
    progress: Report | None = None,
    written: Callable[[Reproduced], None] | None = None,
) -> list[Reproduced]:
    """Run what is not in the store yet, then write every experiment into ``out``; ``written`` is told of each.

    Without ``run`` nothing is simulated: what is not in the store is missing.

    An interruption leaves what was finished in the store. Raises DataError for data, folders and limits that cannot be
    used, before anything runs where that can be known.
    """
    folder = Path(out)
    check_writable(folder, "the figures")
    _check_room(folder)
    place = Store.at(store if store is not None else folder / STORE)
    bars = {item.name: item.bars(request) for item in experiments}
    points = points_of(bar for several in bars.values() for bar in several)
    if run:
        outcomes = run_points(points, place, jobs=jobs, gigabytes=gigabytes, progress=progress)
    else:
        outcomes = stored_points(points, place)
    found = []
    for item in experiments:
        rows = item.derive(rows_of(item, bars[item.name], outcomes, place, request), request)
        verdicts = item.judge(rows, request)
        details = item.details(bars[item.name], outcomes, place, request) if item.details is not None else []
        write_experiment(item, rows, verdicts, request, folder, details)
        made = Reproduced(item, rows, verdicts, folder / item.name)
        found.append(made)
        if written is not None:
            written(made)
    _write_overview(found, folder)
    return found


def finished(experiments: Sequence[Experiment], request: Request, store: Store) -> tuple[int, int]:
    """How many points of ``experiments`` are done in ``store``, and how many there are."""
    points = points_of(bar for item in experiments for bar in item.bars(request))
    return sum(item.status is Status.DONE for item in stored_points(points, store).values()), len(points)


def _check_room(folder: Path) -> None:
    present = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(present).free
    if free < ROOM_BYTES:
        raise DataError(
            f"{present} has {free / 1e6:.0f} MB left, a run of the figures wants {ROOM_BYTES / 1e6:.0f} MB; free "
            f"some, or "
            "give another folder"
        )


def _write_overview(found: Sequence[Reproduced], folder: Path) -> None:
    make_folder(folder, "the figures")
    lines = ["# The paper's figures and tables, reproduced", ""]
    for item in found:
        lines += [f"## [{item.experiment.title}]({item.experiment.name}/comparison.md)", ""]
        lines += [item.experiment.claim, "", *verdict_table(item.verdicts), ""]
    (folder / "comparison.md").write_text("\n".join(lines), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A point that was run again: what differed from the stored result (nothing, if it is the same bit for bit)."""

    point: Point
    differences: tuple[str, ...]


def recompute(
    experiments: Sequence[Experiment], request: Request, store: Store, keys: Sequence[str], gigabytes: float
) -> list[Recomputed]:
    """Run the points whose keys begin with ``keys`` again, and compare every number and every node's counters.

    Raises DataError for a key that no point of ``experiments`` has, or that has no finished result.
    """
    points = {point_key(point): point for point in points_of(bar for item in experiments for bar in item.bars(request))}
    chosen = {key: [full for full in points if full.startswith(key)] for key in keys}
    for key, several in chosen.items():
        if len(several) != 1:
            raise DataError(
                f"{len(several)} points of this figure, mode and configuration have a key that begins with {key!r}; "
                f"take "
                "keys from the column 'points' of its data.csv, and the same FUSEFLOW_DATA"
            )
    found = []
    for (full,) in chosen.values():
        known = store.find([full]).get(full)
        if known is None or known.status is not Status.DONE:
            raise DataError(f"there is no finished result of {points[full]} in {store.folder}; run the figure first")
        with tempfile.TemporaryDirectory(prefix="fuseflow-") as scratch:
            fresh = Store(Path(scratch))
            outcome = run_points([points[full]], fresh, gigabytes=gigabytes)[points[full]]
            names = ("status", "cycles", "flops", "bytes", "nodes", "max_rel_error")
            differences = [
                f"{name}: stored {getattr(known, name)}, now {getattr(outcome, name)}"
                for name in names
                if getattr(known, name) != getattr(outcome, name)
            ]
            if not differences and not store.nodes(full).equals(fresh.nodes(full)):
                differences.append("counters of the nodes")
        found.append(Recomputed(points[full], tuple(differences)))
    return found
