"""A figure or table as a notebook shows it: the chart, claim by claim what we found, and the command that made it.

From a run (:func:`shown`), or from rows that an earlier run left (:func:`stored`). Nothing is simulated here.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.datasets.catalog import CATALOG
from fuseflow.datasets.graph import DIRECTORY_VARIABLE
from fuseflow.errors import DataError
from fuseflow.paper.experiment import Experiment, Mode, Request, Verdict
from fuseflow.paper.registry import chosen
from fuseflow.paper.reproduce import Reproduced

WORDS = {True: "✓\u00a0agrees", False: "✗\u00a0differs", None: "not\u00a0judged"}
"""In the last column of the table, without a break."""
_HEAD = ("what", "paper", "ours", "ours / paper", "")
_SIDES = ("left", "right", "right", "right", "left")


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Rows of ``experiment`` with their verdicts. In a notebook: a table of the verdicts, with reasons below.

    ``file`` is where the rows were read, None for those of a run.
    """

    experiment: Experiment
    request: Request
    rows: pd.DataFrame
    verdicts: list[Verdict]
    file: Path | None = None

    @property
    def chart(self) -> Any:
        """The figure's Altair chart of these rows. DataError for a table, which has none: show ``rows``."""
        if self.experiment.chart is None:
            raise DataError(f"{self.experiment.name} has no chart; show its rows")
        return self.experiment.chart(self.rows)

    @property
    def command(self) -> str:
        """What to type to make these rows."""
        request = self.request
        pictures = f" --pictures {request.pictures}" if request.pictures else ""
        choices = f"--mode {request.mode.value} --configuration {request.configuration.value}{pictures}"
        return f"fuseflow paper {self.experiment.name} {choices}"

    def recompute(self, **labels: object) -> str:
        """The command that runs the first row with these ``labels`` again and compares it with its file, bit for bit.

        DataError where rows were not read from a file or need no simulation, for a label that no column has, and where
        no row has them all.
        """
        if self.file is None or "points" not in self.rows:
            raise DataError(f"only simulated rows from a file can be computed again; {self.command} makes these")
        unknown = [name for name in labels if name not in self.rows]
        if unknown:
            raise DataError(f"{self.file} has no column {', '.join(unknown)}; choose among {', '.join(self.rows)}")
        found = self.rows
        for name, value in labels.items():
            found = found[found[name] == value]
        if found.empty:
            asked = ", ".join(f"{name}={value!r}" for name, value in labels.items())
            raise DataError(f"no row of {self.file} has {asked}")
        row = found.iloc[0]
        from_file = any(part in CATALOG for part in str(row["data"]).split(" + "))
        data = f"{DIRECTORY_VARIABLE}=<folder> " if from_file else ""
        keys = dict.fromkeys(part.partition("x")[2] for part in str(row["points"]).split(" + "))
        return f"{data}{self.command} --recompute {','.join(keys)} --against {self.file}"

    def __repr__(self) -> str:
        judged = [verdict.agrees for verdict in self.verdicts if verdict.agrees is not None]
        return f"{self.experiment.title}: {sum(judged)} of {len(judged)} claims agree; made by {self.command}"

    def _repr_html_(self) -> str:
        sides = zip(_HEAD, _SIDES, strict=True)
        head = "".join(f'<th style="text-align:{side}">{name}</th>' for name, side in sides)
        body = "".join(_line(verdict) for verdict in self.verdicts)
        reasons: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            if verdict.reason:
                reasons.setdefault(verdict.reason, []).append(verdict.what)
        why = "".join(f"<li><b>{_text('; '.join(what))}</b>: {_text(reason)}</li>" for reason, what in reasons.items())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{f'<ul>{why}</ul>' if why else ''}"
            f"<p>{_text(self._measured())}All of it: <code>{_text(self.command)}</code></p>"
            f"{''.join(f'<p>{_text(note)}</p>' for note in self.experiment.notes)}"
        )

    def _measured(self) -> str:
        if "status" not in self.rows:
            return ""
        done = self.rows[self.rows["status"] == "done"]
        missing = len(self.rows) - len(done)
        absent = f", {missing} missing" if missing else ""
        error = f"; largest relative error of an output {done['max_rel_error'].max():.1e}" if len(done) else ""
        return f"{len(done)} rows simulated{absent}{error}. "


def _line(verdict: Verdict) -> str:
    ratio = "" if verdict.ratio is None else f"{verdict.ratio:.3g}"
    cells = (verdict.what, verdict.paper, verdict.ours, ratio, WORDS[verdict.agrees])
    return f"<tr>{''.join(map(_cell, cells, _SIDES))}</tr>"


def _cell(text: str, side: str) -> str:
    return f'<td style="text-align:{side}">{_text(text)}</td>'


def _text(text: str) -> str:
    """``text`` as HTML; what stands in backquotes is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def shown(made: Reproduced, request: Request) -> Shown:
    """What :func:`fuseflow.paper.reproduce` made for ``request``, to be shown in a notebook."""
    return Shown(made.experiment, request, made.rows, made.verdicts)


def stored(name: str, folder: str | Path, request: Request | None = None) -> Shown:
    """The rows in ``folder``/``name``.csv, by default of the complete mode, judged as if they had just been run.

    Raises DataError for a figure that does not exist, and for a file that is not there or is not of this figure.
    """
    experiment, *others = chosen([name])
    if others:
        raise DataError(f"name one figure or table, not {name!r}: the rows of each are in a file of its own")
    asked = request if request is not None else Request(Mode.COMPLETE)
    file = Path(folder) / f"{name}.csv"
    command = f"fuseflow paper {name} --mode {asked.mode.value}"
    try:
        rows = pd.read_csv(file, dtype={"points": str, "seed": str, "schedule_hash": str})
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read the stored rows of {name} in {file}: {error}; `{command}` makes them, as data.csv"
        ) from None
    try:
        return Shown(experiment, asked, rows, experiment.judge(rows, asked), file)
    except (KeyError, AttributeError) as error:
        raise DataError(f"{file} is no data.csv of {name}, mode {asked.mode.value}: it has no {error}") from None
