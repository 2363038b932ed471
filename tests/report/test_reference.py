"""The reference's cycles are given for exactly what the reference ran."""

import dataclasses

import pytest

import fuseflow as ff
from fuseflow.report import reference_cycles


@pytest.fixture(scope="module")
def karate() -> ff.Model:
    return ff.models.gcn("karate")


@pytest.mark.parametrize(
    ("dataset", "preset", "cycles"),
    [
        ("cora", "unfused", 48_998_261),
        ("cora_ml", "full", 842_383_059),
        ("mag", "partial", 7_505_550_758),
        ("karate", "partial", None),
    ],
)
def test_values_of_figure_12(karate: ff.Model, dataset: str, preset: str, cycles: int | None) -> None:
    model = dataclasses.replace(karate, dataset=dataset)
    assert reference_cycles(model, getattr(ff.Schedule, preset)(model)) == cycles


@pytest.mark.parametrize("note", ["hidden width", "weight sparsity", "features stored"])
def test_another_configuration_has_no_value(karate: ff.Model, note: str) -> None:
    model = dataclasses.replace(karate, dataset="cora", notes={**karate.notes, note: "other"})
    assert reference_cycles(model, ff.Schedule.full(model)) is None


def test_another_schedule_or_model_has_no_value(karate: ff.Model) -> None:
    model = dataclasses.replace(karate, dataset="cora")
    regions = ff.Schedule.full(model).regions
    ordered = ff.Schedule("full", (dataclasses.replace(regions[0], order=("i", "j", "j2", "k", "l", "m")),))
    assert reference_cycles(model, ordered) is None
    assert reference_cycles(dataclasses.replace(model, name="mine"), ff.Schedule.full(model)) is None
