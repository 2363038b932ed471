"""Writers from token text, and the result tree that is made of what they saw."""

import numpy as np
import pytest

from fuseflow.dataflow.graph import Output
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.errors import SimulationError
from fuseflow.formats import CompressedLevel
from fuseflow.sim.assemble import RawLevel, assemble
from fuseflow.sim.blocks.write import write_crd, write_val
from tests.sim.harness import drive


def test_coordinates() -> None:
    coordinates: list[int] = []
    ends: list[int] = []
    unit, _ = drive(lambda unit: write_crd(unit, coordinates, ends), ["1@1 2@2 S0@3 S0@4 N@5 3@6 S1@9 D@9"], 0)
    assert (coordinates, ends) == ([1, 2, 3], [2, 2, 3])
    assert (unit.counters.coordinates_written, unit.counters.segments_written) == (3, 2)
    assert (unit.clock, unit.busy) == (10, 5)


def test_values() -> None:
    values: list[float] = []
    unit, _ = drive(lambda unit: write_val(unit, values), ["1@1 N@2 S0@3 2@4 S0@5 D@6"], 0, [StreamKind.VAL])
    assert values == [1.0, 2.0]
    assert (unit.clock, unit.counters.values_written) == (7, 2)


def test_writers_of_the_wrong_stream() -> None:
    with pytest.raises(SimulationError, match=r"no coordinate: R at unit.in0"):
        drive(lambda unit: write_crd(unit, [], []), ["R D"], 0, [StreamKind.SIGNAL])
    with pytest.raises(SimulationError, match=r"no value: R at unit.in0"):
        drive(lambda unit: write_val(unit, []), ["R D"], 0, [StreamKind.SIGNAL])


def output(*shape: int) -> Output:
    return Output("X", shape, tuple(range(len(shape))), tuple("ijkl"[: len(shape)]))


def raw(coordinates: list[int], ends: list[int]) -> RawLevel:
    return np.array(coordinates, np.int32), np.array(ends, np.int64)


def values(*numbers: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(numbers, np.float32)


def test_stops_of_fibers_without_a_parent_are_dropped() -> None:
    levels = [raw([0, 1, 2], [3]), raw([4, 5], [1, 1, 2]), raw([1, 0, 1], [1, 1, 3])]
    result = assemble(output(3, 6, 2), levels, values(7, 8, 9))
    segments = [level.segments.tolist() for level in result.levels if isinstance(level, CompressedLevel)]
    assert segments == [[0, 3], [0, 1, 1, 2], [0, 1, 3]]
    assert result.to_dense()[0, 4].tolist() == [0, 7]
    assert result.to_dense()[2, 5].tolist() == [8, 9]


def test_nothing_at_all() -> None:
    result = assemble(output(3, 4), [raw([], [0]), raw([], [0])], values())
    assert result.stored == 0
    assert not result.to_dense().any()


def test_scalar() -> None:
    assert assemble(output(), [], values(5)).to_dense() == 5


def test_mode_order() -> None:
    result = assemble(Output("X", (2, 3), (1, 0), ("j", "i")), [raw([2], [1]), raw([1], [1])], values(5))
    assert result.to_dense()[1, 2] == 5


@pytest.mark.parametrize(
    "levels,numbers,message",
    [
        ([raw([0], [1])], 1, "result 'X' has 2 dimensions but 1 levels were written"),
        ([raw([0, 1], [2]), raw([0], [1])], 1, r"level 1 \(index 'j'\): 1 stop tokens were written but .* ask for 2"),
        (
            [raw([], [0]), raw([0], [1])],
            1,
            "of 1 coordinates 0 follow the last stop and 1 stand in fibers that have no parent",
        ),
        ([raw([0, 1], [1]), raw([0], [1])], 1, "level 0 .*: of 2 coordinates 1 follow the last stop"),
        ([raw([9], [1]), raw([0], [1])], 1, r"level 0 \(index 'i'\): coordinate 9 at position 0 is not below 2"),
        ([raw([0], [1]), raw([0], [1])], 2, "2 values were written for 1 coordinates of the last level"),
    ],
)
def test_results_that_do_not_fit(levels: list[RawLevel], numbers: int, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        assemble(output(2, 2), levels, np.zeros(numbers, np.float32))
