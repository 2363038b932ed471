"""A·X at OGB-Collab's shape, thread by thread: ``python -m benchmarks.overlap [REPEATS]``.

Wall time says little on a machine that others use. Processor time does: of the engine's own thread, and of all. If the
two shared the work evenly, the wall time would be the second divided by the cores; it cannot be less than the first.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.engine import _aggregation
from benchmarks.gather import gather
from fuseflow.sim import simulate
from fuseflow.sim.threads import available


def main() -> None:
    """Best and median of as many repeats, one kind after the other in turn, so that all see the same neighbours."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    graph, tensors = _aggregation()
    cycles = simulate(graph, tensors).cycles
    cores = available()
    runs: dict[str, Callable[[], object]] = {
        "without values": partial(simulate, graph, tensors, values=False),
        "1 thread": partial(simulate, graph, tensors, threads=1),
        f"{cores} threads": partial(simulate, graph, tensors),
        "its sums alone, 1 thread": gather(tensors["adjacency"], tensors["x"], 1),
        f"its sums alone, {cores} threads": gather(tensors["adjacency"], tensors["x"], cores),
    }
    seconds: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            before = time.perf_counter(), time.thread_time(), time.process_time()
            run()
            after = time.perf_counter(), time.thread_time(), time.process_time()
            seconds[name].append((after[0] - before[0], after[1] - before[1], after[2] - before[2]))
    sys.stdout.write(f"{cycles} cycles; seconds, best (median) of {repeats}\n")
    for name, taken in seconds.items():
        best, middle = np.min(taken, axis=0), np.median(taken, axis=0)
        parts = zip(("wall", "own thread", "all threads"), best, middle, strict=True)
        text = ", ".join(f"{what} {least:.3f} ({usual:.3f})" for what, least, usual in parts)
        sys.stdout.write(f"{name:30s} {text}; {cycles / best[0]:.3g} cycles/s\n")


if __name__ == "__main__":
    main()
