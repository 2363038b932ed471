"""Estimates from sizes and sparsity alone at Collab's full shape, against the counts from data: ``python -m
benchmarks.sizes``.

Both count exactly; they differ in the adjacency, which from sizes is drawn by a law of degrees.
"""

import math

import fuseflow as ff
from fuseflow.estimate import Estimate, Sparsity, Statistics

LAWS = (
    ("uniform", Sparsity.UNIFORM, 0.0),
    ("power law, exponent 0.5", Sparsity.POWER_LAW, 0.5),
    ("power law, exponent 0.62", Sparsity.POWER_LAW, 0.62),
    ("power law, exponent 0.65", Sparsity.POWER_LAW, 0.65),
)
SCHEDULES = ("unfused", "partial", "full")


def known(model: ff.Model, law: Sparsity, exponent: float) -> Statistics:
    """What is known of ``model`` without its data: sizes, densities, and the ``law`` of the degrees."""
    densities = {
        tensor.name: model.tensors[tensor.name].stored / math.prod(tensor.shape) for tensor in model.program.inputs
    }
    return Statistics.sizes(model.program.inputs, densities, {"adjacency": law}, exponent=exponent)


def main() -> None:
    """Print a row per model, law and schedule: errors in FLOPs, bytes and cycles, and what limits the cycles."""
    for name, make in (("GraphSAGE", ff.models.graphsage), ("GCN", ff.models.gcn)):
        model = make("collab")
        compiled = {schedule: ff.compile(model, schedule) for schedule in SCHEDULES}
        data = Statistics.of(model.tensors)
        counted = {schedule: ff.estimate(item, statistics=data) for schedule, item in compiled.items()}
        for law, sparsity, exponent in LAWS:
            facts = known(model, sparsity, exponent)
            for schedule, item in compiled.items():
                found = ff.estimate(item, statistics=facts)
                print(f"{name}, {schedule}, {law}: {_errors(found, counted[schedule])}", flush=True)


def _errors(found: Estimate, data: Estimate) -> str:
    errors = (f"{what} {getattr(found, what) / getattr(data, what) - 1:+.3%}" for what in ("flops", "bytes", "cycles"))
    return f"{', '.join(errors)}, limited by {found.limiting.name} (busy {found.limiting.busy_cycles:,.0f})"


if __name__ == "__main__":
    main()
