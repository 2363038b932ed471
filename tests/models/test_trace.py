"""Models traced from modules: names, formats of results, and a reference that stays what it was."""

import logging

import pytest
import torch
from torch import nn

import fuseflow as ff
from fuseflow.errors import FusionError, TraceError


class Mixed(nn.Module):
    """An argument with a capital letter, and a softmax over the first dimension."""

    def forward(self, x: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
        return torch.softmax(A @ x, dim=0)


INPUTS = (torch.linspace(-1, 1, 12).reshape(4, 3), torch.eye(4))


def test_formats_take_arguments_as_they_are_written() -> None:
    assert str(ff.trace(Mixed(), INPUTS, formats={"A": "csr"}).tensors["A"].format) == "dc"


def test_a_result_can_be_given_a_format() -> None:
    # Stored row by row, the maximum over rows would not be innermost.
    model = ff.trace(Mixed(), INPUTS)
    with pytest.raises(FusionError, match="matmul is stored i before"):
        ff.compile(model, "unfused", on_cycle="error")
    copied = ff.compile(model, "unfused")
    assert [region.name for region in copied.regions if region.is_copy] == ["copy_matmul_to_matmul_dd_1_0"]
    assert copied.simulate().check().passed
    stored = ff.compile(ff.trace(Mixed(), INPUTS, formats={"matmul": "dd:1,0"}), "unfused", on_cycle="error")
    # Its producer reads row by row, so storing it as asked takes the copy, right after it.
    assert [region.name for region in stored.regions if region.is_copy] == ["copy_matmul_cc_0_1_to_matmul"]
    assert stored.simulate().check().passed


def test_torch_says_nothing_of_its_own(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(TraceError, match=r"shapes \[\(5, 3\), \(4, 4\)\]"):
        ff.trace(Mixed(), (torch.ones(5, 3), torch.ones(4, 4)))
    assert not caplog.records
    assert "Traceback" not in capfd.readouterr().err


def test_the_reference_does_not_follow_later_training() -> None:
    module = nn.Linear(3, 2)
    model = ff.trace(module, (torch.ones(4, 3),))
    with torch.no_grad():
        module.weight.add_(1.0)
    assert ff.compile(model).simulate().check().passed


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr", "to_sparse_csc", "to_dense"])
def test_text_programs_take_torch_tensors(layout: str) -> None:
    a = getattr(torch.eye(3), layout)() if layout != "to_dense" else torch.eye(3, requires_grad=True)
    model = ff.einsum("y[i] = A[i,k] * x[k]", A=a, x=torch.arange(3.0))
    assert ff.compile(model).simulate().check().passed
