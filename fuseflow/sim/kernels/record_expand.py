"""From records to tokens, for readers that take tokens."""

from numpy import float32, int32, int64, uint32, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import (
    DONE,
    END,
    FINISHED,
    FULL,
    LENGTH,
    LIMIT,
    START,
    STARVED,
    STATUS,
    TAKEN,
    Words,
)
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST

REFERENCES = 0
COORDINATES = 1
REPEATED = 2
VALUES = 3


@kernel
def expand(
    state: Words,
    shape: Words,
    limit: int,
    stamps: Words,
    pace: int,
    out: Words,
    source: int,
    repeated: Words,
    storage: NDArray[int32],
    dense: bool,
    values: NDArray[float32],
    word: int,
) -> None:
    """Write the tokens of the records before ``limit``; LIMIT is the place inside the next one.

    Payloads are ``pace`` cycles apart.

    ``source`` says what the payloads are: the references or the coordinates of the scanner (in ``storage`` unless
    ``dense``), the ``repeated`` token of the record, or ``values`` from ``shape[word]`` on.
    """
    bits = values.view(uint32)
    record, place = state[TAKEN], state[LIMIT]
    to, capacity = out[0], (len(out) - FIRST) // 2
    status = STARVED
    while record < limit:
        start, length, end = shape[4 * record + START], shape[4 * record + LENGTH], shape[4 * record + END]
        steps = min(length - place, capacity - to)
        at, stamp = uint64(FIRST + 2 * to), stamps[2 * record] + place * pace
        for step in range(steps):
            out[at + uint64(1) + uint64(2 * step)] = stamp + step * pace
        if source == VALUES:
            start_at = uint64(shape[4 * record + word] + place)
            for step in range(steps):
                out[at + uint64(2 * step)] = int64(bits[start_at + uint64(step)])
        elif source == REPEATED:
            token = repeated[record]
            for step in range(steps):
                out[at + uint64(2 * step)] = token
        elif source == COORDINATES and not dense:
            start_at = uint64(start + place)
            for step in range(steps):
                out[at + uint64(2 * step)] = int64(storage[start_at + uint64(step)])
        else:
            base = place if source == COORDINATES else start + place
            for step in range(steps):
                out[at + uint64(2 * step)] = base + step
        to += steps
        place += steps
        if to == capacity:
            status = FULL
            break
        out[FIRST + 2 * to] = end
        out[FIRST + 2 * to + 1] = stamps[2 * record + 1]
        to += 1
        place = 0
        record += 1
        if end == DONE:
            status = FINISHED
            break
    state[TAKEN], state[LIMIT], state[STATUS] = record, place, status
    out[0] = to
