"""A run gives its memory back when its result is dropped, without waiting for the garbage collector."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.compiled import CompiledRegion
from fuseflow.sim import Core, interpret, simulate


@pytest.fixture(scope="module")
def model() -> ff.Model:
    return ff.models.gcn("karate")


@pytest.fixture(scope="module", params=["unfused", "full"])
def region(request: pytest.FixtureRequest, model: ff.Model) -> CompiledRegion:
    return ff.compile(model, request.param).regions[0]


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the collector can find, of the objects that come to be in the test."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("way", ["records", "tokens", "token core", "traced", "interpreter"])
def test_a_run_leaves_no_cycles(model: ff.Model, region: CompiledRegion, garbage: list[object], way: str) -> None:
    tensors = {name: model.tensors[name] for name in region.graph.tensors}
    if way == "interpreter":
        interpret(region.graph, tensors)
    elif way == "traced":
        simulate(region.graph, tensors, observation=ff.sim.Observation(trace=ff.sim.TraceOptions()))
    else:
        simulate(region.graph, tensors, records=way == "records", core=Core.TOKEN if way == "token core" else Core.AUTO)
    gc.collect()
    held = sum(item.nbytes for item in garbage if isinstance(item, np.ndarray))
    ours = sorted({type(item).__qualname__ for item in garbage if type(item).__module__.startswith("fuseflow")})
    assert (ours, held) == ([], 0)
