"""What Figures 16a and 16b share: block-sparse attention over parallel lanes."""

from fuseflow.paper.experiment import Base, Configuration, Kind, Mode, ModelSpec, Point, Request, ScheduleSpec
from fuseflow.schedule import Lanes

HEADS, ROWS = "j", "k"
"""Index variables of the attention program: heads and query rows."""


def attention_point(request: Request, heads: int = 1, rows: int = 1) -> Point:
    """Fused attention, block 64, with so many lanes of heads and of query rows; small in the fast mode."""
    sampled = request.configuration is Configuration.SAME_WORK
    small = {"block": 16, "sequence": 256, "heads": 4, "width": 256} if request.mode is Mode.FAST else {"block": 64}
    model = ModelSpec.of(Kind.ATTENTION, sampled=sampled, **small)
    lanes = tuple(Lanes(index, count) for index, count in ((HEADS, heads), (ROWS, rows)) if count > 1)
    return Point(model, ScheduleSpec(Base.FULL, lanes=lanes))


def short_runs(request: Request) -> str:
    """Why lanes gain less in the fast mode than at full size; empty in the other modes."""
    if request.mode is not Mode.FAST:
        return ""
    return (
        "the fast mode has 256 tokens and 4 heads, so few rows per lane that filling and draining the graph and the "
        "one longest row count; the other modes have 1024 tokens and 12 heads, with the same kind of mask."
    )


def size_label(request: Request) -> str:
    """The sizes as a chart names them."""
    return "4 heads, 256 tokens, block 16" if request.mode is Mode.FAST else "12 heads, 1024 tokens, block 64"
