"""GCN: the main job on Cora, and the large shapes."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

from benchmarks.measure import Row, clock_name, row

SCHEDULES = ("unfused", "partial", "full")


SECONDS = {"unfused": 0.5, "full": 2.0}
"""Targets of the Cora schedules that have one."""

SCRIPT = """
import resource, sys, time
import fuseflow as ff
model = ff.models.gcn(sys.argv[1])
for schedule in sys.argv[4:]:
    compiled = ff.compile(model, schedule)
    if sys.argv[2] == "check":
        compiled.simulate()  # loads the kernels
    clock = getattr(time, sys.argv[3])
    started = clock()
    run = compiled.simulate()
    seconds = clock() - started
    if sys.argv[2] == "check":
        run.check()
    print(schedule, seconds, run.cycles)
print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def gcn_rows() -> Iterator[Row]:
    """The main job on Cora: seconds per schedule, cycles per second, total and peak memory."""
    started = time.perf_counter()
    yield from _job("cora", SCHEDULES, SECONDS, 3.0)
    yield row("gcn cora all schedules, whole process", time.perf_counter() - started, "s", target=120.0)


def collab_rows() -> Iterator[Row]:
    """GCN at OGB-Collab's shape, partially fused."""
    yield from _job("collab", ("partial",), {"partial": 10.0}, 4.0)


def mag_rows() -> Iterator[Row]:
    """GCN at OGB-MAG's shape, fully fused: minutes. Not checked against PyTorch, which would need more memory."""
    yield from _job("mag", ("full",), {"full": 600.0}, 12.0, check=False)


def _job(
    dataset: str, schedules: tuple[str, ...], seconds_target: Mapping[str, float], gigabytes: float, check: bool = True
) -> Iterator[Row]:
    """One process that runs ``schedules`` and checks the results against PyTorch, with its peak memory."""
    command = [sys.executable, "-c", SCRIPT, dataset, "check" if check else "run", clock_name(), *schedules]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    for line in output:
        match line.split():
            case ["memory", kilobytes]:
                yield row(f"gcn {dataset} peak memory", int(kilobytes) * _RSS_UNIT / 1e9, "GB", target=gigabytes)
            case [schedule, seconds, cycles]:
                target = seconds_target.get(schedule)
                yield row(f"gcn {dataset} {schedule} simulation", float(seconds), "s", target)
                yield row(f"gcn {dataset} {schedule} speed", int(cycles) / float(seconds), "cycles/s")


_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Unit of ``ru_maxrss``: bytes on macOS, kilobytes elsewhere."""

__all__ = ["collab_rows", "gcn_rows", "mag_rows"]
