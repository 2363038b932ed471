"""The files of one experiment: chart (HTML, SVG), data (CSV), comparison (Markdown); each whole or not at all."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from fuseflow.errors import DataError
from fuseflow.formats.atomic import replacing
from fuseflow.paper.experiment import Experiment, Request, Verdict
from fuseflow.report.folder import make_folder


def write_experiment(
    experiment: Experiment,
    rows: pd.DataFrame,
    verdicts: list[Verdict],
    request: Request,
    folder: Path,
    details: Sequence[str] = (),
) -> None:
    """Write everything of ``experiment`` into ``folder``/its name; DataError where that fails."""
    target = folder / experiment.name
    make_folder(target, experiment.title)
    try:
        _write(target / "data.csv", rows.to_csv(index=False))
        _write(target / "comparison.md", comparison(experiment, rows, verdicts, request, details))
        if experiment.chart is None:
            _write(target / "table.html", _table_page(experiment, rows))
            return
        chart = experiment.chart(rows)
        import vl_convert

        _write(target / "chart.svg", vl_convert.vegalite_to_svg(chart.to_dict()))
        _write(target / "chart.html", chart.to_html(inline=True))
    except OSError as error:
        raise DataError(
            f"cannot write {experiment.name} into {target}: {error.strerror or error}; free some space or give another "
            "folder. What was simulated is kept in the store"
        ) from None


def comparison(
    experiment: Experiment, rows: pd.DataFrame, verdicts: list[Verdict], request: Request, details: Sequence[str] = ()
) -> str:
    """``comparison.md``: the claim, and line by line what the paper has, what we have, and why they differ."""
    lines = [
        f"# {experiment.title}",
        "",
        f"Claim: {experiment.claim}",
        "",
        f"Mode {request.mode.value}, configuration {request.configuration.value}. Made by "
        f"`fuseflow paper {experiment.name} --mode {request.mode.value} --configuration "
        f"{request.configuration.value}`.",
        "",
        *verdict_table(verdicts),
    ]
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.reason:
            reasons.setdefault(verdict.reason, []).append(verdict.what)
    if reasons:
        lines += ["", *(f"* **{'; '.join(what)}**: {reason}" for reason, what in reasons.items())]
    if "status" in rows:
        missing = rows[rows["status"] == "missing"]
        done = rows[rows["status"] == "done"]
        worst = done["max_rel_error"].astype("float64").max() if len(done) else float("nan")
        lines += ["", f"{len(done)} rows measured, largest relative error of an output {worst:.1e}."]
        lines += [f"* missing: {reason}" for reason in dict.fromkeys(missing["reason"])]
        lines += _seeds(rows)
    lines += ["", *experiment.notes] if experiment.notes else []
    lines += ["", *details] if details else []
    return "\n".join(lines) + "\n"


def _seeds(rows: pd.DataFrame) -> list[str]:
    """How many rows were run with several seeds, and how far their cycles are apart."""
    labels = [name for name in rows.columns[: rows.columns.get_loc("cycles")] if name != "run"]
    if "run" not in rows or not labels:
        return []
    groups = rows.assign(cycles=rows["cycles"].astype("float64")).groupby(labels, sort=False, dropna=False)["cycles"]
    several = groups.agg(["count", "min", "max"]).query("count > 1")
    if several.empty:
        return ["", "One seed."]
    apart = (several["max"] / several["min"] - 1).sort_values()
    where = apart.index[-1]
    name = " ".join(str(part) for part in where) if isinstance(where, tuple) else str(where)
    return [
        "",
        f"{len(several)} of {len(groups)} were run with {int(several['count'].max())} seeds and are means; their "
        f"cycles are at most {apart.iloc[-1]:.2%} apart ({name}), {apart.median():.2%} in the median. The others have "
        "one seed.",
    ]


def verdict_table(verdicts: list[Verdict]) -> list[str]:
    """The verdicts as the lines of a Markdown table."""
    words = {True: "agrees", False: "differs", None: "not judged"}
    return [
        "| what | paper | ours | ours / paper | |",
        "| --- | ---: | ---: | ---: | --- |",
        *(
            f"| {item.what} | {item.paper} | {item.ours} | {'' if item.ratio is None else f'{item.ratio:.3g}'} | "
            f"{words[item.agrees]} |"
            for item in verdicts
        ),
    ]


def _table_page(experiment: Experiment, rows: pd.DataFrame) -> str:
    """A page with the rows as a table, without anything loaded from elsewhere."""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if pd.isna(cell) else escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows.itertuples(index=False)
    )
    style = "body{font:15px sans-serif;margin:2em}td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(experiment.title)}</title>'
        f"<style>{style}table{{border-collapse:collapse}}</style></head><body><h1>{escape(experiment.title)}</h1>"
        f"<p>{escape(experiment.claim)}</p><table><tr>{head}</tr>{body}</table></body></html>"
    )


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())
