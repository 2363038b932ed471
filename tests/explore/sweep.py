"""A sweep of quick candidates, to be killed: ``python sweep.py STORE MACHINES``. Prints the table at its end."""

import sys

import numpy as np

import fuseflow as ff
from fuseflow.explore import Space
from fuseflow.sim.machine import BlockTiming

TEXT = """A[12,12]: cc
B[12,5]: dd
C[12,5]: cc
x[i,j] = A[i,k] * B[k,j]
y[i,j] = x[i,j] * C[i,j]
z[i,j] = exp(y[i,j])"""


def small_model() -> ff.Model:
    """Three statements, four partitions."""
    rng = np.random.default_rng(0)
    a, c = ((rng.random(shape) < 0.4).astype(np.float32) for shape in ((12, 12), (12, 5)))
    return ff.einsum(TEXT, A=a, B=rng.random((12, 5)), C=c)


def sweep(store: str, machines: int, **options: object) -> ff.Exploration:
    """Every candidate of :func:`small_model` on ``machines`` machines."""
    several = tuple(ff.Machine(f"machine {n}", array=BlockTiming(1 + n)) for n in range(machines))
    space = Space(machines=several)
    options = {"bytes_per_worker": 4e9, **options}  # by default a share of what is free now
    return ff.explore(small_model(), space, 10_000, store=store, prune=False, **options)


if __name__ == "__main__":
    found = sweep(sys.argv[1], int(sys.argv[2]), workers=1)
    sys.stdout.write(found[["key", "status", "cycles", "bytes", "flops"]].sort_values("key").to_csv(index=False))
