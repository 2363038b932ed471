"""Figure 17: block-sparse attention in tiles against the same mask element by element."""

import pandas as pd

from fuseflow.paper.experiment import Bar, Experiment, Request, Verdict

BLOCKS = (16, 32, 64)


def declare(request: Request) -> tuple[Bar, ...]:
    """Nothing until tiles are values."""
    return ()


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """The rows as they are."""
    return frame


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Nothing to judge."""
    return []


EXPERIMENT = Experiment(
    "fig17",
    "Figure 17: block-sparse against unstructured BigBird attention",
    f"Tiles of {', '.join(map(str, BLOCKS))} give a speedup that grows with the tile.",
    declare,
    derive,
    judge,
    unavailable="values are scalars so far; it needs tiles as values, and nothing is plotted that was not run",
)
