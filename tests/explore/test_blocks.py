"""Block sizes as a dimension of the design space: found, right, and refused in words."""

from pathlib import Path

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import ScheduleError
from fuseflow.explore import Space
from fuseflow.sim import Memory

TOGETHER = (("s", "S"),)
"""Leaves two partitions, so that every candidate can be simulated."""


@pytest.fixture(scope="module")
def sampled() -> ff.Model:
    """The products that a mask of blocks of 4 keeps, times values: the heart of attention."""
    rng = np.random.default_rng(5)
    kept = np.kron(rng.random((4, 4)) < 0.5, np.ones((4, 4))).astype(np.float32)
    kept[:4, :4] = 1
    text = """M[16,16]: cc
Q[16,8]: dd
K[16,8]: dd
V[16,8]: dd
S[16,16]: cc
s[i,j] = Q[i,k] * K[j,k]
S[i,j] = mask(s[i,j], M[i,j])
y[i,l] = S[i,j] * V[j,l]"""
    return ff.einsum(text, M=kept, **{name: rng.standard_normal((16, 8)).astype(np.float32) for name in "QKV"})


def test_blocks_are_searched_and_right(sampled: ff.Model, tmp_path: Path) -> None:
    space = Space(blocks=(None, 2, 3, 4, 8), together=TOGETHER)
    found = ff.explore(sampled, space, budget=40, workers=1, store=tmp_path, prune=False)
    done = found[found["status"] == "done"]
    assert set(found["blocks"]) == set(done["blocks"]) == {0, 2, 4}
    assert (done["max_rel_error"].astype(float) < 1e-4).all()
    best = found.best
    assert best["blocks"] == 4, "a lane for every element: the largest tiles that fit"
    assert (done["flops"] == done["estimated_flops"]).all() and (done["bytes"] == done["estimated_bytes"]).all()
    schedule = found.schedule(best["key"])
    assert schedule.blocks == 4
    assert ff.Schedule.from_json(schedule.to_json()) == schedule
    run = ff.compile(sampled, schedule).simulate()
    run.check()
    assert run.cycles == best["cycles"]
    assert found.model(best["key"]).program == sampled.program, "a schedule of the original model"
    plain = ff.explore(sampled, Space(together=TOGETHER), budget=1, workers=1, store=tmp_path)
    assert found.space_size.schedules == 3 * plain.space_size.schedules
    assert set(plain["key"]) <= set(found["key"])


def test_sizes_that_do_not_fit_have_their_reason(sampled: ff.Model, tmp_path: Path) -> None:
    found = ff.explore(sampled, Space(blocks=(0, 3, 8)), budget=1, workers=1, store=tmp_path)
    left = found.pruned[found.pruned["iteration"] == ""].set_index("blocks")["reason"]
    assert "the block is 3, which does not divide dimension 0 of 'M' of size 16; choose one of 1, 2, 4" in left[3]
    assert "mask 'M' is not made of blocks of 8 x 8: block" in left[8]
    assert set(found["blocks"]) == {0}


def test_machines_that_run_no_tiles(sampled: ff.Model, tmp_path: Path) -> None:
    slow = ff.Machine("slow", memory=Memory.hbm())
    space = Space(blocks=(0, 4), machines=(ff.Machine(), slow))
    found = ff.explore(sampled, space, budget=1, workers=1, store=tmp_path)
    assert set(zip(found["machine"], found["blocks"], strict=True)) == {("comal", 0), ("comal", 4), ("slow", 0)}
    assert found.pruned["reason"].str.contains("machine 'slow' has hbm memory, but graphs of tiles run on ideal").any()


def test_attention_in_blocks_with_lanes(tmp_path: Path) -> None:
    model = ff.models.attention(small=True, block=4, sequence=16, heads=2, width=8)
    fused = (tuple(statement.name for statement in model.program.computations),)
    space = Space(blocks=(0, 4), lanes={"j": (2,)}, together=fused, orders=4)
    found = ff.autoschedule(model, space, budget=2, workers=1, store=tmp_path)
    assert found.blocks == 4
    assert any(lanes.count == 2 for region in found.regions for lanes in region.lanes)
    run = ff.compile(model, found).simulate()
    run.check()
    assert run.cycles == found.cycles
    assert run.cycles < ff.compile(model, "full").simulate().cycles


def test_more_lanes_than_blocks(sampled: ff.Model, tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match="8 lanes for index 'i', which has 4 blocks; use fewer"):
        ff.explore(sampled, Space(blocks=(4,), lanes={"i": (8,)}), store=tmp_path)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ((), r"the space is empty: blocks gives no block size; give \(0,\) for no tiles"),
        ((-4,), "blocks must hold whole numbers, such as .* not -4"),
        ((True,), "not True"),
        ((2.5,), "not 2.5"),
        ((3, 8), "no block size fits. blocks of 3: the block is 3, which does not divide .*; blocks of 8: mask 'M'"),
    ],
)
def test_bad_blocks(sampled: ff.Model, blocks: tuple[int, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=message):
        ff.explore(sampled, Space(blocks=blocks), store=tmp_path)


def test_blocks_with_other_formats_products_and_lanes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    kept = np.kron(rng.random((4, 4)) < 0.4, np.ones((4, 4)))
    model = ff.einsum(
        "A[16,16]: cc\nX[16,8]: dd\nW[8,4]: dd\nt[i,k] = A[i,j] * X[j,k]\ny[i,l] = t[i,k] * W[k,l]",
        A=kept * rng.random((16, 16)),
        X=rng.random((16, 8)) * (rng.random((16, 1)) < 0.5),
        W=rng.random((8, 4)),
    )
    space = Space(
        formats={"X": ("dd", "cc")},
        associations=True,
        blocks=(2, 4),
        lanes={"i": (8,)},
        together=(("t", "y"),),
        orders=2,
    )
    found = ff.explore(model, space, budget=60, workers=1, store=tmp_path, prune=False)
    assert set(found["status"]) == {"done"}
    assert len(set(zip(found["variant"], found["blocks"], strict=True))) == 2 * 2 * 2
    # There are 8 blocks of 2 along i, but only 4 of 4: eight lanes are for the former alone.
    assert set(found[found["lanes"] == 8]["blocks"]) == {2}
    best = found.best
    run = ff.compile(found.model(best["key"]), found.schedule(best["key"])).simulate()
    run.check()
    assert run.cycles == best["cycles"]
