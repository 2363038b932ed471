"""Values of an accumulator of dense fibers, some columns of them: the part of its work that threads can share."""

from numpy import float32, int64, uint32, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels._prefetch import AHEAD, FETCHED, LINE_VALUES, prefetch
from fuseflow.sim.kernels.layout import FIRST_TOKEN as FIRST
from fuseflow.sim.kernels.layout import LENGTH, Words


@kernel
def sum_columns(
    shape: Words,
    first: int,
    last: int,
    first_event: int,
    last_event: int,
    events: Words,
    factors: NDArray[float32],
    values: NDArray[float32],
    word: int,
    scaled: bool,
    sums: NDArray[float32],
    low: int,
    high: int,
    direct: bool,
    val_out: Words,
    written: NDArray[uint32],
) -> None:
    """Columns ``low`` to ``high`` of the records before ``last`` and the flushes before ``last_event``.

    The other arguments are those of ``accumulate_records``.
    """
    bits = sums.view(uint32)
    record = int64(first)
    for event in range(first_event, last_event + 1):
        until = events[1 + 3 * event] if event < last_event else int64(last)
        while record < until:
            if record + AHEAD < last:
                row, end = shape[4 * (record + AHEAD) + word], min(shape[4 * (record + AHEAD) + LENGTH], high)
                for step in range(low, min(end, low + FETCHED), LINE_VALUES):
                    prefetch(values, row + step)
            base, end = shape[4 * record + word], min(shape[4 * record + LENGTH], high)
            # Unsigned places: a signed one could count from the end of the array, which keeps loops from vectorising.
            at, start, stop = uint64(base), uint64(low), uint64(max(end, low))
            if scaled:
                factor = factors[record]
                for step in range(start, stop):
                    sums[step] += factor * values[at + step]
            else:
                for step in range(start, stop):
                    sums[step] += values[at + step]
            record += 1
        if event < last_event:
            place, end = events[2 + 3 * event], min(events[3 + 3 * event], high)
            at, start, stop = uint64(place), uint64(low), uint64(max(end, low))
            if direct:
                for step in range(start, stop):
                    written[at + step] = bits[step]
                    sums[step] = 0
            else:
                at = uint64(FIRST + 2 * place)
                for step in range(start, stop):
                    val_out[at + uint64(2) * step] = int64(bits[step])
                    sums[step] = 0
