"""Cycles that the authors of FuseFlow plot in Figure 12, to stand beside ours.

They are the values in the plot script of the published artifact, not results that we reproduced: whether they were
measured with a memory model is not recorded there. They apply to one configuration of each model.
"""

from collections.abc import Mapping

from fuseflow.models import Model
from fuseflow.schedule import PRESETS, Schedule

REFERENCE_SOURCE = "FuseFlow Fig. 12, artifact plot data"

# Model -> data set -> cycles of PRESETS: unfused, partial ("partially fused") and full ("fully fused").
_CYCLES: Mapping[str, Mapping[str, tuple[int, int, int]]] = {
    "gcn": {
        "cora": (48_998_261, 29_997_611, 166_361_105),
        "cora_ml": (115_435_265, 61_259_360, 842_383_059),
        "dblp": (934_042_655, 627_775_406, 3_589_346_391),
        "collab": (1_056_927_396, 409_951_944, 55_634_377_783),
        "mag": (16_012_893_504, 7_505_550_758, 185_792_502_899),
    },
    "graphsage": {
        "cora": (79_355_629, 37_798_698, 166_361_105),
        "cora_ml": (183_474_564, 99_243_656, 842_388_679),
        "dblp": (1_269_087_780, 627_775_394, 3_589_346_391),
        "collab": (1_569_940_814, 505_455_837, 55_634_376_841),
        "mag": (29_409_284_934, 7_505_550_758, 849_409_284_934),
    },
}

# What a model must say of itself for the values to be about the same computation.
_CONDITIONS: Mapping[str, Mapping[str, str]] = {
    "gcn": {"hidden width": "16", "weight sparsity": "0.6", "features stored": "dense"},
    "graphsage": {"hidden width": "16", "weight sparsity": "0.6", "features stored": "dense"},
}


def published_cycles(model: str, dataset: str) -> tuple[int, int, int] | None:
    """The reference's cycles unfused, partially and fully fused, or None where it has none."""
    return _CYCLES.get(model, {}).get(dataset)


def reference_cycles(model: Model, schedule: Schedule) -> int | None:
    """The reference's cycles of ``model`` under ``schedule``, or None where it has no value for exactly this.

    The model must be configured as the reference's and the schedule must have the regions and orders of a preset,
    whatever its name. A synthetic twin is given the value of the graph that it stands in for.
    """
    values = _CYCLES.get(model.name, {}).get(model.dataset)
    if values is None or any(model.notes.get(note) != value for note, value in _CONDITIONS[model.name].items()):
        return None
    for preset, cycles in zip(PRESETS.values(), values, strict=True):
        if preset(model.program).regions == schedule.regions:
            return cycles
    return None
