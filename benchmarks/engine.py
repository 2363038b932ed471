"""Speed of the compiled engine: short, irregular and long fibers, with and without values, records against tokens."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

import fuseflow as ff
from benchmarks.gather import gather
from benchmarks.measure import Row, median_seconds, row
from fuseflow.dataflow.graph import Graph
from fuseflow.formats import FiberTree
from fuseflow.sim import Progress, engine, simulate
from fuseflow.sim.threads import available

Tensors = Mapping[str, FiberTree]


def engine_rows() -> Iterator[Row]:
    """Small and large kernels; every target is one of the project's."""
    compiled = ff.compile(ff.models.gcn("karate"), "full")
    fast = median_seconds(compiled.simulate)
    slow = median_seconds(lambda: compiled.simulate(engine="interpreter"), repeats=1)
    yield row("simulate gcn karate full", fast, "s", baseline=slow)
    yield from _sparse_product()
    yield from _irregular_streams()
    yield from _long_fibers("A.X, OGB-Collab's shape", *_aggregation())
    yield from _memory_limit(*_aggregation())
    yield from _long_fibers("dense 1024 x 768 x 3072", *_dense_product())


def _scattered(rows: int, columns: int, count: int, seed: int) -> FiberTree:
    """About ``count`` random elements in compressed levels."""
    generator = np.random.default_rng(seed)
    places = np.unique(generator.integers(0, rows * columns, count))
    coordinates = np.stack((places // columns, places % columns))
    values = generator.standard_normal(len(places)).astype(np.float32)
    return FiberTree.from_coordinates(coordinates, values, (rows, columns), "cc")


def _first_graph(text: str, **tensors: FiberTree) -> tuple[Graph, Tensors]:
    model = ff.einsum(text, **tensors)
    graph = ff.compile(model, "full").regions[0].graph
    return graph, {name: model.tensors[name] for name in graph.tensors}


def _sparse_product() -> Iterator[Row]:
    """SpMM in order i, k, j at n = 1000 and density 0.02, all levels compressed: about 1e6 cycles."""
    left, right = _scattered(1000, 1000, 20_000, 1), _scattered(1000, 1000, 20_000, 2)
    graph, tensors = _first_graph("Y[i,j] = A[i,k] * B[k,j]", A=left, B=right)
    tokens = median_seconds(lambda: simulate(graph, tensors, records=False))
    yield row("SpMM n=1000, density 0.02", median_seconds(lambda: simulate(graph, tensors)), "s", 0.03, tokens)


def _irregular_streams() -> Iterator[Row]:
    """Sum of two sparse matrices: unions of scattered fibers of about four coordinates, which stay tokens."""
    left, right = _scattered(100_000, 100_000, 400_000, 1), _scattered(100_000, 100_000, 400_000, 2)
    graph, tensors = _first_graph("Y[i,j] = A[i,j] + B[i,j]", A=left, B=right)
    tokens = _tokens(graph, tensors)
    seconds = median_seconds(lambda: simulate(graph, tensors, threads=1))
    yield row("irregular streams, one core", tokens / seconds, "tokens/s", 5e7, larger=True)


def _tokens(graph: Graph, tensors: Tensors) -> int:
    """Tokens that leave all ports of ``graph``."""
    seen: list[Progress] = []
    interval, engine.PROGRESS_INTERVAL_SECONDS = engine.PROGRESS_INTERVAL_SECONDS, 0.0
    try:
        simulate(graph, tensors, progress=seen.append, records=False)
    finally:
        engine.PROGRESS_INTERVAL_SECONDS = interval
    return seen[-1].tokens


def _aggregation() -> tuple[Graph, Tensors]:
    """The first kernel of an unfused GCN: adjacency times dense features, 128 wide."""
    model = ff.models.gcn("collab")
    graph = ff.compile(model, "unfused").regions[0].graph
    return graph, {name: model.tensors[name] for name in graph.tensors}


def _memory_limit(graph: Graph, tensors: Tensors) -> Iterator[Row]:
    """The same sums with no simulation around them, on one core and on all; baseline: A·X on as many."""
    cycles = simulate(graph, tensors).cycles
    for threads, cores in ((1, "one core"), (available(), "all cores")):
        bare = median_seconds(gather(tensors["adjacency"], tensors["x"], threads))
        full = median_seconds(partial(simulate, graph, tensors, threads=threads))
        yield row(f"A.X, its sums alone, {cores}", cycles / bare, "cycles/s", None, cycles / full, larger=True)


def _dense_product() -> tuple[Graph, Tensors]:
    generator = np.random.default_rng(0)
    left = FiberTree.from_dense(generator.standard_normal((1024, 768)).astype(np.float32))
    right = FiberTree.from_dense(generator.standard_normal((768, 3072)).astype(np.float32))
    return _first_graph("Y[i,k] = A[i,j] * B[j,k]", A=left, B=right)


def _long_fibers(name: str, graph: Graph, tensors: Tensors) -> Iterator[Row]:
    cycles = simulate(graph, tensors).cycles
    one = median_seconds(lambda: simulate(graph, tensors, threads=1), repeats=3)
    all_cores = median_seconds(lambda: simulate(graph, tensors), repeats=3)
    bare = median_seconds(lambda: simulate(graph, tensors, values=False), repeats=3)
    yield row(f"{name}", cycles / all_cores, "cycles/s", 2e9, cycles / one, larger=True)
    yield row(f"{name}, without values", cycles / bare, "cycles/s", 2e9, cycles / all_cores, larger=True)
