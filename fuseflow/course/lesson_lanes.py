"""Exercises of notebook 06: parallel lanes and blocks."""

from typing import Any

import numpy as np

from fuseflow.course.examples import band
from fuseflow.course.exercise import Exercise
from fuseflow.course.primitive import primitive
from fuseflow.course.streams import FORM, stream_fault
from fuseflow.dataflow.blocks import Fork
from fuseflow.dataflow.tokens import StreamKind

STREAM = "4 7 8 S0 9 2 S1 D"
SERIAL_CYCLES, PARALLEL_CYCLES = 200, 1800
SIDE = 16


def lanes() -> dict[str, str]:
    """:data:`STREAM` dealt out to two lanes."""
    return primitive(Fork(2, StreamKind.REF), STREAM)


def _lane(answer: Any) -> str | None:
    if stream_fault(answer, lanes()["out0"]) is None:
        return "This is lane 0; lane 1 is asked for."
    return stream_fault(answer, lanes()["out1"])


def cycles_with(lane_count: int) -> float:
    """Cycles of a run whose parallel part is spread over lanes, at best."""
    return SERIAL_CYCLES + PARALLEL_CYCLES / lane_count


def _limit(answer: Any) -> str | None:
    given, base = int(answer), cycles_with(1)
    if given < 1:
        return f"{given} lanes cannot work."
    if base / cycles_with(given) < 4:
        return f"{given} lanes make it {base / cycles_with(given):.2f} times as fast at best."
    if given > 1 and base / cycles_with(given - 1) >= 4:
        return f"{given} lanes are enough, but so are fewer."
    return None


def stored_in_blocks(size: int) -> int:
    """Values that the band matrix stores in blocks of ``size`` by ``size``, zeros in them included."""
    array = band()
    count = len(array) // size
    tiles = array.reshape(count, size, count, size)
    return int(np.count_nonzero(tiles.any(axis=(1, 3)))) * size * size


def _blocks(answer: Any) -> str | None:
    right, given = stored_in_blocks(2), int(answer)
    if given == right:
        return None
    if given == np.count_nonzero(band()):
        return "These are the nonzeros; a block stores its zeros too."
    if given == band().size:
        return "That is the whole matrix, but a block without nonzeros is not stored."
    return f"{given} is not a count of whole blocks." if given % 4 else f"{given // 4} blocks is not right."


def _width(answer: Any) -> str | None:
    given = int(answer)
    if given == SIDE**2:
        return None
    if given == SIDE**3:
        return f"That is the work of the whole product, which has {SIDE} cycles."
    if given == SIDE:
        return "That is how many cycles pass between two products, not what is done in one."
    return f"{given} is not the work of a product over its {SIDE} cycles."


EXERCISES = (
    Exercise(
        "6.1",
        f'A fork deals the stream "{STREAM}" out to two lanes. What does lane 1 (the second) get?',
        FORM,
        "Payloads go to the lanes in turn; every lane gets every stop, or its fibers would not end.",
        "Stops go to all lanes: each must know where fibers end.",
        _lane,
    ),
    Exercise(
        "6.2",
        f"A run has {SERIAL_CYCLES} cycles that cannot be spread over lanes and {PARALLEL_CYCLES} that can. How many "
        "lanes does it take, at least, to be 4 times as fast?",
        "a whole number",
        f"With n lanes it takes {SERIAL_CYCLES} + {PARALLEL_CYCLES}/n cycles.",
        "The part that is not parallel soon decides.",
        _limit,
    ),
    Exercise(
        "6.3",
        "How many values does ff.course.examples.band(), an 8×8 band matrix, store in blocks of 2×2?",
        "a whole number",
        "Cut the matrix into sixteen tiles, and count those with any nonzero.",
        "Blocks trade zeros that are stored for tokens that are saved.",
        _blocks,
    ),
    Exercise(
        "6.4",
        f"A unit with a lane per element starts a product of two {SIDE}×{SIDE} tiles every {SIDE} cycles. How many "
        "multiply-adds per cycle is that?",
        "a whole number",
        f"A product of two n×n tiles is n³ multiply-adds; here n = {SIDE}.",
        "So a speedup of tiles is mostly one of lanes, unless both sides may do equally much per cycle.",
        _width,
    ),
)
