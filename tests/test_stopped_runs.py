"""Runs that were stopped before their end: what they show is their own, or they refuse to show it."""

from itertools import count

import numpy as np
import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.compiled import Compiled
from fuseflow.errors import SimulationError
from fuseflow.run import Run
from fuseflow.sim import Machine, Trace, TraceFrame, TraceOptions
from fuseflow.sim.observation import Observation
from fuseflow.sim.tokenwise.simulate import simulate_tokenwise
from fuseflow.watching import Watching


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """A layer of a GCN, whose weights are repeated for every node."""
    return ff.compile(ff.models.gcn("karate"), "partial")


@pytest.fixture
def stopped(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that was not traced, and stopped the second time that it asked whether it is to."""
    monkeypatch.setattr("fuseflow.sim.engine.PROGRESS_INTERVAL_SECONDS", -1.0)
    asked = count()
    run = compiled._execute(None, "compiled", Watching(stop=lambda: next(asked) >= 1))
    assert not run.complete
    return run


@pytest.mark.parametrize("capacity", [None, 64])
@pytest.mark.parametrize("steps", [1, 11, 13, 19, 36])  # at most of them a signal generator is ahead of its repeater
def test_busy_cycles_of_the_part_that_ran_add_up_to_its_counters(
    compiled: Compiled, steps: int, capacity: int | None
) -> None:
    graph = compiled.regions[0].graph
    tensors = {name: compiled.model.tensors[name] for name in graph.tensors}
    frames: list[TraceFrame] = []
    asked = count()
    watched = Observation(TraceOptions(), frames.append, "k", stop=lambda: next(asked) >= steps - 1)
    machine = Machine(channel_capacity=capacity)
    result = simulate_tokenwise(graph, tensors, machine, observation=watched, slice_operations=2000)
    assert not result.complete and result.trace is not None
    wanted = result.table().set_index("node")["busy_cycles"]
    for table in (Trace((result.trace,)).intervals, pd.concat([frame.intervals for frame in frames])):
        found = table.groupby("node", observed=True)["busy_cycles"].sum()
        pd.testing.assert_series_equal(found.reindex(wanted.index).fillna(0), wanted, check_dtype=False)


def test_a_stopped_run_does_not_show_another_one(stopped: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuseflow.run.simulate", None)  # nothing may be simulated now
    for ask in (stopped.trace, stopped.bottleneck, lambda: stopped.trace(TraceOptions(intervals=3))):
        with pytest.raises(
            SimulationError, match=rf"stopped at cycle {stopped.cycles} and was not traced.*TraceOptions"
        ):
            ask()
    with pytest.raises(SimulationError, match=r"was not measured.*simulate\(\) to the end first"):
        stopped.fifo_report()


def test_a_run_is_traced_once(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    run = compiled.simulate()
    trace = run.trace()
    assert [kernel.cycles for kernel in trace.kernels] == [kernel.result.cycles for kernel in run.kernels]
    monkeypatch.setattr("fuseflow.run.simulate", None)
    assert run.trace() is trace
    assert "cycles" in run.bottleneck().text


def test_the_tables_of_a_run_and_of_its_trace_can_be_joined(compiled: Compiled) -> None:
    run = compiled.simulate(trace=TraceOptions())
    counters = run.table().set_index(["kernel", "node"])
    busy = run.trace().intervals.groupby(["kernel", "node"], observed=True)["busy_cycles"].sum()
    both = counters.join(busy.rename("traced"))
    assert len(both) == run.nodes and np.array_equal(both["busy_cycles"], both["traced"])
    use = run.trace().utilisation().set_index(["kernel", "node"])
    assert set(use.index) == set(counters.index)
    assert set(ff.estimate(compiled).table("node").set_index(["kernel", "node"]).index) == set(counters.index)
