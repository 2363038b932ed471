"""What cannot be traced is refused by name, with the user's own line."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fuseflow.errors import DataError, FormatError, FuseflowError, TraceError
from fuseflow.frontend import trace
from tests.frontend.modules import Network, data, sparse


class Call(nn.Module):
    """Here, so that its line is in this file: PyTorch records the lines of ``forward`` methods only."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*inputs)


def refusal(module: Any, *inputs: Any, error: type[FuseflowError] = TraceError, **formats: Any) -> str:
    with pytest.raises(error) as caught:
        trace(module, inputs, formats)
    return str(caught.value)


def part_in_place(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    h = x + y
    h[torch.tensor([0, 1])] = y[1:3]
    return h


def input_in_place(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.relu_(x) + y


def view_read_later(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    h = x + y
    view = h.t()
    torch.relu_(h)
    return view @ y


LINE = r"test_refusals\.py:\d+: return self\.function\(\*inputs\)"
CASES: dict[str, tuple[Callable[..., Any], str]] = {
    "convolution": (lambda x, y: F.conv1d(x[None], y[None]), r"op aten\.conv1d\.default is not supported \(LINE.*\); write the .*Supported are abs, add"),
    "nearest": (lambda x, y: x + torch.expm1(y), r"op aten\.expm1\.default is not supported \(LINE.*\); nearest are exp"),
    "random": (lambda x, y: x + torch.rand(3), r"aten\.rand\.default \(LINE.*\): is random; a program has fixed data"),
    "part in place": (part_in_place, r"op aten\.index_put_\.default is not supported \(LINE.*\); assigning to this part"),
    "input in place": (input_in_place, r"aten\.relu_\.default \(LINE.*\): changes the input 'inputs_0' in place; use relu"),
    "view read later": (view_read_later, r"aten\.relu_\.default \(LINE.*\): changes 't' in place, which is read again later"),
    "power": (lambda x, y: x**y, r"aten\.pow\.Tensor_Tensor \(LINE.*\): a power of two tensors is not supported; for a"),
    "half": (lambda x, y: x.half() + y, r"aten\.to\.dtype \(LINE.*\): converts to torch\.float16; graphs compute in float32"),
    "computed mask": (lambda x, y: torch.where(x + y > 0, x, y), r"op aten\.gt\.Scalar is not supported \(LINE.*\); compare inputs or"),
    "computed where": (lambda x, y: x.masked_fill((x + y).bool(), 0.0), r"\(LINE.*\): converts to torch\.bool"),
    "mask before relu": (lambda x, y: x.masked_fill(y > 0, -float("inf")).relu(), r"aten\.relu\.default \(LINE.*\): the operand is masked with minus infinity"),
    "mask after softmax": (lambda x, y: x.masked_fill(torch.eye(4, 3) > 0, -float("inf")).softmax(1) + y, r"aten\.add\.Tensor \(LINE.*\): the operand is the result of a masked softmax"),
    "empty row": (lambda x, y: torch.where(torch.eye(4, 3) > 0, x * 2, -9e15).softmax(1), r"aten\.softmax\.int \(LINE.*\): the mask leaves nothing in some row of the softmax"),
    "positions": (lambda x, y: x[(x + y).argmax(0)], r"op aten\.argmax\.default is not supported \(LINE.*\); it depends on data"),
    "index of max": (lambda x, y: x.max(1)[1] + 1, r"getitem.* \(LINE.*\): result 1 of max_1 is not computed; only the values are"),
    "diagonal": (lambda x, y: torch.einsum("ii->i", x @ y.T), r'aten\.einsum\.default \(LINE.*\): "ii->i" is not supported; write two'),
    "gather apart": (lambda x, y: (x[None] * y)[torch.tensor([0]), :, torch.tensor([1])], r"aten\.index\.Tensor \(LINE.*\): gathers along dimensions that are not next"),
    "alpha": (lambda x, y: torch.add(x, y, alpha=2), r"aten\.add\.Tensor \(LINE.*\): alpha=2 is not supported; multiply"),
    "alpha of rsub": (lambda x, y: torch.rsub(x, 1, alpha=3), r"aten\.rsub\.Scalar \(LINE.*\): alpha=3 is not supported"),
    "rounding": (lambda x, y: torch.div(x, y, rounding_mode="floor"), r"aten\.div\.Tensor_mode \(LINE.*\): rounding_mode"),
    "softmax type": (lambda x, y: F.softmax(x, 1, dtype=torch.float64), r"aten\.softmax\.int \(LINE.*\): dtype=torch\.float64"),
    "dropout": (lambda x, y: F.dropout(x) + y, r"aten\.dropout\.default \(LINE.*\): dropout in training mode is random; pass"),
    "infinite constant": (lambda x, y: x * float("inf"), r"aten\.mul\.Tensor \(LINE.*\): mul with the constant inf; constants"),
    "complex constant": (lambda x, y: x * 1j, r"aten\.mul\.Tensor \(LINE.*\): expected a tensor, got 1j"),
    "comparison": (lambda x, y: x + y > y, r"op aten\.gt\.Tensor is not supported \(LINE.*\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_operations_are_refused_by_name_and_line(name: str) -> None:
    function, pattern = CASES[name]
    message = refusal(Call(function), data(4, 3), data(4, 3))
    assert re.search(pattern.replace("LINE.*", LINE), message), message


def test_the_exact_line_is_named() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.relu(x)
            return h.cumprod(0)

    lines, first = inspect.getsourcelines(Net)
    number = first + next(number for number, line in enumerate(lines) if "cumprod" in line)
    assert f"op aten.cumprod.default is not supported (test_refusals.py:{number}: return h.cumprod(0))" in refusal(
        Net(), data(4, 3)
    )


def test_convolution_names_the_line_of_the_module_that_calls_it() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x)

    message = refusal(Net(), data(1, 1, 5, 5))
    assert re.search(
        r"op aten\.conv2d\.\w+ is not supported \(test_refusals\.py:\d+: return self\.conv\(x\)\)", message
    )
    message = refusal(nn.Sequential(nn.Conv2d(1, 2, 3)), data(1, 1, 5, 5))
    assert re.search(r"op aten\.conv2d\.\w+ is not supported \(module '0', a Conv2d\)", message)


def branch(x: torch.Tensor) -> torch.Tensor:
    if x.sum() > 0:
        return x
    return -x


def multiply(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x @ y


def add(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x + y


@pytest.mark.parametrize(
    ("function", "shapes", "line", "reason"),
    [
        (multiply, [(4, 3), (4, 3)], "return x @ y", "same reduction dim, but got"),
        (add, [(4, 3), (4, 2)], "return x + y", "Attempting to broadcast a dimension of length 2"),
    ],
)
def test_what_torch_cannot_export(function: Any, shapes: list[tuple[int, ...]], line: str, reason: str) -> None:
    message = refusal(Call(function), *(data(*shape) for shape in shapes))
    start = r"torch\.export cannot export Call on inputs of shapes \[\(4, 3\).*\] \(test_refusals\.py:\d+: "
    assert re.search(start + re.escape(line) + r"\): .*" + reason, message), message
    assert message.endswith("The module must run on these inputs and must not branch on their values")


def test_a_branch_on_a_value(capfd: pytest.CaptureFixture[str]) -> None:
    message = refusal(Call(branch), data(4, 3))
    assert re.fullmatch(
        r"cannot export Call on inputs of shapes \[\(4, 3\)\] \(test_refusals\.py:\d+: if x\.sum\(\) > 0:\): this line asks "
        r"for the value of a tensor, .*",
        message,
    ), message
    assert capfd.readouterr().err == ""


class Single(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_inputs(count: int) -> None:
    message = refusal(Single(), *[data(2)] * count)
    assert message == (
        f"Single.forward(x) cannot be called with {count} inputs; pass a tensor for each of its arguments, in their order"
    )


def test_arguments_of_trace() -> None:
    assert refusal(lambda x: x, data(2)) == "expected a torch.nn.Module, got function; wrap the function in a module"
    assert refusal(Call(lambda x, y: x), data(2), 3.0) == "input 1 is a float; pass tensors only"
    with pytest.raises(
        TraceError, match=r"the inputs must be a tuple of tensors, not Tensor; for one input write \(x,\)"
    ):
        trace(Call(lambda x: x), data(2, 2))  # type: ignore[arg-type]  # wrong on purpose


def test_results_that_are_no_tensors() -> None:
    one = "; return one tensor or a tuple of tensors"
    assert refusal(Call(lambda x: {"a": x + 1}), data(2)) == "Call returns a dict" + one
    assert refusal(Call(lambda x: (x, [x + 1])), data(2)) == "Call returns a list within a tuple" + one
    assert (
        refusal(Call(lambda x: (x + 1, None)), data(2))
        == "the module returns None among its results; return tensors only"
    )
    assert refusal(Call(lambda x: ()), data(2)) == "the module returns no tensor; return at least one"


def test_data_types_and_values() -> None:
    module = Call(add)
    numbers = torch.ones(3, dtype=torch.complex64)
    assert refusal(module, data(3), numbers) == "tensor 'inputs_1' has dtype torch.complex64; pass it as torch.float32"
    halves = data(3).half()
    assert refusal(module, halves, halves + 1).startswith("tensor 'inputs_0' has dtype torch.float16")
    for value in (float("nan"), float("inf")):
        bad = data(3, 3)
        bad[1, 2] = value
        message = refusal(module, data(3, 3), bad, error=FuseflowError)
        assert message.startswith("tensor 'inputs_1': ")
        assert str(value) in message
    with pytest.raises(DataError):
        trace(module, (data(3, 3), bad))


def test_formats_that_do_not_fit() -> None:
    inputs = (data(6, 5), sparse(6, 6))
    message = refusal(Network(), *inputs, adjacent="csr")
    assert message.startswith("formats names 'adjacent', but the module has conv1.linear.weight, conv1.linear.bias")
    assert "x, adjacency and computes " in message
    message = refusal(Network(), *inputs, error=FormatError, adjacency="crs")
    assert message.startswith("format of 'adjacency': format \"crs\" is not known: use a name (dense, coo, csf")
    message = refusal(Network(), *inputs, error=FormatError, adjacency="ccc")
    assert message.startswith("format of 'adjacency': format \"ccc\" has 3 levels, but the tensor has order 2")
    message = refusal(Network(), *inputs, error=FormatError, adjacency=3)
    assert message == "format of 'adjacency': 3 does not fit a tensor of order 2"
