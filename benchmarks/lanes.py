"""Parallel lanes at the paper's sizes: ``python -m benchmarks lanes``; ``python -m benchmarks.lanes`` prints tables.

BigBird attention over 1 to 64 lanes of one index, and over two indices (paper Fig. 16), and a GCN on a power-law graph
with every way of dealing. Every run's results are compared with those of one lane, bit for bit.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np

import fuseflow as ff
from benchmarks.measure import Row, row

POINTS: tuple[tuple[tuple[str, int], ...], ...] = (
    (), (("k", 64),), (("j", 4), ("k", 4)), (("k", 2),), (("k", 4),), (("k", 8),), (("k", 16),), (("k", 32),),
    (("j", 2),), (("j", 4),), (("j", 2), ("k", 2)), (("j", 2), ("k", 4)), (("j", 4), ("k", 2)),
)  # fmt: skip
"""Lanes by index: ``k`` are the queries, ``j`` the heads (stream levels 2 and 1 of the artifact)."""


def attention_points(block: int, heads: int, sequence: int, width: int) -> Iterator[tuple[str, int, int, float, float]]:
    """Per point of the sweep: lanes in words, their number, cycles, speedup over one lane, mean use of the lanes."""
    model = ff.models.attention(block, heads=heads, sequence=sequence, width=width)
    one: ff.Run | None = None
    for point in POINTS:
        lanes = tuple(ff.Lanes(index, count) for index, count in point)
        run = ff.compile(model, ff.Schedule.full(model).with_lanes(*lanes)).simulate()
        one = one or run
        name = next(iter(one.outputs))
        if not np.array_equal(run.outputs[name], one.outputs[name]):
            raise AssertionError(f"{point}: the result is not that of one lane")
        use = run.lanes()
        words = " ".join(f"{index} {count}" for index, count in point) or "1"
        total = int(np.prod([count for _, count in point], dtype=np.int64))
        mean = 1.0 if use.empty else float(use["busy_cycles"].mean() / use["busy_cycles"].max())
        yield words, total, run.cycles, one.cycles / run.cycles, mean


def gcn_points(nodes: int = 2000, features: int = 16) -> Iterator[tuple[str, str, int, int, float, float]]:
    """A layer of a GCN on a power-law graph: order of the nodes, way of dealing, lanes, cycles, speedup, mean use."""
    rng = np.random.default_rng(0)
    degrees = np.minimum((16 / (1 - rng.random(nodes)) ** 0.7).astype(int), nodes // 4)
    for order in ("shuffled", "by degree"):
        sizes = np.sort(degrees)[::-1] if order == "by degree" else degrees
        adjacency = np.zeros((nodes, nodes), np.float32)
        for node, degree in enumerate(sizes):
            adjacency[node, rng.choice(nodes, degree, replace=False)] = 1.0
        text = f"A[{nodes},{nodes}]: dc\nX[{nodes},{features}]: dd\nH[i,j] = A[i,k] * X[k,j]"
        model = ff.einsum(text, A=adjacency, X=rng.random((nodes, features), np.float32))
        one = ff.compile(model, "full").simulate()
        for count in (4, 16, 64):
            for scatter in ff.Scatter:
                lanes = ff.Lanes("i", count, scatter)
                run = ff.compile(model, ff.Schedule.full(model).with_lanes(lanes)).simulate()
                if not np.array_equal(run.outputs["H"], one.outputs["H"]):
                    raise AssertionError(f"{lanes}: the result is not that of one lane")
                use = run.lanes()["busy_cycles"]
                mean = float(use.mean() / use.max())
                yield order, scatter.value, count, run.cycles, one.cycles / run.cycles, mean


def lanes_rows() -> Iterator[Row]:
    """Efficiency of 64 lanes of one index, speedup of 4 x 4 of two, and balanced dealing against round-robin."""
    for words, total, _, speedup, _ in attention_points(64, 12, 1024, 768):
        target = {"k 64": 0.9, "j 4 k 4": 15.0 / 16}.get(words)
        yield row(f"attention lanes {words} efficiency", speedup / total, "", target, larger=True)
    cycles: dict[tuple[str, str, int], int] = {}
    for order, scatter, count, found, _, _ in gcn_points():
        cycles[order, scatter, count] = found
        if scatter == ff.Scatter.BALANCED.value:
            baseline = cycles[order, ff.Scatter.ROUND_ROBIN.value, count]
            yield row(f"power-law gcn {order} {count} lanes balanced", found, "cycles", baseline, baseline)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lanes", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=["attention", "gcn", []], help="tables to print (default: both)")
    parser.add_argument("--small", action="store_true", help="a sequence of 256 and 2 heads instead of the paper's")
    options = parser.parse_args()
    wanted = options.tables or ["attention", "gcn"]
    if "attention" in wanted:
        size = (16, 4, 256, 64) if options.small else (64, 12, 1024, 768)
        sys.stdout.write(
            "| lanes | cycles | speedup | efficiency | use of the lanes |\n| --- | ---: | ---: | ---: | ---: |\n"
        )
        for words, total, cycles, speedup, mean in attention_points(*size):
            sys.stdout.write(f"| {words} | {cycles:,} | {speedup:.2f} | {speedup / total:.3f} | {mean:.1%} |\n")
            sys.stdout.flush()
    if "gcn" in wanted:
        sys.stdout.write("| nodes | dealt | lanes | cycles | speedup | use of the lanes |\n")
        sys.stdout.write("| --- | --- | ---: | ---: | ---: | ---: |\n")
        for order, scatter, count, cycles, speedup, mean in gcn_points():
            sys.stdout.write(f"| {order} | {scatter} | {count} | {cycles:,} | {speedup:.2f} | {mean:.1%} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
