"""Runs that are watched: traces, frames, bottlenecks, files for Perfetto, cancelling, depths, fills."""

import json
import signal
import threading
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.compiled import Compiled
from fuseflow.errors import DeadlockError, SimulationError
from fuseflow.run import RunInterrupted
from fuseflow.sim import Machine, Memory, Progress, TraceFrame, TraceOptions, interpret, simulate
from fuseflow.sim.observation import Observation
from fuseflow.sim.tokenwise.simulate import simulate_tokenwise
from fuseflow.sim.trace import KernelTrace
from fuseflow.sim.written import WrittenPart


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """A chain of two sparse products in two kernels."""
    rng = np.random.default_rng(5)
    a, b, c = (
        ((rng.random(shape) < 0.3) * rng.standard_normal(shape)).astype(np.float32)
        for shape in ((30, 20), (20, 25), (25, 10))
    )
    model = ff.einsum("T[i,j] = A[i,k] * B[k,j]\nY[i,l] = relu(T[i,j] * C[j,l])", A=a, B=b, C=c)
    return ff.compile(model, "unfused")


@pytest.mark.parametrize(
    "machine", [Machine(), Machine(channel_capacity=8), Machine.pipelined(), Machine(memory=Memory.hbm())]
)
def test_busy_cycles_add_up_to_the_counters(compiled: Compiled, machine: Machine) -> None:
    run = compiled.simulate(machine, trace=TraceOptions(intervals=7))
    assert run.cycles == compiled.simulate(machine).cycles
    table = run.trace().intervals
    for kernel in run.kernels:
        mine = table[table["kernel"] == kernel.name]
        sums = mine.groupby("node", observed=True)["busy_cycles"].sum().to_dict()
        assert sums == {node.name: node.busy_cycles for node in kernel.result.nodes}
        waits = mine[["busy_cycles", "input_wait_cycles", "room_wait_cycles", "memory_wait_cycles"]].sum(axis=1)
        clocks = waits.groupby(mine["node"], observed=True).sum().to_dict()
        assert all(clocks[node.name] <= kernel.result.cycles for node in kernel.result.nodes)
        assert clocks[kernel.result.nodes[-1].name] == kernel.result.nodes[-1].final_clock_cycles
        widths = (mine["end_cycle"] - mine["start_cycle"]).unique()
        assert len(widths) == 1
        assert 1 <= len(mine["start_cycle"].unique()) <= 15


def test_frames_add_up_to_the_trace(compiled: Compiled) -> None:
    traced = compiled.trace(options=TraceOptions(intervals=5, tokens=True))
    frames = list(traced)
    run = traced.run
    assert run.complete
    run.check()
    assert {frame.kernel for frame in frames} == {kernel.name for kernel in run.kernels}
    keys = ["kernel", "node"]
    together = pd.concat([frame.intervals for frame in frames]).astype({"kernel": str, "node": str})
    whole = run.trace().intervals.astype({"kernel": str, "node": str})
    for column in ("busy_cycles", "input_wait_cycles", "room_wait_cycles"):
        found = together.groupby(keys)[column].sum()
        assert found[found > 0].equals(whole.groupby(keys)[column].sum().loc[lambda sums: sums > 0])
    ports = run.trace().ports
    tokens = run.trace().tokens
    assert ports[ports["direction"] == "out"]["tokens"].sum() == len(tokens) == sum(len(f.tokens) for f in frames)
    assert list(tokens.columns) == ["kernel", "cycle", "node", "port", "token", "number"]
    one = tokens[(tokens["node"] == tokens["node"].iloc[0]) & (tokens["kernel"] == run.kernels[0].name)]
    assert one["token"].tolist() == ["0", "D"]
    assert one["cycle"].tolist() == [1, 2]
    assert one["number"].tolist() == [0, 1]


def test_a_trace_is_as_large_after_many_frames_as_after_one(
    compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PROGRESS_INTERVAL_SECONDS", "FIRST_FRAME_SECONDS"):
        monkeypatch.setattr(f"fuseflow.sim.tokenwise.simulate.{name}", 0.0)
    graph, tensors = compiled.regions[0].lowered.graph, compiled.model.tensors
    frames: list[TraceFrame] = []
    traces: list[KernelTrace] = []
    for operations in (100, 1 << 20):
        watched = Observation(TraceOptions(intervals=5), frames.append)
        result = simulate_tokenwise(graph, tensors, Machine(), observation=watched, slice_operations=operations)
        assert result.trace is not None
        traces.append(result.trace)
    many, one = traces
    assert len(frames) > 20
    names = ("busy", "memory", "sent", "taken", "starved", "full")
    for name in names:
        assert getattr(many.total, name).shape == getattr(one.total, name).shape
        np.testing.assert_array_equal(getattr(many.total, name), getattr(one.total, name))
    assert many.total.busy.shape == (len(many.units), 2 * 5)
    assert many.total.width_cycles == one.total.width_cycles > frames[0].intervals.eval("end_cycle - start_cycle").max()


def test_tokens_of_a_window(compiled: Compiled) -> None:
    options = TraceOptions(tokens=True, window=(20, 40), max_tokens=50)
    trace = compiled.simulate(trace=options).trace()
    assert trace.tokens["cycle"].between(20, 39).all()
    assert (trace.tokens.groupby("kernel").size() <= 50).all()
    everything = compiled.simulate(trace=TraceOptions(tokens=True)).trace().tokens
    assert len(trace.tokens) + trace.tokens_dropped == everything["cycle"].between(20, 39).sum()


def test_a_run_can_be_traced_afterwards(compiled: Compiled) -> None:
    run = compiled.simulate()
    trace = run.trace()
    assert [kernel.cycles for kernel in trace.kernels] == [kernel.result.cycles for kernel in run.kernels]
    assert run.trace(TraceOptions(intervals=1)).intervals["start_cycle"].nunique() <= 3


def test_the_bottleneck_is_named(compiled: Compiled) -> None:
    found = compiled.simulate(trace=TraceOptions()).trace().bottleneck()
    for kernel, rows in found.path.groupby("kernel"):
        cycles = next(k.result.cycles for k in compiled.simulate().kernels if k.name == kernel)
        assert rows["share_cycles"].sum() == cycles
        assert f"kernel {kernel}: {cycles:,} cycles. {rows['node'].iloc[0]} decides" in str(found)
    shares = found.utilisation[["busy", "input_wait", "room_wait", "memory_wait", "idle"]].sum(axis=1)
    assert np.allclose(shares, 1.0)


def test_slow_memory_is_the_bottleneck(compiled: Compiled) -> None:
    run = compiled.simulate(Machine(memory=Memory.hbm(latency_cycles=200)), trace=TraceOptions())
    assert (run.bottleneck().path.groupby("kernel")["node"].first() == "memory").all()
    assert "Answers of the memory decide" in run.bottleneck().text


def test_perfetto_file(compiled: Compiled, tmp_path: Path) -> None:
    run = compiled.simulate(trace=TraceOptions(tokens=True))
    path = run.trace().to_perfetto(tmp_path / "trace.json")
    content = json.loads(path.read_text())
    assert content["displayTimeUnit"] == "ns"
    events = content["traceEvents"]
    threads = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    names = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert names == [kernel.name for kernel in run.kernels]
    assert sorted(threads.values()) == sorted(node.name for kernel in run.kernels for node in kernel.result.nodes)
    for event in events:
        assert event["ph"] in "MXi"
        if event["ph"] == "X":
            assert event["ts"] >= 0 and event["dur"] > 0
            assert (event["pid"], event["tid"]) in threads
    busy: dict[str, int] = {}
    for event in events:
        if event["ph"] == "X" and event["pid"] == 1:
            name = threads[1, event["tid"]]
            busy[name] = busy.get(name, 0) + event["args"]["busy_cycles"]
    assert busy == {node.name: node.busy_cycles for node in run.kernels[0].result.nodes if node.busy_cycles}


def test_cancelled_run(compiled: Compiled) -> None:
    handle = compiled.start(trace=TraceOptions())
    handle.cancel()
    run = handle.result(60)
    assert handle.done and handle.wait(0)
    if not run.complete:
        assert handle.cancelled
        assert run.outputs == {}
        with pytest.raises(SimulationError, match="stopped at cycle"):
            run.check()
        with pytest.raises(SimulationError, match="stopped at cycle"):
            _ = run.kernels[-1].result.output
    assert list(handle.frames(1)) or run.cycles == 0 or run.trace().kernels


def test_stop_before_the_end(compiled: Compiled) -> None:
    """A machine so slow that the run is stopped within its first slice of work."""
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return True

    from fuseflow.sim import Core, Observation, simulate

    region = compiled.regions[0]
    tensors = {name: compiled.model.tensors[name] for name in region.graph.tensors}
    from fuseflow.sim.tokenwise.simulate import simulate_tokenwise

    found = simulate_tokenwise(
        region.graph, tensors, Machine(), slice_operations=50, observation=Observation(TraceOptions(), stop=stop)
    )
    whole = simulate(region.graph, tensors, core=Core.TOKEN)
    assert asked == [1]
    assert not found.complete
    assert found.outputs == {}
    assert 0 < found.cycles <= whole.cycles
    assert found.trace is not None
    sums = ff.sim.Trace((found.trace,)).intervals.groupby("node", observed=True)["busy_cycles"].sum().to_dict()
    assert sums == {node.name: node.busy_cycles for node in found.nodes}
    assert "stored values" in repr(found)


def test_interruption_keeps_what_there_is(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuseflow.sim.tokenwise.core import TokenCore

    steps: list[int] = []
    real = TokenCore.step

    def step(core: TokenCore, operations: int = 0) -> bool:
        steps.append(1)
        if len(steps) == 4:
            signal.raise_signal(signal.SIGINT)
        return real(core, 100)

    monkeypatch.setattr(TokenCore, "step", step)
    assert threading.current_thread() is threading.main_thread()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it runs in the background
    with pytest.raises(KeyboardInterrupt) as caught:
        compiled.simulate(trace=TraceOptions())
    assert isinstance(caught.value, RunInterrupted)
    run = caught.value.run
    assert not run.complete
    assert 0 < run.cycles < compiled.simulate().cycles
    assert len(run.trace().intervals) > 0


def test_interruption_of_the_interpreter_keeps_what_there_is(
    compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fuseflow.sim.channel import Channel

    sent: list[int] = []
    real = Channel.put

    def put(channel: Channel, token: object, stamp: int) -> None:
        sent.append(1)
        if len(sent) == 2000:
            signal.raise_signal(signal.SIGINT)
        real(channel, token, stamp)  # type: ignore[arg-type]  # a token, as it came

    monkeypatch.setattr(Channel, "put", put)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(RunInterrupted) as caught:
        compiled.simulate(engine="interpreter")
    run = caught.value.run
    assert not run.complete and run.outputs == {}
    assert 0 < run.cycles < compiled.simulate().cycles
    assert run.table()["busy_cycles"].sum() > 0


def test_the_interpreter_is_stopped_where_it_is_asked_to(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(step=0.04)
    monkeypatch.setattr("fuseflow.sim.observation.monotonic", lambda: next(clock))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) == 3

    graph, tensors = compiled.regions[0].lowered.graph, compiled.model.tensors
    whole = interpret(graph, tensors, Machine(channel_capacity=2))
    part = interpret(graph, tensors, Machine(channel_capacity=2), observation=Observation(stop=stop))
    assert len(asked) == 3
    assert not part.complete and part.outputs == {}
    assert 0 < part.cycles < whole.cycles
    late = interpret(graph, tensors, Machine(channel_capacity=2), observation=Observation(stop=lambda: False))
    assert late.complete and late.nodes == whole.nodes


def test_progress_says_what_is_left(compiled: Compiled) -> None:
    seen: list[ff.run.RunProgress] = []
    handle = compiled.start(progress=seen.append, trace=TraceOptions())
    handle.result(60)
    assert handle.progress is None or handle.progress.fraction is None or 0 <= handle.progress.fraction <= 1
    fractions = [state.fraction for state in seen if state.fraction is not None]
    assert fractions == sorted(fractions)


@pytest.mark.parametrize("schedule", ["partial", "full"])
def test_busy_cycles_of_a_model_add_up_to_the_counters(schedule: str) -> None:
    """The check that ``docs/simulator.md`` promises, on all nodes of a model in both kinds of fusion."""
    run = ff.compile(ff.models.gcn("karate"), schedule).simulate(trace=TraceOptions())
    traced = run.trace().intervals.groupby(["kernel", "node"], observed=True)["busy_cycles"].sum().to_dict()
    counted = {(kernel.name, node.name): node.busy_cycles for kernel in run.kernels for node in kernel.result.nodes}
    assert {place: traced.get(place, 0) for place in counted} == counted
    assert sum(counted.values()) > 10_000


@pytest.mark.parametrize("traced", [False, True])
def test_progress_of_a_fused_model_follows_its_results(traced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operands of a fused graph are read long before its end: the fraction is that of the values written."""
    monkeypatch.setattr("fuseflow.sim.engine.PROGRESS_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("fuseflow.sim.tokenwise.simulate.PROGRESS_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("fuseflow.sim.tokenwise.simulate.FIRST_FRAME_SECONDS", 0.0)
    compiled = ff.compile(ff.models.gcn("karate"), "full")
    (region,) = compiled.regions
    seen: list[Progress] = []
    needed = {name: compiled.model.tensors[name] for name in region.graph.tensors}
    if traced:
        result = simulate_tokenwise(region.graph, needed, Machine(), progress=seen.append, slice_operations=20_000)
    else:
        result = simulate(region.graph, needed, progress=seen.append, chunk_tokens=16)
    fractions = [state.fraction for state in seen]
    assert len(fractions) > 20
    assert all(fraction is not None for fraction in fractions)
    assert fractions == sorted(fractions)  # type: ignore[type-var]  # no None, as the line above says
    assert len(set(fractions)) > 8
    shares = [state.tokens / seen[-1].tokens for state in seen]
    for done, share in zip(fractions, shares, strict=True):  # the first values are written after a third of the tokens
        assert done is not None
        assert -0.05 < share - done < 0.4
    assert all((state.remaining_seconds is None) == (state.fraction in (0.0, 1.0)) for state in seen)
    assert result.complete


def test_a_result_that_is_written_at_the_end_leaves_progress_to_its_operands() -> None:
    """Y[i,j] with the reduced variable outermost: all of it leaves an accumulator after the last token."""
    rng = np.random.default_rng(7)
    left, right = (rng.standard_normal((6, 6)).astype(np.float32) for _ in range(2))
    outer = ff.compile(ff.einsum("Y[i,j] = A[i,k] * B[k,j]", A=left, B=right)).regions[0].graph
    assert WrittenPart(outer).of(lambda name: (1, 1)) != []
    late = ff.compile(ff.einsum("Y[i,j] = A[k,i] * B[k,j]", A=left, B=right)).regions[0].graph
    assert WrittenPart(late).of(lambda name: (1, 1)) == []


def test_a_fifo_report_has_progress(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuseflow.sim.tokenwise.simulate.PROGRESS_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr("fuseflow.sim.tokenwise.simulate.FIRST_FRAME_SECONDS", 0.0)
    monkeypatch.setitem(simulate_tokenwise.__kwdefaults__, "slice_operations", 64)
    seen: list[ff.run.RunProgress] = []
    run = compiled.simulate()
    report = run.fifo_report(progress=seen.append)
    assert report.equals(run.fifo_report())
    assert {state.name for state in seen} == {region.name for region in compiled.regions}


def test_depths_of_streams(compiled: Compiled) -> None:
    kernel = compiled.regions[0]
    port = next(str(port) for node in kernel.graph for port in node.inputs if node.block.kind == "array")
    free = compiled.simulate()
    tight = compiled.simulate(depths={port: 1})
    assert tight.cycles >= free.cycles
    assert compiled.simulate(depths={f"{kernel.name}:{port}": 1}).kernels[0].result.cycles >= 0
    assert np.array_equal(tight.outputs["Y"], free.outputs["Y"])
    with pytest.raises(SimulationError, match=r"a depth is given for 'nothing.val', but no kernel has such a stream"):
        compiled.simulate(depths={"nothing.val": 3})
    with pytest.raises(SimulationError, match=r"the depth of .* is a number of tokens, 1 or more, not 0"):
        compiled.simulate(depths={port: 0})


@pytest.mark.parametrize("machine", [Machine(), Machine(channel_capacity=6), Machine(memory=Memory.hbm())])
def test_reported_depths_keep_the_cycles(compiled: Compiled, machine: Machine) -> None:
    run = compiled.simulate(machine)
    report = run.fifo_report()
    depths = dict(zip(report["stream"], report["depth"].astype(int), strict=True))
    again = compiled.simulate(machine, depths=depths)
    assert again.cycles == run.cycles
    assert again.table().equals(run.table())
    if machine.channel_capacity is not None:
        assert (report["largest_fill"] <= machine.channel_capacity).all()
        assert report["waited_cycles"].sum() > 0
    else:
        assert report["waited_cycles"].sum() == 0
        largest = report.sort_values("largest_fill").iloc[-1]
        smaller = {**depths, largest["stream"]: int(largest["depth"]) - 1}
        try:
            table = compiled.simulate(machine, depths=smaller)
        except DeadlockError:
            return
        waited = table.fifo_report().set_index("stream")["waited_cycles"]
        assert waited[largest["stream"]] > 0


def test_searched_depths_are_smaller_and_keep_the_cycles() -> None:
    a = np.eye(6, dtype=np.float32)
    compiled = ff.compile(ff.einsum("Y[i,l] = A[i,k] * B[k,l]", A=a, B=a))
    run = compiled.simulate()
    plain, searched = run.fifo_report(), run.fifo_report(search=True)
    depths = dict(zip(searched["stream"], searched["depth"].astype(int), strict=True))
    assert (searched["depth"] <= plain["depth"]).all()
    assert searched["depth"].sum() < plain["depth"].sum()
    assert compiled.simulate(depths=depths).cycles == run.cycles


def test_traffic_by_tensor_and_level(compiled: Compiled) -> None:
    run = compiled.simulate()
    table = run.traffic()
    assert table["bytes"].sum() == run.bytes
    assert set(table[table["writes"] > 0]["tensor"]) == {"T", "Y"} & set(table["tensor"]) | {"Y"}
    assert ((table["reads"] > 0) | (table["writes"] > 0) | (table["bytes"] == 0)).all()


def test_suggested_depths_remove_the_deadlock() -> None:
    x = np.arange(1, 25, dtype=np.float32).reshape(4, 6)
    model = ff.einsum("M[i] = max[j](X[i,j])\nY[i,j] = X[i,j] - M[i]", X=x)
    compiled = ff.compile(model, "full")
    with pytest.raises(DeadlockError) as caught:
        compiled.simulate(Machine(channel_capacity=2))
    assert caught.value.suggestion
    assert "the run then comes to its end" in str(caught.value)
    run = compiled.simulate(Machine(channel_capacity=2), depths=caught.value.suggestion)
    run.check()
    name, depth = next(iter(caught.value.suggestion.items()))
    if len(caught.value.suggestion) == 1 and depth > 3:
        with pytest.raises(DeadlockError):
            compiled.simulate(Machine(channel_capacity=2), depths={name: depth // 2})
