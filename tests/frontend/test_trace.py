"""Traced modules mean what eager PyTorch computes, and are stored as their data or the annotation say."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fuseflow.einsum import Program
from fuseflow.formats import Format
from fuseflow.frontend import trace
from tests.frontend.modules import Call, Network, check, data, formats, sparse

LAYOUTS = {"csr": torch.sparse_csr, "csc": torch.sparse_csc, "coo": torch.sparse_coo}
STORED = {"csr": "dc", "csc": "dc:1,0", "coo": "cc"}


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.filterwarnings("ignore:Sparse CS")
def test_network_with_a_sparse_adjacency(layout: str) -> None:
    adjacency = sparse(6, 6).to_sparse(layout=LAYOUTS[layout])
    traced = check(Network(), data(6, 5), adjacency)
    assert formats(traced)["adjacency"] == STORED[layout]
    assert traced.tensors["adjacency"].stored == int((sparse(6, 6) != 0).sum())


def test_network_with_an_annotated_dense_adjacency() -> None:
    traced = check(Network(), data(6, 5), sparse(6, 6), formats={"adjacency": "csr", "conv1.linear.weight": "cc:1,0"})
    assert formats(traced) == {
        "conv1_linear_weight": "cc:1,0",
        "conv1_linear_bias": "d",
        "conv2_linear_weight": "dd:1,0",
        "conv2_linear_bias": "d",
        "x": "dd",
        "adjacency": "dc",
    }
    by_name = trace(Network(), (data(6, 5), sparse(6, 6)), {"conv1_linear_weight": Format.parse("cc", 2)})
    assert formats(by_name)["conv1_linear_weight"] == "cc"


def test_statements_name_kernel_layer_and_source() -> None:
    program = trace(Network(), (data(6, 5), sparse(6, 6))).program
    assert [(made.name, made.origin.group, made.origin.layer) for made in program][:4] == [
        ("matmul", "conv1.matmul", "conv1"),
        ("linear_mul", "conv1.linear.mul", "conv1"),
        ("linear", "conv1.linear.bias", "conv1"),
        ("relu", "relu", ""),
    ]
    assert program.statement("linear").origin.source.endswith("return self.linear(adjacency @ x)")
    assert program.statement("linear").origin.source.startswith("modules.py:")
    assert len({made.origin.group for made in program}) == 8


FUNCTIONS = {
    "mm": lambda x, y: torch.mm(x, y.t()),
    "matmul": lambda x, y: x @ y.T,
    "sparse mm": lambda x, y: torch.sparse.mm(x.t(), y),
    "transpose": lambda x, y: x.transpose(0, -1) @ y,
    "permute": lambda x, y: x.permute(1, -2).matmul(y),
    "two transposes": lambda x, y: x.t().transpose(1, 0) + y,
    "gram": lambda x, y: (x @ x.T) * (y @ y.T).T,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "maximum": lambda x, y: torch.maximum(x, torch.minimum(x, y)),
    "same operand": lambda x, y: x * x - y * y,
    "constants": lambda x, y: (2 * x + 1.5 - 3) / 4 + (1 - y),
    "constant difference": lambda x, y: torch.rsub(x, y),
    "relu": lambda x, y: torch.relu(x) + F.relu(y),
    "exp": lambda x, y: x.exp() + y.tanh(),
    "sin": lambda x, y: torch.sin(x) + y.cos(),
    "sigmoid": lambda x, y: torch.sigmoid(x) * -y,
    "neg": lambda x, y: torch.neg(x) + y,
    "sqrt": lambda x, y: torch.sqrt(x * x + 1) + torch.rsqrt(y * y + 1) + torch.log(y * y + 1),
    "softmax rows": lambda x, y: torch.softmax(x, 1) + y.log_softmax(-1),
    "softmax columns": lambda x, y: F.softmax(x, dim=0) + F.log_softmax(y, dim=-2),
    "copies": lambda x, y: x.contiguous() + y.clone().detach(),
    "dropout": lambda x, y: F.dropout(x, 0.5, training=False) + y,
    "tuple": lambda x, y: (x + y, x @ y.T),
    "list": lambda x, y: [x + y, x * 2],
    "transposed view": lambda x, y: (x + y).T,
    "an input": lambda x, y: (x, y.t(), x + y),
    "twice": lambda x, y: (s := x + y, s, s),
    "several copies": lambda x, y: (x, x, y.T),
}


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_operations(name: str) -> None:
    traced = check(Call(FUNCTIONS[name]), data(4, 3), data(4, 3, seed=7))
    groups = {made.origin.group for made in traced.program}
    for group in groups:  # every kernel can stand alone
        inside = {made.name for made in traced.program if made.origin.group == group}
        assert len([item for item in inside if _outside(traced.program, item, inside)]) == 1


def _outside(program: Program, item: str, inside: set[str]) -> bool:
    return item in program.outputs or any(reader.name not in inside for reader in program.readers(item))


@pytest.mark.parametrize(
    "function",
    [
        lambda bias, x, y: torch.addmm(bias, x, y.t()),
        lambda bias, x, y: x @ y.T + bias,
        lambda bias, x, y: bias - x @ y.T,
        lambda bias, x, y: torch.softmax(bias, 0) * (x @ y.T),
    ],
)
def test_a_vector_is_aligned_at_the_last_dimension(function: object) -> None:
    check(Call(function), data(4), data(5, 3), data(4, 3))


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias: bool) -> None:
    traced = check(nn.Linear(3, 5, bias=bias), data(4, 3))
    assert formats(traced)["weight"] == "dd:1,0"
    assert len(traced.program.statements) == 1 + bias


def test_sequential() -> None:
    module = nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Dropout(inplace=True), nn.Linear(4, 2), nn.Softmax(1)
    )
    traced = check(module, data(5, 3))
    assert traced.program.statement("linear").origin.source == "module '0', a Linear"
    assert [made.origin.layer for made in traced.program][:4] == ["0", "0", "1", "3"]
    check(nn.Sequential(OrderedDict(first=nn.Linear(3, 4), activation=nn.Tanh(), last=nn.Linear(4, 2))), data(5, 3))


def test_default_order_is_the_reading_order() -> None:
    def function(x: Tensor, w: Tensor, v: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return x.t() @ w.t() + v @ z, torch.softmax(w, 1)

    traced = check(Call(function), data(3, 4), data(5, 3), data(4, 2), data(2, 5))
    assert list(formats(traced).values()) == ["dd:1,0", "dd:1,0", "dd", "dd"]


def test_a_softmax_of_an_input_reads_it_along_the_reduced_dimension_last() -> None:
    assert list(formats(check(Call(lambda x: torch.softmax(x, 1)), data(3, 4))).values()) == ["dd"]
    assert list(formats(check(Call(lambda x: torch.softmax(x, 0)), data(3, 4))).values()) == ["dd:1,0"]


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0]), persistent=False)
        self.x = nn.Parameter(torch.tensor([0.5, 0.0, -1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)) * self.scale) + self.x


def test_shared_parameters_are_one_tensor() -> None:
    traced = check(Tied(), data(4, 3))
    assert formats(traced) == {
        "self_x": "d", "first_weight": "dd:1,0", "first_bias": "d", "second_bias": "d", "scale": "d", "x": "dd",
    }  # fmt: skip
    for label in ("first.weight", "second.weight", "first_weight"):
        assert formats(trace(Tied(), (data(4, 3),), {label: "cc"}))["first_weight"] == "cc"


def test_an_argument_and_a_parameter_of_the_same_name() -> None:
    module = Tied()
    traced = trace(module, (data(4, 3),), {"x": "cc", "self.x": "c"})
    assert formats(traced)["x"] == "cc"
    assert formats(traced)["self_x"] == "c"
    np.testing.assert_array_equal(traced.tensors["self_x"].to_dense(), module.x.detach().numpy())


def test_buffers_may_be_sparse_and_unused_inputs_vanish() -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("adjacency", sparse(4, 4).to_sparse())

        def forward(self, x: torch.Tensor, unused: torch.Tensor) -> torch.Tensor:
            _ = torch.exp(unused)
            return torch.sparse.mm(self.adjacency, x)

    traced = check(Fixed(), data(4, 3), data(2, 2))
    assert formats(traced) == {"adjacency": "cc", "x": "dd"}
    assert [made.name for made in traced.program] == ["sparse_mm"]


def test_the_same_tensor_passed_twice_is_one_input() -> None:
    x = data(3, 3)
    assert formats(check(Call(lambda a, b: a @ b), x, x)) == {"inputs_0": "dd"}
    for name in ("inputs_0", "inputs_1"):
        assert formats(check(Call(lambda a, b: a @ b), x, x, formats={name: "cc"})) == {"inputs_0": "cc"}


def test_training_flags_are_left_as_they_were() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Dropout(0.5))
    module.train()
    module[1].eval()
    before = [part.training for part in module.modules()]
    trace(module, (data(2, 3),))
    assert [part.training for part in module.modules()] == before


def test_float64_is_stored_as_float32() -> None:
    traced = trace(Call(lambda x: x * 2), (data(3, 3).double(),))
    assert traced.tensors[traced.program.inputs[0].name].values.dtype == np.float32
