"""HTML tables of a report. Everything that comes from a name is escaped here."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from fuseflow.lowering import FusionTable
from fuseflow.lowering.table import VALUE_ROW
from fuseflow.report.protocols import CompiledLike, RunLike

MISSING = "–"


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return MISSING if pd.isna(value) else f"{int(value):,}"


def times(value: float) -> str:
    """A ratio, to three digits or two decimals."""
    if pd.isna(value):
        return MISSING
    return f"{value:.2f}×" if value >= 0.1 else f"{value:.2g}×"


def seconds(value: float) -> str:
    """Seconds to a hundredth."""
    return MISSING if pd.isna(value) else f"{value:.2f}"


def results_table(frame: pd.DataFrame, caption: str) -> str:
    """The rows of a comparison; ``caption`` is HTML."""
    over = " and ".join(escape(str(name)) for name in frame.baseline.unique())
    head = (
        "schedule", "kernels", "nodes", "cycles", f"speedup over {over}", "FLOPs", "bytes", "largest relative error",
        "reference cycles", "ours / reference", "compile (s)", "simulate (s)",
    )  # fmt: skip
    body = [
        (
            escape(row.schedule), count(row.kernels), count(row.nodes), count(row.cycles), times(row.speedup),
            count(row.flops), count(row.bytes), f"{row.max_rel_error:.1e}", count(row.reference_cycles),
            times(row.ratio_to_reference), seconds(row.compile_seconds), seconds(row.simulate_seconds),
        )
        for row in frame.itertuples()
    ]  # fmt: skip
    return _table(head, body, caption, "results")


def regions_table(compiled: CompiledLike, run: RunLike, caption: str) -> str:
    """One row per region: what it fuses, its dataflow order, what it computes again, its size and cycles."""
    head = ("region", "statements", "dataflow order", "recomputed", "nodes", "cycles", "FLOPs", "bytes")
    body = []
    for region, kernel in zip(compiled.regions, run.kernels, strict=True):
        again = "<br>".join(
            f"{escape(name)} for every {escape(' '.join(over))}" for name, over in region.recomputed.items()
        )
        result = kernel.result
        body.append(
            (
                escape(region.region.name), escape(", ".join(region.region.statements)), escape(" ".join(region.order)),
                again or "nothing", count(len(region.graph)), count(result.cycles), count(result.flops),
                count(result.bytes),
            )
        )  # fmt: skip
    return _table(head, body, caption, "regions")


def lanes_table(lanes: pd.DataFrame, caption: str) -> str:
    """One row per lane (``Run.lanes()`` of one kernel); the last column is drawn as a bar, too."""
    head = ("lane", "nodes", "busiest node", "busy cycles", "part of the kernel's cycles")
    body = [
        (
            escape(row.lane), count(row.nodes), escape(row.busiest), count(row.busy_cycles),
            f'<span class="bar" style="--part: {min(row.use, 1):.3f}"></span>{row.use:.1%}',
        )
        for row in lanes.itertuples()
    ]  # fmt: skip
    return _table(head, body, caption, "lanes")


def fusion_table(table: FusionTable, prefix: str, caption: str) -> str:
    """``table`` with the nodes of a cell as its tooltip and, for the page's script, the ids of their pictures."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    lines = []
    for row in table.rows:
        cells = [f'<th scope="row">{escape("value" if row == VALUE_ROW else row)}</th>']
        for column in table.columns:
            cell = table[row, column]
            if not cell.nodes:
                cells.append(f'<td class="reference" title="refers to another cell">{escape(cell.label)}</td>')
            else:
                places = " ".join(f"{prefix}node-{node}" for node in cell.nodes)
                title = f"node{'s' if len(cell.nodes) > 1 else ''} {', '.join(cell.nodes)}"
                cells.append(f'<td title="{escape(title)}" data-nodes="{escape(places)}">{escape(cell.label)}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table class="fusion"><caption>{caption}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _table(head: Sequence[str], body: Sequence[Sequence[str]], caption: str, kind: str) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    rows = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in body
    )
    return (
        f'<div class="wide"><table class="{kind}"><caption>{caption}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
