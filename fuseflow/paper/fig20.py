"""Figure 20: the fusion table of T_nbor = A·X·W, cell by cell."""

import pandas as pd

from fuseflow.einsum import parse
from fuseflow.fusion import fuse
from fuseflow.lowering import FusionTable, lower
from fuseflow.paper.experiment import Bar, Experiment, Request, Verdict
from fuseflow.paper.judging import claimed
from fuseflow.schedule import Schedule

PROGRAM = """A[6,6]: cc
X[6,5]: dd
W[5,3]: cc
T0[i,m] = A[i,l] * X[l,m]
T_nbor[i,j] = T0[i,m] * W[m,j]"""

PAPER = {
    "i": ("LS(root)", "Rep(root, A.i)", "A.i", "Rep(root, T0.i)", "T0.i"),
    "l": ("LS(A.i) ∩ LS(X.i)", "LS(A.i) ∩ LS(X.i)", "T0.i", "W.i", "T_nbor.i"),
    "m": ("Rep(A.l, X.m)", "LS(X.l)", "Red1_l ∩ LS(W.l)", "Red1_l ∩ LS(W.l)", "T_nbor.l"),
    "j": ("A.m", "X.m", "T0.m[crd0]", "LS(W.m)", "Red1_m[crd0]"),
    "val": ("Val(A.j)", "Val(X.j)", "Rep(T0.m[val], W.j)", "Val(W.j)", "Red1_m[val]"),
}
"""The cells as the paper prints them; a merged cell in both of its columns."""


COLUMNS = "A X T0 W T_nbor"


def kind_of_paper(cell: str) -> str:
    """What a cell of the paper's table is, in a word."""
    if "∩" in cell:
        return "intersect"
    for start, kind in (("LS", "scan"), ("Rep", "repeat"), ("Val", "values"), ("Red", "reduce")):
        if cell.startswith(start):
            return kind
    return "reference"


def kind_of_ours(cell: str) -> str:
    """The same for one of ours."""
    if cell.startswith("∩"):
        return "intersect"
    starts = (("LScan", "scan"), ("Repeat", "repeat"), ("ValRead", "values"), ("Spacc", "reduce"), ("Reduce", "reduce"))
    for start, kind in starts:
        if cell.startswith(start):
            return kind
    return "reference"


def fused_table() -> FusionTable:
    """The table that our compiler fills for the program of the figure."""
    program = parse(PROGRAM)
    return lower(fuse(program, Schedule.full(program).regions[0])).table


def declare(request: Request) -> tuple[Bar, ...]:
    """No simulation: the table is what the compiler makes."""
    return ()


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """A row per cell: the paper's and ours."""
    table = fused_table()
    rows = []
    for row, cells in PAPER.items():
        for column, paper in zip(table.columns, cells, strict=True):
            ours = table[row, column]
            rows.append(
                {
                    "index": row,
                    "column": column,
                    "paper": paper,
                    "ours": ours.label,
                    "nodes": " ".join(ours.nodes),
                    "same": kind_of_paper(paper) == kind_of_ours(ours.label),
                }
            )
    return pd.DataFrame(rows)


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Rows, columns, and the kind of every cell."""
    table = fused_table()
    different = frame[~frame["same"]]
    reason = "; ".join(f"{row.index_}.{row.column}: {row.paper} / {row.ours}" for row in _named(different).itertuples())
    return [
        claimed("rows", "i l m j val", " ".join(table.rows), table.rows == tuple(PAPER)),
        claimed("columns", COLUMNS, " ".join(table.columns), " ".join(table.columns) == COLUMNS),
        claimed(
            "cells of the same kind", "25 of 25", f"{int(frame['same'].sum())} of {len(frame)}", different.empty,
            "ours names the stream that is repeated, as the published compiler does (compiler notes §3.11); "
            f"the repeat itself is in our graph too, as {_repeat(table)}: {reason}",
        ),
    ]  # fmt: skip


def _repeat(table: FusionTable) -> str:
    """Our node for the paper's Rep(T0.m[val], W.j), which stands in the cell of the product that reads it."""
    return ", ".join(name for name in table["val", "T_nbor"].nodes if name.startswith("repeat")) or "nothing"


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={"index": "index_"})


EXPERIMENT = Experiment(
    "fig20",
    "Figure 20: the fusion table of T_nbor = A·X·W",
    "The fusion table has a row per index and a column per view; a cell is a primitive or a reference.",
    declare,
    derive,
    judge,
)
