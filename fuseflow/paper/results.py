"""The rows of a figure from finished points: nothing is filled in, a bar with a missing point has no number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.paper.experiment import Bar, Experiment, Point, Request
from fuseflow.paper.points import data_folder, point_key, schedule_hash
from fuseflow.schedule import Schedule

MEASURED = (
    "cycles", "flops", "bytes", "dense_tokens", "held_coordinates", "nodes", "max_rel_error", "seconds", "status",
    "reason", "data", "seed", "schedule_hash", "points", "reference", "ratio_to_reference", "command",
)  # fmt: skip
"""Columns that every simulated figure has, behind those of its labels.

``max_rel_error`` is the largest over the points of the row, against eager PyTorch (einsum text: the dense
interpreter in float64); ``nodes`` counts the graphs of every point once. ``dense_tokens`` are the busy cycles of
scanners of dense levels, which read no memory: a coordinate each, and a stop per fiber. ``held_coordinates`` are those
that scanners of an outermost level read again, of the one fiber that it has. Figure 14 needs both.
"""


def rows_of(
    experiment: Experiment, bars: Sequence[Bar], outcomes: Mapping[Point, Outcome], store: Store, request: Request
) -> pd.DataFrame:
    """One row per bar: labels, what was measured, and how to measure it again."""
    table = store.table()
    about = {str(row["key"]): row for row in table.to_dict("records")}
    rows = [_row(experiment, bar, outcomes, about, request, store) for bar in bars]
    return pd.DataFrame(rows)


def _row(
    experiment: Experiment,
    bar: Bar,
    outcomes: Mapping[Point, Outcome],
    about: Mapping[str, Mapping[str, Any]],
    request: Request,
    store: Store,
) -> dict[str, Any]:
    found = [(outcomes.get(point), point, times) for point, times in bar.parts]
    done = all(outcome is not None and outcome.status is Status.DONE for outcome, _, _ in found)
    reasons = [
        f"{point}: {'not run' if outcome is None else outcome.reason or outcome.status.value}"
        for outcome, point, _ in found
        if outcome is None or outcome.status is not Status.DONE
    ]
    keys = [point_key(point) for point, _ in bar.parts]
    stored = [about[key] for key in keys if key in about]
    cycles = _total(found, "cycles") if done else None
    hashes = [
        schedule_hash(Schedule.from_json(row["schedule_json"])) for row in stored if done and row["schedule_json"]
    ]
    choices = f" --configuration {request.configuration.value}"
    pictures = f" --pictures {request.pictures}" if request.pictures else ""
    return {
        **dict(bar.labels),
        "cycles": cycles,
        "flops": _total(found, "flops") if done else None,
        "bytes": _total(found, "bytes") if done else None,
        "dense_tokens": _of_nodes(_dense_tokens, keys, bar, store) if done else None,
        "held_coordinates": _of_nodes(_held_coordinates, keys, bar, store) if done else None,
        "nodes": sum(outcome.nodes or 0 for outcome, _, _ in found if outcome is not None) if done else None,
        "max_rel_error": max((outcome.max_rel_error or 0.0 for outcome, _, _ in found if outcome), default=0.0)
        if done
        else None,
        "seconds": sum(outcome.seconds for outcome, _, _ in found if outcome is not None),
        "status": "done" if done else "missing",
        "reason": "; ".join(reasons),
        "data": " + ".join(dict.fromkeys(str(row["dataset"]) or "noise" for row in stored)),
        "seed": " + ".join(dict.fromkeys(str(point.model.data_seed) for point, _ in bar.parts)),
        "schedule_hash": " + ".join(dict.fromkeys(hashes)),
        "points": points_text(bar),
        "reference": bar.reference,
        "ratio_to_reference": None if bar.reference is None or cycles is None else cycles / bar.reference,
        "command": f"{data_folder()}fuseflow paper {experiment.name} --mode {request.mode.value}{choices}{pictures} "
        f"--recompute {','.join(dict.fromkeys(key[:12] for key in keys))} --against data.csv",
    }


def points_text(bar: Bar) -> str:
    """How often which points run for ``bar``, as rows name them: ``12x3f0a... + 1x...``."""
    return " + ".join(f"{times}x{point_key(point)[:12]}" for point, times in bar.parts)


def _of_nodes(count: Callable[[pd.DataFrame], int], keys: Sequence[str], bar: Bar, store: Store) -> int:
    """``count`` over the nodes of every point of ``bar``, as often as it runs."""
    return sum(times * count(store.nodes(key)) for key, (_, times) in zip(keys, bar.parts, strict=True))


def _dense_tokens(nodes: pd.DataFrame) -> int:
    """Busy cycles of the dense scanners of a finished point: those that read no coordinate from memory."""
    dense = nodes["node"].str.startswith("scan") & (nodes["coordinates_read"] == 0)
    return int(nodes.loc[dense, "busy_cycles"].sum())


def _held_coordinates(nodes: pd.DataFrame) -> int:
    """Coordinates read again from the one fiber of an outermost compressed level, whose reference is repeated.

    Every coordinate and every fiber costs a cycle; what is read is the coordinates, and two segment entries per
    reference that differs from the one before (simulator rule 3.1). So fewer words than cycles tell a repeated
    reference, and as the outermost level has one fiber, two entries were read.
    """
    scans = nodes[nodes["node"].str.startswith("scan") & (nodes["coordinates_read"] > 0)]
    held = scans[scans["coordinates_read"] < scans["busy_cycles"]]
    read = held["coordinates_read"] - 2
    fibers = held["busy_cycles"] - read
    return int((read - read // fibers).sum())


def _total(found: Sequence[tuple[Outcome | None, Point, int]], column: str) -> int:
    return sum(times * int(getattr(outcome, column) or 0) for outcome, _, times in found)


def speedups(frame: pd.DataFrame, within: Sequence[str], series: str, baseline: str) -> pd.DataFrame:
    """``frame`` with ``speedup``: cycles of the row whose ``series`` is ``baseline`` over its own, per ``within``."""
    made = frame.copy()
    made["speedup"] = None
    for _, part in frame.groupby(list(within), sort=False, dropna=False):
        base = part.loc[part[series] == baseline, "cycles"]
        if len(base) == 1 and pd.notna(base.iloc[0]):
            made.loc[part.index, "speedup"] = [
                float(base.iloc[0]) / float(cycles) if pd.notna(cycles) else None for cycles in part["cycles"]
            ]
    made["speedup"] = made["speedup"].astype("float64")
    return made


def spread(frame: pd.DataFrame, within: Sequence[str], value: str) -> pd.DataFrame:
    """One row per ``within``: mean, smallest and largest ``value`` over the seeds, and how many of them are missing."""
    grouped = frame.groupby(list(within), sort=False, dropna=False)[value]
    made = grouped.agg(mean="mean", low="min", high="max", seeds="size", done="count").reset_index()
    return made.rename(columns={"mean": value})
