"""Random programs in several schedules and orders: both engines against each other and the dense interpreter."""

import random
from itertools import islice

import numpy as np
import pytest

from fuseflow.compiled import Compiled, compile
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.fusion import fuse
from fuseflow.models import Model
from fuseflow.schedule import Region, Schedule
from tests.random_programs import random_model

BATCHES = 12
PER_BATCH = 15


def schedules(model: Model, seed: int) -> list[Schedule]:
    """Full, unfused, a random partition, and the whole in up to two random orders."""
    rng = random.Random(seed)
    full = Schedule.full(model)
    names = full.regions[0].statements
    groups: dict[int, list[str]] = {}
    for name in names:
        groups.setdefault(rng.randrange(2), []).append(name)
    partition = Schedule("random", tuple(Region(f"r{key}", tuple(group)) for key, group in groups.items()))
    made = [full, Schedule.unfused(model), partition]
    try:
        orders = list(islice(fuse(model.program, full.regions[0]).orders(), 50))
    except FusionError:
        return made
    for order in rng.sample(orders, min(2, len(orders))):
        made.append(Schedule("ordered", (Region("all", names, order),)))
    return made


def compiled(model: Model, schedule: Schedule) -> Compiled | None:
    """The compiled model, ``None`` if the schedule is refused, which is right for some."""
    try:
        return compile(model, schedule)
    except (FusionError, ScheduleError):
        return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_engines_and_dense_interpreter_agree(batch: int) -> None:
    ran = 0
    for seed in range(batch * PER_BATCH, (batch + 1) * PER_BATCH):
        model = random_model(seed, statements=5)
        wanted = None
        for schedule in schedules(model, seed):
            made = compiled(model, schedule)
            if made is None:
                continue
            slow = made.simulate(engine="interpreter")
            error = slow.compare().max_rel_error
            assert error <= 1e-4, f"seed {seed}, {schedule}: {error}"
            if any(getattr(node.block, "order", 0) > 2 for region in made.regions for node in region.graph):
                continue  # the compiled engine lacks these accumulators still
            fast = made.simulate()
            assert [kernel.result.cycles for kernel in fast.kernels] == [
                kernel.result.cycles for kernel in slow.kernels
            ]
            for left, right in zip(fast.kernels, slow.kernels, strict=True):
                assert left.result.nodes == right.result.nodes, f"seed {seed}, {schedule}, kernel {left.name}"
            for name, values in fast.outputs.items():
                np.testing.assert_array_equal(values, slow.outputs[name], err_msg=f"seed {seed}, {schedule}")
            wanted = slow.outputs if wanted is None else wanted
            ran += 1
    # Most schedules of most programs are legal; a refusal must stay the exception.
    assert ran > 2 * PER_BATCH
