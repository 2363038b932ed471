"""What the paper and the artifact's plot scripts say, to stand beside what we run.

Sources: FuseFlow (doi 10.1145/3779212.3790165), §8 and its figures; the plot scripts of the published artifact, whose
numbers are the authors' (not ours, and not all reproducible with the artifact: see docs/fidelity.md).
"""

from collections.abc import Mapping

from fuseflow.paper.experiment import Base
from fuseflow.report.reference import published_cycles

Three = tuple[int, int, int]
"""Cycles unfused, partially and fully fused."""

ORDER = (Base.UNFUSED, Base.PARTIAL, Base.FULL)

GPT3: Mapping[int, Three] = {
    16: (98_511_714_108, 56_340_821_076, 36_439_754_748),
    32: (99_652_522_812, 60_497_286_996, 40_596_220_668),
    64: (102_275_175_360, 60_497_286_996, 40_596_220_668),
}
"""Figure 12, twelve decoders, by block."""

SAE_TEXT: Mapping[Base, float] = {Base.UNFUSED: 1.0, Base.PARTIAL: 1.01, Base.FULL: 1.94}
"""Speedups in the paper's text. The plot script's cycles are below the number of pixels of a batch and are not used."""

FIGURE_14: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "cora_ml": {
        "full": (2_477_724_772, 3_422_625_009),
        "first": (240_329_975, 305_549_531),
        "last": (292_489_512, 493_297_493),
        "partial": (240_409_687, 305_123_333),
        "unfused": (292_409_800, 493_723_691),
    },
    "dblp": {
        "full": (9_901_253_852, 13_815_099_378),
        "first": (841_903_789, 1_046_957_403),
        "last": (844_201_668, 1_339_169_398),
        "partial": (842_146_612, 1_045_331_819),
        "unfused": (843_958_845, 1_340_794_982),
    },
    "collab": {
        "full": (25_541_873_568, 34_440_972_179),
        "first": (1_377_303_232, 1_750_798_916),
        "last": (1_371_642_400, 2_156_020_138),
        "partial": (1_374_944_552, 1_729_099_055),
        "unfused": (1_374_001_080, 2_177_719_999),
    },
}
"""FLOPs and accesses to memory in words of four bytes, by the regions of the schedule."""

FIGURE_16B: Mapping[tuple[int, int], int] = {
    (1, 1): 806_101_226,
    (2, 1): 403_087_023,
    (4, 1): 201_560_883,
    (1, 2): 403_054_894,
    (1, 4): 201_531_826,
    (4, 4): 50_390_209,
}
"""Cycles of attention, block 64, by lanes of the heads and of the query rows."""

TABLE_2: Mapping[str, tuple[int, int, float]] = {
    "cora": (2708, 1433, 0.997),
    "cora_ml": (2995, 2879, 0.998),
    "dblp": (17716, 1639, 0.996),
    "collab": (235868, 128, 0.999),
    "mag": (1939743, 128, 0.999),
}
"""Nodes, features and sparsity as the paper's Table 2 has them."""

TABLE_3: Mapping[str, tuple[float, float]] = {
    "gpt3": (0.018, 0.057),
    "gcn": (0.028, 0.096),
    "graphsage": (0.026, 0.115),
}
"""Error of the heuristic in FLOPs and in bytes."""

TABLE_4: Mapping[str, tuple[float, float]] = {"gcn": (2e8, 6.3e7), "graphsage": (3.9e7, 1.1e3)}
"""Legal dataflow orders, unconstrained (the GCN's capped at 2e8) and with each product at its best order."""


def graph_cycles(model: str, dataset: str, base: Base) -> int | None:
    """Figure 12's cycles of a graph network, or None where it has none."""
    values = published_cycles(model, dataset)
    return None if values is None or base not in ORDER else values[ORDER.index(base)]


def gpt3_cycles(block: int, base: Base) -> int | None:
    """Figure 12's cycles of GPT-3, or None where it has none."""
    return None if block not in GPT3 or base not in ORDER else GPT3[block][ORDER.index(base)]
