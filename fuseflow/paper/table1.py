"""Table 1 as a feature table: what fuseflow can do, each feature shown by a run and checked."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from fuseflow.compiled import compile
from fuseflow.dataflow.blocks import Join, Joiner
from fuseflow.errors import FuseflowError
from fuseflow.estimating import estimate
from fuseflow.fusion import fuse
from fuseflow.models import Model, attention, from_text, gcn
from fuseflow.paper.experiment import Bar, Base, Experiment, Request, ScheduleSpec, Verdict
from fuseflow.paper.judging import claimed
from fuseflow.paper.recipes import build_schedule
from fuseflow.schedule import Lanes, Schedule


def _checked(model: Model, schedule: Schedule) -> str:
    compiled = compile(model, schedule)
    run = compiled.simulate()
    return f"{len(compiled.regions)} graphs, {run.cycles:,} cycles, error {run.check().max_rel_error:.1e}"


def _spec(model: Model, base: Base, *lanes: Lanes) -> str:
    return _checked(model, build_schedule(ScheduleSpec(base, lanes=lanes), model.program))


def _orders() -> str:
    program = gcn("karate").program
    found = fuse(program, Schedule.full(program).regions[0]).count_orders(duplicates=True)
    return f"{found.orders:,} legal orders of the fused GCN"


def _heuristic() -> str:
    model = gcn("karate")
    guess, run = estimate(model, "partial"), compile(model, "partial").simulate()
    return f"FLOPs {guess.flops / run.flops:.3f}, bytes {guess.bytes / run.bytes:.3f} of the simulation"


def _intersections() -> str:
    generator = np.random.default_rng(0)
    one, other = (generator.random((20, 20)) * (generator.random((20, 20)) < 0.3) for _ in range(2))
    model = from_text("A[20,20]: cc\nB[20,20]: cc\nY[i,j] = A[i,j] * B[i,j]", A=one, B=other)
    compiled = compile(model, "full")
    joins = sum(
        isinstance(node.block, Joiner) and node.block.join is Join.INTERSECT for node in compiled.regions[0].graph.nodes
    )
    return f"{joins} intersections; {_checked(model, compiled.schedule)}"


FEATURES: tuple[tuple[str, str, str, Callable[[], str]], ...] = (
    ("fusion within an expression (IIF)", "yes", "yes", _intersections),
    ("fusion across expressions (EKF)", "no", "yes", lambda: _spec(gcn("karate"), Base.FULL)),
    ("global iteration", "yes", "yes", lambda: _spec(gcn("karate"), Base.EXPRESSION_GLOBAL)),
    ("factored iteration", "no", "yes", lambda: _spec(gcn("karate"), Base.EXPRESSION)),
    ("non-linear operations in a graph", "no", "yes", lambda: _spec(gcn("karate"), Base.PARTIAL)),
    ("masked softmax attention", "no", "yes", lambda: _spec(attention(small=True), Base.FULL)),
    ("parallel lanes of two indices", "no", "yes",
     lambda: _spec(attention(small=True), Base.FULL, Lanes("j", 2), Lanes("k", 2))),
    ("dataflow orders enumerated", "no", "yes", _orders),
    ("heuristic before simulation", "no", "yes", _heuristic),
)  # fmt: skip
"""Feature, Custard and Stardust (C+S), FuseFlow, and the run that shows it here."""


def declare(request: Request) -> tuple[Bar, ...]:
    """No points: every feature is a run of its own, small."""
    return ()


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """A row per feature; ``shown`` is what the run said, or the error that it raised."""
    rows = []
    for name, prior, paper, show in FEATURES:
        try:
            shown, works = show(), True
        except FuseflowError as error:
            shown, works = str(error), False
        rows.append({"feature": name, "C+S": prior, "FuseFlow": paper, "here": works, "shown": shown})
    return pd.DataFrame(rows)


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """What FuseFlow can do is there and runs."""
    return [
        claimed(row.feature, row.FuseFlow, row.shown, (row.FuseFlow == "yes") == bool(row.here), row.shown)
        for row in frame.itertuples()
    ]


EXPERIMENT = Experiment(
    "table1",
    "Table 1: features",
    "FuseFlow fuses across expressions with non-linear operations, in factored iteration; Custard and Stardust "
    "(C+S) fuse "
    "within single expressions.",
    declare,
    derive,
    judge,
    notes=("The columns C+S and FuseFlow are the paper's statements; `here` is what ran.",),
)
