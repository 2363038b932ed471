"""Block sizes by tensor and by index variable: every combination once, exactly counted, right, and refused in words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import ScheduleError
from fuseflow.explore import Space
from fuseflow.explore.block_choices import block_choices

TOGETHER = (("s", "S", "y"),)
TEXT = """M[16,16]: cc
Q[16,8]: dd
K[16,8]: dd
V[16,8]: dd
S[16,16]: cc
s[i,j] = Q[i,k] * K[j,k]
S[i,j] = mask(s[i,j], M[i,j])
y[i,l] = S[i,j] * V[j,l]"""


@pytest.fixture(scope="module")
def sampled() -> ff.Model:
    """The products that a mask of blocks of 4 keeps, times values."""
    rng = np.random.default_rng(5)
    kept = np.kron(rng.random((4, 4)) < 0.5, np.ones((4, 4))).astype(np.float32)
    kept[:4, :4] = 1
    return ff.einsum(TEXT, M=kept, **{name: rng.standard_normal((16, 8)).astype(np.float32) for name in "QKV"})


def test_every_combination_is_searched_and_right(sampled: ff.Model, tmp_path: Path) -> None:
    space = Space(blocks={"M": (0, 4), "k": (None, 2, 3), "V": (0, (1, 8))}, together=TOGETHER, orders=1)
    found = ff.explore(sampled, space, budget=99, workers=1, store=tmp_path, prune=False)
    assert set(found["status"]) == {"done"}
    assert (found["max_rel_error"].astype(float) < 1e-4).all()
    assert (found["flops"] == found["estimated_flops"]).all() and (found["bytes"] == found["estimated_bytes"]).all()
    wanted = {
        0, "M 4 x 4", "k 2", "V 1 x 8", "M 4 x 4, k 2", "M 4 x 4, V 1 x 8", "k 2, V 1 x 8", "M 4 x 4, k 2, V 1 x 8",
    }  # fmt: skip
    assert set(found["blocks"]) == wanted
    plain = ff.explore(sampled, Space(together=TOGETHER, orders=1), budget=1, workers=1, store=tmp_path)
    assert found.space_size.schedules == len(wanted) * plain.space_size.schedules
    refused = dict(found.refused_blocks)
    assert len(refused) == 4, "blocks of 3 along k, with every choice for the others"
    assert "the block of 'k' is 3, which does not divide dimension 1 of 'Q' of size 8" in refused["k 3"]
    best = found.best
    schedule = found.schedule(best["key"])
    assert best["blocks"] == "M 4 x 4, k 2, V 1 x 8"
    assert schedule.blocks == (("M", (4, 4)), ("k", 2), ("V", (1, 8)))
    assert ff.Schedule.from_json(schedule.to_json()) == schedule
    run = ff.compile(sampled, schedule).simulate()
    run.check()
    assert run.cycles == best["cycles"]


def test_names_that_ask_for_one_cut_are_one_choice(sampled: ff.Model) -> None:
    # M is tied to S and s, i to the rows of M, Q and S.
    assert block_choices(sampled.program, {"M": (0, 4), "S": (0, 4)}) == [0, (("S", (4, 4)),)]
    assert block_choices(sampled.program, {"i": (1, 0, None)}) == [0]
    both = block_choices(sampled.program, {"M": (0, (4, 1)), "i": (0, 2, 4)})
    # Of M in blocks of 4 rows with i in 2, cutting says why not; M or i or both in 4 are the same.
    assert len(both) == 4 and (("M", (4, 1)), ("i", 2)) in both


def test_contradicting_names_are_refused_and_the_rest_goes_on(sampled: ff.Model, tmp_path: Path) -> None:
    space = Space(blocks={"M": (0, 4), "i": (0, 2)}, together=TOGETHER, orders=1)
    found = ff.explore(sampled, space, budget=1, workers=1, store=tmp_path)
    assert set(found["blocks"]) == {0, "M 4 x 4", "i 2"}
    assert dict(found.refused_blocks)["M 4 x 4, i 2"].endswith(
        "but the block of 'M' cuts a dimension that is iterated together with it into blocks of 4; give one size for both"
    )


def test_lanes_are_counted_in_the_choice_with_the_most_blocks(sampled: ff.Model, tmp_path: Path) -> None:
    # 4 blocks along i where M is cut, 16 coordinates where only k is: 16 lanes fit one of the two.
    space = Space(blocks={"M": (4,), "k": (0, 2)}, lanes={"i": (4,)}, together=TOGETHER, orders=1)
    assert set(ff.explore(sampled, space, budget=1, workers=1, store=tmp_path)["lanes"]) == {1, 4}
    space = Space(blocks={"M": (0, 4), "k": (2,)}, lanes={"i": (16,)}, together=TOGETHER, orders=1)
    found = ff.explore(sampled, space, budget=1, workers=1, store=tmp_path)
    assert set(found[found["lanes"] == 16]["blocks"]) == {"k 2"}
    with pytest.raises(ScheduleError, match="8 lanes for index 'i', which has 4 blocks; use fewer"):
        space = Space(blocks={"M": (4,)}, lanes={"i": (8,)}, together=TOGETHER, orders=1)
        ff.explore(sampled, space, budget=1, workers=1, store=tmp_path)


def test_products_that_lack_a_named_tensor_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    model = ff.einsum(
        "A[8,8]: cc\nX[8,8]: dd\nW[8,4]: dd\nt[i,k] = A[i,j] * X[j,k]\ny[i,l] = t[i,k] * W[k,l]",
        A=rng.random((8, 8)) * (rng.random((8, 8)) < 0.5),
        X=rng.random((8, 8)),
        W=rng.random((8, 4)),
    )
    space = Space(blocks={"t": (0, 2)}, associations=True, orders=1)
    found = ff.explore(model, space, budget=99, workers=1, store=tmp_path, prune=False)
    assert set(found["status"]) == {"done"}
    assert set(zip(found["variant"], found["blocks"], strict=True)) == {
        ("", 0),
        ("", "t 2 x 2"),
        ("y = A * (X * W)", 0),
    }
    assert "there is no tensor 't'" in dict(found.refused_blocks)["t 2 x 2"]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({}, r"the space is empty: blocks gives no block size; give \(0,\)"),
        ({"M": ()}, r"the space is empty: blocks gives no block size for 'M'; give \(0,\)"),
        ({"M": 4}, r"blocks must give choices for 'M', such as \(0, 16\), not 4"),
        (
            {"Z": (4,)},
            "blocks names 'Z', which is neither a tensor nor an index variable .* tensors M, .* variables i, k",
        ),
        ({"M": (-4,)}, "tuples of them; for 'M' not -4"),
        ({"M": (True,)}, "for 'M' not True"),
        (
            {"M": ((4,),)},
            r"blocks gives \(4,\) for 'M' of shape \(16, 16\); give a whole number of 1 or more per dimension",
        ),
        ({"M": ((4, 0),)}, r"blocks gives \(4, 0\) for 'M' of shape \(16, 16\)"),
        ({"k": ((4, 4),)}, r"blocks gives \(4, 4\) for index variable 'k', which has one size; give a number"),
        ({"M": (8,)}, "no block size fits. blocks of M 8 x 8: mask 'M' is not made of blocks of 8 x 8"),
        (4, r"blocks must be a tuple of sizes, such as \(0, 4\), or a dict, not 4"),
        ("4", "blocks must hold whole numbers"),
    ],
)
def test_bad_blocks(sampled: ff.Model, blocks: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScheduleError, match=message):
        ff.explore(sampled, Space(blocks=blocks), store=tmp_path)


def test_a_name_of_a_tensor_and_an_index(tmp_path: Path) -> None:
    model = ff.einsum("i[4,4]: dd\ny[j,i] = relu(i[j,i])", i=np.ones((4, 4)))
    with pytest.raises(ScheduleError, match="'i', which is both a tensor and an index variable; give a tuple"):
        ff.explore(model, Space(blocks={"i": (2,)}), store=tmp_path)
    found = ff.explore(model, Space(blocks={"i": ((2, 1),)}), budget=1, workers=1, store=tmp_path)
    assert set(found["blocks"]) == {"i 2 x 1"}
