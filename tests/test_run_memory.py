"""A run that keeps only its outputs: the same numbers, and the memory of the intermediates is given back."""

import tracemalloc

import numpy as np
import pytest
import torch

import fuseflow as ff
from fuseflow.errors import OutOfMemoryError

DEPTH, SIZE = 12, 400


class Tower(torch.nn.Module):
    """One dense intermediate per step; the first one is read again at the end, past a layout statement."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = y = torch.relu(x)
        for _ in range(DEPTH):
            y = torch.tanh(y)
        return first.reshape(SIZE, SIZE) + y


def compiled() -> ff.Compiled:
    torch.manual_seed(0)
    return ff.compile(ff.trace(Tower(), (torch.randn(SIZE, SIZE),)), "unfused")


def test_intermediates_are_kept_unless_asked_otherwise() -> None:
    tower = compiled()
    kept, freed = tower.simulate(), tower.simulate(keep=False)
    assert all(kernel.result.outputs for kernel in kept.kernels)
    assert not any(kernel.result.outputs for kernel in freed.kernels)
    assert freed.cycles == kept.cycles and freed.bytes == kept.bytes
    for name, found in kept.outputs.items():
        assert np.array_equal(found, freed.outputs[name])
    assert freed.check().passed


def test_memory_of_intermediates_is_given_back() -> None:
    tower = compiled()
    tower.simulate()  # what a first run keeps for good
    peaks = []
    for keep in (True, False):
        tracemalloc.start()
        tower.simulate(keep=keep)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    one = SIZE * SIZE * 4
    # A step that is kept is there twice, as its graph wrote it and as it is stored; both must go.
    assert peaks[0] - peaks[1] > 1.5 * DEPTH * one


@pytest.mark.parametrize("engine", ["compiled", "interpreter"])
def test_memory_that_is_not_there_is_an_error_of_ours(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """numpy's own error would not say which kernel it was, nor what to do."""

    def full(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 30.0 GiB")

    monkeypatch.setattr("fuseflow.run.simulate", full)
    monkeypatch.setattr("fuseflow.run.interpret", full)
    compiled = ff.compile(ff.models.gcn("karate"), "full")
    with pytest.raises(OutOfMemoryError, match=r"kernel 'all': there is not enough memory .*30.0 GiB.*keep=False"):
        compiled.simulate(engine=engine)  # type: ignore[arg-type]  # a literal of two words
    assert issubclass(OutOfMemoryError, MemoryError)
