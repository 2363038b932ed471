"""Runs the benchmarks and writes ``out/bench.json``.

Every row has ``name, value, unit, target, met, baseline, ratio``. A target is a time or memory budget (smaller is
better) or a rate (larger is better). ``baseline`` is a second figure taken in the same run, ``ratio`` says how many
times better the value is. The machine stands in the file. Ratios travel between machines, seconds do not.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks.blocks import blocks_rows
from benchmarks.compile import compile_rows
from benchmarks.engine import engine_rows
from benchmarks.estimate import estimate_rows
from benchmarks.gcn import collab_rows, gcn_rows, mag_rows
from benchmarks.lanes import lanes_rows
from benchmarks.measure import clock_name, use_processor_time

SUITES = {
    "compile": compile_rows, "engine": engine_rows, "estimate": estimate_rows, "gcn": gcn_rows, "collab": collab_rows,
    "mag": mag_rows, "lanes": lanes_rows, "blocks": blocks_rows,
}  # fmt: skip
BY_REQUEST = {"mag", "lanes", "blocks"}
"""Suites that take minutes, one of them many gigabytes: they run when named."""


def main() -> int:
    """Run the chosen suites; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help="suites to run (default: the quick ones)")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    parser.add_argument("--cpu", action="store_true", help="processor time instead of wall time")
    options = parser.parse_args()
    if options.cpu:
        use_processor_time()
    rows = []
    for name in options.suites or [name for name in SUITES if name not in BY_REQUEST]:
        for row in SUITES[name]():
            rows.append(row)
            met = {True: "met", False: "MISSED", None: ""}[row["met"]]
            target = "" if row["target"] is None else f"  target {row['target']:g}"
            ratio = "" if row["ratio"] is None else f"  {row['ratio']:.3g}x better than {row['baseline']:.4g}"
            sys.stdout.write(f"{row['name']:45s} {row['value']:12.4g} {row['unit']:10s}{target} {met}{ratio}\n")
            sys.stdout.flush()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "clock": clock_name(), "rows": rows}
    temporary = options.out.with_suffix(".tmp")
    temporary.write_text(json.dumps(document, indent=2) + "\n")
    os.replace(temporary, options.out)
    sys.stdout.write(f"written to {options.out}\n")
    return 1 if any(row["met"] is False for row in rows) else 0


def machine() -> dict[str, object]:
    """Processor, cores, memory and Python version."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
