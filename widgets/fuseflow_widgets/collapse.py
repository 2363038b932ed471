"""Collapsing a dataflow graph for drawing: repeated lanes, or the parts of a region, as single nodes."""

import re
from collections.abc import Mapping

from fuseflow.dataflow.dot import to_dot
from fuseflow.dataflow.graph import Graph

_LANE = re.compile(r"@(\d+)")
_NAME = r'"((?:[^"\\]|\\.)*)"'
_EDGE = re.compile(rf"^\s*{_NAME} -> {_NAME} \[(.*)\];$")
_NODE = re.compile(rf"^\s*{_NAME} \[")
_COLOURS = {"iteration": "#CFE4F5", "compute": "#FBDDC1", "construction": "#E4EFC8"}


def grouping(graph: Graph) -> dict[str, str]:
    """Node to group: all lanes but the first, which they repeat; without lanes, every part of the region."""
    lanes = {node.name: int(found.group(1)) for node in graph if (found := _LANE.search(node.name))}
    last = max(lanes.values(), default=0)
    if last:
        group = "lane 1, as lane 0" if last == 1 else f"lanes 1 to {last}, as lane 0"
        return {name: group for name, lane in lanes.items() if lane}
    return {node.name: node.part.value for node in graph} if len(graph) > 1 else {}


def collapsed_dot(graph: Graph, groups: Mapping[str, str]) -> str:
    """DOT of ``graph`` where the nodes of a group are one node; streams inside of a group are not drawn.

    All else looks as in :func:`fuseflow.dataflow.dot.to_dot`. Streams between the same two nodes are one line.
    """
    kept: list[str] = []
    streams: dict[tuple[str, str], list[str]] = {}
    for line in to_dot(graph, legend=False).splitlines():
        edge, node = _EDGE.match(line), _NODE.match(line)
        if edge:
            ends = _drawn(edge.group(1), groups), _drawn(edge.group(2), groups)
            if ends[0] != ends[1]:
                streams.setdefault(ends, []).append(line)
        elif not (node and node.group(1) in groups) and "rank=sink" not in line:
            kept.append(line)
    closing = kept.pop()
    sizes: dict[str, int] = {}
    for group in groups.values():
        sizes[group] = sizes.get(group, 0) + 1
    for group, size in sizes.items():
        fill, label = _COLOURS.get(group, "#EFEFEF"), f"{group}\\n{size} nodes"
        kept.append(
            f'  "group {group}" [label="{label}", id="node-{group}", class="ff-group", shape=box3d, style=filled, '
            f'fillcolor="{fill}", tooltip="{size} nodes; click to open"];'
        )
    for (source, target), lines in streams.items():
        grouped = source.startswith("group ") or target.startswith("group ")
        if grouped:
            label = f' [label="{len(lines)} streams"]' if len(lines) > 1 else ""
            kept.append(f'  "{source}" -> "{target}"{label};')
        else:
            kept += lines
    return "\n".join([*kept, closing, ""])


def _drawn(name: str, groups: Mapping[str, str]) -> str:
    return f"group {groups[name]}" if name in groups else name
