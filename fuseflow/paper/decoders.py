"""The twelve decoders of GPT-3 in Figure 12: which kernels run how often, and what the published totals imply."""

from typing import Any

import pandas as pd

from fuseflow.paper.experiment import (
    Bar,
    Base,
    Configuration,
    Kind,
    Mode,
    ModelSpec,
    Point,
    Request,
    ScheduleSpec,
    Value,
    Verdict,
)
from fuseflow.paper.graphs import PRESETS
from fuseflow.paper.judging import near, value_at
from fuseflow.paper.reference import gpt3_cycles

DECODERS = 12
BLOCKS = {Mode.FAST: (16,), Mode.MEDIUM: (16, 32, 64), Mode.COMPLETE: (16, 32, 64)}
ARTIFACT_BLOCKS = {**BLOCKS, Mode.FAST: (16, 64)}
"""In the artifact's configuration attention costs the same whatever the block, so the second one is cheap."""
MODEL = "GPT-3"
LONGER = "GPT-3, 4096 tokens behind the scores"
"""The artifact's unfused decoders as they are: four kernels of the attention run at four times the sequence."""
THRICE = "GPT-3, three projections one by one"
"""All three projections and one sequence length; where K1, layer norm and one projection, is a kernel by itself, it
runs once for each of Q, K and V. The scores are computed in full before they are selected, once fused."""
HEADS, HEAD_WIDTH, SHORT, LONG, LONG_BLOCK = 12, 64, 1024, 4096, 64

Parts = tuple[tuple[Point, int], ...]


def declare(request: Request, memory: str) -> tuple[Bar, ...]:
    """A bar per block and schedule; in the artifact's configuration also by its other choices, one more each time."""
    artifact = request.configuration is Configuration.ARTIFACT
    blocks = (ARTIFACT_BLOCKS if artifact else BLOCKS)[request.mode]
    found = []
    for model in (MODEL, LONGER, THRICE) if artifact else (MODEL,):
        for block in blocks:
            for base in PRESETS:
                if model == LONGER and base is Base.UNFUSED:
                    parts = _longer_parts()
                elif model == THRICE and base is Base.UNFUSED:
                    parts = decoder_parts(base, block, artifact, projections=3)
                else:
                    parts = decoder_parts(base, block, artifact, first=3 if model == THRICE else 1)
                labels: dict[str, Value] = {"model": model, "dataset": f"block {block}", "schedule": base.value}
                place = (*labels.items(), ("run", 0), ("memory", memory))
                found.append(Bar(place, parts, gpt3_cycles(block, base)))
    return tuple(found)


def decoder_parts(
    base: Base, block: int, artifact: bool, *, first: int = 1, projections: int | None = None, **sizes: int
) -> Parts:
    """The kernels of twelve decoders and how often each runs (experiments notes §3.4), K1 ``first`` times."""
    common: dict[str, Any] = {"activation": "relu" if artifact else "gelu", "affine": not artifact}
    common |= {"projections": projections or (1 if artifact else 3), **sizes}
    attention = {name: size for name, size in sizes.items() if name != "ffn"}
    schedule = ScheduleSpec(Base.UNFUSED if base is Base.UNFUSED else Base.FULL)

    def kernel(name: str, residual: bool = False) -> Point:
        # Only attention has blocks: one block for the others, so that they are shared.
        return Point(ModelSpec.of(Kind.DECODER_KERNEL, kernel=name, residual=residual, **common), schedule)

    selected = artifact and base is not Base.UNFUSED
    scores = Point(ModelSpec.of(Kind.ATTENTION, block=block, sampled=not selected, **attention), schedule)
    if base is Base.FULL:
        return (
            (kernel("K1"), first), (scores, DECODERS), (kernel("K4", not artifact), DECODERS - 1), (kernel("K3"), 1)
        )  # fmt: skip
    return ((kernel("K1"), first * DECODERS), (scores, DECODERS), (kernel("K3"), DECODERS))


def _longer_parts() -> Parts:
    """Unfused decoders with the scores of 1024 tokens, and what follows them at 4096, as the artifact runs them.

    Heads do not depend on each other, so one is run twelve times. Mask, scale, softmax and the product with the values
    are the attention of one head without its scores, which is a program of its own. Their block is 64 whatever the
    figure's: the artifact's generators fix it.
    """
    schedule = ScheduleSpec(Base.UNFUSED)

    def scores(sequence: int) -> Point:
        return Point(ModelSpec.of(Kind.SCORES, sequence=sequence, width=HEAD_WIDTH), schedule)

    sizes: dict[str, Any] = {"block": LONG_BLOCK, "heads": 1, "width": HEAD_WIDTH, "sequence": LONG}
    whole = Point(ModelSpec.of(Kind.ATTENTION, sampled=False, **sizes), schedule)
    kernels = DECODERS * HEADS
    first, _, last = decoder_parts(Base.UNFUSED, LONG_BLOCK, True)
    return (first, (scores(SHORT), kernels), (whole, kernels), (scores(LONG), -kernels), last)


def judge(frame: pd.DataFrame) -> list[Verdict]:
    """Total cycles with the kernels that the published totals imply; nothing in the other configuration."""
    rows = frame[frame["model"] == THRICE]
    found = []
    for row in rows[rows["reference"].notna()].itertuples():
        ours = value_at(rows, "cycles", dataset=row.dataset, schedule=row.schedule)
        what = f"{row.model} {row.dataset} {row.schedule}: cycles"
        found.append(near(what, row.reference, ours, 0.05, _BLOCK_16, unit="cycles"))
    return found


_BLOCK_16 = (
    "the published totals of block 16 are 346,372,160 cycles per decoder below those of 32 and 64, partial and full "
    "alike: their attention. Ours takes 806 million whatever the block, since all scores are computed before they are "
    "selected; that is the number of Figure 16b's data, for block 64. What block 16 left out is not known."
)


def reason(model: str) -> str:
    """Why the factors of ``model`` are not the published ones."""
    if model == THRICE:
        return _BLOCK_16
    return (
        "same work has three projections, which run side by side once fused (1,817 million cycles become 605 million), "
        "and a mask that samples the scores, where the published totals are those of other kernels: unfused cycles "
        "agree to 0.5 %, so the difference is in the fused ones. `--configuration artifact` has the artifact's "
        f"scripts, one projection and all scores, in the rows '{LONGER}' with its four times longer kernels, and in "
        f"the rows '{THRICE}' what the totals imply: three projections everywhere, but where K1 (layer norm and one "
        "projection) is a kernel by itself it runs three times, 36 times in partial and three times in full fusion, "
        "and scores are selected after they were computed. Inferred from the totals, as the kernels are not published "
        "one by one: their partial one exceeds 12 times the sum of our kernels by twice K1, to 0.1 %. With it all "
        "three totals of block 64 are the published to 0.5 %."
    )
