"""The workbench: picker, numbers, graph, table, run, comparison and stepper around one schedule."""

from typing import Any

import ipywidgets
import traitlets

from fuseflow.compiled import Compiled, compile
from fuseflow.errors import FuseflowError, ScheduleError, SimulationError
from fuseflow.estimate import Estimate, Statistics
from fuseflow.estimating import estimate
from fuseflow.models import Model
from fuseflow.run import Run, RunProgress
from fuseflow.schedule import Schedule
from fuseflow.sim import Machine
from fuseflow_widgets import edits
from fuseflow_widgets.compare_view import CompareView
from fuseflow_widgets.exact import ExactCycles
from fuseflow_widgets.graph_view import GraphView
from fuseflow_widgets.picker import FusionPicker
from fuseflow_widgets.run_view import RunView
from fuseflow_widgets.stepping import Stepping
from fuseflow_widgets.summary import Summary
from fuseflow_widgets.table_view import FusionTableView, link_selection

BASELINE = "unfused"
STEPPER_TAB = 3


class Workbench(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """All views of a model and its schedule in one layout. Usually made by ``ff.workbench(model)``.

    ``schedule``, ``compiled``, ``estimate`` (``None`` where there is none) and ``run`` (``None`` until the exact cycles
    are there) are what the views show.
    Closing the workbench stops what it does in the background.
    """

    def __init__(
        self, model: Model, schedule: Schedule | str = "partial", *, machine: Machine | None = None, theme: str = "auto"
    ) -> None:
        self.model = model
        self.machine = machine or Machine()
        self.run: Run | None = None
        self.estimate: Estimate | None = None
        self.statistics = Statistics.of(model.tensors)  # one for all edits: what was counted is counted once
        self.exact = ExactCycles(self.machine)
        self.picker = FusionPicker(model, schedule, theme=theme)
        if self.picker.failure is not None:
            self.picker.close()
            raise self.picker.failure
        self.picker.before_drawing = self.exact.background.cancel  # what it computes is not wanted any more
        self.picker.when_unseen(self.exact.background.cancel)
        self.summary = Summary(theme=theme)
        self.graph = GraphView(theme=theme)
        self.table = FusionTableView(theme=theme)
        self.running = RunView(machine=self.machine, theme=theme)
        self.comparison = CompareView(source=self._current, theme=theme)
        self.stepping = Stepping(theme)
        self.stepper = self.stepping.stepper
        self._links: list[Any] = link_selection(self.graph, self.table)
        self._links.append(traitlets.link((self.picker, "current"), (self.graph, "current")))
        self.picker.observe(self._edited, "compiled")
        self.graph.observe(self._turned, "current")
        self.running.on_finished(self._ran_in_view)
        self.comparison.observe(self._chosen, "chosen")
        titles = ["graph and table", "run", "compare", "step"]
        self.tabs = ipywidgets.Tab(
            [ipywidgets.VBox([self.graph, self.table]), self.running, self.comparison, self.stepping], titles=titles
        )
        self.tabs.observe(self._tab_turned, "selected_index")
        self._views = (
            self.picker, self.summary, self.graph, self.table, self.running, self.comparison, self.stepping,
        )  # fmt: skip
        self._stepped: Compiled | None = None
        super().__init__([self.picker, self.summary, self.tabs])
        self.add_class("ff-workbench")
        self._show(self.picker.compiled)

    @property
    def schedule(self) -> Schedule:
        """The schedule as it is picked; assign another to show it."""
        return self.picker.schedule

    @schedule.setter
    def schedule(self, schedule: Schedule) -> None:
        self.picker.schedule = schedule

    @property
    def compiled(self) -> Compiled:
        """The schedule compiled."""
        return self.picker.compiled

    def _current(self) -> tuple[Compiled, Run]:
        if self.run is None:
            raise ScheduleError("the cycles of this schedule are not there yet; wait for them, then add it")
        return self.compiled, self.run

    def _chosen(self, change: Any) -> None:
        """The schedule that was clicked in the comparison becomes the current one."""
        compared = self.comparison.comparison
        if compared is not None and change["new"] in compared.compiled:
            schedule = compared.compiled[change["new"]].schedule
            if not edits.same(schedule, self.schedule):
                self.picker.attempt(lambda: setattr(self.picker, "schedule", schedule))

    def _tab_turned(self, _: Any = None) -> None:
        """The stepper runs the plain interpreter, so only when it is looked at."""
        if self.tabs.selected_index == STEPPER_TAB and self._stepped is not self.compiled:
            self._stepped = self.compiled
            if self.stepper.attempt(self._step):
                self.stepper.say("")
            else:
                self.stepper.clear()  # what it shows is another region's

    def _step(self) -> None:
        region = self.compiled[self.graph.current]
        tensors = self.compiled.model.tensors  # in tiles, if the schedule has blocks
        self.stepping.trees.offer({name: tensors[name] for name in region.graph.tensors if name in tensors})
        unknown = [name for name in region.graph.tensors if name not in tensors]
        if unknown:
            raise SimulationError(
                f"region {region.name!r} reads {unknown[0]!r}, which another region computes: pick the first region "
                "or fuse them; a run of a few hundred cycles is small enough to step through"
            )
        self.stepping.show(region.graph, tensors, self.machine)

    def _ran_in_view(self, run: Run) -> None:
        self.exact.remember(self.compiled, run)
        self._ran(run)
        if self.running.traced:
            self.graph.show_run(run, run.trace())

    def _edited(self, change: Any) -> None:
        self._show(change["new"])

    def _show(self, compiled: Compiled) -> None:
        self.run = self.estimate = None
        self.running.show(compiled)
        self.summary.show(compiled)
        self.summary.estimating()
        self.graph.show(compiled, self.picker.current)
        self._turned()
        self._estimate(compiled)
        self.summary.waiting()
        self.exact.ask(compiled, self._ran, self.summary.failed, self._progress)

    def _estimate(self, compiled: Compiled) -> None:
        """A few milliseconds, more where much is counted for the first time; so when graph and table are sent."""
        try:
            known = None if compiled.schedule.blocks else self.statistics  # which are of elements
            self.estimate = estimate(compiled, statistics=known, machine=self.machine)
        except FuseflowError as error:
            self.summary.not_estimated(str(error))
        else:
            self.summary.estimated(self.estimate)

    def _turned(self, _: Any = None) -> None:
        """Another region is looked at."""
        name = self.graph.current
        if name not in {region.name for region in self.compiled.regions}:
            return  # the picker turns to a region that an edit makes before it hands over what it compiled
        self.table.show(self.compiled[name])
        self._stepped = None
        self._tab_turned()

    def _progress(self, state: RunProgress) -> None:
        self.summary.progress(state.name, state.clock_cycles, state.run_fraction)

    def _ran(self, run: Run) -> None:
        self.run = run
        baseline = self._baseline()
        known = None if baseline is None else self.exact.known(baseline)
        self.summary.done(run, known)
        self.graph.show_run(run)
        if baseline is not None and known is None:
            self.exact.ask(baseline, lambda base: self._based(run, base), lambda words: None)

    def _based(self, run: Run, baseline: Run) -> None:
        if self.run is run:
            self.summary.done(run, baseline)

    def _baseline(self) -> Compiled | None:
        """The unfused schedule compiled; ``None`` for a model that it does not fit."""
        if not hasattr(self, "_unfused"):
            try:
                self._unfused: Compiled | None = compile(self.model, BASELINE)
            except FuseflowError:
                self._unfused = None
        return self._unfused

    def close(self) -> None:
        """Remove the workbench and stop its background work."""
        if not getattr(self, "_views", ()):  # its making failed
            return
        self.exact.close()
        for link in self._links:
            link.unlink()
        self._links.clear()
        for view in (*self._views, self.tabs):
            view.close()
        super().close()

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        shown = super()._repr_mimebundle_(**arguments)
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        words = f"{self.picker.as_text()}\n{self.summary.as_text()}"
        return {**data, "text/plain": words, "image/svg+xml": self.picker.as_svg()}, metadata
