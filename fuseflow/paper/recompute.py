"""Running single points, or the rows of a data.csv, again, to compare bit for bit."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.errors import DataError
from fuseflow.explore.store import Status, Store
from fuseflow.paper.experiment import Experiment, Point, Request
from fuseflow.paper.points import point_key
from fuseflow.paper.results import points_text, rows_of
from fuseflow.paper.runner import points_of, run_points

OUTCOME = ("status", "cycles", "flops", "bytes", "nodes", "max_rel_error")
"""What is compared of a point; the counters of its nodes come on top."""
ROW = ("points", "data", "seed", "schedule_hash", *OUTCOME, "dense_tokens", "held_coordinates")
"""Columns that are compared of a row: what was run, and everything measured but the time."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What was run again: what differed from the stored result (nothing, if it is the same bit for bit)."""

    name: str
    differences: tuple[str, ...]


def recompute(
    experiments: Sequence[Experiment], request: Request, store: Store, keys: Sequence[str], gigabytes: float
) -> list[Recomputed]:
    """Run the points whose keys begin with ``keys`` again, and compare every number and every node's counters.

    Raises DataError for a key that no point of ``experiments`` has, or that has no finished result in ``store``.
    """
    points = {point_key(point): point for point in points_of(bar for item in experiments for bar in item.bars(request))}
    chosen = [full for key in keys for full in [_only(key, points)]]
    known = store.find(chosen)
    for full in chosen:
        if full not in known or known[full].status is not Status.DONE:
            raise DataError(
                f"there is no finished result of {points[full]} in {store.folder}; name the folder of the results in "
                "--store, or a data.csv with the row in --against, or run the figure first"
            )
    found = []
    for full in chosen:
        with _run([points[full]], gigabytes) as (fresh, outcomes):
            differences = _differences(OUTCOME, known[full], outcomes[points[full]])
            if not differences and not store.nodes(full).equals(fresh.nodes(full)):
                differences.append("counters of the nodes")
        found.append(Recomputed(str(points[full]), tuple(differences)))
    return found


def recompute_rows(
    experiment: Experiment, request: Request, file: Path, keys: Sequence[str], gigabytes: float
) -> list[Recomputed]:
    """Run the rows of ``file`` (a data.csv of ``experiment``) again whose points all have their keys among ``keys``.

    Raises DataError for a file that is no such table, and where no row is made of these points.
    """
    rows = _read(file)
    bars = {points_text(bar): bar for bar in experiment.bars(request)}
    wanted = [row for _, row in rows.iterrows() if {key[:12] for key in keys} >= _keys(str(row["points"]))]
    if not wanted:
        raise DataError(
            f"no row of {file} is made of the points {', '.join(keys)}; give all keys of its column 'points', "
            "separated by commas"
        )
    found = []
    for row in wanted:
        bar = bars.get(str(row["points"]))
        if bar is None:
            raise DataError(
                f"{experiment.name} has no row of the points {row['points']} in this mode and configuration, with this "
                "version of fuseflow and these data: take --mode, --configuration and FUSEFLOW_DATA from the row's "
                "column 'command'"
            )
        with _run([point for point, _ in bar.parts], gigabytes) as (fresh, outcomes):
            again = rows_of(experiment, [bar], outcomes, fresh, request).iloc[0]
        labels = " ".join(str(value) for _, value in bar.labels)
        found.append(Recomputed(labels, tuple(_differences(ROW, row, again))))
    return found


@contextmanager
def _run(points: Sequence[Point], gigabytes: float) -> Iterator[tuple[Store, dict[Point, Any]]]:
    """``points`` run in a store of their own, which goes again."""
    with tempfile.TemporaryDirectory(prefix="fuseflow-") as scratch:
        fresh = Store(Path(scratch))
        yield fresh, run_points(list(dict.fromkeys(points)), fresh, gigabytes=gigabytes)


def _only(key: str, points: Iterable[str]) -> str:
    several = [full for full in points if full.startswith(key)]
    if len(several) != 1:
        raise DataError(
            f"{len(several)} points of this figure, mode and configuration have a key that begins with {key!r}; take "
            "keys from the column 'points' of its data.csv, and the same FUSEFLOW_DATA"
        )
    return several[0]


def _differences(names: Sequence[str], stored: Any, now: Any) -> list[str]:
    """``stored`` and ``now`` are outcomes, or rows; of a row that was read, numbers are numbers again."""
    found = []
    for name in names:
        old, new = (item[name] if isinstance(item, pd.Series) else getattr(item, name) for item in (stored, now))
        if not (old == new or str(old) == str(new) or (pd.isna(old) and pd.isna(new))):
            found.append(f"{name}: stored {old}, now {new}")
    return found


def _read(file: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(file, dtype={"points": str, "seed": str, "data": str, "schedule_hash": str})
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {file}: {error}; give the data.csv that a figure's folder has") from None
    absent = [name for name in ROW if name not in rows]
    if absent:
        raise DataError(f"{file} has no column {', '.join(absent)}; give the data.csv of a simulated figure")
    return rows


def _keys(points: str) -> set[str]:
    return {part.partition("x")[2] for part in points.split(" + ")}
