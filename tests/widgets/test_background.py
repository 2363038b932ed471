"""Background work: the newest job wins, closing stops it, and memory that runs out is a sentence."""

import asyncio
import threading
import time

import fuseflow_widgets as fw
import numpy as np
import pytest
from fuseflow_widgets import memory, run_view
from fuseflow_widgets.background import Background, Job
from fuseflow_widgets.run_trace import MOST_BINS

import fuseflow as ff
from fuseflow.errors import SimulationError
from fuseflow.estimate import Statistics
from fuseflow.watching import Watching


def endless(job: Job) -> None:
    while True:
        job.check()
        time.sleep(0.002)


def test_the_newest_job_wins() -> None:
    background, seen = Background(), []
    for number in range(5):
        background.start(lambda job, n=number: endless(job) if n < 4 else n, seen.append, seen.append)
    assert background.join(10)
    assert seen == [4]


def test_failures_are_words() -> None:
    background, seen = Background(), []

    def fail(_: Job) -> None:
        raise SimulationError("too deep")

    def exhaust(_: Job) -> None:
        raise MemoryError

    background.start(fail, seen.append, seen.append)
    background.join(10)
    background.start(exhaust, seen.append, seen.append)
    background.join(10)
    assert seen[0] == "too deep" and "not enough memory" in seen[1]


def test_closed_starts_nothing() -> None:
    background = Background()
    background.start(endless, print, print)
    background.close()
    assert background.join(10)
    assert background.start(endless, print, print) is None and not background.busy


def test_results_come_back_on_the_loop() -> None:
    async def main() -> tuple[int, int]:
        background, where = Background(), []
        background.start(lambda job: None, lambda _: where.append(threading.get_ident()), print)
        while not where:
            await asyncio.sleep(0.01)
        return where[0], threading.get_ident()

    found, here = asyncio.run(main())
    assert found == here


def test_exact_cycles_are_those_of_the_api() -> None:
    model = ff.models.gcn("karate")
    bench = fw.Workbench(model)
    bench.exact.background.join(60)
    assert bench.run is not None
    assert bench.summary.exact["cycles"] == ff.compile(model, "partial").simulate().cycles
    bench.picker.preset("full")
    assert bench.run is None or bench.run.schedule == "full"
    bench.exact.background.join(60)
    assert bench.summary.exact["cycles"] == ff.compile(model, "full").simulate().cycles
    bench.picker.undo()
    assert bench.summary.exact["state"] == "done"  # remembered, so at once
    assert bench.summary.facts[0][1] == "partial"
    bench.close()


def test_the_estimate_is_there_at_once_and_meets_the_exact_cycles() -> None:
    model = ff.models.gcn("karate")
    bench = fw.Workbench(model)
    for name in ("full", "unfused", "partial"):
        bench.picker.preset(name)
        expected, shown = ff.estimate(ff.compile(model, name)), bench.summary.estimate
        assert bench.estimate is not None and bench.estimate.kernels == expected.kernels
        assert [shown[key] for key in ("state", "cycles", "flops", "bytes", "limit")] == [
            "done", expected.cycles, expected.flops, expected.bytes, expected.limiting.name,
        ]  # fmt: skip
        assert f"estimated cycles: {expected.cycles:,.0f}\n" in bench.summary.as_text()
        bench.exact.background.join(60)
        assert bench.run is not None and bench.summary.exact["ratio"] == expected.cycles / bench.run.cycles
        assert shown["flops"] == bench.run.flops and shown["bytes"] == pytest.approx(bench.run.bytes, rel=1e-4)
        assert f"exact cycles: {bench.run.cycles:,} (the estimate is " in bench.summary.as_text()
    words = bench._repr_mimebundle_()[0]["text/plain"]
    assert f"limited by (estimate): {expected.limiting.name}, which sums" in words
    bench.close()


def test_edits_share_the_statistics_and_a_machine_decides() -> None:
    model = ff.models.gcn("karate")
    machine = ff.Machine(memory=ff.Machine().memory.hbm(channels=1, interval_cycles=400))
    bench = fw.Workbench(model, machine=machine)
    assert bench.summary.estimate["cycles"] == ff.estimate(model, "partial", machine=machine).cycles
    assert bench.summary.estimate["limit"] == "memory" and "all requests of" in bench.summary.estimate["why"]
    known = len(bench.statistics.counter.counts)
    assert known > 0
    bench.picker.preset("full")
    more = len(bench.statistics.counter.counts)
    assert more > known
    bench.picker.undo()
    assert len(bench.statistics.counter.counts) == more  # nothing is counted again
    bench.close()


def test_no_estimate_is_said_and_the_exact_cycles_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ff.models.gcn("karate")
    monkeypatch.setattr(Statistics, "of", classmethod(lambda cls, tensors, rates=None: cls({}, rates or {})))
    bench = fw.Workbench(model)
    assert bench.estimate is None and bench.summary.estimate["state"] == "failed"
    assert "no estimate: " in bench.summary.as_text() and "statistics" in bench.summary.estimate["words"]
    bench.exact.background.join(60)
    assert bench.summary.exact["state"] == "done" and bench.summary.exact["ratio"] is None
    bench.close()


def test_the_views_follow_the_picker() -> None:
    bench = fw.Workbench(ff.models.gcn("karate"))
    bench.picker.current = "conv2"
    assert bench.graph.current == "conv2"
    assert bench.table.table["title"].startswith("fusion table of conv2")
    bench.graph.current = "conv1"
    assert bench.picker.current == "conv1"
    bench.picker.toggle("relu", "sparse_mm_1")
    assert bench.graph.graphs == ["conv1"] and len(bench.graph.nodes) == bench.compiled.nodes
    bench.close()


def test_comparison_and_picker_share_the_schedule() -> None:
    bench = fw.Workbench(ff.models.gcn("karate"))
    bench.exact.background.join(60)
    bench.comparison.add_current()
    bench.comparison.add_current()
    assert "there already" in bench.comparison.notice["text"]
    bench.picker.preset("full")
    bench.exact.background.join(60)
    bench.comparison.add_current()
    assert bench.comparison.notice == {}
    assert [row["schedule"] for row in bench.comparison.rows] == ["partial", "full"]
    assert {row["baseline"] for row in bench.comparison.rows} == {"partial"}
    bench.comparison.chosen = "partial"
    assert bench.schedule.name == "partial"
    bench.close()


def test_closing_stops_the_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, closed = threading.Event(), threading.Event()

    def hold() -> None:  # where the run looks after its memory: when it begins, and with every progress
        begun.set()
        closed.wait(60)

    monkeypatch.setattr(run_view, "require_memory", hold)

    def jobs() -> set[threading.Thread]:  # pools keep their threads, whoever used them first
        return {thread for thread in threading.enumerate() if thread.name.startswith("fuseflow background")}

    before = jobs()
    bench = fw.Workbench(ff.models.gcn("cora"))
    bench.running.start()
    assert begun.wait(60) and jobs() - before
    bench.close()
    closed.set()
    assert bench.exact.background.join(10) and bench.running.background.join(10)
    assert not jobs() - before
    assert bench.running.state != "done"


def test_a_run_is_watched_and_cancelled() -> None:
    model = ff.models.gcn("karate")
    view = fw.RunView(ff.compile(model, "partial"))
    finished: list[ff.Run] = []
    view.on_finished(finished.append)
    view.start()
    assert view.background.join(60)
    assert view.state == "done" and view.run is finished[0]
    assert view.result["cycles"] == view.run.cycles
    assert view.timeline[1]["start"] == view.run.kernels[0].result.cycles
    assert "takes" in view.words[0] and f"{view.run.cycles:,}" in view.words[0]
    view.cancel()
    assert view.state == "done"
    view.show(ff.compile(model, "full"))
    assert view.state == "idle" and view.run is None and view.words == []
    view.close()


def test_a_run_says_how_busy_its_lanes_were() -> None:
    model = ff.models.gcn("karate")
    first, second = ff.Schedule.partial(model).regions
    wide = ff.Schedule("wide", (ff.Region(first.name, first.statements, lanes=(ff.Lanes("i", 2),)), second))
    view = fw.RunView(ff.compile(model, wide))
    view.start()
    assert view.background.join(60) and view.run is not None
    lanes = view.run.lanes()
    assert view.words[-1].startswith(f"Lanes of {first.name}: 2 lanes, busy {lanes['use'].mean():.0%} of the time")
    view.show(ff.compile(model, "partial"))
    view.start()
    assert view.background.join(60) and not any("lanes" in line for line in view.words)
    view.close()


def test_a_traced_run_shows_stalls_and_the_critical_path() -> None:
    compiled = ff.compile(ff.models.gcn("karate"), "partial")
    view = fw.RunView(compiled, traced=True)
    sent: list[np.ndarray] = []
    view.push = lambda block, whole: sent.append(block)  # type: ignore[method-assign]  # what would go to the page
    view.start()
    assert view.background.join(200) and view.state == "done" and view.run is not None
    trace = view.run.trace()
    assert view.words == trace.bottleneck().text.splitlines()
    seen = view.trace.groupby(["kernel", "node"], observed=True).busy_cycles.sum()
    for kernel, drawn in zip(view.run.kernels, view.timeline, strict=True):
        for name, busy, _, shares in drawn["nodes"]:
            assert seen.get((kernel.name, name), 0) == busy == kernel.result.node(name).busy_cycles
            assert sum(shares) * drawn["step"] / 100 == pytest.approx(busy, abs=drawn["step"] * len(shares) / 100 + 1)
    rows = sent[-1]  # the whole chart, in the order of cycles, however late a node told of its own
    assert (np.diff(rows[:, 0]) > 0).all() and 1 < len(rows) <= MOST_BINS
    tokens_drawn = (rows[:, -1] * view._live._width_cycles).sum()
    ports = trace.ports
    assert tokens_drawn == pytest.approx(ports[ports["direction"] == "out"]["tokens"].sum())
    assert view.chart[-1] == "tokens_per_cycle" and rows.shape[1] == 1 + len(view.chart)
    shares, throughput = rows[:, 1:-1], rows[:, -1]
    assert throughput.min() >= 0 and throughput.max() > 1
    assert shares.min() >= 0 and shares.sum(axis=1).max() <= 100.01
    graph = fw.GraphView(compiled)
    graph.show_run(view.run, trace)
    tokens = graph.measures["tokens"]["values"]
    assert tokens["root_adjacency"] == 2 and min(tokens.values()) >= 0
    # A run that only counts its channels colours by tokens, too, and by the same.
    graph.show_run(view.run._repeated(Watching(profile=True)))
    assert graph.measures["tokens"]["values"] == tokens
    graph.show_run(compiled.simulate())
    assert "tokens" not in graph.measures
    view.close()


def test_nothing_to_run() -> None:
    view = fw.RunView()
    view._received(view, {"action": "start", "arguments": {}}, [])
    assert "nothing to run" in view.notice["text"]


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationError, match=r"MiB of memory are left .* Use smaller data"):
        memory.require_memory(10**18)
    monkeypatch.setattr(memory, "RESERVE_BYTES", 10**18)
    monkeypatch.setattr(memory.require_memory, "__defaults__", (10**18,))
    view = fw.RunView(ff.compile(ff.models.gcn("karate"), "partial"))
    view.start()
    view.background.join(30)
    assert view.state == "failed" and "close other notebooks" in view.notice["text"]


def test_a_fault_of_our_own_is_said_too() -> None:
    background, seen = Background(), []

    def broken(_: Job) -> None:
        raise AttributeError("no such thing")

    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        background.start(broken, seen.append, seen.append)
        background.join(10)
    finally:
        threading.excepthook = hook
    assert seen == ["this is a fault of fuseflow, please report it: AttributeError: no such thing"]


def test_a_run_that_no_page_shows_is_stopped() -> None:
    compiled = ff.compile(ff.models.gcn("karate"), "partial")
    view = fw.RunView(compiled)
    for page in ("one", "two"):
        view._received(None, {"view": page, "shown": True}, [])
    view.state = "running"
    view._received(None, {"view": "one", "shown": False}, [])
    assert view.state == "running"
    view._received(None, {"view": "two", "shown": False}, [])
    assert view.state == "cancelled" and "no page" in view.notice["text"]
    view.close()


def test_a_cell_that_is_moved_keeps_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuseflow_widgets.view.UNSEEN_SECONDS", 0.05)

    async def moved() -> tuple[str, str]:
        view = fw.RunView(ff.compile(ff.models.gcn("karate"), "partial"))
        view.state = "running"
        for shown in (True, False, True):
            view._received(None, {"view": "page", "shown": shown}, [])
        await asyncio.sleep(0.2)
        kept = view.state
        view._received(None, {"view": "page", "shown": False}, [])
        await asyncio.sleep(0.2)
        return kept, view.state

    assert asyncio.run(moved()) == ("running", "cancelled")
