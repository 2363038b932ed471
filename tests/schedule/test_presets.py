"""The presets on text programs and on traced models; each of them is legal."""

from pathlib import Path

import pytest
import torch
from torch import nn

import fuseflow as ff
from fuseflow.einsum import Program, parse
from fuseflow.errors import ScheduleError
from fuseflow.frontend import trace
from fuseflow.schedule import PRESETS, Schedule, check, layers, named
from tests.frontend.modules import Call, Network, data, sparse


def regions(schedule: Schedule) -> dict[str, str]:
    return {region.name: " ".join(region.statements) for region in schedule}


def legal(program: Program) -> None:
    for preset in (Schedule.unfused, Schedule.partial):
        check(preset(program), program)
    assert [region.name for region in check(Schedule.full(program), program)] == ["all"]


def test_graph_convolution() -> None:
    traced = trace(Network(), (data(6, 5), sparse(6, 6)))
    program = traced.program
    legal(program)
    unfused = Schedule.unfused(traced)  # anything that has a program will do
    assert regions(unfused) == {
        "conv1.matmul": "matmul",
        "conv1.linear.mul": "linear_mul",
        "conv1.linear.bias": "linear",
        "relu": "relu",
        "conv2.matmul": "matmul_1",
        "conv2.linear.mul": "linear_1_mul",
        "conv2.linear.bias": "linear_1",
        "softmax": "softmax_max softmax_shift softmax_exp softmax_sum softmax",
    }
    assert regions(Schedule.partial(program)) == {
        "conv1": "matmul linear_mul linear relu",
        "conv2": "matmul_1 linear_1_mul linear_1 softmax_max softmax_shift softmax_exp softmax_sum softmax",
    }
    assert len(Schedule.full(program)) == 1
    assert Schedule.full(program).name == "full"


def test_text_programs_are_cut_behind_activations() -> None:
    program = parse("""
        A[4,4]: cc
        X[4,3]: dd
        W[3,3]: dd
        H[i,k] = relu(A[i,j] * X[j,k])
        Y[i,l] = sigmoid(A[i,j] * (H[j,k] * W[k,l]))
        Z[i,l] = Y[i,l] * 2
    """)
    legal(program)
    assert regions(Schedule.unfused(program)) == {"H": "H_1 H", "Y": "Y_1 Y_2 Y", "Z": "Z"}
    assert regions(Schedule.partial(program)) == {"layer1": "H_1 H", "layer2": "Y_1 Y_2 Y", "layer3": "Z"}


def test_one_statement() -> None:
    program = parse("a[3]: d\nb[i] = a[i] + 1")
    legal(program)
    assert regions(Schedule.partial(program)) == {"layer1": "b"}


def test_sequential_and_work_before_the_first_child() -> None:
    program = trace(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (data(5, 3),)).program
    legal(program)
    assert list(layers(program)) == ["0", "2"]

    class Scaled(Network):
        def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
            return super().forward(x * 2, adjacency)

    program = trace(Scaled(), (data(6, 5), sparse(6, 6))).program
    legal(program)
    assert list(layers(program)) == ["layer1", "conv1", "conv2"]


def test_an_activation_belongs_to_the_layer_before_it() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.act = nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.b(self.act(self.a(x))))

    program = trace(Shared(), (data(4, 3),)).program
    legal(program)
    assert regions(Schedule.partial(program)) == {"a": "linear_mul linear relu", "b": "linear_1_mul linear_1 relu_1"}


def test_a_layer_with_several_results_is_one_region() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = Two(), Two()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            middle, last = self.a(x)
            return self.b(last)[1] + middle

    program = trace(Skip(), (data(4, 3),)).program
    legal(program)
    assert regions(Schedule.partial(program)) == {"a": "exp tanh mul", "b": "exp_1 tanh_1 mul_1 add"}
    assert ff.compile(ff.trace(Skip(), (data(4, 3),)), "partial").simulate().check().passed


class Two(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        middle = torch.exp(x)
        return middle, torch.tanh(middle) * 2


def test_several_results_in_one_region() -> None:
    model = ff.trace(Call(lambda x: (torch.exp(x), torch.exp(x) * 2)), (data(4, 3),))
    for preset in ("unfused", "partial", "full"):
        run = ff.compile(model, preset).simulate()
        assert run.check().passed
        assert sorted(run.outputs) == ["exp", "mul"]
    assert len(ff.compile(model, "full").regions) == 1


def test_kernels_with_the_name_of_a_module_stay_apart() -> None:
    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = Scaled()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x)

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.weight, self.bias) * x * x

    program = trace(Inner(), (data(4, 3),)).program
    legal(program)
    assert list(regions(Schedule.unfused(program))) == [
        "linear.mul", "linear.bias", "linear.mul_2", "linear.mul_3",
    ]  # fmt: skip


def test_schedules_by_name(tmp_path: Path) -> None:
    program = parse('A[2,3]: "cc"\nB[3,4]: "dd"\nT[i,j] = A[i,k] * B[k,j]\nY[i,j] = relu(T[i,j])\nreturn Y')
    assert list(PRESETS) == ["unfused", "partial", "full"]
    for name in PRESETS:
        assert named(name)(program) == getattr(Schedule, name)(program)
    mine = Schedule("mine", Schedule.full(program).regions)
    mine.save(tmp_path / "a.json")
    assert named(str(tmp_path / "a.json"))(program) == mine
    with pytest.raises(ScheduleError, match="unknown schedule 'fast'; use one of unfused, partial, full or the path"):
        named("fast")
    with pytest.raises(ScheduleError, match=r"cannot read a schedule from none\.json"):
        named("none.json")  # read at once, not when it is used
