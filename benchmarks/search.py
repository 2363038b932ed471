"""What the search finds: ``python -m benchmarks.search [JOB ...]``, the tables of docs/explore.md.

``ranking`` simulates whole lists of candidates of ten small spaces and says where the best stood in the estimate. The
other jobs search schedules of a model at the paper's size, without and with free formats and products.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import fuseflow as ff
from fuseflow.explore import Space, Status
from fuseflow.schedule import PRESETS, Iteration
from fuseflow.sim.machine import BlockTiming

STORE = "out/search"
TOP = 5


def random_matrix(rows: int, columns: int, density: float, seed: int) -> np.ndarray:
    """A sparse matrix of ones."""
    rng = np.random.default_rng(seed)
    return (rng.random((rows, columns)) < density).astype(np.float32)


def chain() -> ff.Model:
    """Three products whose operands leave several orders open."""
    a, b = random_matrix(40, 40, 0.08, 1), random_matrix(40, 40, 0.08, 2)
    text = (
        "A[40,40]: cc\nB[40,40]: cc\nC[40,12]: dd\nt[i,k] = A[i,j] * B[j,k]\nu[i,l] = t[i,k] * C[k,l]\n"
        "y[i,l] = relu(u[i,l])"
    )
    return ff.einsum(text, A=a, B=b, C=np.random.default_rng(3).random((40, 12)))


def sampled() -> ff.Model:
    """A sampled product, a softmax, and a product."""
    text = (
        "S[48,48]: cc\nQ[48,8]: dd\nK[48,8]: dd\nV[48,8]: dd\np[i,j] = Q[i,k] * K[j,k]\nm[i,j] = mask(p[i,j], S[i,j])\n"
        "e[i,j] = exp(m[i,j])\ny[i,l] = e[i,j] * V[j,l]"
    )
    rng = np.random.default_rng(4)
    dense = {name: rng.random((48, 8)) for name in "QKV"}
    return ff.einsum(text, S=random_matrix(48, 48, 0.2, 5), **dense)


SPACES: dict[str, tuple[Callable[[], ff.Model], Space]] = {
    "gcn karate": (lambda: ff.models.gcn("karate"), Space()),
    "gcn karate, both styles": (lambda: ff.models.gcn("karate"), Space(iterations=tuple(Iteration))),
    "gcn karate, sparse features": (lambda: ff.models.gcn("karate", features="csr"), Space()),
    "gcn karate, free products": (lambda: ff.models.gcn("karate"), Space(associations=True)),
    "gcn karate, slow arrays": (
        lambda: ff.models.gcn("karate"),
        Space(machines=(ff.Machine("slow arrays", array=BlockTiming(4, 3)),)),
    ),
    "graphsage karate": (lambda: ff.models.graphsage("karate"), Space()),
    "autoencoder": (lambda: ff.models.sae(small=True), Space()),
    "attention": (lambda: ff.models.attention(small=True), Space()),
    "chain of products": (chain, Space(formats={"B": ("cc", "cc:1,0"), "C": ("dd", "dd:1,0")}, associations=True)),
    "sampled product": (sampled, Space(formats={"K": ("dd", "dd:1,0"), "V": ("dd", "dd:1,0")})),
}


def ranking() -> None:
    """Where the best simulated candidate of each space stands in the order of the estimates."""
    good = 0
    print("| space | schedules | simulated | rank of the best | best cycles | largest error |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name, (make, space) in SPACES.items():
        found = ff.explore(make(), space, budget=60, kept=24, store=STORE, prune=False)
        done = found[found["status"] == Status.DONE.value].copy()
        # Equal estimates share the best rank that any of them has.
        done["rank"] = done["estimated_cycles"].rank(method="min")
        best = done[done["cycles"] == done["cycles"].min()]
        rank = int(best["rank"].min())
        good += rank <= TOP
        error = float((done["estimated_cycles"] / done["cycles"].astype(float) - 1).abs().max())
        size = found.space_size
        print(
            f"| {name} | {size.schedules:,} | {len(done)} | {rank} | {int(best['cycles'].iloc[0]):,} | {error:.1%} |",
            flush=True,
        )
    print(f"\nThe best is among the top {TOP} in {good} of {len(SPACES)} spaces.")


@dataclass(frozen=True, slots=True)
class Job:
    """A model, what may be stored otherwise in the free search, and how many candidates each search simulates.

    ``blocks`` are block sizes of the free search, in which a unit has a lane for every element of a tile (the paper's
    convention), and once more at one multiply-add and one word a cycle.
    """

    make: Callable[[], ff.Model]
    free: dict[str, tuple[str, ...]]
    budget: int
    blocks: tuple[int, ...] = (0,)

    def spaces(self) -> Iterator[tuple[str, Space]]:
        """Partitions and orders alone; then formats and products as well."""
        yield "fixed", Space()
        yield "free", Space(formats=self.free, associations=True)
        if self.blocks != (0,):
            yield f"blocks {self.blocks}, the paper's tiles", Space(blocks=self.blocks)
            yield (
                f"blocks {self.blocks}, equal throughput",
                Space(blocks=self.blocks, machines=(ff.Machine.equal_throughput(),)),
            )


def job(wanted: Job) -> None:
    """Search with everything but partitions and orders fixed, then with more free; a row of the table each."""
    model = wanted.make()
    baseline = 0
    for title, space in wanted.spaces():
        started = time.perf_counter()
        found = ff.explore(model, space, wanted.budget, store=STORE, seconds=840)
        seconds = time.perf_counter() - started
        done = found[found["status"] == Status.DONE.value]
        own = done[done["schedule"].isin(list(PRESETS)) & (done["variant"] == "") & (done["blocks"] == 0)]
        best = found.best
        baseline = baseline or int(own["cycles"].min())  # the presets of the first, fixed search
        cycles = int(best["cycles"])
        # The bound belongs to the formats and products of the program as it is.
        bound = f"{found.lower_bound:,.0f} ({baseline / found.lower_bound:.2f}x)" if title == "fixed" else ""
        variant = best["variant"] or "-"
        print(
            f"| {model.name} {model.dataset} | {title} | {baseline:,} | {cycles:,} | {baseline / cycles:.2f} | {bound} "
            f"| {variant} | {seconds:.0f} |",
            flush=True,
        )
        schedule = found.schedule(str(best["key"]))
        print("\n".join(f"    {line}" for line in repr(schedule).splitlines()), file=sys.stderr)
        print(f"    {found.limit_of(str(best['key']))}; {found.space_size!r}", file=sys.stderr, flush=True)


WEIGHT = ("cc:1,0", "dc:1,0")
"""Compressed by input feature, or dense by input feature: then a feature is located instead of searched for."""
SAE_FREE = {"x": ("cc", "dd"), "encoder_weight": ("cc", "dc", "cc:1,0"), "decoder_weight": ("cc", "dc")}
GRAPHSAGE_FREE = {"x": ("dd", "cc"), "conv1_own_weight": WEIGHT, "conv1_neighbours_weight": WEIGHT}
JOBS: dict[str, Job] = {
    "gcn-cora": Job(lambda: ff.models.gcn("cora"), {"x": ("dd", "cc"), "conv1_linear_weight": WEIGHT}, 4),
    "gcn-collab": Job(lambda: ff.models.gcn("collab"), {"conv1_linear_weight": WEIGHT}, 2),
    "graphsage-cora": Job(lambda: ff.models.graphsage("cora"), GRAPHSAGE_FREE, 4),
    "graphsage-mag": Job(
        lambda: ff.models.graphsage("mag"),
        {"conv1_own_weight": WEIGHT, "conv1_neighbours_weight": WEIGHT, "conv2_own_weight": WEIGHT},
        2,
    ),
    "sae-imagenet": Job(lambda: ff.models.sae("imagenet"), SAE_FREE, 3),
    "gpt3-16": Job(lambda: ff.models.gpt3(16), {}, 2, blocks=(0, 16)),
    "attention-16": Job(lambda: ff.models.attention(16), {}, 2, blocks=(0, 16)),
}


def main() -> None:
    """Run the chosen jobs, by default all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("jobs", nargs="*", choices=["ranking", *JOBS, []])
    wanted = parser.parse_args().jobs or ["ranking", *JOBS]
    if "ranking" in wanted:
        ranking()
    print("\n| model | space | best preset | found | ratio | proven bound | stored or multiplied otherwise | seconds |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |", flush=True)
    for name in wanted:
        if name in JOBS:
            job(JOBS[name])


if __name__ == "__main__":
    main()
