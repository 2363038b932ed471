"""RunView: a run that is started, watched and cancelled, and what it says about its bottleneck afterwards."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from fuseflow.compiled import Compiled
from fuseflow.errors import SimulationError
from fuseflow.run import Run, RunProgress
from fuseflow.sim import Machine, TraceFrame, TraceOptions
from fuseflow.sim.lane_use import lane_words
from fuseflow_widgets import run_trace
from fuseflow_widgets.background import Background, Job
from fuseflow_widgets.memory import require_memory
from fuseflow_widgets.view import View, require

COLUMNS = ("seconds", "kernel", "name", "tokens", "clock_cycles", "tokens_per_second", "cycles_per_second")
"""Columns of :attr:`RunView.trace`."""
CHART = ("tokens_per_second",)
TIMELINE_NODES = 80
WATCH_SECONDS = 0.1


class RunView(View):
    """Start, watch and cancel a run of what is compiled. ``run`` is the finished Run, ``None`` before.

    ``trace`` is the DataFrame that grows while the run goes on; it is the user's to keep. Untraced, it has the columns
    :data:`COLUMNS`; with ``traced``, which takes longer, it has a row per node and interval (``fuseflow.sim.Trace``).
    ``state`` is ``idle``, ``running``, ``done``, ``cancelled`` or ``failed``. The page keeps few points.
    """

    page = "run"
    traced = traitlets.Bool(False).tag(sync=True)
    state = traitlets.Unicode("idle").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    timeline = traitlets.List(traitlets.Dict()).tag(sync=True)
    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chart = traitlets.List(traitlets.Unicode(), list(CHART)).tag(sync=True)

    def __init__(self, compiled: Compiled | None = None, machine: Machine | None = None, **traits: Any) -> None:
        self.machine = machine or Machine()
        self.compiled: Compiled | None = None
        self.run: Run | None = None
        self.background = Background()
        self._rows: list[tuple[Any, ...]] = []
        self._frames: list[TraceFrame] = []
        self._live = run_trace.LiveChart()
        self._starts: dict[str, int] = {}
        self._finished: list[Callable[[Run], None]] = []
        super().__init__(**traits)
        self.when_closed(self.background.close)
        self.when_unseen(self._left)
        if compiled is not None:
            self.show(compiled)

    @property
    def trace(self) -> pd.DataFrame:
        """What has been seen of the run so far."""
        if self._frames:
            return pd.concat([frame.intervals for frame in self._frames], ignore_index=True)
        return pd.DataFrame(self._rows, columns=list(COLUMNS))

    def show(self, compiled: Compiled) -> None:
        """Another schedule, not yet run; a run that goes on is cancelled."""
        require(compiled, (Compiled,), "RunView", "a compiled model: ff.compile(model, 'partial')")
        self.background.cancel()
        self.compiled, self.run = compiled, None
        with self.hold_sync():
            self.title = f"{compiled.model.name}, schedule {compiled.schedule.name}: {len(compiled.regions)} kernels"
            self._reset("idle")

    def actions(self) -> dict[str, Callable[..., None]]:
        return {"start": self.start, "cancel": self.cancel}

    def on_finished(self, call: Callable[[Run], None]) -> None:
        """Call ``call`` with every run that ends."""
        self._finished.append(call)

    def start(self) -> None:
        """Start the run; a run that goes on is cancelled. SimulationError if there is nothing to run."""
        compiled = self.compiled
        if compiled is None:
            raise SimulationError("nothing to run: show(compiled) first")
        with self.hold_sync():
            self._reset("running")
        self.send({"clear": True})
        self.chart = list(run_trace.CHART if self.traced else CHART)
        if self.traced:
            self.background.start(lambda job: self._watch(job, compiled), self._done, self._failed)
            return
        begun = monotonic()

        def work(job: Job) -> Run:
            def report(state: RunProgress) -> None:
                job.check()
                require_memory()
                now = monotonic() - begun
                self.background.post(lambda: self._saw(state, now), job)

            require_memory()
            return compiled.simulate(self.machine, progress=report)

        self.background.start(work, self._done, self._failed)

    def _watch(self, job: Job, compiled: Compiled) -> Run:
        """Follow a traced run: its frames go to the chart as they come."""
        handle = compiled.start(self.machine, trace=TraceOptions(), progress=lambda _: require_memory())
        begun = monotonic()
        try:
            while True:
                job.check()
                ended, frames, state = handle.done, handle.new_frames(), handle.progress
                if frames:
                    self.background.post(partial(self._saw_frames, frames, state, monotonic() - begun), job)
                if ended and not frames:
                    return handle.result()
                handle.wait(WATCH_SECONDS)
        finally:
            handle.cancel()
            handle.wait()

    def _saw_frames(self, frames: list[TraceFrame], state: RunProgress | None, seconds: float) -> None:
        if self.compiled is None:
            return
        self._frames += frames
        for frame in frames:
            if frame.kernel not in self._starts:
                reached = max(
                    (f.end_cycle + self._starts[f.kernel] for f in self._frames if f.kernel in self._starts), default=0
                )
                self._starts[frame.kernel] = reached
        if state is not None:
            self._show_progress(state, seconds)
        nodes = {region.name: len(region.graph) for region in self.compiled.regions}
        self._live.add(frames)
        block = self._live.rows(self._starts, nodes)
        if len(block):
            self.push(block, whole=True)

    def cancel(self) -> None:
        """Stop the run; what has been seen of it stays in ``trace``."""
        if self.state == "running":
            self.background.cancel()
            self.state = "cancelled"

    def _left(self) -> None:
        if self.state == "running":
            self.cancel()
            self.say("the run was stopped when no page showed it any more; start it again to have its result")

    def _reset(self, state: str) -> None:
        self._rows, self._frames, self._starts, self._live = [], [], {}, run_trace.LiveChart()
        self.state = state
        self.progress, self.result, self.timeline, self.words = {}, {}, [], []

    def _saw(self, state: RunProgress, seconds: float) -> None:
        tokens, cycles = 0.0, 0.0
        if self._rows and self._rows[-1][1] == state.kernel:
            before = self._rows[-1]
            elapsed = max(seconds - before[0], 1e-6)
            tokens, cycles = (state.tokens - before[3]) / elapsed, (state.clock_cycles - before[4]) / elapsed
        self._rows.append((seconds, state.kernel, state.name, state.tokens, state.clock_cycles, tokens, cycles))
        self._show_progress(state, seconds)
        if tokens:
            self.push(np.array([[seconds, tokens]]))

    def _show_progress(self, state: RunProgress, seconds: float) -> None:
        self.progress = {
            "kernel": state.kernel, "kernels": state.kernels, "name": state.name, "tokens": state.tokens,
            "clock": state.clock_cycles, "fraction": state.run_fraction, "seconds": seconds,
        }  # fmt: skip

    def push(self, points: np.ndarray[Any, Any], *, whole: bool = False) -> None:
        """Append rows (x, then one value per name in ``chart``) to the live chart of the page, or, if they are the
        ``whole`` of it, put them in the place of what it has."""
        block = np.ascontiguousarray(points, dtype=np.float32)
        self.send({"points": len(block), "whole": whole}, [block.tobytes()])

    def _done(self, run: Run) -> None:
        self.run = run
        with self.hold_sync():
            self.state = "done"
            self.result = {
                "cycles": run.cycles, "flops": run.flops, "bytes": run.bytes, "seconds": run.simulate_seconds,
                "kernels": [{"name": k.name, "cycles": k.result.cycles} for k in run.kernels],
            }  # fmt: skip
            if self.traced:
                trace = run.trace()
                self.timeline, self.words = run_trace.timeline(run, trace), trace.bottleneck().text.splitlines()
            else:
                self.timeline, self.words = timeline(run), bottleneck(run)
            lanes = lane_words(run.lanes())
            self.words = [*self.words, *(f"Lanes of {kernel}: {line}." for kernel, line in lanes.items())]
        for call in self._finished:
            call(run)

    def _failed(self, words: str) -> None:
        self.state = "failed"
        self.say(words, "error")

    def as_text(self) -> str:
        head = f"RunView of {self.title or 'nothing'}: {self.state}"
        return "\n".join([head, *([repr(self.run)] if self.run is not None else []), *self.words])


def timeline(run: Run) -> list[dict[str, Any]]:
    """Per kernel its start, cycles and nodes: until when each was active and how much of that it was busy.

    The :data:`TIMELINE_NODES` busiest nodes of a kernel, in the order of its graph.
    """
    start, kernels = 0, []
    for kernel in run.kernels:
        chosen = sorted(kernel.result.nodes, key=lambda node: -node.busy_cycles)[:TIMELINE_NODES]
        names = {node.name for node in chosen}
        rows = [
            [node.name, node.busy_cycles, node.final_clock_cycles] for node in kernel.result.nodes if node.name in names
        ]
        kernels.append({"name": kernel.name, "start": start, "cycles": kernel.result.cycles, "nodes": rows})
        start += kernel.result.cycles
    return kernels


def bottleneck(run: Run) -> list[str]:
    """The longest kernel and its busiest node, in words."""
    longest = max(run.kernels, key=lambda kernel: kernel.result.cycles)
    cycles = longest.result.cycles
    busiest = max(longest.result.nodes, key=lambda node: node.busy_cycles)
    share = cycles / run.cycles if run.cycles else 0.0
    lines = [f"Kernel {longest.name} takes {cycles:,} of {run.cycles:,} cycles ({share:.0%})."]
    busy = busiest.busy_cycles / cycles if cycles else 0.0
    lines.append(
        f"In it, {busiest.name} works in {busy:.0%} of the cycles, more than any other block: "
        + (
            "it is the bottleneck, and only fewer tokens through it make the kernel faster."
            if busy > 0.9
            else "no block is busy all the time, so blocks wait for each other."
        )
    )
    return lines
