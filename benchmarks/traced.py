"""Peak memory of a GCN on Cora, fully fused, that is traced while somebody reads the frames.

``python -m benchmarks.traced [CYCLES]`` stops after CYCLES, if given.
"""

import resource
import sys

import fuseflow as ff
from fuseflow.sim import TraceOptions


def main(most_cycles: int | None) -> None:
    """Trace the run, up to ``most_cycles``, and print what it took."""
    handle = ff.compile(ff.models.gcn("cora"), "full").start(trace=TraceOptions())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    for frame in handle.frames():
        count += 1
        if most_cycles is not None and frame.end_cycle > most_cycles:
            handle.cancel()
    run = handle.result()
    run.trace().utilisation()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{run.cycles} cycles, {count} frames, ru_maxrss {before} before the run, {peak} after it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
