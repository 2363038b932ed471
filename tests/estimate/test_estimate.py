"""The estimate against simulation: same elements read, written and computed, cycles close, and what it explains."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuseflow as ff
from fuseflow.einsum import Tensor
from fuseflow.errors import DataError, FuseflowError, ScheduleError, SimulationError
from fuseflow.estimate import Sparsity, Statistics, relations
from fuseflow.estimate.query import Atom, Counter
from fuseflow.estimate.relations import Relation
from fuseflow.estimate.statistics import draw
from fuseflow.formats import Format
from tests.random_programs import random_model, random_schedules, with_random_lanes

EXACT = ("flops", "values_read", "values_written")


@pytest.mark.parametrize("seed", range(24))
def test_counts_equal_simulation(seed: int) -> None:
    """On random programs in every style, every node reads, writes and computes exactly as many values as estimated."""
    model = random_model(seed)
    for schedule in random_schedules(model, seed)[:5]:
        try:
            compiled = ff.compile(model, schedule)
        except FuseflowError:
            continue
        simulated = compiled.simulate(engine="interpreter").table()
        estimated = ff.estimate(compiled).table("node")
        for column in EXACT:
            np.testing.assert_allclose(
                estimated[column], simulated[column], err_msg=f"{column} under {schedule}", atol=1e-6
            )


@pytest.mark.parametrize("seed", range(48))
def test_lanes_together_count_as_simulated(seed: int) -> None:
    """The lanes of a node together read, write and compute exactly as many values as estimated.

    Of coordinates a gather passes all too: a writer behind lanes is estimated at what it is without them, which may
    differ from simulation by the segment entries of empty fibers.
    """
    model = random_model(seed)
    for schedule in (ff.Schedule.full(model), ff.Schedule.unfused(model)):
        try:
            plain = ff.compile(model, schedule)
        except FuseflowError:
            continue
        compiled = ff.compile(model, with_random_lanes(model, schedule, seed))
        simulated, estimated = compiled.simulate(engine="interpreter").table(), ff.estimate(compiled).table("node")
        for column in EXACT:
            np.testing.assert_allclose(
                _by_lanes(estimated, column),
                _by_lanes(simulated, column),
                err_msg=f"{column} of seed {seed}",
                atol=1e-6,
            )
        written = ff.estimate(plain).table("node")["coordinates_written"].sum()
        assert estimated["coordinates_written"].sum() == pytest.approx(written)


def _by_lanes(table: pd.DataFrame, column: str) -> list[float]:
    """``column`` by node, all of its lanes together."""
    nodes = [table["kernel"], table["node"].str.split("@").str[0]]
    return [float(value) for value in table[column].groupby(nodes, sort=True).sum()]


@pytest.mark.parametrize("formats", ["cc", "cc:1,0", "dc", "dd:1,0"])
@pytest.mark.parametrize(
    "text",
    [
        "T[i,j] = A[i,j] + B[i,j]",
        "T[i,j] = A[i,j] + B[i,j]\nY[i] = sum(T[i,j])",
        "T[i,j] = A[i,j] + B[i,j]\nY[i,l] = T[i,j] * X[j,l]",
        "T[i,j] = A[i,j] + b[j]\nR[i,j] = relu(T[i,j])\nY[i,l] = R[i,j] * X[j,l]",
    ],
)
def test_a_sum_is_gathered_from_all_lanes(text: str, formats: str) -> None:
    """FLOPs and bytes of additions in lanes are exact, and a sum outside of the lanes takes the time of all of them."""
    rng = np.random.default_rng(3)
    sparse = {name: (rng.random((24, 24)) < 0.3).astype(np.float32) for name in "ABX"}
    stored = {"A": formats, "B": formats, "X": "dd"}
    data = {name: ff.FiberTree.from_dense(sparse[name], stored[name]) for name in stored if f"{name}[" in text}
    if "b[" in text:
        data["b"] = ff.FiberTree.from_dense(rng.random(24).astype(np.float32), "d")
    model = ff.einsum(text, **data)
    schedule = ff.Schedule.full(model)
    for lanes in ((), *((ff.Lanes(index, 4, how),) for index in "ij" for how in ff.Scatter)):
        compiled = ff.compile(model, schedule.with_lanes(*lanes))
        run, found = compiled.simulate(), ff.estimate(compiled)
        assert (found.flops, found.bytes) == pytest.approx((run.flops, run.bytes), rel=1e-9), lanes
        assert found.cycles == pytest.approx(run.cycles, rel=0.25), lanes


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 13, 36])  # the last two have a union before a gather
def test_counts_equal_simulation_in_lanes(seed: int) -> None:
    """Ranges of any index are followed exactly, through unions and projections within a lane too."""
    model = random_model(seed)
    for schedule in random_schedules(model, seed)[:2]:
        try:
            plain = ff.compile(model, schedule)
        except FuseflowError:
            continue
        extents = {item.region.name: item.lowered.region.extents for item in plain.regions}
        for index in dict.fromkeys(index for item in plain.regions for index in item.order):
            lanes = (ff.Lanes(index, 2, ff.Scatter.CONTIGUOUS),)
            regions = tuple(
                dataclasses.replace(region, lanes=lanes if extents[region.name].get(index, 0) > 1 else ())
                for region in schedule.regions
            )
            compiled = ff.compile(model, ff.Schedule("lanes", regions))
            simulated = compiled.simulate(engine="interpreter").table()
            estimated = ff.estimate(compiled).table("node")
            for column in EXACT:
                np.testing.assert_allclose(
                    estimated[column], simulated[column], err_msg=f"{column}, lanes of {index}", atol=1e-6
                )


@pytest.mark.parametrize("text", ["T[i,j] = A[i,j] + B[i,j]", "T[i,j] = A[i,j] * B[i,j]"])
def test_a_gather_takes_a_token_of_one_lane_at_a_time(text: str) -> None:
    """So an addition in lanes is not estimated to be faster than what writes its result."""
    rng = np.random.default_rng(3)
    data = {name: ff.FiberTree.from_dense(_sparse(rng, 40), "cc") for name in "AB"}
    model = ff.einsum(text, **data)
    compiled = ff.compile(model, ff.Schedule.full(model).with_lanes(ff.Lanes("i", 3)))
    run, found = compiled.simulate(), ff.estimate(compiled)
    assert (found.flops, found.bytes) == (run.flops, run.bytes)
    assert found.cycles == pytest.approx(run.cycles, rel=0.05)
    busy = found.table("node").set_index("node")["busy_cycles"]
    counted = run.table().set_index("node")["busy_cycles"]
    gathers = [name for name in counted.index if name.startswith("gather")]
    assert gathers
    np.testing.assert_allclose(busy[gathers], counted[gathers], atol=3)


def _sparse(rng: np.random.Generator, size: int) -> np.ndarray:
    return (rng.random((size, size)) * (rng.random((size, size)) < 0.3)).astype(np.float32)


@pytest.fixture(scope="module")
def gcn() -> ff.Model:
    return ff.models.gcn("karate")


@pytest.mark.parametrize("schedule", ["unfused", "partial", "full"])
def test_gcn(gcn: ff.Model, schedule: str) -> None:
    compiled = ff.compile(gcn, schedule)
    run, found = compiled.simulate(), ff.estimate(compiled)
    assert found.flops == pytest.approx(run.flops, rel=1e-9)
    assert found.bytes == pytest.approx(run.bytes, rel=0.005)
    assert found.cycles == pytest.approx(run.cycles, rel=0.1)


def test_two_step_paths_are_counted_exactly() -> None:
    """A * A visits every path of length two: the sum over the edges of the degree of their end."""
    rng = np.random.default_rng(1)
    adjacency = (rng.random((40, 40)) < 0.1).astype(np.float32)
    model = ff.einsum("A[40,40]: cc\nY[i,k] = A[i,j] * A[j,k]", A=adjacency)
    paths = int((adjacency @ adjacency).sum())
    found = ff.estimate(model, "full")
    (accumulator,) = [node for node in found.kernels[0].nodes if node.name.startswith("accumulate")]
    assert accumulator.flops == paths
    (writer,) = [node for node in found.kernels[0].nodes if node.name == "write_Y_values"]
    assert writer.values_written == np.count_nonzero(adjacency @ adjacency)


def test_a_sampled_join_is_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a join is too large to write down, a sample of it stands for all."""
    rng = np.random.default_rng(2)
    columns = [np.unique(rng.integers(0, 200 * 200, 3000)) for _ in range(2)]
    left, right = (Relation((200, 200), (flat // 200, flat % 200)) for flat in columns)
    i, j, k = (("i", 200), ("j", 200), ("k", 200))
    condition = frozenset({Atom(left, (i, j)), Atom(right, (j, k))})
    exact = Counter().count(Counter().exists(condition, [j]), (i, k))
    monkeypatch.setattr(relations, "PAIRS_JOINED", 8_000)
    assert Counter().count(Counter().exists(condition, [j]), (i, k)) == pytest.approx(exact, rel=0.1)
    assert exact == len({(a, d) for a, b in zip(*left.columns, strict=True) for c, d in _row(right, b) if c == b})


def _row(relation: Relation, row: int) -> list[tuple[int, int]]:
    places = np.flatnonzero(relation.columns[0] == row)
    return [(row, int(relation.columns[1][place])) for place in places]


@pytest.mark.parametrize("spread", list(Sparsity))
def test_from_sizes_alone(gcn: ff.Model, spread: Sparsity) -> None:
    """With the same numbers of stored elements, the first product's work is that of the data for every pattern."""
    densities = {name: tree.stored / np.prod(tree.shape) for name, tree in gcn.tensors.items()}
    spreads = {"adjacency": spread}
    known = Statistics.sizes(gcn.program.inputs, densities, spreads)
    found = ff.estimate(gcn, "unfused", statistics=known)
    exact = ff.estimate(gcn, "unfused")
    assert found.flops == pytest.approx(exact.flops, rel=0.1)
    assert found.cycles == pytest.approx(exact.cycles, rel=0.1)


@pytest.mark.parametrize("density", [1.0, 0.9, 0.5, 0.4, 0.3, 0.1, 0.05, 0.001])
@pytest.mark.parametrize("shape", [(500, 500), (120, 300)])
def test_a_block_diagonal_has_the_density_that_was_asked_for(density: float, shape: tuple[int, int]) -> None:
    """Full blocks on the diagonal, the last one smaller: 0.4 is not two blocks of one half."""
    tree = draw(Tensor("A", shape, Format.parse("cc", 2)), density, Sparsity.BLOCK_DIAGONAL)
    assert tree.stored == pytest.approx(density * shape[0] * shape[1], rel=0.005)
    dense = tree.to_dense() != 0
    same_block = (dense.astype(int) @ dense.T.astype(int)) > 0
    assert (dense[:, None, :] == dense[None, :, :]).all(axis=2)[same_block].all()  # rows meet in all columns or in none


def test_power_law_has_more_two_step_paths_than_uniform(gcn: ff.Model) -> None:
    model = ff.einsum("A[60,60]: cc\nY[i,k] = A[i,j] * A[j,k]", A=np.eye(60, dtype=np.float32))
    found = {
        spread: ff.estimate(
            model, "full", statistics=Statistics.sizes(model.program.inputs, {"A": 0.05}, spread, exponent=1.0)
        ).flops
        for spread in Sparsity
    }
    assert found[Sparsity.POWER_LAW] > 1.3 * found[Sparsity.UNIFORM]


def test_a_given_rate_decides_an_intersection() -> None:
    model = ff.einsum("a[100]: c\nb[100]: c\ny = a[i] * b[i]", a=np.ones(100), b=np.ones(100))
    densities = {"a": 0.5, "b": 0.2}
    known = Statistics.sizes(model.program.inputs, densities, rates={"i": 0.25})
    product = next(node for node in ff.estimate(model, statistics=known).kernels[0].nodes if node.name == "mul_y")
    assert product.flops == pytest.approx(0.25 * 20)


def test_what_it_explains(gcn: ff.Model) -> None:
    found = ff.estimate(gcn, "partial")
    text = found.explain()
    assert f"limited by {found.limiting.name}, which {found.limiting.role}" in text
    assert text.startswith("Schedule partial: about")
    assert list(found.table()["kernel"]) == [kernel.name for kernel in found.kernels]
    with pytest.raises(ValueError, match="by must be 'kernel' or 'node', not 'x'"):
        found.table("x")


def test_a_slow_memory_is_a_bound(gcn: ff.Model) -> None:
    slow = ff.Machine(memory=ff.Machine().memory.hbm(channels=1, interval_cycles=400))
    found = ff.estimate(gcn, "partial", machine=slow)
    assert found.cycles > ff.estimate(gcn, "partial").cycles
    assert "limited by memory" in found.explain()


def test_bad_input(gcn: ff.Model) -> None:
    inputs = gcn.program.inputs
    with pytest.raises(DataError, match="is stored as cc and has no density"):
        Statistics.sizes(reversed(inputs), {})
    inputs = [item for item in inputs if item.name == "adjacency"]
    with pytest.raises(DataError, match=r"density of 'adjacency' is 1\.5; it must be a number from 0 to 1"):
        Statistics.sizes(inputs, dict.fromkeys((item.name for item in inputs), 1.5))
    with pytest.raises(DataError, match="'uniform', 'power law', 'block diagonal', not 'zipf'"):
        Statistics.sizes(inputs, dict.fromkeys((item.name for item in inputs), 0.5), "zipf")
    with pytest.raises(DataError, match="rate at index 'i' is 2; it must be a number from 0 to 1"):
        Statistics.of({}, {"i": 2})
    with pytest.raises(DataError, match="exponent of a power law must be 0 or more, not -1"):
        Statistics.sizes(inputs, {"adjacency": 0.1}, "power law", exponent=-1)
    with pytest.raises(DataError, match="densities names 'foo', which is none of the tensors "):
        Statistics.sizes(inputs, {"adjacency": 0.1, "foo": 0.1})
    with pytest.raises(DataError, match="spread names 'foo', which is none of the tensors "):
        Statistics.sizes(inputs, {"adjacency": 0.1}, {"foo": "uniform"})
    text: Any = "x"
    with pytest.raises(DataError, match="the density of 'adjacency' is 'x'; it must be a number from 0 to 1"):
        Statistics.sizes(inputs, {"adjacency": text})
    with pytest.raises(DataError, match="the intersection rate at index 'k' is 'x'; it must be a number from 0 to 1"):
        Statistics.of({}, {"k": text})
    with pytest.raises(DataError, match="rates names index 'zz', which schedule 'full' does not iterate; it has i, j"):
        ff.estimate(gcn, "full", statistics=Statistics.of(gcn.tensors, {"zz": 0.3}))
    with pytest.raises(ScheduleError, match="compiled already"):
        ff.estimate(ff.compile(gcn, "full"), "full")
    with pytest.raises(SimulationError, match="no statistics of tensor 'adjacency'"):
        ff.estimate(gcn, "full", statistics=Statistics.of({}))
    cube = ff.einsum("T[2,2,2]: ccc\ny[i] = sum[j](sum[k](T[i,j,k]))", T=np.ones((2, 2, 2)))
    with pytest.raises(DataError, match="is of order 3; a power law pattern needs a matrix"):
        Statistics.sizes(cube.program.inputs, {"T": 0.5}, "power law")


@pytest.mark.parametrize("scatter", list(ff.Scatter))
def test_lanes_share_the_work(gcn: ff.Model, scatter: ff.Scatter) -> None:
    """Lanes change no counter; ranges of rows are followed exactly, and the outermost level dealt in turn too."""
    lanes = (ff.Lanes("i", 3, scatter),)
    regions = tuple(dataclasses.replace(region, lanes=lanes) for region in ff.Schedule.partial(gcn))
    compiled = ff.compile(gcn, ff.Schedule("lanes", regions))
    run, found = compiled.simulate(engine="interpreter"), ff.estimate(compiled)
    assert found.flops == pytest.approx(run.flops, rel=1e-9)
    assert found.bytes == pytest.approx(run.bytes, rel=0.005)
    assert found.cycles < 0.55 * ff.estimate(gcn, "partial").cycles
    assert found.cycles == pytest.approx(run.cycles, rel=0.2)  # lanes that take turns wait less than it says


def test_lanes_of_an_inner_level_get_equal_shares(gcn: ff.Model) -> None:
    regions = tuple(
        dataclasses.replace(region, lanes=(ff.Lanes("k", 2),)) if region.name == "conv1" else region
        for region in ff.Schedule.partial(gcn)
    )
    compiled = ff.compile(gcn, ff.Schedule("lanes", regions))
    run, found = compiled.simulate(engine="interpreter"), ff.estimate(compiled)
    assert found.flops == pytest.approx(run.flops, rel=0.01)


def test_patterns_go_through_layout_statements() -> None:
    """A compressed tensor that a reshape, a slice and a concatenation make between kernels."""
    rng = np.random.default_rng(7)
    data = (rng.random((6, 8)) < 0.4).astype(np.float32)
    text = """A[6,8]: cc
B[6,8]: cc
C[12,4]: cc
D[6,4]: cc
E[6,8]: cc
F[6,8]: cc
B[i,j] = relu(A[i,j])
C[p,q] = reshape[i,j](B[i,j], 12, 4)
D[r,q] = slice[p, 0:12:2](C[p,q])
E[r,s] = concat[s](D[r,q], D[r,t])
F[r,s] = sigmoid(E[r,s]) * A[r,s]"""
    model = ff.einsum(text, A=data)
    compiled = ff.compile(model, "unfused")
    run, found = compiled.simulate(), ff.estimate(compiled)
    run.check()
    assert found.flops == run.flops
    assert found.table("node")["values_written"].sum() == run.table()["values_written"].sum()


@pytest.mark.parametrize("machine", [ff.Machine(), ff.Machine.equal_throughput()])
@pytest.mark.parametrize("preset", ["unfused", "full"])
def test_blocked_attention(machine: ff.Machine, preset: str) -> None:
    model = ff.models.attention(block=8, sequence=64, heads=2, width=32)
    compiled = ff.compile(model, getattr(ff.Schedule, preset)(model).with_blocks(8))
    found, run = ff.estimate(compiled, machine=machine), compiled.simulate(machine)
    assert found.flops == pytest.approx(run.flops, rel=0.01)
    assert found.bytes == pytest.approx(run.bytes, rel=0.02)
    assert found.cycles == pytest.approx(run.cycles, rel=0.25)


def test_statistics_of_elements_are_not_taken_for_those_of_blocks() -> None:
    model = ff.models.attention(block=8, sequence=64, heads=2, width=32)
    known, schedule = Statistics.of(model.tensors), ff.Schedule.full(model).with_blocks(8)
    with pytest.raises(
        ScheduleError, match=r"have 'queries' of shape \(1, 2, 64, 16\), but .* it is \(1, 2, 8, 2\) blocks"
    ):
        ff.estimate(model, schedule, statistics=known)
    assert ff.estimate(model, schedule, statistics=Statistics.of(ff.compile(model, schedule).model.tensors)).flops > 0


def test_a_drawn_graph_has_no_node_without_edges() -> None:
    """Nodes without edges are in no data set; rows that are empty by chance would be missing from every layer."""
    model = ff.einsum("A[300,300]: cc\nY[i,j] = relu(A[i,j])", A=np.eye(300, dtype=np.float32))
    known = Statistics.sizes(model.program.inputs, {"A": 900 / 300**2}, Sparsity.POWER_LAW, exponent=0.62)
    drawn = known.patterns["A"].tree.to_dense() != 0  # type: ignore[attr-defined]  # drawn patterns are of data
    assert drawn.sum() == 900
    assert drawn.any(0).all() and drawn.any(1).all()
