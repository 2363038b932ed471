"""The experiments by name, in the order of the paper. Figure 13 needs RTL and FPGA tools and is not among them."""

from collections.abc import Sequence

from fuseflow.errors import DataError
from fuseflow.paper import (
    fig4b,
    fig12,
    fig14,
    fig15,
    fig16a,
    fig16b,
    fig17,
    fig18,
    fig20,
    table1,
    table2,
    table3,
    table4,
)  # fmt: skip
from fuseflow.paper.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {item.name: item for item in (
    fig4b.EXPERIMENT, fig12.EXPERIMENT, fig14.EXPERIMENT, fig15.EXPERIMENT, fig16a.EXPERIMENT, fig16b.EXPERIMENT,
    fig17.EXPERIMENT, fig18.EXPERIMENT, fig20.EXPERIMENT, table1.EXPERIMENT, table2.EXPERIMENT, table3.EXPERIMENT,
    table4.EXPERIMENT,
)}  # fmt: skip

ALL = "all"
OUTSIDE = {"fig13": "Figure 13 compares the simulator with RTL and needs the FPGA tools; it is not reproduced"}


def chosen(names: Sequence[str]) -> tuple[Experiment, ...]:
    """The experiments called ``names``, each once; ``all`` is every one. DataError for another name."""
    found: dict[str, Experiment] = {}
    for name in names or (ALL,):
        if name == ALL:
            found |= EXPERIMENTS
        elif name in OUTSIDE:
            raise DataError(f"{OUTSIDE[name]}; choose among {', '.join(EXPERIMENTS)} and {ALL}")
        elif name not in EXPERIMENTS:
            raise DataError(f"no figure or table {name!r}; choose among {', '.join(EXPERIMENTS)} and {ALL}")
        else:
            found[name] = EXPERIMENTS[name]
    return tuple(found.values())
