"""BigBird attention in blocks against the same without, at both conventions of tile throughput (paper Fig. 17)."""

import time
from collections.abc import Iterator

import fuseflow as ff
from benchmarks.measure import Row, row

SEQUENCE = 1024
BLOCKS = (16, 32, 64)


def blocks_rows() -> Iterator[Row]:
    """Fused attention, 12 heads of 64: cycles with tiles, beside the cycles without; bytes; seconds to simulate.

    The tiles are as large as the mask's blocks, and checked against eager PyTorch.
    """
    for size in BLOCKS:
        model = ff.models.attention(block=size, sequence=SEQUENCE)
        full = ff.Schedule.full(model)
        plain = ff.compile(model, full).simulate(values=False)
        compiled = ff.compile(model, full.with_blocks(size))
        started = time.perf_counter()
        tiled = compiled.simulate()
        seconds = time.perf_counter() - started
        tiled.check()
        equal = compiled.simulate(ff.Machine.equal_throughput(), values=False)
        name = f"attention, blocks of {size}"
        yield row(f"{name}, a lane per element", tiled.cycles, "cycles", baseline=plain.cycles)
        yield row(f"{name}, equal throughput", equal.cycles, "cycles", baseline=plain.cycles)
        yield row(f"{name}, traffic", tiled.bytes, "bytes", baseline=plain.bytes)
        yield row(f"{name}, simulated with values", seconds, "s", baseline=plain.simulate_seconds)
