"""Running a model under presets: node counts per kernel, outputs against eager PyTorch."""

import fuseflow as ff
from fuseflow.models import Model


def counts(model: Model, schedule: str) -> list[int]:
    """Nodes of every kernel of ``model`` under ``schedule``, whose simulated outputs must agree with PyTorch's."""
    compiled = ff.compile(model, schedule)
    assert compiled.simulate().check().max_rel_error < 1e-5
    return [len(region.graph) for region in compiled.regions]
