"""GraphView: dataflow graphs to look into. One region is drawn at a time."""

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from fuseflow.compiled import Compiled, CompiledRegion
from fuseflow.dataflow.dot import describe, to_dot
from fuseflow.dataflow.graph import Graph, Node
from fuseflow.errors import FuseflowError
from fuseflow.run import Run
from fuseflow.sim import Trace
from fuseflow.sim.result import Result
from fuseflow_widgets.collapse import collapsed_dot, grouping
from fuseflow_widgets.layout import layout
from fuseflow_widgets.run_trace import tokens_sent
from fuseflow_widgets.view import View, require

COLLAPSE_ABOVE_NODES = 300
"""A larger graph is drawn with its lanes and parts collapsed: opened, it is legible as a shape only."""

MEASURES: dict[str, tuple[str, str, str]] = {
    "busy": ("busy", "busy cycles over the cycles of the region", "cycles"),
    "waiting": ("waiting", "cycles waiting for a token or for room, over the cycles of the region", "cycles"),
    "flops": ("FLOPs", "floating-point operations", ""),
    "bytes": ("traffic", "bytes read from and written to memory", "bytes"),
}
"""What nodes can be coloured by after a run: name in the list, words of the legend, unit."""


class GraphView(View):
    """The dataflow graphs of a Compiled, a CompiledRegion or a plain Graph; ``current`` names the one that is drawn.

    ``selected`` names nodes and is set by clicks. ``colour`` is ``kind``, ``part`` or, once a run is shown, a key of
    :data:`MEASURES`. ``collapsed`` draws repeated lanes and parts as single nodes.
    """

    page = "graph"
    svg = traitlets.Unicode().tag(sync=True)
    nodes = traitlets.Dict().tag(sync=True)
    members = traitlets.Dict().tag(sync=True)
    measures = traitlets.Dict().tag(sync=True)
    graphs = traitlets.List(traitlets.Unicode()).tag(sync=True)
    current = traitlets.Unicode().tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colour = traitlets.Unicode("kind").tag(sync=True)
    collapsed = traitlets.Bool(False).tag(sync=True)
    collapsible = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(460).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(self, shown: Compiled | CompiledRegion | Graph | None = None, **traits: Any) -> None:
        self._shown: dict[str, Graph] = {}
        self._regions: dict[str, CompiledRegion] = {}
        self._compiled: Compiled | None = None
        self._results: Mapping[str, Result] = {}
        self._tokens: dict[str, dict[str, int]] = {}
        self._opened: set[str] = set()
        super().__init__(**traits)
        if shown is not None:
            self.show(shown)

    @property
    def graph(self) -> Graph:
        """The graph that is drawn; FuseflowError if there is none."""
        if self.current not in self._shown:
            raise FuseflowError(f"no graph {self.current!r} is shown; there are {', '.join(self._shown) or 'none'}")
        return self._shown[self.current]

    def show(self, shown: Compiled | CompiledRegion | Graph, current: str | None = None) -> None:
        """Show other graphs; results shown before are forgotten, the selection stays where its nodes still exist."""
        require(
            shown,
            (Compiled, CompiledRegion, Graph),
            "GraphView",
            "a compiled model: ff.compile(model, 'partial'), one of its regions, or a Graph",
        )
        self._compiled = shown if isinstance(shown, Compiled) else None
        regions = shown.regions if isinstance(shown, Compiled) else ()
        if isinstance(shown, CompiledRegion):
            regions = (shown,)
        self._regions = {region.name: region for region in regions}
        self._shown = (
            {shown.name: shown} if isinstance(shown, Graph) else {n: r.graph for n, r in self._regions.items()}
        )
        self._results, self._tokens = {}, {}
        name = current or self.current
        with self.hold_sync():
            self.graphs = list(self._shown)
            chosen = name if name in self._shown else next(iter(self._shown), "")
            self.set_trait("current", chosen) if chosen != self.current else self._draw()

    def show_run(self, run: Run | Result, trace: Trace | None = None) -> None:
        """Add the timing and counters of ``run``, whose kernels are the graphs that are shown; of its ``trace``, the
        tokens that every node sent."""
        self._tokens = {} if trace is None else tokens_sent(trace)
        self._results = {self.current: run} if isinstance(run, Result) else {k.name: k.result for k in run.kernels}
        with self.hold_sync():
            self._describe()

    def actions(self) -> dict[str, Callable[..., None]]:
        return {"collapse": self.collapse, "open": self.open_group}

    def collapse(self, on: bool) -> None:
        """Draw groups as single nodes, or every node."""
        self._opened.clear()
        with self.hold_sync():
            self.collapsed = on
            self._draw()

    def open_group(self, group: str) -> None:
        """Draw the nodes of one collapsed group."""
        self._opened.add(group)
        with self.hold_sync():
            self._draw()

    @traitlets.observe("current")
    def _changed(self, _: Any) -> None:
        if self.current in self._shown:
            self._opened.clear()
            with self.hold_sync():
                self.collapsed = len(self.graph) > COLLAPSE_ABOVE_NODES
                self._draw()

    def _draw(self) -> None:
        groups = grouping(self.graph)
        self.collapsible = bool(groups)
        hidden = {node: group for node, group in groups.items() if group not in self._opened} if self.collapsed else {}
        try:
            text = collapsed_dot(self.graph, hidden) if hidden else to_dot(self.graph, legend=False)
            picture = layout(text)
        except FuseflowError as error:
            self.say(str(error), "error")
            picture = ""
        self.members = hidden
        self._describe()
        known = {node.name for graph in self._shown.values() for node in graph}
        kept = [name for name in self.selected if name in known]
        if kept != self.selected:
            self.selected = kept
        self.svg = picture
        self.version += 1

    def _describe(self) -> None:
        graph, result = self.graph, self._results.get(self.current)
        readers: dict[str, list[list[str]]] = {node.name: [] for node in graph}
        for node in graph:
            for port in node.inputs:
                readers[port.node].append([port.name, node.name, graph.stream_kind(port).value])
        self.nodes = {node.name: self._node(node, readers[node.name], result) for node in graph}
        self.measures = {} if result is None else measures(graph, result)
        if result is not None and self.current in self._tokens:
            sent = {node.name: self._tokens[self.current].get(node.name, 0) for node in graph}
            tokens = {"label": "tokens", "words": "tokens sent on all outputs", "values": sent, "total": None}
            self.measures = {**self.measures, "tokens": tokens}
        if self.colour not in ("kind", "part", *self.measures):
            self.colour = "kind"

    def _node(self, node: Node, readers: list[list[str]], result: Result | None) -> dict[str, Any]:
        graph = self.graph
        pairs = zip(node.block.inputs, node.inputs, strict=True)
        region = self._regions.get(self.current)
        return {
            "does": describe(node.block),
            "role": node.role,
            "part": node.part.value,
            "source": self._source(node, region),
            "cells": []
            if region is None
            else [
                f"{column}, row {row}: {region.table[row, column].label}"
                for row, column in region.table.cells_of(node.name)
            ],
            "ins": [[spec.name, port.node, graph.stream_kind(port).value] for spec, port in pairs],
            "outs": readers,
            "stats": None if result is None else stats(node.name, result),
        }

    def _source(self, node: Node, region: CompiledRegion | None) -> str:
        """The line of the model that the first column of the node's cells came from."""
        if region is None or self._compiled is None:
            return ""
        program = self._compiled.model.program
        statements = {statement.name: statement for statement in program.statements}
        for _, column in region.table.cells_of(node.name):
            name = column.split("[")[0]
            if name in statements and statements[name].origin.source:
                return statements[name].origin.source
            users = (
                [item for item in program.readers(name) if item.name in region.region.statements]
                if name not in statements
                else []
            )
            if users and users[0].origin.source:
                return users[0].origin.source
        return ""

    def as_text(self) -> str:
        return repr(self.graph) if self._shown else "GraphView of nothing"

    def as_svg(self) -> str:
        return self.svg


def measures(graph: Graph, result: Result) -> dict[str, dict[str, Any]]:
    """What nodes are coloured by, per key of :data:`MEASURES`; ``total`` where it is a share of the region's cycles."""
    found: dict[str, dict[str, Any]] = {}
    for key, (label, words, _) in MEASURES.items():
        values = {node.name: _value(key, node.name, result) for node in graph}
        total = result.cycles if key in ("busy", "waiting") else None
        found[key] = {"label": label, "words": words, "values": values, "total": total}
    return found


def stats(name: str, result: Result) -> list[list[Any]]:
    """Label, value and unit of what one node counted."""
    node = result.node(name)
    rows: list[list[Any]] = [[label, _value(key, name, result), unit] for key, (label, _, unit) in MEASURES.items()]
    rows.append(["finished at", node.final_clock_cycles, "cycles"])
    return rows


def _value(key: str, name: str, result: Result) -> int:
    node = result.node(name)
    if key == "busy":
        return node.busy_cycles
    if key == "waiting":
        return node.final_clock_cycles - node.busy_cycles
    if key == "flops":
        return node.flops
    values, coordinates = node.values_read + node.values_written, node.coordinates_read + node.coordinates_written
    return values * result.machine.value_bytes + coordinates * result.machine.coordinate_bytes
