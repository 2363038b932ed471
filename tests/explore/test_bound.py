"""The bound of a space: no schedule is below it, and it counts what has to be computed."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.dataflow.blocks import BinaryALU
from fuseflow.einsum import BinaryOp, Product
from fuseflow.errors import FuseflowError
from fuseflow.estimate import relations
from fuseflow.explore import Space
from fuseflow.explore.bound import lower_bound, necessary_points
from fuseflow.explore.space import Lattice
from tests.random_programs import random_model, random_schedules


@pytest.mark.parametrize("seed", range(16))
def test_no_schedule_computes_less(seed: int) -> None:
    model = random_model(seed)
    points = necessary_points(model.program, model.tensors)
    least = sum(points[item.name] for item in model.program.computations if isinstance(item.expression, Product))
    bound = lower_bound(Lattice(model.program, Space()), model.tensors, ff.Machine())
    for schedule in random_schedules(model, seed)[:5]:
        try:
            compiled = ff.compile(model, schedule)
        except FuseflowError:
            continue
        run = compiled.simulate(engine="interpreter")
        table = run.table().set_index(["kernel", "node"])["flops"]
        products = [
            table[region.graph.name, node.name]
            for region in compiled.regions
            for node in region.graph
            if isinstance(node.block, BinaryALU) and node.block.op is BinaryOp.MUL
        ]
        assert sum(products) >= least, schedule
        if not any(region.lanes for region in schedule.regions):
            assert run.cycles >= bound.cycles, schedule


CHAIN = "A[3,3]: cc\nX[3,2]: dd\nW[2,2]: cc\nt[i,k] = A[i,j] * X[j,k]\nr[i,k] = relu(t[i,k])\ny[i,l] = r[i,k] * W[k,l]"


def test_points_that_nobody_asks_for_do_not_count() -> None:
    """W has no element in its second row, so a schedule may leave out the second column of t, but nothing else."""
    a = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1]], np.float32)
    model = ff.einsum(CHAIN, A=a, X=np.ones((3, 2)), W=np.array([[1, 1], [0, 0]], np.float32))
    assert necessary_points(model.program, model.tensors) == {"t": 4, "r": 2, "y": 4}
    space = Space(apart=(("t", "y"),))
    apart = lower_bound(Lattice(model.program, space), model.tensors, ff.Machine())
    assert (apart.cycles, apart.statements) == (8, ("t", "y")), "regions run one after the other"
    lanes = lower_bound(Lattice(model.program, Space(lanes={"i": (2,)})), model.tensors, ff.Machine())
    assert lanes.cycles == 2


def test_what_would_be_sampled_counts_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "PAIRS_JOINED", 3)
    a = np.ones((4, 4), np.float32) - np.eye(4, dtype=np.float32)
    model = ff.einsum("A[4,4]: cc\nt[i,k] = A[i,j] * A[j,k]\ny[i,k] = t[i,k] * A[i,k]", A=a)
    assert necessary_points(model.program, model.tensors) == {"t": 0, "y": 0}


def test_the_search_states_it(tmp_path: object) -> None:
    a = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1]], np.float32)
    model = ff.einsum(CHAIN, A=a, X=np.ones((3, 2)), W=np.ones((2, 2), np.float32))
    found = ff.autoschedule(model, budget=1, workers=1, store=str(tmp_path))
    assert "No schedule of the space can take less than 8, the turns of the blocks that compute t" in found.reason
