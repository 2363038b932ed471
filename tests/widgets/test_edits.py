"""Edits of schedules: what a cut, a merge and a group make, and that nothing is lost on the way."""

from random import Random

import numpy as np
import pytest
from fuseflow_widgets import edits, program_picture
from fuseflow_widgets.edits import History

import fuseflow as ff
from fuseflow.errors import FuseflowError, ScheduleError
from fuseflow.schedule import Region, Schedule

TEXT = "T[i,k] = A[i,j] * X[j,k]\nU[i,l] = T[i,k] * W[k,l]\nV[i,l] = relu(U[i,l])\nY[i,l] = V[i,l] + U[i,l]"
STATEMENTS = ("T", "U", "V", "Y")


@pytest.fixture(scope="module")
def model() -> ff.Model:
    random = np.random.default_rng(1)
    a = (random.random((6, 6)) < 0.4).astype(np.float32)
    return ff.einsum(TEXT, A=ff.FiberTree.from_dense(a, "csr"), X=random.random((6, 4)), W=random.random((4, 3)))


def regions(schedule: Schedule) -> list[tuple[str, ...]]:
    return [region.statements for region in schedule.regions]


def test_edges_are_reads_of_defined_tensors(model: ff.Model) -> None:
    assert edits.edges(model.program) == (("T", "U"), ("U", "V"), ("V", "Y"), ("U", "Y"))


def test_cut_takes_what_the_producer_needs(model: ff.Model) -> None:
    full = ff.Schedule.full(model)
    assert regions(edits.cut(full, model.program, ("T", "U"))) == [("T",), ("U", "V", "Y")]
    assert regions(edits.cut(full, model.program, ("V", "Y"))) == [("T", "U", "V"), ("Y",)]


def test_merge_is_in_program_order(model: ff.Model) -> None:
    apart = ff.Schedule.unfused(model)
    merged = edits.merge(edits.merge(apart, model.program, ("V", "Y")), model.program, ("U", "Y"))
    assert regions(merged) == [("T",), ("U", "V", "Y")]


def test_toggle_twice_gives_the_same_regions(model: ff.Model) -> None:
    full = ff.Schedule.full(model)
    cut = edits.toggle(full, model.program, ("T", "U"))
    assert not edits.fused(cut, ("T", "U"))
    assert regions(edits.toggle(cut, model.program, ("T", "U"))) == regions(full)


def test_group_splits_what_it_leaves_behind(model: ff.Model) -> None:
    grouped = edits.group(ff.Schedule.full(model), model.program, ["U"])
    assert regions(grouped) == [("T",), ("U",), ("V", "Y")]
    assert len({region.name for region in grouped.regions}) == 3
    with pytest.raises(ScheduleError, match="nothing is selected"):
        edits.group(grouped, model.program, [])
    with pytest.raises(ScheduleError, match="the program has no statement 'Z'"):
        edits.group(grouped, model.program, ["Z"])


def test_edits_keep_every_statement_once_and_are_judged_by_the_compiler(model: ff.Model) -> None:
    """A hundred random edits: each result either compiles and is right, or is refused; no statement is lost."""
    random, schedule = Random(5), ff.Schedule.full(model)
    legal = 0
    for _ in range(100):
        if random.random() < 0.3:
            changed = edits.group(schedule, model.program, random.sample(STATEMENTS, random.randint(1, 4)))
        else:
            changed = edits.toggle(schedule, model.program, random.choice(edits.edges(model.program)))
        assert sorted(name for region in changed.regions for name in region.statements) == sorted(STATEMENTS)
        assert len({region.name for region in changed.regions}) == len(changed.regions)
        try:
            ff.compile(model, changed)
        except FuseflowError:
            continue
        schedule, legal = changed, legal + 1
    assert legal > 20
    ff.compile(model, schedule).simulate(engine="interpreter").check()


def test_refused_edges(model: ff.Model) -> None:
    full = ff.Schedule.full(model)
    with pytest.raises(ScheduleError, match="Y does not read T; pick an edge"):
        edits.cut(full, model.program, ("T", "Y"))
    with pytest.raises(ScheduleError, match="are in region 'all' already"):
        edits.merge(full, model.program, ("T", "U"))
    apart = edits.cut(full, model.program, ("T", "U"))
    with pytest.raises(ScheduleError, match="there is a boundary between T and U already"):
        edits.cut(apart, model.program, ("T", "U"))
    with pytest.raises(ScheduleError, match="has no statement 'Q'"):
        edits.home(full, "Q")
    with pytest.raises(ScheduleError, match="has no region 'nowhere'"):
        edits.reorder(full, "nowhere", None)


def test_history() -> None:
    one, two, three = (Schedule(name, (Region("a", (name,)),)) for name in "123")
    history = History(one).push(two).push(three)
    assert history.push(three) is history
    assert history.undo().undo().undo().present == one
    assert history.undo().redo().present == three
    assert history.undo().push(one).redo().present == one


def test_barriers_are_drawn_and_cannot_be_fused() -> None:
    model = ff.einsum(
        "X[i,j] = relu(A[i,j])\nY[a] = reshape[i,j](X[i,j], 6)\nZ[a] = exp(Y[a])", A=[[1, 2, 3], [4, 5, 6]]
    )
    schedule = Schedule.full(model)
    assert [edits.fused(schedule, edge) for edge in edits.edges(model.program)] == [False, False]
    picture = program_picture.program_dot(model.program, schedule)
    assert "reshape[i,j]" in picture
    with pytest.raises(ScheduleError, match="Y is a barrier: it moves stored elements between regions"):
        edits.toggle(schedule, model.program, ("X", "Y"))
