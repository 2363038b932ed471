"""Collapsing a dataflow graph for drawing: repeated lanes, and the blocks around one operation, as single nodes."""

import re
from collections.abc import Mapping

from fuseflow.dataflow.graph import Graph

_LANE = re.compile(r"[ _.](?:lane[ _]?)(\d+)\b")
FONT = "Helvetica,Arial,sans-serif"
_COLOURS = {"iteration": "#CFE4F5", "compute": "#FBDDC1", "construction": "#E4EFC8"}


def grouping(graph: Graph) -> dict[str, str]:
    """Node to group: lanes of a parallel graph by lane; without lanes, every part of the region is a group.

    Lane 0 stays open, since the others repeat it.
    """
    lanes = {node.name: found.group(1) for node in graph if (found := _LANE.search(node.name))}
    if len(set(lanes.values())) > 1:
        return {name: f"lane {lane}" for name, lane in lanes.items() if lane != "0"}
    return {node.name: node.part.value for node in graph} if len(graph) > 1 else {}


def collapsed_dot(graph: Graph, groups: Mapping[str, str]) -> str:
    """DOT of ``graph`` where the nodes of a group are one node; streams inside of a group are not drawn."""
    sizes: dict[str, int] = {}
    for group in groups.values():
        sizes[group] = sizes.get(group, 0) + 1
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        f'  graph [fontname="{FONT}", newrank=true, nodesep=0.3, ranksep=0.45, bgcolor=transparent, tooltip=" "];',
        f'  node [fontname="{FONT}", fontsize=11, color="#444444", style=filled, fillcolor=white, shape=box];',
        f'  edge [fontname="{FONT}", fontsize=9, arrowsize=0.7, color="#222222"];',
    ]
    for group, size in sizes.items():
        fill, label = _COLOURS.get(group, "#EFEFEF"), f"{group}\n{size} nodes"
        lines.append(
            f"  {_quoted('group ' + group)} [label={_quoted(label)}, id={_quoted('node-' + group)}, "
            f'class="ff-group", shape=box3d, fillcolor="{fill}", tooltip={_quoted(f"{size} nodes; click to open")}];'
        )
    for node in graph:
        if node.name not in groups:
            lines.append(
                f"  {_quoted(node.name)} [id={_quoted('node-' + node.name)}, class=block, "
                f"tooltip={_quoted(node.role or node.name)}];"
            )
    streams: dict[tuple[str, str], int] = {}
    for node in graph:
        for port in node.inputs:
            ends = _drawn(port.node, groups), _drawn(node.name, groups)
            if ends[0] != ends[1] or not ends[0].startswith("group "):
                streams[ends] = streams.get(ends, 0) + 1
    for (source, target), number in streams.items():
        label = f' [label="{number} streams"]' if number > 1 else ""
        lines.append(f"  {_quoted(source)} -> {_quoted(target)}{label};")
    return "\n".join([*lines, "}", ""])


def _drawn(name: str, groups: Mapping[str, str]) -> str:
    return f"group {groups[name]}" if name in groups else name


def _quoted(value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
