"""Figure 17: block-sparse attention in tiles against the same mask element by element."""

from typing import Any

import pandas as pd

from fuseflow.paper import charts
from fuseflow.paper.experiment import (
    Bar,
    Base,
    Configuration,
    Experiment,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Verdict,
)
from fuseflow.paper.judging import claimed, times, value_at

BLOCKS = (16, 32, 64)
PLAIN, LANES, EQUAL = "element by element", "tiles, a lane per element", "tiles, one multiply-add per cycle"


def declare(request: Request) -> tuple[Bar, ...]:
    """Per block size: the mask's elements, and tiles at both conventions of arithmetic throughput."""
    small = {"sequence": 512, "heads": 4, "width": 256} if request.mode is Mode.FAST else {}
    sampled = request.configuration is Configuration.SAME_WORK
    size = "4 heads, 512 tokens" if request.mode is Mode.FAST else "12 heads, 1024 tokens"
    found = []
    for block in BLOCKS:
        model = ModelSpec.of(Kind.ATTENTION, block=block, sampled=sampled, **small)
        tiled = ScheduleSpec(Base.FULL, blocks=block)
        for way, point in (
            (PLAIN, Point(model, ScheduleSpec(Base.FULL))),
            (LANES, Point(model, tiled)),
            (EQUAL, Point(model, tiled, equal_throughput=True)),
        ):
            found.append(Bar.of(point, size=size, block=block, way=way))
    return tuple(found)


def derive(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Adds ``speedup`` over the same mask element by element."""
    made = frame.copy()
    base = {block: value_at(frame, "cycles", block=block, way=PLAIN) for block in BLOCKS}
    made["speedup"] = [
        whole / float(cycles) if (whole := base[int(block)]) is not None and pd.notna(cycles) else float("nan")
        for block, cycles in zip(made["block"], made["cycles"], strict=True)
    ]
    return made


def draw(frame: pd.DataFrame) -> Any:
    """A bar per block size and way."""
    return charts.bars(
        frame.assign(group=[f"block {block}" for block in frame["block"]]), group="group", series="way",
        value="speedup", digits=".3g", y="speedup over element by element (log)",
        title=f"Figure 17: block-sparse attention ({frame['size'].iloc[0]})",
    )  # fmt: skip


def judge(frame: pd.DataFrame, request: Request) -> list[Verdict]:
    """Growth with the block, as the paper counts; at equal throughput it claims nothing."""
    paper, grows = "grows with the block", [value_at(frame, "speedup", block=block, way=LANES) for block in BLOCKS]
    known = [gain for gain in grows if gain is not None]
    holds = known == sorted(known) and known[0] > 1 if len(known) == len(BLOCKS) else None
    equal = [value_at(frame, "speedup", block=block, way=EQUAL) for block in BLOCKS]
    return [
        claimed(f"{LANES}, blocks of 16, 32, 64", paper, ", ".join(map(times, grows)), holds),
        claimed(f"{EQUAL}, blocks of 16, 32, 64", "not stated", ", ".join(map(times, equal)), None),
    ]


EXPERIMENT = Experiment(
    "fig17",
    "Figure 17: block-sparse against unstructured BigBird attention",
    "Computing in tiles gives a speedup that grows with the block.",
    declare,
    derive,
    judge,
    draw,
    notes=(
        "The paper gives a tile unit a lane per element (N x N multiply-adds in a cycle), so most of its gain is more "
        "hardware. At one multiply-add and one word per cycle for both, fused attention gains nothing: without tiles "
        "it already does a multiply-add in every cycle. What tiles then save is memory traffic (column bytes).",
    ),
)
