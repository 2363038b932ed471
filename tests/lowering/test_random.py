"""Random programs in several schedules, orders and iteration styles: both engines and the dense interpreter agree."""

import numpy as np
import pytest

from fuseflow.compiled import Compiled, compile
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.models import Model
from fuseflow.schedule import Schedule
from tests.fuzz_programs import STATEMENTS, run_program
from tests.random_programs import random_model, random_schedules

BATCHES = 10
PER_BATCH = 30
IN_BOTH_ENGINES = 4
"""Of this many programs one is also run by the compiled engine."""


def compiled(model: Model, schedule: Schedule) -> Compiled | None:
    """The compiled model, ``None`` if the schedule is refused, which is right for some."""
    try:
        return compile(model, schedule)
    except (FusionError, ScheduleError):
        return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_schedules_agree_with_the_dense_interpreter(batch: int) -> None:
    right = 0
    for seed in range(batch * PER_BATCH, (batch + 1) * PER_BATCH):
        tally = run_program(seed)
        assert not tally.faults
        right += sum(count for outcome, count in tally.outcomes.items() if outcome.endswith("right"))
    # Most schedules of most programs are legal; a refusal must stay the exception.
    assert right > 5 * PER_BATCH


@pytest.mark.parametrize("batch", range(BATCHES))
def test_engines_agree(batch: int) -> None:
    for seed in range(batch * PER_BATCH, (batch + 1) * PER_BATCH, IN_BOTH_ENGINES):
        model = random_model(seed, STATEMENTS)
        for schedule in random_schedules(model, seed):
            made = compiled(model, schedule)
            if made is None:
                continue
            slow, fast = made.simulate(engine="interpreter"), made.simulate()
            for left, right in zip(fast.kernels, slow.kernels, strict=True):
                where = f"seed {seed}, {schedule}, kernel {left.name}"
                assert left.result.cycles == right.result.cycles, where
                assert left.result.nodes == right.result.nodes, where
            for name, values in fast.outputs.items():
                np.testing.assert_array_equal(values, slow.outputs[name], err_msg=f"seed {seed}, {schedule}")
