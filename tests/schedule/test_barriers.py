"""Barriers: no region reaches across one, presets cut there, and runs move the elements at no cost."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow import Region, Schedule
from fuseflow.errors import ScheduleError
from fuseflow.schedule import PRESETS, check
from fuseflow.schedule.barriers import stages

RNG = np.random.default_rng(1)
MODEL = ff.einsum(
    """
    A[4,6]: cc
    W[3,5]: dd
    X[i,j] = relu(A[i,j])
    Y[a,b] = reshape[j,i](X[i,j], 8, 3)
    Z[a,c] = Y[a,b] * W[b,c]
    E[i,j] = exp(X[i,j])
    F[i] = slice[j, 2:3](E[i,j])
    return Z, F
    """,
    A=RNG.normal(size=(4, 6)) * (RNG.random((4, 6)) > 0.5),
    W=RNG.normal(size=(3, 5)),
)
BARRIER = r"the reshape `Y\[a,b\] = reshape\[j,i\]\(X\[i,j\], 8, 3\)` \(line 5: reshape\[j,i\]\(X\[i,j\], 8, 3\)\)"


def test_stages_count_barriers() -> None:
    assert stages(MODEL.program) == {"X": 0, "Y": 1, "Z": 1, "E": 0, "F": 1}


@pytest.mark.parametrize(
    ("preset", "regions"),
    [
        ("unfused", {"X": ("X",), "Z": ("Z",), "E": ("E",)}),
        ("full", {"all": ("X", "E"), "all_2": ("Z",)}),
        ("partial", {"layer1": ("X",), "layer2": ("E",), "layer2_2": ("Z",)}),
    ],
)
def test_presets_cut_at_barriers(preset: str, regions: dict[str, tuple[str, ...]]) -> None:
    schedule = PRESETS[preset](MODEL.program)
    assert {region.name: region.statements for region in schedule} == regions
    assert Schedule.from_json(schedule.to_json()) == schedule
    run = ff.compile(MODEL, schedule).simulate()
    assert run.check().passed
    assert set(run.moved) == {"Y", "F"}
    assert "moved between kernels, at no cost: " in repr(run)
    assert ff.compile(MODEL, schedule).simulate(engine="interpreter").cycles == run.cycles


def test_a_region_across_a_barrier_is_refused() -> None:
    wide = Schedule("wide", (Region("r", ("X", "Z")), Region("e", ("E",))))
    message = rf"region 'r' reaches across a barrier: Z needs {BARRIER}, which moves .* Cut the region between X and Z"
    with pytest.raises(ScheduleError, match=message):
        check(wide, MODEL.program)


def test_a_barrier_in_a_region_is_refused() -> None:
    inside = Schedule("inside", (Region("r", ("X", "Y")), Region("z", ("Z",)), Region("e", ("E",))))
    with pytest.raises(ScheduleError, match=rf"region 'r' names 'Y', which is a barrier: {BARRIER} moves stored"):
        check(inside, MODEL.program)


def test_regions_wait_for_each_other_through_barriers() -> None:
    crossed = Schedule("crossed", (Region("z", ("Z",)), Region("e", ("E",)), Region("x", ("X",))))
    assert [region.name for region in check(crossed, MODEL.program)] == ["x", "z", "e"]
