"""GCN: engine against interpreter, and the main job on Cora."""

import subprocess
import sys
import time
from collections.abc import Iterator

import fuseflow as ff
from benchmarks.measure import Row, median_seconds, row

SCHEDULES = ("unfused", "partial", "full")


def engine_rows() -> Iterator[Row]:
    """Compiled engine against the plain interpreter, on the fused GCN of the karate club."""
    compiled = ff.compile(ff.models.gcn("karate"), "full")
    fast = median_seconds(compiled.simulate)
    slow = median_seconds(lambda: compiled.simulate(engine="interpreter"), repeats=1)
    yield row("simulate gcn karate full", fast, "s", baseline=slow)


def gcn_rows() -> Iterator[Row]:
    """The main job on Cora: seconds per schedule, cycles per second, total and peak memory."""
    script = (
        "import resource, sys, time, fuseflow as ff\n"
        "model = ff.models.gcn('cora')\n"
        "for schedule in sys.argv[1:]:\n"
        "    compiled = ff.compile(model, schedule)\n"
        "    started = time.perf_counter()\n"
        "    run = compiled.simulate()\n"
        "    seconds = time.perf_counter() - started\n"
        "    run.check()\n"
        "    print(schedule, seconds, run.cycles)\n"
        "print('memory', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    started = time.perf_counter()
    output = subprocess.run(
        [sys.executable, "-c", script, *SCHEDULES], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    total = time.perf_counter() - started
    for line in output:
        match line.split():
            case ["memory", kilobytes]:
                yield row("gcn cora peak memory", int(kilobytes) * _RSS_UNIT / 1e9, "GB", target=3.0)
            case [schedule, seconds, cycles]:
                yield row(f"gcn cora {schedule} simulation", float(seconds), "s")
                yield row(f"gcn cora {schedule} speed", int(cycles) / float(seconds), "cycles/s")
    yield row("gcn cora all schedules, whole process", total, "s", target=120.0)


_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Unit of ``ru_maxrss``: bytes on macOS, kilobytes elsewhere."""

__all__ = ["engine_rows", "gcn_rows"]
