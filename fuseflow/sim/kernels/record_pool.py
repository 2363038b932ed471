"""Values of records that are computed: one after the other in a pool, at the offsets of the shape."""

from numpy import float32, int32, int64, uint64
from numpy.typing import NDArray

from fuseflow.sim.kernels._jit import kernel
from fuseflow.sim.kernels.layout import LENGTH, OFFSET, START, Words


@kernel
def pool_values(
    shape: Words, first: int, limit: int, values: NDArray[float32], word: int, out: NDArray[float32]
) -> None:
    """Copy the values of each record, from ``shape[word]`` on, or the one of the record if ``word`` is negative."""
    for record in range(first, limit):
        to = shape[4 * record + OFFSET]
        if word < 0:
            out[to : to + shape[4 * record + LENGTH]] = values[record]
        else:
            base, length = shape[4 * record + word], shape[4 * record + LENGTH]
            out[to : to + length] = values[base : base + length]


@kernel
def pool_located(
    shape: Words,
    first: int,
    limit: int,
    values: NDArray[float32],
    storage: NDArray[int32],
    dense: bool,
    out: NDArray[float32],
) -> bool:
    """Values at the coordinates of each record; False if one is out of range."""
    for record in range(first, limit):
        to, start, length = shape[4 * record + OFFSET], shape[4 * record + START], shape[4 * record + LENGTH]
        if dense:
            if length > len(values):
                return False
            for step in range(length):
                out[to + step] = values[step]
        else:
            for step in range(length):
                place = int64(storage[start + step])
                if place >= len(values):
                    return False
                out[to + step] = values[place]
    return True


@kernel
def pool_binary(
    shape: Words,
    first: int,
    limit: int,
    left: NDArray[float32],
    left_word: int,
    right: NDArray[float32],
    right_word: int,
    out: NDArray[float32],
    code: int,
) -> None:
    """``code`` as in BINARY_CODES; a negative word says that the operand has one value per record."""
    for record in range(first, limit):
        to, length = shape[4 * record + OFFSET], shape[4 * record + LENGTH]
        a = int64(record) if left_word < 0 else shape[4 * record + left_word]
        b = int64(record) if right_word < 0 else shape[4 * record + right_word]
        a_step = uint64(0) if left_word < 0 else uint64(1)
        b_step = uint64(0) if right_word < 0 else uint64(1)
        i, j, k = uint64(a), uint64(b), uint64(to)  # unsigned places: see ``sum_columns``
        if code == 0:
            for step in range(uint64(length)):
                out[k + step] = left[i + a_step * step] * right[j + b_step * step]
        elif code == 1:
            for step in range(uint64(length)):
                out[k + step] = left[i + a_step * step] + right[j + b_step * step]
        elif code == 2:
            for step in range(uint64(length)):
                out[k + step] = left[i + a_step * step] - right[j + b_step * step]
        elif code == 3:
            for step in range(uint64(length)):
                out[k + step] = left[i + a_step * step] / right[j + b_step * step]
        else:
            for step in range(uint64(length)):
                x, y = left[i + a_step * step], right[j + b_step * step]
                if code == 4:
                    out[k + step] = x if x > y or x != x else y
                else:
                    out[k + step] = x if x < y or x != x else y
