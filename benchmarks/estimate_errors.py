"""Estimate over simulation on small models: ``python -m benchmarks.estimate_errors``, a table of docs/explore.md."""

from collections.abc import Callable

import fuseflow as ff
from fuseflow.schedule import PRESETS

MODELS: dict[str, Callable[[], ff.Model]] = {
    "GCN, karate": lambda: ff.models.gcn("karate"),
    "GCN, karate, features CSR": lambda: ff.models.gcn("karate", features="csr"),
    "GraphSAGE, karate": lambda: ff.models.graphsage("karate"),
    "sparse autoencoder, small": lambda: ff.models.sae(small=True),
    "BigBird attention, small": lambda: ff.models.attention(small=True),
    "GPT-3 decoder, small": lambda: ff.models.gpt3(small=True),
}


def main() -> None:
    """A row per model, with a ratio per preset."""
    print(f"| model ({', '.join(PRESETS)}) | cycles | FLOPs | bytes |\n| --- | ---: | ---: | ---: |", flush=True)
    for name, make in MODELS.items():
        model = make()
        ratios: list[tuple[float, float, float]] = []
        for preset in PRESETS:
            compiled = ff.compile(model, preset)
            run, found = compiled.simulate(), ff.estimate(compiled)
            ratios.append((found.cycles / run.cycles, found.flops / run.flops, found.bytes / run.bytes))
        cycles, flops, moved = zip(*ratios, strict=True)
        columns = [", ".join(f"{ratio:.3f}" for ratio in cycles)]
        columns += [", ".join(f"{ratio:.6g}" for ratio in column) for column in (flops, moved)]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
