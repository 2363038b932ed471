"""Running experiments and writing what came out."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fuseflow.errors import DataError
from fuseflow.explore.store import Status, Store
from fuseflow.paper.experiment import Experiment, Request, Verdict
from fuseflow.paper.given import check_given
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

    @property
    def why_missing(self) -> str:
        """The reason of the first row that is missing; empty if none is."""
        return str(self.rows.loc[self.rows["status"] == "missing", "reason"].iloc[0]) if self.missing else ""


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
    check_given(experiments, points, request)
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
