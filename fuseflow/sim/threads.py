"""Threads that share the work on values. The kernels release the interpreter lock; results never depend on threads."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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


class Shared:
    """Work that goes on in other threads while this one has something else to do, and is finished by all of them."""

    def __init__(self) -> None:
        self._parts: deque[Callable[[], None]] = deque()
        self._helpers: list[Future[None]] = []

    def start(self, parts: Iterable[Callable[[], None]], helpers: int) -> None:
        """Finish what was there, then let ``helpers`` threads begin with ``parts``, which may run in any order."""
        self.finish()
        self._parts.extend(parts)
        self._helpers = [_pool().submit(self._work) for _ in range(helpers)]

    def finish(self) -> None:
        """Take what nobody has begun, then wait for the others; what failed there fails here."""
        self._work()
        for helper in self._helpers:
            helper.result()
        self._helpers = []

    def _work(self) -> None:
        while self._parts:
            try:
                part = self._parts.popleft()
            except IndexError:
                return  # somebody else has just taken the last
            part()
