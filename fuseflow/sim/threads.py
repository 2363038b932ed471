"""Threads that share the work on values. The kernels release the interpreter lock; results never depend on threads."""

import os
from collections.abc import Callable, Sequence
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


def enough_for(values: int) -> bool:
    """Whether work on so many values is worth sharing."""
    return values >= LEAST_VALUES


def column_parts(columns: int, threads: int) -> list[tuple[int, int]]:
    """Up to ``threads`` spans of ``columns``; they begin at whole cache lines, so that no two threads write to one."""
    parts = max(1, min(threads, columns // LEAST_COLUMNS))
    bounds = [columns * part // parts // 16 * 16 for part in range(parts)] + [columns]
    return list(pairwise(bounds))


def together(work: Sequence[Callable[[], None]]) -> None:
    """Call all of ``work``, each in a thread of its own, the first in this one."""
    futures = [_pool().submit(part) for part in work[1:]]
    work[0]()
    for future in futures:
        future.result()
