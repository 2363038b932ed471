"""Lowering: orders, recomputation, refusals, and what is visible of them."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.fusion import fuse
from fuseflow.lowering import lower
from fuseflow.schedule import Region, Schedule

CHAIN = "A[5,5]: dd\nX[5,4]: dd\nW[4,3]: dd\nT[i,j] = A[i,k] * X[k,j]\nY[i,l] = T[i,j] * W[j,l]"


def chain(formats: dict[str, str]) -> ff.Model:
    text = CHAIN
    for name, layout in formats.items():
        shape = text.split(f"{name}[")[1].split("]")[0]
        text = text.replace(f"{name}[{shape}]: dd", f'{name}[{shape}]: "{layout}"')
    rng = np.random.default_rng(0)
    sizes = {"A": (5, 5), "X": (5, 4), "W": (4, 3)}
    data = {name: rng.normal(size=shape) * (rng.random(shape) < 0.6) for name, shape in sizes.items()}
    return ff.einsum(text, **data)


def test_every_legal_order_is_right_or_refused() -> None:
    model = chain({"A": "cc", "W": "cc"})
    region = fuse(model.program, Schedule.full(model).regions[0])
    for order in region.orders():
        schedule = Schedule("one", (Region("all", ("T", "Y"), order),))
        assert ff.compile(model, schedule).simulate(engine="interpreter").check().passed


def test_recomputation_is_visible() -> None:
    # W stored by column makes l an outer loop: the product T is computed again for every l.
    model = chain({"W": "dd:1,0"})
    compiled = ff.compile(model, Schedule("one", (Region("all", ("T", "Y"), ("i", "k", "l", "j")),)))
    assert compiled.regions[0].recomputed == {"T": ("l",)}
    assert "recomputes T for every i l" in repr(compiled) or "recomputes T for every l" in repr(compiled)
    assert compiled.simulate(engine="interpreter").check().passed


def test_factored_order_recomputes_nothing() -> None:
    assert ff.compile(chain({})).regions[0].recomputed == {}


def test_order_of_the_schedule_is_checked() -> None:
    model = chain({})
    with pytest.raises(ScheduleError, match="iterates k outside i, but A is stored i before k"):
        ff.compile(model, Schedule("one", (Region("all", ("T", "Y"), ("k", "i", "j", "l")),)))


def test_coo_is_refused_with_what_to_do() -> None:
    program = ff.parse("A[3,3]: coo\nx[3]: d\ny[i] = A[i,k] * x[k]")
    with pytest.raises(FusionError, match='Store it as "cc" instead'):
        lower(fuse(program, Schedule.full(program).regions[0]))


def test_accumulator_of_order_three() -> None:
    rng = np.random.default_rng(0)
    data = {"A": rng.random(2).astype(np.float32), "B": rng.random((2, 3, 2, 3)).astype(np.float32)}
    model = ff.einsum("Y[i,j,l] = A[k] * B[k,i,j,l]", **data)
    compiled = ff.compile(model)
    assert [node.block.order for node in compiled.regions[0].graph if node.block.kind == "accumulator"] == [3]
    assert compiled.simulate(engine="interpreter").check().passed


def test_names_and_graphs_are_deterministic() -> None:
    model = chain({"A": "cc"})
    assert ff.compile(model).regions[0].graph == ff.compile(model).regions[0].graph


def test_missing_region_name() -> None:
    with pytest.raises(KeyError, match="no region 'x'; there are all"):
        ff.compile(chain({}))["x"]
