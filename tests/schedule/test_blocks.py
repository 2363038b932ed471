"""Block sizes as part of a schedule."""

import pytest

import fuseflow as ff
from fuseflow.errors import ScheduleError
from fuseflow.schedule import Region, Schedule

Blocks = int | dict[str, int | tuple[int, ...]]
REGIONS = (Region("all", ("Y",)),)


@pytest.mark.parametrize("blocks", [16, {"A": (16, 16)}, {"A": (1, 8), "k": 8}])
def test_blocks_travel_with_the_schedule(blocks: Blocks) -> None:
    schedule = Schedule("mine", REGIONS).with_blocks(blocks)
    assert Schedule.from_json(schedule.to_json()) == schedule
    assert eval(schedule.to_code(), {"ff": ff}) == schedule
    assert "blocks" in repr(schedule)
    assert schedule.with_lanes(ff.Lanes("i", 2)).blocks == schedule.blocks
    assert schedule.with_blocks(None) == Schedule("mine", REGIONS)


def test_a_schedule_without_blocks_is_written_as_before() -> None:
    assert "blocks" not in Schedule("mine", REGIONS).to_json()
    assert "blocks" not in Schedule("mine", REGIONS).to_code()


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (0, "the block must be a whole number of 1 or more"),
        ({"A": (4, 0)}, "the block of 'A' must be a whole number of 1 or more"),
        ({"A": 2.5}, "not 2.5"),
        ("16", "blocks must be a number or a dict"),
        ({4: 4}, "blocks must be named by a tensor or an index variable, not 4"),
    ],
)
def test_refusals(blocks: object, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        Schedule("mine", REGIONS).with_blocks(blocks)  # type: ignore[arg-type]  # wrong on purpose


def test_the_key_of_a_result_depends_on_blocks() -> None:
    from fuseflow.explore.keys import result_key
    from fuseflow.sim import Machine

    model = ff.models.attention(block=4, small=True)
    full = Schedule.full(model)
    keys = [
        result_key(model.program, schedule, model.tensors, Machine(), "1")
        for schedule in (full, full.with_blocks(2), full.with_blocks(4))
    ]
    assert len(set(keys)) == 3
