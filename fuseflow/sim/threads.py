"""Threads that share the work on columns. The kernels release the interpreter lock; results never depend on threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

LEAST_COLUMNS = 32
"""Fewer columns per thread are not worth the hand-over, and share cache lines."""
LEAST_VALUES = 1 << 16
"""Fewer values in all are not worth it either: about ten microseconds of work."""


@cache
def available() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="fuseflow")


def over_columns(work: Callable[[int, int], None], columns: int, rows: int, threads: int) -> None:
    """Call ``work(low, high)`` on parts of ``columns``, in up to ``threads`` threads if there is enough to do."""
    parts = min(threads, columns // LEAST_COLUMNS) if columns * rows >= LEAST_VALUES else 1
    if parts < 2:
        work(0, columns)
        return
    # Parts begin at whole cache lines, so that no two threads write to one.
    bounds = [columns * part // parts // 16 * 16 for part in range(parts)] + [columns]
    futures = [_pool().submit(work, low, high) for low, high in pairwise(bounds[1:])]
    work(bounds[0], bounds[1])
    for future in futures:
        future.result()
