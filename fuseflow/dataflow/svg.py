"""Dataflow graphs as SVG, laid out by Graphviz.

The layout runs in another process, so that a large graph can be given up after a while and does not stop the threads
of a notebook: ``dot`` where it is on the PATH, else the Graphviz libraries inside the ``pygraphviz`` wheel.
"""

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec

from fuseflow.dataflow.dot import to_dot
from fuseflow.dataflow.graph import Graph
from fuseflow.errors import FuseflowError

TIMEOUT_SECONDS = 60.0
"""How long a layout may take. 300 nodes take a tenth of a second, 2000 nodes up to ten seconds."""

_PYGRAPHVIZ = """\
import sys, pygraphviz
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(pygraphviz.AGraph(string=text).draw(prog="dot", format="svg"))
"""


def to_svg(graph_or_dot: Graph | str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """An ``<svg>`` element (no XML prolog, ready for a page) of a graph or of DOT text.

    Layouts differ between versions of Graphviz; within one process the same text is laid out once. Raises
    FuseflowError if no Graphviz is found, the text is not DOT, or the layout takes longer than ``timeout_seconds``.
    """
    return _render(graph_or_dot if isinstance(graph_or_dot, str) else to_dot(graph_or_dot), timeout_seconds)


@lru_cache(maxsize=64)
def _render(dot: str, timeout_seconds: float) -> str:
    name, command = _layout_command()
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=timeout_seconds, check=False)
    except subprocess.TimeoutExpired:
        raise FuseflowError(
            f"{name} did not lay out {dot.count(' -> ')} streams within {timeout_seconds:g} s; "
            "draw a smaller region or give a larger timeout_seconds"
        ) from None
    except OSError as fault:
        raise FuseflowError(f"{name} could not be started: {fault}; repair it or take it off the PATH") from None
    svg = done.stdout.decode(errors="replace")
    start = svg.find("<svg")
    if done.returncode or start < 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise FuseflowError(f"{name} could not draw the graph: {reason[-1] if reason else 'it gave no SVG'}")
    return svg[start:].rstrip() + "\n"


def _layout_command() -> tuple[str, list[str]]:
    """Name and command of the first Graphviz found; it reads DOT and writes SVG."""
    dot = shutil.which("dot")
    if dot:
        return "Graphviz (dot)", [dot, "-Tsvg"]
    if find_spec("pygraphviz"):
        return "pygraphviz", [sys.executable, "-c", _PYGRAPHVIZ]
    folders = os.environ.get("PATH", "").count(os.pathsep) + 1
    raise FuseflowError(
        f"no Graphviz to draw with: there is no 'dot' in the {folders} folders of PATH and no module 'pygraphviz'. "
        "Either install Graphviz (apt-get install graphviz, brew install graphviz, conda install graphviz) or run "
        "'pip install pygraphviz>=2.0.4', whose wheels bring it along"
    )
