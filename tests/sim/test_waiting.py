"""Deadlocks: found at once, with depths that are the same from both engines and on every machine, and that suffice."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.compiled import Compiled, Engine
from fuseflow.errors import DeadlockError
from fuseflow.sim import Machine, Observation, interpret
from fuseflow.sim.blocks.base import TURN_TOKENS

LAYERS = {"gcn": ff.models.gcn, "graphsage": ff.models.graphsage}
BOTH: tuple[Engine, ...] = ("interpreter", "compiled")


@pytest.fixture(scope="module", params=list(LAYERS))
def compiled(request: pytest.FixtureRequest) -> Compiled:
    return ff.compile(LAYERS[request.param]("karate"), "full")


def blocked(compiled: Compiled, capacity: int, engine: Engine) -> DeadlockError:
    with pytest.raises(DeadlockError) as caught:
        compiled.simulate(Machine(channel_capacity=capacity), engine=engine)
    return caught.value


@pytest.mark.parametrize("capacity", [1, 2])
def test_both_engines_suggest_the_same_and_it_suffices(compiled: Compiled, capacity: int) -> None:
    interpreted, simulated = (blocked(compiled, capacity, engine) for engine in BOTH)
    assert str(interpreted) == str(simulated)
    assert interpreted.suffices and simulated.suffices
    assert interpreted.suggestion == simulated.suggestion
    compiled.simulate(Machine(channel_capacity=capacity), depths=interpreted.suggestion).check()


@pytest.mark.parametrize("engine", BOTH)
def test_a_search_that_is_cut_off_promises_nothing(
    compiled: Compiled, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuseflow.sim.tokenwise.deadlock.SEARCH_OPERATIONS", 1 << 16)
    error = blocked(compiled, 1, engine)
    assert not error.suffices and error.suggestion
    assert "cut off" in str(error) and "comes to its end" not in str(error) and "removes" not in str(error)
    depths: dict[str, int] = {}
    for _ in range(40):  # as the message says: each search goes on where the one before was cut off
        try:
            compiled.simulate(Machine(channel_capacity=1), depths=depths)
            break
        except DeadlockError as found:
            assert found.suggestion.items() - depths.items()
            depths |= found.suggestion
    else:
        pytest.fail("still blocked")


def test_the_search_does_not_look_at_the_clock(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = blocked(compiled, 2, "interpreter")
    for clock in ("time.monotonic", "fuseflow.sim.observation.monotonic", "fuseflow.sim.waiting.monotonic"):
        monkeypatch.setattr(clock, count(step=1000.0).__next__, raising=False)
    assert str(blocked(compiled, 2, "interpreter")) == str(usual)


def stopping_after(turns: int) -> Callable[[], bool]:
    asked = count(1)
    return lambda: next(asked) >= turns


def test_a_long_turn_of_the_interpreter_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that has the tokens of a long fiber to send lets the others go on, and the run be stopped, in between."""
    model = ff.einsum("Y[i] = relu(X[i])", X=np.ones(8 * TURN_TOKENS, np.float32))
    graph = ff.compile(model).regions[0].graph
    (scan,) = [node.name for node in graph if node.block.kind == "scan"]
    whole = interpret(graph, model.tensors)
    monkeypatch.setattr("fuseflow.sim.observation.monotonic", count().__next__)
    for turns in (3, 8, 20):
        part = interpret(graph, model.tensors, observation=Observation(stop=stopping_after(turns)))
        assert not part.complete and part.cycles < whole.cycles
        assert part.node(scan).busy_cycles <= turns * TURN_TOKENS
    late = interpret(graph, model.tensors, observation=Observation(stop=lambda: False))
    assert late.complete and late.nodes == whole.nodes and late.cycles == whole.cycles
