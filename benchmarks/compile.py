"""Warm compile times of the four models under every preset; the paper reports less than 750 ms per model (§8.1)."""

from collections.abc import Iterator

import fuseflow as ff
from benchmarks.measure import Row, median_seconds, row

TARGET_SECONDS = 0.1


def compile_rows() -> Iterator[Row]:
    """Compile time depends on the operations of a model and hardly on its sizes: small ones, but the GCN on Cora."""
    makers = {
        "gcn": lambda: ff.models.gcn("cora"),
        "graphsage": lambda: ff.models.graphsage("karate"),
        "sae": lambda: ff.models.sae(small=True),
        "gpt3": lambda: ff.models.gpt3(small=True),
        "gpt3 K4": lambda: ff.models.gpt3_kernel("K4", small=True),
    }
    for name, make in makers.items():
        model = make()
        for schedule in ("unfused", "partial", "full"):
            seconds = median_seconds(lambda model=model, schedule=schedule: ff.compile(model, schedule))
            yield row(f"compile {name} {schedule}", seconds, "s", target=TARGET_SECONDS)
