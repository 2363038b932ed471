"""ff.workbench: what it opens, what it says, and that the library does without it."""

import subprocess
import sys
from collections.abc import Callable

import fuseflow_widgets as fw
import pytest
import torch

import fuseflow as ff


class Fit(torch.nn.Module):
    def forward(self, x: torch.Tensor, links: torch.Tensor) -> torch.Tensor:
        return torch.relu(links @ x)


class Moves(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(3, 4)


class Branches(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class Named(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"result": torch.relu(x)}


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
        (Moves(), (torch.ones(4, 3),), "only moves stored elements, so there is no region to fuse"),
        (Branches(), (torch.ones(4, 3),), "asks for the value of a tensor"),
        (Named(), (torch.ones(4, 3),), "return one tensor or a tuple of tensors"),
        (torch.nn.Conv2d(1, 1, 3), (torch.ones(1, 1, 8, 8),), "write the convolution as a matrix product"),
        (torch.nn.LSTM(4, 4), (torch.ones(3, 1, 4),), "LSTM returns a tuple within a tuple"),
        (torch.nn.Linear(4, 3), (torch.ones(5),), "The module must run on these inputs"),
        (torch.nn.Linear(4, 3), torch.ones(2, 4), "for one input write (x,)"),
        ("gcn", None, "pass one, such as ff.models.gcn('karate')"),
        (Fit(), None, "needs example inputs to be traced: ff.workbench(module"),
    ],
)
def test_what_cannot_be_opened_is_said(model: object, inputs: tuple[torch.Tensor, ...] | None, words: str) -> None:
    notice = ff.workbench(model, inputs)
    assert isinstance(notice, fw.Notice)
    assert words in notice.as_text() and notice.as_text().startswith("the workbench cannot open this model")


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        (lambda x: x, (torch.ones(3, 2),)),
        (lambda x: x.t(), (torch.ones(3, 2),)),
        (lambda v: (v * v).sum(), (torch.arange(5.0),)),
        (lambda v: v * 2, (torch.tensor(3.0),)),
        (lambda x: (torch.relu(x), x.sum(0)), (torch.ones(3, 2),)),
        (lambda a, b, c: a * b + c, (torch.ones(3, 2),) * 3),
        (lambda x: torch.relu(x), (torch.zeros(0, 4),)),
        (lambda a, x: torch.sparse.mm(a, x), (torch.eye(4).to_sparse_coo(), torch.ones(4, 2))),
    ],
    ids=["identity", "transpose", "scalar", "order 0", "two results", "three inputs", "empty", "sparse input"],
)
def test_odd_modules_open_run_and_step(module: Callable[..., object], inputs: tuple[torch.Tensor, ...]) -> None:
    class Odd(torch.nn.Module):
        def forward(self, *tensors: torch.Tensor) -> object:
            return module(*tensors)

    bench = ff.workbench(Odd(), inputs)
    assert isinstance(bench, fw.Workbench), bench.as_text()
    assert bench.exact.background.join(20) and bench.run is not None and bench.run.check().passed
    for preset in ("unfused", "full"):
        bench.picker._received(None, {"action": "preset", "arguments": {"name": preset}}, [])
        assert not bench.picker.notice
    bench.tabs.selected_index = 3
    bench.close()


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
