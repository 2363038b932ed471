"""ff.workbench: what it opens, what it says, and that the library does without it."""

import subprocess
import sys

import fuseflow_widgets as fw
import pytest
import torch

import fuseflow as ff


class Fit(torch.nn.Module):
    def forward(self, x: torch.Tensor, links: torch.Tensor) -> torch.Tensor:
        return torch.relu(links @ x)


class Unfit(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.fft(x).real


def test_a_module_with_inputs_opens() -> None:
    bench = ff.workbench(Fit(), (torch.ones(4, 3), torch.eye(4)), {"links": "csr"}, schedule="full")
    assert isinstance(bench, fw.Workbench) and bench.model.name == "Fit" and len(bench.schedule) == 1
    bench.close()


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (Unfit(), (torch.ones(4, 3),), "fft"),
        (Fit(), None, "needs example inputs to be traced: ff.workbench(module"),
    ],
)
def test_what_cannot_be_opened_is_said(
    model: torch.nn.Module, inputs: tuple[torch.Tensor, ...] | None, words: str
) -> None:
    notice = ff.workbench(model, inputs)
    assert isinstance(notice, fw.Notice)
    assert words in notice.as_text() and notice.as_text().startswith("the workbench cannot open this model")


def test_a_model_takes_no_inputs() -> None:
    notice = ff.workbench(ff.models.gcn("karate"), (torch.ones(2),))
    assert "has its data already" in notice.as_text()
    assert "unknown schedule 'best'" in ff.workbench(ff.models.gcn("karate"), schedule="best").as_text()


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fuseflow_widgets", None)
    with pytest.raises(ImportError, match=r"pip install 'fuseflow\[lab\]'"):
        ff.workbench(None)


def test_importing_loads_neither_torch_nor_altair() -> None:
    code = "import sys, fuseflow_widgets; fuseflow_widgets.Workbench; print(sorted({'torch', 'altair'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
