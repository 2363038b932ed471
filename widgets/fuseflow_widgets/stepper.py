"""StreamStepper: a small graph token by token, forwards and backwards."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from fuseflow.compiled import Compiled, CompiledRegion
from fuseflow.dataflow.dot import to_dot
from fuseflow.dataflow.graph import Graph
from fuseflow.dataflow.tokens import Token, show_tokens
from fuseflow.errors import FuseflowError, SimulationError
from fuseflow.formats import FiberTree
from fuseflow.models import Model
from fuseflow.sim import Machine, Steps, steps
from fuseflow_widgets.layout import layout
from fuseflow_widgets.rules import rule, turn
from fuseflow_widgets.view import View, require

MAX_NODES = 300
"""Blocks of a graph that can be followed by eye, and laid out at once."""
MAX_MOMENTS = 4000
"""Cycles in which something happens that a page may hold; a longer run is not followed by eye."""


class StreamStepper(View):
    """A run of the plain interpreter to step through: queues and tokens, what every block does, and by which rule.

    ``cycle`` is the cycle that is shown, set from either side. A graph that reads tensors needs them, by name. One that
    cannot be stepped through is refused in ``notice``; :meth:`show` raises.
    """

    page = "stepper"
    svg = traitlets.Unicode().tag(sync=True)
    history = traitlets.Dict().tag(sync=True)
    cycle = traitlets.Int(0).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    player = traitlets.Unicode("").tag(sync=True)
    """The view in a page that moves ``cycle`` on while ``playing``; the first to see that it is empty takes it."""
    speed = traitlets.Float(4.0).tag(sync=True)
    height = traitlets.Int(520).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        shown: Graph | CompiledRegion | Model | Compiled | None = None,
        tensors: Mapping[str, FiberTree] | None = None,
        *,
        machine: Machine | None = None,
        **traits: Any,
    ) -> None:
        self.steps: Steps | None = None
        super().__init__(**traits)
        if shown is not None and not self.attempt(lambda: self.show(*_graph_and_tensors(shown, tensors), machine)):
            self.clear()

    def show(self, graph: Graph, tensors: Mapping[str, FiberTree], machine: Machine | None = None) -> None:
        """Run ``graph`` on ``tensors`` and show cycle 0. SimulationError if the run is too long to be followed."""
        missing = [name for name in graph.tensors if name not in tensors]
        if missing:
            raise SimulationError(
                f"graph {graph.name!r} reads {missing[0]!r}, for which no tensor is given; pass tensors=..."
            )
        if len(graph) > MAX_NODES:
            raise SimulationError(
                f"graph {graph.name!r} has {len(graph):,} blocks, too many to step through (the limit is {MAX_NODES}); "
                "cut its region, or step through a smaller model"
            )
        found = steps(graph, tensors, machine or Machine())
        if len(found.moments) > MAX_MOMENTS:
            raise SimulationError(
                f"{len(found.moments):,} cycles in which something happens are too many to step through (the limit is "
                f"{MAX_MOMENTS:,}); use a smaller tensor"
            )
        self.steps = found
        with self.hold_sync():
            self.playing = False
            self.svg = layout(_spread(to_dot(graph, legend=False)))
            self.history = history(found)
            self.cycle = 0
            self.version += 1

    def clear(self) -> None:
        """Show nothing."""
        self.steps = None
        with self.hold_sync():
            self.playing = False
            self.svg = ""
            self.history = {"cycles": 0, "moments": [0], "wires": [], "says": {}, "rules": {}}
            self.cycle = 0
            self.version += 1

    @traitlets.observe("playing")
    def _stopped(self, change: Any) -> None:
        # Else a page that was closed while it played would keep every other one from playing.
        if not change["new"]:
            self.player = ""

    def actions(self) -> dict[str, Callable[..., None]]:
        return {}

    def forward(self) -> None:
        """To the next cycle in which anything happens; stays at the last."""
        following = self._steps().after(self.cycle)
        if following is not None:
            self.cycle = following

    def back(self) -> None:
        """To the cycle before in which anything happened; 0 before the first."""
        self.cycle = max((moment for moment in self._steps().moments if moment < self.cycle), default=0)

    def queue(self, source: str, target: str) -> str:
        """Tokens waiting at input ``target`` (``node.port``) from output ``source`` in the cycle that is shown."""
        for wire in self._steps().wires:
            if wire.target == target and wire.source in (source, f"broadcast of {source}"):
                return show_tokens(wire.queue(self.cycle))
        raise SimulationError(f"no wire leads from {source} to {target}; name ports as node.port")

    def _steps(self) -> Steps:
        if self.steps is None:
            raise FuseflowError("the stepper shows nothing yet; give it a graph with show()")
        return self.steps

    def as_text(self) -> str:
        if self.steps is None:
            return f"StreamStepper of nothing{': ' if self.notice else ''}{self.notice.get('text', '')}"
        lines = [f"StreamStepper of {self.steps.graph.name}: {self.steps.cycles} cycles; at cycle {self.cycle}"]
        for wire in self.steps.wires:
            waiting = wire.queue(self.cycle)
            if waiting and wire.target is not None:
                lines.append(f"  {wire.source} -> {wire.target}: {show_tokens(waiting)}")
        return "\n".join(lines)

    def as_svg(self) -> str:
        return self.svg


def _spread(dot: str) -> str:
    """``dot`` with room between its ranks for the tokens of a queue."""
    return re.sub(r'ranksep="[^"]*"', 'ranksep="0.95"', dot)


def history(found: Steps) -> dict[str, Any]:
    """``found`` as plain values for the page: wires by the id of their edge, and what every node does and when."""
    taken: dict[str, dict[int, dict[str, list[Token]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    sent: dict[str, dict[int, dict[str, list[Token]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    nodes = {node.name for node in found.graph}
    wires = []
    for wire in found.wires:
        producer, _, port = wire.source.rpartition(".")
        if producer in nodes:
            for each in wire.passages:
                sent[producer][each.seen - 1][port].append(each.token)
        reader, _, entry = (wire.target or "").rpartition(".")
        if reader in nodes:
            for each in wire.passages:
                if each.taken is not None:
                    taken[reader][each.taken][entry].append(each.token)
            source = wire.source.removeprefix("broadcast of ")
            wires.append(
                {
                    "edge": f"edge-{source}-{wire.target}",
                    "passages": [
                        [show_tokens([e.token]), e.seen, -1 if e.taken is None else e.taken] for e in wire.passages
                    ],
                }
            )
    says = {
        node.name: [
            [cycle, turn(node.block, taken[node.name].get(cycle, {}), sent[node.name].get(cycle, {}))]
            for cycle in sorted({*taken[node.name], *sent[node.name]})
        ]
        for node in found.graph
    }
    rules = {node.name: " ".join(("rule", *rule(node.block))) for node in found.graph}
    acting = {cycle for node in found.graph for cycle in (*taken[node.name], *sent[node.name])}
    moments = sorted({0, *found.moments, *acting})
    return {"cycles": found.cycles, "moments": moments, "wires": wires, "says": says, "rules": rules}


def _graph_and_tensors(
    shown: Graph | CompiledRegion | Model | Compiled, tensors: Mapping[str, FiberTree] | None
) -> tuple[Graph, Mapping[str, FiberTree]]:
    require(
        shown,
        (Graph, CompiledRegion, Model, Compiled),
        "StreamStepper",
        "a small model, a compiled one, a region or a Graph",
    )
    if isinstance(shown, Graph):
        return shown, tensors or {}
    if isinstance(shown, CompiledRegion):
        return shown.graph, tensors or {}
    if isinstance(shown, Model):
        from fuseflow.compiled import compile

        shown = compile(shown, "full")
    if len(shown.regions) != 1:
        raise SimulationError(
            f"schedule {shown.schedule.name!r} has {len(shown.regions)} kernels; give one of compiled.regions, and its "
            "tensors"
        )
    return shown.regions[0].graph, {**shown.model.tensors, **shown.constants, **(tensors or {})}
