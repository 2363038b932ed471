"""Layouts side by side: Graphviz runs in processes of its own, so two pictures take as long as the longer one."""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from fuseflow.dataflow.svg import to_svg
from fuseflow_widgets.slim import names_last, slim

KEPT = 64
TIMEOUT_SECONDS = 10.0
"""A page does not wait longer for a picture; 300 nodes take a tenth of a second."""
_POOL = ThreadPoolExecutor(2, thread_name_prefix="fuseflow layout")
_LOCK = Lock()
_ASKED: OrderedDict[str, "Future[str]"] = OrderedDict()


def begin(dot: str) -> "Future[str]":
    """Start the layout of ``dot``, if it is neither known nor under way."""
    with _LOCK:
        future = _ASKED.get(dot)
        if future is None or (future.done() and future.exception() is not None):
            future = _ASKED[dot] = _POOL.submit(_drawn, dot)
        _ASKED.move_to_end(dot)
        while len(_ASKED) > KEPT:
            _ASKED.popitem(last=False)
    return future


def layout(dot: str) -> str:
    """The SVG of ``dot``. Raises as :func:`fuseflow.dataflow.svg.to_svg` does."""
    return begin(dot).result()


def _drawn(dot: str) -> str:
    return names_last(slim(to_svg(dot, timeout_seconds=TIMEOUT_SECONDS)))
