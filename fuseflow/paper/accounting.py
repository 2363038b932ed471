"""Where the cycles of the GCN go, node by node, beside the published totals (Figure 12)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fuseflow.explore.store import Outcome, Status, Store
from fuseflow.paper.experiment import Bar, Configuration, Point, Request
from fuseflow.paper.points import point_key

PLAIN, IMPLIED = "GCN", "GCN, implied weights"
DATASETS = ("cora", "cora_ml")


def account(bars: Sequence[Bar], outcomes: Mapping[Point, Outcome], store: Store, request: Request) -> list[str]:
    """Markdown: a table per data set and schedule, a line per kernel with the node that decides it.

    A second column of cycles is the run that changes the density of the weights alone. Empty in the configuration
    whose cycles are not compared with published ones; a schedule with a missing point is left out.
    """
    if request.configuration is not Configuration.ARTIFACT:
        return []
    lines: list[str] = []
    for bar in bars:
        labels = dict(bar.labels)
        name = str(labels["dataset"]).partition(" ")[0]
        ideal = labels["memory"] == "ideal memory" and labels["run"] == 0
        if labels["model"] != PLAIN or name not in DATASETS or bar.reference is None or not ideal:
            continue
        table = _kernels(bar.parts[0][0], outcomes, store)
        if table is not None:
            lines += _table(labels, bar.reference, table, _flipped(bars, labels, outcomes, store))
    return ["## Node by node", "", *lines] if lines else []


def _flipped(
    bars: Sequence[Bar], labels: Mapping[str, object], outcomes: Mapping[Point, Outcome], store: Store
) -> tuple[str, pd.DataFrame] | None:
    """The zeros and the kernels of the run with the weights that the published cycles imply, if there is one."""
    for bar in bars:
        other = dict(bar.labels)
        dataset, _, zeros = str(other["dataset"]).rpartition(" ")
        if other["model"] == IMPLIED and dataset == labels["dataset"] and other["schedule"] == labels["schedule"]:
            table = _kernels(bar.parts[0][0], outcomes, store)
            return None if table is None else (f"{float(zeros):.1%}", table)
    return None


def _kernels(point: Point, outcomes: Mapping[Point, Outcome], store: Store) -> pd.DataFrame | None:
    """Cycles of every kernel, and its busiest node: the first of those that tie, which the others follow."""
    outcome = outcomes.get(point)
    if outcome is None or outcome.status is not Status.DONE:
        return None
    rows = []
    for kernel, nodes in store.nodes(point_key(point)).groupby("kernel", sort=False):
        busiest = nodes.loc[nodes["busy_cycles"].idxmax()]
        rows.append((kernel, int(nodes["final_clock_cycles"].max()), busiest["node"], int(busiest["busy_cycles"])))
    return pd.DataFrame(rows, columns=["kernel", "cycles", "node", "busy"]).set_index("kernel")


def _table(
    labels: Mapping[str, object], published: float, table: pd.DataFrame, flipped: tuple[str, pd.DataFrame] | None
) -> list[str]:
    other = f" with {flipped[0]} zeros | difference |" if flipped is not None else ""
    lines = [
        f"{labels['model']} {labels['dataset']}, {labels['schedule']}",
        "",
        f"| kernel | busiest node | its busy cycles | cycles with 60 % zeros |{other}",
        "| --- | --- | ---: | ---: |" + (" ---: | ---: |" if flipped is not None else ""),
    ]
    for kernel, row in table.iterrows():
        more = ""
        if flipped is not None:
            changed = int(flipped[1].loc[kernel, "cycles"])
            more = f" {changed:,} | {changed - int(row['cycles']):+,} |"
        lines.append(f"| {kernel} | {row['node']} | {int(row['busy']):,} | {int(row['cycles']):,} |{more}")
    totals = [int(table["cycles"].sum()), *([int(flipped[1]["cycles"].sum())] if flipped is not None else [])]
    change = f" {totals[1]:,} | {totals[1] - totals[0]:+,} |" if flipped is not None else ""
    lines.append(f"| all | | | {totals[0]:,} |{change}")
    shares = " | ".join(f"{total - published:+,.0f} ({total / published - 1:+.1%})" for total in totals)
    tail = " | |" if flipped is not None else " |"
    return [*lines, f"| over the published {published:,.0f} | | | {shares}{tail}", ""]
