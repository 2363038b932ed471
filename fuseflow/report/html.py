"""One self-contained page about a comparison: charts, tables, fused graphs, fusion tables and schedules.

The page loads nothing: style and script are inside, pictures are inline SVG, fonts are the reader's.
"""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from fuseflow.dataflow import Graph, to_svg
from fuseflow.dataflow.show import MAX_DRAWN_NODES
from fuseflow.errors import DataError, FuseflowError
from fuseflow.formats.atomic import replacing
from fuseflow.models import Model
from fuseflow.report import charts
from fuseflow.report.folder import check_writable, make_folder
from fuseflow.report.protocols import ComparisonLike, CompiledLike, CompiledRegionLike, RunLike
from fuseflow.report.reference import REFERENCE_SOURCE
from fuseflow.report.svg import chart_svg, with_ids
from fuseflow.report.tables import count, fusion_table, lanes_table, regions_table, results_table
from fuseflow.sim.lane_use import lane_words

FILE_NAME = "report.html"

LANES_OPEN = 16
"""Most lanes of a kernel whose table is unfolded from the start."""


def write_report(comparison: ComparisonLike, folder: str | Path) -> Path:
    """Write ``report.html`` into ``folder`` (made if it is missing) and return its path.

    The file appears whole, replacing an older one, or not at all. Raises DataError for a folder that cannot be
    written and for a comparison without rows or without what was compiled.
    """
    target = Path(folder) / FILE_NAME
    check_writable(target.parent, "the report")
    page = render(comparison).encode()
    make_folder(target.parent, "the report")
    with replacing(target) as file:
        file.write(page)
    return target


def render(comparison: ComparisonLike) -> str:
    """The text of the page. Raises DataError for a comparison without rows or without what was compiled."""
    frame = pd.DataFrame(comparison)
    names = [str(name) for name in frame.schedule]
    absent = [name for name in names if name not in comparison.compiled or name not in comparison.runs]
    if absent or not names:
        what = f"row {absent[0]!r} has nothing compiled behind it" if absent else "the comparison has no rows"
        raise DataError(f"cannot write a report: {what}; pass what fuseflow.compare returned, or a slice of it")
    model = comparison.compiled[names[0]].model
    page = _Page(model)
    title = escape(f"{model.name}{f' on {model.dataset}' if model.dataset else ''}: {', '.join(names)}")
    links = "".join(f'<a href="#schedule-{number}">{escape(name)}</a>' for number, name in enumerate(names))
    sections = [
        f"<header><h1>{title}</h1>{page.facts(frame)}"
        f'<nav><a href="#results">results</a><a href="#reference">reference</a>{links}</nav></header>',
        f'<section id="results"><h2>Results</h2>{page.results(frame, comparison.runs)}</section>',
        f'<section id="reference"><h2>Ours and the reference\'s cycles</h2>{page.reference(frame)}</section>',
    ]
    for number, name in enumerate(names):
        inner = page.schedule(comparison.compiled[name], comparison.runs[name], f"s{number}")
        sections.append(f'<section id="schedule-{number}"><h2>Schedule {escape(name)}</h2>{inner}</section>')
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} · fuseflow</title>\n<style>\n{_asset('page.css')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(sections)
        + "\n<footer>Written by fuseflow. The page loads nothing from elsewhere.</footer>\n"
        f"</main>\n<script>\n{_asset('page.js')}</script>\n</body>\n</html>\n"
    )


class _Page:
    """The sections of one page; what they share is the model that all schedules belong to."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.twin = f'<span class="twin">synthetic twin of {escape(model.dataset)}</span>' if model.synthetic else ""

    def caption(self, text: str) -> str:
        """``text`` (HTML), marked if the data are synthetic: every table and chart has its own mark."""
        return f"{text} {self.twin}".strip()

    def facts(self, frame: pd.DataFrame) -> str:
        """Data set, machine, check and notes of the model, and its program."""
        model = self.model
        worst = frame.max_rel_error.max()
        real = "real data" if model.dataset else "data given by the caller"
        facts = {
            "data": f"{escape(model.dataset)} {self.twin or f'({real})'}".strip(),
            "machine": escape(", ".join(frame.machine.unique())),
            "checked against": f"{escape(model.reference_name)}: largest relative error {worst:.1e}",
            **{escape(name): escape(value) for name, value in model.notes.items()},
        }
        items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
        warning = (
            f"<p>{self.twin} A generated graph of the same size stands in for {escape(model.dataset)}, which was not "
            "found on this machine. Its numbers are not those of the real graph.</p>"
            if model.synthetic
            else ""
        )
        return f"{warning}<dl>{items}</dl>{_details('The program', _code(repr(model.program)))}"

    def results(self, frame: pd.DataFrame, runs: Any) -> str:
        """The table and the charts of all schedules."""
        single = [
            {
                "model": self.model.name, "dataset": self.model.dataset, "synthetic": self.model.synthetic,
                "schedule": name, "kernel": kernel.name, "position": position, "cycles": kernel.result.cycles,
            }
            for name in frame.schedule
            for position, kernel in enumerate(runs[name].kernels)
        ]  # fmt: skip
        error = f"Errors are against {escape(self.model.reference_name)}."
        pictures = (
            self.figure(charts.speedups(frame), "c1-", "The dashed line is the schedule compared with."),
            self.figure(charts.kernels(pd.DataFrame(single)), "c2-", "Every segment is one kernel, in running order."),
            self.figure(charts.traffic(frame), "c3-", "Down and left is less work and less memory traffic."),
        )
        return f'{results_table(frame, self.caption(error))}<div class="charts">{"".join(pictures)}</div>'

    def reference(self, frame: pd.DataFrame) -> str:
        """Our cycles beside those of the published artifact, or that it has none for this."""
        where = "Where and why ours differ is explained in <code>docs/fidelity.md</code> of the repository."
        if not frame.reference_cycles.notna().any():
            return (
                f"<p>The reference ({escape(REFERENCE_SOURCE)}) has no value for this model, data set, configuration "
                f"and machine. {where}</p>"
            )
        note = " The reference's values are of the real graph, ours of its twin." if self.model.synthetic else ""
        picture = self.figure(charts.against_reference(frame), "c4-", f"Reference: {escape(REFERENCE_SOURCE)}.{note}")
        return f'<p>{where}</p><div class="charts">{picture}</div>'

    def schedule(self, compiled: CompiledLike, run: RunLike, prefix: str) -> str:
        """Regions, their graphs and fusion tables, and the schedule as code and as JSON."""
        parts = [regions_table(compiled, run, self.caption("Regions in the order in which they run."))]
        parts += self.lanes(run)
        for number, region in enumerate(compiled.regions):
            parts.append(self.region(region, f"{prefix}r{number}-", shown=len(compiled.regions) == 1))
        code = f"import fuseflow as ff\n\n{compiled.schedule.to_code()}"
        parts.append(_details("The schedule as Python", _code(code)))
        parts.append(_details("The schedule as JSON", _code(compiled.schedule.to_json())))
        return "".join(parts)

    def lanes(self, run: RunLike) -> Iterator[str]:
        """For every kernel with parallel lanes, how busy each of them was."""
        use = run.lanes()
        for kernel, words in lane_words(use).items():
            lanes = use[use["kernel"] == kernel]
            table = lanes_table(lanes, self.caption(escape(f"{kernel}: {words}.")))
            summary = f"Lanes of {escape(kernel)}: {len(lanes)}, busy {lanes['use'].mean():.0%} of the time on average"
            yield _details(summary, table, shown=len(lanes) <= LANES_OPEN)

    def region(self, region: CompiledRegionLike, prefix: str, *, shown: bool) -> str:
        """Graph and fusion table of one region."""
        name = escape(region.region.name)
        nodes = count(len(region.graph))
        text = "Rows are the dataflow order. A click on a cell that made a node shows the node in the graph."
        table = fusion_table(region.table, prefix, self.caption(text))
        return _details(
            f"Fused graph of {name}, {nodes} nodes", self.graph(region.graph, prefix), shown=shown
        ) + _details(f"Fusion table of {name}", table)

    def graph(self, graph: Graph, prefix: str) -> str:
        """The picture of ``graph``, or the reason why there is none."""
        if len(graph) > MAX_DRAWN_NODES:
            return (
                f"<p>No picture above {MAX_DRAWN_NODES} nodes; <code>fuseflow show --what svg</code> draws it all the "
                "same.</p>"
            )
        try:
            picture = with_ids(to_svg(graph), prefix)
        except FuseflowError as fault:
            return f"<p>No picture: {escape(str(fault))}</p>"
        buttons = "".join(
            f'<button type="button" data-zoom="{action}">{label}</button>'
            for action, label in (("out", "smaller"), ("in", "larger"), ("fit", "fit width"), ("full", "100 %"))
        )
        caption = self.caption(f"Dataflow graph {escape(graph.name)}. Drag to move, Ctrl and wheel to zoom.")
        return (
            f'<div class="zoom">{buttons}</div><div class="graph" tabindex="0">{picture}</div>'
            f'<p class="caption">{caption}</p>'
        )

    def figure(self, chart: Any, prefix: str, text: str) -> str:
        """``chart`` with its caption."""
        return f"<figure>{chart_svg(chart, prefix)}<figcaption>{self.caption(text)}</figcaption></figure>"


def _details(summary: str, inner: str, *, shown: bool = False) -> str:
    return f"<details{' open' if shown else ''}><summary>{summary}</summary>{inner}</details>"


def _code(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>"


def _asset(name: str) -> str:
    return files("fuseflow.report").joinpath(name).read_text(encoding="utf-8")
