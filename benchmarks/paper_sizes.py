"""The paper's models at the paper's sizes: ``python -m benchmarks.paper_sizes`` (or ``make models``).

Every run is checked against eager PyTorch and printed with its cycles, beside the artifact's plot data where it has
comparable ones. Some take minutes: name jobs to run only these. ``out/models.json`` keeps all results, also of
earlier runs of other jobs.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuseflow as ff

PRESETS = ("unfused", "partial", "full")
Maker = Callable[[], Any]


def jobs() -> dict[str, tuple[Maker, tuple[str, ...]]]:
    """Models and presets by job, quick ones first."""
    models = ff.models
    found: dict[str, tuple[Maker, tuple[str, ...]]] = {
        "sae-imagenet": (lambda: models.sae("imagenet"), PRESETS),
        "gcn-cora": (lambda: models.gcn("cora"), PRESETS),
        "graphsage-cora": (lambda: models.graphsage("cora"), PRESETS),
        "gcn-cora_ml": (lambda: models.gcn("cora_ml"), PRESETS),
        "graphsage-cora_ml": (lambda: models.graphsage("cora_ml"), PRESETS),
    }
    for block in (16, 32, 64):
        found[f"attention-{block}"] = (lambda block=block: models.attention(block), ("unfused", "full"))
    found["attention-64-selected"] = (lambda: models.attention(64, sampled=False), ("full",))
    found["sae-luna16"] = (lambda: models.sae("luna16"), PRESETS)
    found["gpt3-K1"] = (lambda: models.gpt3_kernel("K1"), ("unfused", "full"))
    found["sae-nih-cxr"] = (lambda: models.sae("nih-cxr"), PRESETS)
    found["gpt3-K3"] = (lambda: models.gpt3_kernel("K3"), ("unfused", "full"))
    found["gpt3-K4"] = (lambda: models.gpt3_kernel("K4"), ("full",))
    return found


def main() -> int:
    """Run the chosen jobs; what a job raises ends it and is reported, and the exit code is 1."""
    table = jobs()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper_sizes", description=__doc__)
    parser.add_argument("jobs", nargs="*", choices=[*table, []], help="jobs to run (default: all)")
    parser.add_argument("--out", type=Path, default=Path("out/models.json"))
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = json.loads(options.out.read_text()) if options.out.exists() else {}
    failed = False
    for name in options.jobs or table:
        make, presets = table[name]
        try:
            model = make()
            for preset in presets:
                rows[f"{name} {preset}"] = row = _run(model, preset)
                sys.stdout.write(f"{name:24s} {preset:8s} " + " ".join(f"{k}={v}" for k, v in row.items()) + "\n")
                sys.stdout.flush()
                _save(options.out, rows)
        except (ff.FuseflowError, MemoryError) as error:
            sys.stdout.write(f"{name:24s} FAILED: {error}\n")
            failed = True
    return 1 if failed else 0


def _run(model: Any, preset: str) -> dict[str, Any]:
    compiled = ff.compile(model, preset)
    started = time.perf_counter()
    compiled = ff.compile(model, preset)
    compile_seconds = time.perf_counter() - started
    run = compiled.simulate()
    check = run.check()
    return {
        "kernels": len(run.kernels),
        "nodes": run.nodes,
        "cycles": run.cycles,
        "flops": run.flops,
        "bytes": run.bytes,
        "max_rel_error": float(f"{check.max_rel_error:.2g}"),
        "compile_seconds": round(compile_seconds, 4),
        "simulate_seconds": round(run.simulate_seconds, 2),
    }


def _save(path: Path, rows: dict[str, dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(rows, indent=2) + "\n")
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
