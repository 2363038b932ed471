"""The estimate: its speed, its error against simulation, how well it ranks, and how fast a sweep runs."""

import tempfile
import time
from collections.abc import Iterator

import fuseflow as ff
from benchmarks.measure import Row, median_seconds, row
from fuseflow.estimate import Statistics
from fuseflow.estimate.patterns import Pattern
from fuseflow.explore import Space
from fuseflow.explore.regions import Workbench
from fuseflow.explore.space import Lattice
from fuseflow.explore.variants import variants
from fuseflow.formats import Format

CANDIDATES = 100_000


def estimate_rows() -> Iterator[Row]:
    """Speed of one estimate and of ranking, and errors on Cora; sweeps with one and two workers."""
    model = ff.models.gcn("cora")
    compiled = {name: ff.compile(model, name) for name in ("unfused", "partial", "full")}
    known = Statistics.of(model.tensors)
    for name, item in compiled.items():
        seconds = median_seconds(lambda item=item: ff.estimate(item, statistics=known), repeats=21)
        yield row(f"estimate gcn cora {name}", 1000 * seconds, "ms", target=5.0)
        fresh = Statistics.of(model.tensors)
        started = time.perf_counter()
        ff.estimate(item, statistics=fresh)
        yield row(f"estimate gcn cora {name}, nothing known", 1000 * (time.perf_counter() - started), "ms")
        run, found = item.simulate(), ff.estimate(item, statistics=known)
        yield row(f"estimate gcn cora {name} FLOPs error", abs(found.flops / run.flops - 1), "", target=0.01)
        yield row(f"estimate gcn cora {name} bytes error", abs(found.bytes / run.bytes - 1), "", target=0.02)
        yield row(f"estimate gcn cora {name} cycles error", abs(found.cycles / run.cycles - 1), "")
    yield row(f"rank {CANDIDATES:,} schedules of gcn cora", _ranking(model), "s", target=600.0)
    yield from _sweeps()


FORMATS = {
    "x": ("dd", "cc", "dc", "cd"),
    "conv1_linear_weight": ("cc:1,0", "dd:1,0", "dc:1,0", "cd:1,0"),
    "conv2_linear_weight": ("cc:1,0", "dd:1,0", "dc:1,0", "cd:1,0"),
}
"""64 ways of storing times 2,048 partitions: more than CANDIDATES."""


def _ranking(model: ff.Model) -> float:
    """Seconds until CANDIDATES whole schedules are estimated and sorted, from nothing known, in one process."""
    started = time.perf_counter()
    space = Space(formats=FORMATS)
    found: list[float] = []
    for variant in variants(model.program, model.tensors, space):
        facts = Statistics.of(variant.tensors)
        bench = Workbench(variant.program, variant.tensors, facts, ff.Machine(), space)
        lattice = Lattice(variant.program, space)
        found += _schedules(bench, lattice, frozenset(), 0.0, {}, {})
        if len(found) >= CANDIDATES:
            break
    found.sort()
    if len(found) < CANDIDATES:
        raise RuntimeError(f"the space has {len(found)} schedules only")
    return (time.perf_counter() - started) * CANDIDATES / len(found)


def _schedules(
    bench: Workbench,
    lattice: Lattice,
    done: frozenset[str],
    cycles: float,
    formats: dict[str, Format],
    patterns: dict[str, Pattern],
) -> Iterator[float]:
    """Estimated cycles of every schedule that goes on from ``done``."""
    if done == frozenset(lattice.names):
        yield cycles
        return
    for statements in lattice.steps(done):
        for item in bench.all_candidates(statements, formats, patterns):
            yield from _schedules(
                bench,
                lattice,
                done | frozenset(statements),
                cycles + item.cost.cycles,
                {**formats, **dict(item.stored)},
                {**patterns, **item.patterns},
            )


def _sweeps() -> Iterator[Row]:
    """Candidates per second of one worker and of two, on simulations of a second or two each."""
    model = ff.models.graphsage("karate", hidden=1024)
    rates = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as store:
            stamps: list[float] = []

            def note(state: object, stamps: list[float] = stamps) -> None:
                if getattr(state, "phase", "") == "simulate":
                    stamps.append(time.perf_counter())

            ff.explore(model, budget=24, kept=24, workers=workers, store=store, prune=False, progress=note)
        # The second half: starting processes is paid once per sweep, whatever its length.
        middle = len(stamps) // 2
        rates[workers] = (len(stamps) - 1 - middle) / (stamps[-1] - stamps[middle])
    yield row("sweep, candidates per second, one worker", rates[1], "1/s")
    yield row("sweep, candidates per second, two workers", rates[2], "1/s", baseline=rates[1], larger=True)
    yield row("sweep, two workers over one", rates[2] / rates[1], "x", target=1.7, larger=True)
