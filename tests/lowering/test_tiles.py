"""Programs in blocks: both engines agree in everything, and with the dense interpreter in elements."""

import numpy as np
import pytest

import fuseflow as ff
from fuseflow.compiled import compile
from fuseflow.errors import FusionError, ScheduleError
from fuseflow.schedule import Schedule
from fuseflow.sim import Machine
from tests.fuzz_programs import TOLERANCE, well_conditioned
from tests.random_tiles import random_tiled

BATCHES = 4
PER_BATCH = 10
MACHINES = (Machine(), Machine.equal_throughput(), Machine(channel_capacity=4096), Machine.pipelined())


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_programs_in_blocks(batch: int) -> None:
    judged = 0
    for seed in range(batch * PER_BATCH, (batch + 1) * PER_BATCH):
        model, schedules = random_tiled(seed, 4)
        if not well_conditioned(model):
            continue
        for number, schedule in enumerate(schedules):
            try:
                compiled = compile(model, schedule)
            except (FusionError, ScheduleError):
                continue
            machine = MACHINES[(seed + number) % len(MACHINES)]
            where = f"seed {seed}, {schedule!r}, {machine.name}"
            fast, slow = compiled.simulate(machine), compiled.simulate(machine, engine="interpreter")
            assert fast.compare().max_rel_error <= TOLERANCE, where
            for left, right in zip(fast.kernels, slow.kernels, strict=True):
                assert left.result.cycles == right.result.cycles, where
                assert left.result.nodes == right.result.nodes, where
            for name, values in fast.outputs.items():
                np.testing.assert_array_equal(values, slow.outputs[name], err_msg=where)
            if number == 0:
                bare = compiled.simulate(machine, values=False)
                assert [item.result.nodes for item in bare.kernels] == [item.result.nodes for item in fast.kernels]
            judged += 1
    assert judged > 3 * PER_BATCH


def spmm(block: int = 4) -> ff.Model:
    rng = np.random.default_rng(1)
    kept = np.kron(rng.random((6, 5)) < 0.4, np.ones((block, block)))
    a = (kept * rng.random(kept.shape)).astype(np.float32)
    x = rng.random((kept.shape[1], 3 * block)).astype(np.float32)
    return ff.einsum("Y[i,j] = A[i,k] * X[k,j]", A=ff.FiberTree.from_dense(a, "cc"), X=x)


def test_blocks_do_the_work_of_the_elements_that_they_hold() -> None:
    model = spmm()
    scalar = compile(model, "full").simulate()
    tiled = compile(model, Schedule.full(model).with_blocks(4)).simulate()
    assert tiled.flops == scalar.flops  # no block is stored in part
    assert tiled.bytes < scalar.bytes
    assert tiled.cycles < scalar.cycles
    assert "tiles (A 4 x 4, X 4 x 4), units with a lane per element" in repr(tiled)


def test_streams_hold_tiles() -> None:
    model = spmm()
    compiled = compile(model, Schedule.full(model).with_blocks(4))
    graph, tensors = compiled.regions[0].graph, compiled.model.tensors
    fast = ff.sim.simulate(graph, tensors, record=True)
    slow = ff.sim.interpret(graph, tensors, record=True)
    assert fast.streams is not None and slow.streams is not None
    for port, tokens in slow.streams.items():
        assert [(repr(token), stamp) for token, stamp in tokens] == [
            (repr(token), stamp) for token, stamp in fast.streams[port]
        ]
    assert any("tile(4 x 4)" in repr(token) for tokens in slow.streams.values() for token, _ in tokens)


def test_layout_statements_between_blocked_regions() -> None:
    import torch

    class Fold(torch.nn.Module):
        def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
            return torch.relu((x @ w).reshape(4, 2, 8).permute(1, 0, 2).reshape(8, 8)) @ w

    torch.manual_seed(0)
    model = ff.trace(Fold(), (torch.randn(8, 8), torch.randn(8, 8)))
    run = compile(model, Schedule.full(model).with_blocks(4)).simulate()
    assert run.check().passed
    assert run.moved


def test_refusals() -> None:
    model = ff.models.attention(block=4, small=True)
    full = Schedule.full(model)
    refused = {
        3: "the block is 3, which does not divide dimension 2 of 'queries' of size 32; choose one of 1, 2, 4, 8",
        8: "the block is 8, which does not divide dimension 3 of 'queries' of size 4",
    }
    for block, message in refused.items():
        with pytest.raises(ScheduleError, match=message):
            compile(model, full.with_blocks(block))
    with pytest.raises(ScheduleError, match=r"mask 'masked_fill_mask' is not made of blocks of 8 x 1: block \(1, 16\)"):
        compile(model, full.with_blocks({"queries": (1, 1, 8, 4)}))
    with pytest.raises(ScheduleError, match="there is no tensor 'nothing'; there are queries"):
        compile(model, full.with_blocks({"nothing": (4,)}))
    with pytest.raises(ScheduleError, match="no statement has an index variable 'q'; there are i, j, k"):
        compile(model, full.with_blocks({"q": 4}))
    with pytest.raises(ScheduleError, match="give one size per dimension"):
        compile(model, full.with_blocks({"queries": (4, 4)}))
    with pytest.raises(ScheduleError, match="together with it into blocks of 2; give one size for both"):
        compile(model, full.with_blocks({"queries": (1, 1, 4, 2), "keys": (1, 1, 4, 4)}))


def test_tiles_need_ideal_memory_and_tensors_in_tiles() -> None:
    model = spmm()
    compiled = compile(model, Schedule.full(model).with_blocks(4))
    with pytest.raises(ff.FuseflowError, match="graphs of tiles run on ideal memory"):
        compiled.simulate(Machine(memory=ff.sim.Memory.hbm()))
    graph = compiled.regions[0].graph
    with pytest.raises(ff.FuseflowError, match=r"reads tiles of shape \(4, 4\) but 'A' stores \(\)"):
        ff.sim.simulate(graph, model.tensors)


@pytest.mark.filterwarnings("ignore:Sparse BSR tensor support")
def test_a_graph_network_on_a_bsr_adjacency() -> None:
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(8, 4), torch.nn.Linear(4, 4)

        def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
            return torch.softmax(self.second(torch.relu(adjacency @ self.first(x))), -1)

    torch.manual_seed(0)
    kept = torch.kron((torch.rand(4, 4) < 0.4).float(), torch.ones(4, 4))
    adjacency = (kept * torch.rand(16, 16)).to_sparse_bsr((4, 4))
    model = ff.trace(Network(), (torch.randn(16, 8), adjacency))
    for schedule in (Schedule.unfused(model), Schedule.full(model)):
        for block in (2, 4):
            assert compile(model, schedule.with_blocks(block)).simulate().check().passed


def test_blocked_attention_and_a_whole_decoder() -> None:
    for model in (ff.models.attention(block=4, small=True, sampled=False), ff.models.gpt3(block=4, small=True)):
        for schedule in (Schedule.unfused(model), Schedule.full(model)):
            plain = compile(model, schedule).simulate(values=False)
            tiled = compile(model, schedule.with_blocks(4)).simulate()
            assert tiled.check().passed
            assert tiled.flops == plain.flops
            assert tiled.cycles < plain.cycles


def test_graphs_of_tiles_are_not_exported() -> None:
    from fuseflow.dataflow.interop import sam_dot

    model = spmm()
    graph = compile(model, Schedule.full(model).with_blocks(4)).regions[0].graph
    with pytest.raises(ff.FuseflowError, match=r"has tiles as values .* schedule.with_blocks\(None\)"):
        sam_dot(graph)
