"""FusionPicker: the einsum graph of a model, whose regions are cut and merged by hand."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import traitlets

from fuseflow.compiled import Compiled, CompiledRegion, compile
from fuseflow.dataflow.dot import to_dot
from fuseflow.errors import FuseflowError, ScheduleError
from fuseflow.models import Model
from fuseflow.schedule import PRESETS, Schedule
from fuseflow_widgets import edits
from fuseflow_widgets.edits import History
from fuseflow_widgets.graph_view import COLLAPSE_ABOVE_NODES
from fuseflow_widgets.knobs import apply_blocks, apply_knob, blocks_of, knobs_of
from fuseflow_widgets.lanes_kept import carry
from fuseflow_widgets.layout import begin, layout
from fuseflow_widgets.program_picture import program_dot
from fuseflow_widgets.view import View, require

ORDERS_LISTED = 40
"""Legal orders that a region's list shows; there can be factorially many."""


class FusionPicker(View):
    """Pick fusion regions by hand. ``schedule`` and ``compiled`` are what is picked, always legal and in step.

    An edit that is illegal or cannot be lowered is explained in ``notice`` and not applied; so is a model or a schedule
    to begin with that does not fit (``failure`` is the error then, and a preset the way out). ``current`` names the
    region whose details are of interest. Observe ``compiled`` to follow the edits; ``before_drawing`` is called
    as soon as one is known to be possible.
    """

    page = "picker"
    compiled = traitlets.Instance(Compiled)
    svg = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    regions = traitlets.List(traitlets.Dict()).tag(sync=True)
    presets = traitlets.List(list(PRESETS)).tag(sync=True)
    tiles: Any = traitlets.Dict().tag(sync=True)
    current = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    can_undo = traitlets.Bool(False).tag(sync=True)
    can_redo = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(600).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(self, model: Model, schedule: Schedule | str = "partial", **traits: Any) -> None:
        self.model = model
        self.before_drawing: Callable[[], None] = lambda: None
        self.failure: FuseflowError | None = None
        self._history: History | None = None
        super().__init__(**traits)
        try:
            require(model, (Model,), "FusionPicker", "a model: ff.models.gcn('karate'), or ff.trace(module, inputs)")
            first = compile(model, schedule)
            _require_regions(model, first)
        except FuseflowError as error:
            self.failure = error
            self.tiles = blocks_of(Schedule("none", ()))
            self.presets = list(PRESETS) if isinstance(model, Model) else []
            self.say(f"nothing is drawn. {error}", "error")
        else:
            self._history = History(first.schedule)
            self._show(first)

    @property
    def schedule(self) -> Schedule:
        """The schedule as it is drawn; assign another to show that (one step of the history). ScheduleError if there
        is none, because that of the beginning did not fit (``failure`` says why) and no other was chosen since."""
        if self._history is None:
            raise ScheduleError(f"no schedule is shown: {self.failure}")
        return self._history.present

    @schedule.setter
    def schedule(self, schedule: Schedule) -> None:
        self._apply(schedule)

    def actions(self) -> dict[str, Callable[..., None]]:
        return {
            "toggle": self.toggle, "group": self.group, "order": self.order, "preset": self.preset, "undo": self.undo,
            "redo": self.redo, "knob": self.knob, "blocks": self.blocks,
        }  # fmt: skip

    def toggle(self, source: str, target: str) -> None:
        """Cut at the edge if it is inside a region, merge the regions at its ends otherwise."""
        changed = edits.toggle(self.schedule, self.model.program, (source, target))
        self._apply(changed, edits.home(changed, target).name, carrying=True)

    def cut(self, source: str, target: str) -> None:
        """A boundary between two statements of a region."""
        changed = edits.cut(self.schedule, self.model.program, (source, target))
        self._apply(changed, edits.home(changed, target).name, carrying=True)

    def merge(self, source: str, target: str) -> None:
        """The regions of two statements as one."""
        changed = edits.merge(self.schedule, self.model.program, (source, target))
        self._apply(changed, edits.home(changed, target).name, carrying=True)

    def group(self, statements: Iterable[str]) -> None:
        """``statements`` as one region."""
        names = list(statements)
        changed = edits.group(self.schedule, self.model.program, names)
        self._apply(changed, edits.home(changed, names[0]).name, carrying=True)

    def order(self, region: str, order: str | tuple[str, ...] | None) -> None:
        """The dataflow order of a region, outermost first; ``None`` for the first legal one."""
        wanted = tuple(order.split()) if isinstance(order, str) else order
        self._apply(edits.reorder(self.schedule, region, wanted), region)

    def knob(self, region: str, key: str, value: str) -> None:
        """Another setting of a region: see :func:`fuseflow_widgets.knobs.knobs_of`."""
        self._apply(apply_knob(self.schedule, region, key, value), region, carrying=key == "iteration")

    def blocks(self, value: str) -> None:
        """Values of the whole schedule in tiles: see :func:`fuseflow_widgets.knobs.blocks_of`."""
        self._apply(apply_blocks(self.schedule, value))

    def preset(self, name: str) -> None:
        """One of the presets, by name."""
        if name not in PRESETS:
            raise ScheduleError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
        self._apply(PRESETS[name](self.model.program))

    def undo(self) -> None:
        """One edit back."""
        if self._history is not None:
            self._travel(self._history.undo())

    def redo(self) -> None:
        """One edit forward again."""
        if self._history is not None:
            self._travel(self._history.redo())

    def _travel(self, history: History) -> None:
        if history is not self._history:
            self._history = history
            compiled = compile(self.model, history.present)
            self.before_drawing()
            self._show(compiled)
            self.say("")

    def _apply(self, schedule: Schedule, current: str | None = None, *, carrying: bool = False) -> None:
        """Show ``schedule``; ``carrying`` the lanes of what it is an edit of, as far as they stay legal."""
        if carrying:
            carried = carry(self.model, self.compiled, schedule)
            compiled, lost = carried.compiled, carried.lost
        else:
            compiled, lost = compile(self.model, schedule), ""
        self.before_drawing()
        _require_regions(self.model, compiled)
        known = self._history
        self._history = History(compiled.schedule) if known is None else known.push(compiled.schedule)
        self._show(compiled, current)
        self.say(lost)

    def _show(self, compiled: Compiled, current: str | None = None) -> None:
        schedule = compiled.schedule
        names = [region.name for region in compiled.regions]
        kept = self.current if self.current in names else names[0]
        shown = current if current in names else kept
        if len(compiled[shown].graph) <= COLLAPSE_ABOVE_NODES:
            begin(to_dot(compiled[shown].graph, legend=False))  # a graph view will want it while we draw ours
        with self.hold_sync():
            self.svg = self._picture(schedule)
            self.name = schedule.name
            self.regions = [_region(region) for region in compiled.regions]
            self.tiles = blocks_of(schedule)
            self.code = schedule_code(schedule)
            self.can_undo = self._history is not None and bool(self._history.past)
            self.can_redo = self._history is not None and bool(self._history.future)
            self.current = shown
            self.version += 1
            self.compiled = compiled

    def _picture(self, schedule: Schedule) -> str:
        try:
            return layout(program_dot(self.model.program, schedule))
        except FuseflowError as error:
            self.say(str(error), "error")
            return ""

    def as_text(self) -> str:
        if self._history is None:
            return f"FusionPicker: {self.notice.get('text', 'nothing is drawn')}"
        return f"FusionPicker of {self.model.name}\n{self.schedule!r}"

    def as_svg(self) -> str:
        return self.svg


def _require_regions(model: Model, compiled: Compiled) -> None:
    if not compiled.regions:
        moved = ", ".join(statement.name for statement in model.program.statements)
        raise ScheduleError(
            f"model {model.name!r} computes nothing: {moved or 'it has no statement'} "
            f"{'only moves stored elements' if moved else 'at all'}, so there is no region to fuse, to draw or to "
            "simulate; give it at least one product, sum or element-wise operation"
        )


def schedule_code(schedule: Schedule) -> str:
    """Python that rebuilds ``schedule``; for a preset, the name of it."""
    made = (
        f"ff.Schedule.{schedule.name}(model)"
        if schedule.name in PRESETS and not schedule.blocks
        else schedule.to_code()
    )
    return f"import fuseflow as ff\n\nschedule = {made}\ncompiled = ff.compile(model, schedule)"


def _region(region: CompiledRegion) -> dict[str, Any]:
    orders = [" ".join(order) for order in islice(region.fused.orders(), ORDERS_LISTED + 1)]
    more = len(orders) > ORDERS_LISTED
    chosen = " ".join(region.order)
    listed = orders[:ORDERS_LISTED]
    return {
        "name": region.name,
        "statements": len(region.region.statements),
        "nodes": len(region.graph),
        "order": chosen,
        "orders": listed if chosen in listed else [chosen, *listed],
        "more": more,
        "recomputed": [f"{name} again for every {' '.join(over)}" for name, over in region.recomputed.items()],
        "knobs": [] if region.is_copy else knobs_of(region.region, region.order, region.fused.extents),
    }
