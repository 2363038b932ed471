"""How the engine runs and how it fails: messages, progress, interruption, memory, warming up."""

import numpy as np
import pytest

from fuseflow.dataflow.blocks import (
    Array,
    BinaryALU,
    CrdWriter,
    LevelScanner,
    Locate,
    Repeat,
    Root,
    ValWriter,
)
from fuseflow.dataflow.graph import Graph, Port
from fuseflow.dataflow.tokens import StreamKind
from fuseflow.einsum.operators import BinaryOp
from fuseflow.errors import DeadlockError, SimulationError, VerifyError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import Core, Machine, Progress, engine, interpret, simulate
from fuseflow.sim.kernels import (
    accumulate,
    accumulate_pairs,
    alu,
    array,
    join,
    join_many,
    lazy_intersect,
    lazy_union,
    locate,
    record_accumulate,
    record_columns,
    record_expand,
    record_map,
    record_pool,
    record_reduce,
    record_repeat,
    record_scan,
    record_write,
    reduce,
    repeat,
    scan,
    source,
    write,
)
from fuseflow.sim.kernels.layout import HEADS
from fuseflow.sim.kernels.tokenwise import run
from fuseflow.sim.stream import Stream
from fuseflow.sim.warm import warm
from tests.sim import graphs

EYE = FiberTree.from_dense(np.eye(4, dtype=np.float32), "cc")
GUSTAVSON = graphs.gustavson((4, 4))


def rows_and_elements(b: graphs.Builder) -> None:
    b.add("root_A", Root("A"))
    b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("scan_j", LevelScanner("A", 1, "j"), "scan_i.ref")


def finish(b: graphs.Builder, values: str) -> Graph:
    b.add("write_i", CrdWriter("X", 0, "i"), "scan_i.crd")
    b.add("write_j", CrdWriter("X", 1, "j"), "scan_j.crd")
    b.add("write_val", ValWriter("X"), values)
    return b.graph("bad", (4, 4), "ij")


def test_bounded_channels_need_the_token_core() -> None:
    machine = Machine(channel_capacity=8)
    tensors = {"A": EYE, "B": EYE}
    with pytest.raises(SimulationError, match=r"machine 'comal' has bounded streams, which the chunk core cannot run"):
        simulate(GUSTAVSON, tensors, machine, core=Core.CHUNK)
    assert simulate(GUSTAVSON, tensors, machine).cycles == interpret(GUSTAVSON, tensors, machine).cycles


def test_tensor_that_is_not_bound() -> None:
    with pytest.raises(SimulationError, match=r"scan_B_k reads tensor 'B', which is not bound; bound tensors: A"):
        simulate(GUSTAVSON, {"A": EYE})


def test_level_that_is_not_compressed() -> None:
    with pytest.raises(
        SimulationError, match=r"scan_B_k scans level 0 of 'B' as a compressed level, but it is stored as"
    ):
        simulate(GUSTAVSON, {"A": EYE, "B": FiberTree.from_dense(np.eye(4), "dc")})


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets graphs through that the verifier would refuse, to see what a run says of their streams."""
    monkeypatch.setattr(engine, "check_given", lambda *_: None)


def test_streams_of_different_nests_name_the_node_port_tokens_and_cycle(unverified: None) -> None:
    b = graphs.Builder()
    rows_and_elements(b)
    b.add("array_i", Array("A"), "scan_i.ref")
    b.add("array_j", Array("A"), "scan_j.ref")
    b.add("add", BinaryALU(BinaryOp.ADD), "array_i.val", "array_j.val")
    with pytest.raises(
        SimulationError,
        match=r"add, cycle \d+: S0 at add.b does not go together with 1.0 \(token 1 of the stream\); the",
    ):
        simulate(finish(b, "add.val"), {"A": EYE})


def test_reference_out_of_range(unverified: None) -> None:
    b = graphs.Builder()
    rows_and_elements(b)
    b.add("array", Array("B"), "scan_j.ref")
    short = FiberTree.from_dense(np.ones(2), Format.dense(1))
    with pytest.raises(
        SimulationError,
        match=r"array, cycle \d+: 2 at array.ref is not below 2 \(token 4 of the stream\); check that the tensors",
    ):
        simulate(finish(b, "array.val"), {"A": EYE, "B": short})


def test_coordinate_out_of_range() -> None:
    b = graphs.Builder()
    rows_and_elements(b)
    b.add("locate", Locate("D", 1, "j", 3), "scan_j.ref", "scan_j.crd")
    b.add("array", Array("A"), "locate.ref")
    with pytest.raises(
        SimulationError, match=r"locate, cycle \d+: 3 at locate.crd is not below 3 \(token 6 of the stream\)"
    ):
        simulate(finish(b, "array.val"), {"A": EYE})


def test_tokens_that_never_come(unverified: None) -> None:
    """A repeat whose signal is longer than its data."""
    b = graphs.Builder()
    rows_and_elements(b)
    b.add("repeat", Repeat("j", StreamKind.REF), "root_A.ref", "scan_j.crd")
    b.add("array", Array("A"), "repeat.out")
    with pytest.raises(DeadlockError, match=r"repeat at cycle \d+ waits for token 2 of repeat.data from root_A.ref"):
        simulate(finish(b, "array.val"), {"A": EYE})


def test_end_beside_a_token(unverified: None) -> None:
    b = graphs.Builder()
    rows_and_elements(b)
    b.add("locate", Locate("A", 0, "i", 4, True), "scan_i.ref", "scan_i.crd", "scan_i.ref")
    with pytest.raises(SimulationError, match=r"locate, cycle \d+: 1 at locate.parent does not go together with D"):
        simulate(finish(b, "root_A.ref"), {"A": EYE})


def test_verifier_runs_first() -> None:
    b = graphs.Builder()
    b.add("scan_i", LevelScanner("A", 0, "i"), "root_A.ref")
    b.add("root_A", Root("A"))
    with pytest.raises(VerifyError, match="root_A"):
        simulate(b.graph("bad", (4,), "i"), {"A": EYE})


def test_progress_rises_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PROGRESS_INTERVAL_SECONDS", 0.0)
    seen: list[Progress] = []
    full = FiberTree.from_dense(np.ones((4, 4)), "cc")
    result = simulate(GUSTAVSON, {"A": full, "B": full}, progress=seen.append, chunk_tokens=4)
    assert len(seen) > 3
    assert [state.tokens for state in seen] == sorted(state.tokens for state in seen)
    fractions = [state.fraction for state in seen if state.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.6 and fractions[-1] == 1.0
    assert 0 < seen[-1].clock_cycles <= result.cycles
    assert seen[-1].elapsed_seconds >= 0


def test_interruption_leaves_no_state_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PROGRESS_INTERVAL_SECONDS", 0.0)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    tensors = {"A": EYE, "B": EYE}
    before = simulate(GUSTAVSON, tensors)
    with pytest.raises(KeyboardInterrupt):
        simulate(GUSTAVSON, tensors, progress=interrupt)
    assert simulate(GUSTAVSON, tensors).nodes == before.nodes


def test_storage_that_cannot_be_written() -> None:
    """Flags of the user's arrays make no difference, and nothing is written to them."""
    values = np.ones((4, 4), np.float32)
    values.flags.writeable = False
    tree = FiberTree.from_dense(values, "cc")
    for level in tree.levels:
        level.coordinates.flags.writeable = False  # type: ignore[union-attr]  # "cc" is compressed
    assert simulate(GUSTAVSON, {"A": tree, "B": tree}).output.to_dense().tolist() == [[4.0] * 4] * 4


def test_a_stream_keeps_what_its_slowest_reader_has_not_read() -> None:
    stream = Stream(Port("a", "ref"), StreamKind.REF, 4)
    slow, fast = np.zeros(HEADS + 1, np.int64), np.zeros(HEADS + 1, np.int64)
    stream.add_reader(slow, 0)
    stream.add_reader(fast, 0)
    stream.buffer[2:10] = [5, 1, 6, 2, 7, 3, 8, 4]
    stream.buffer[0] = 4
    fast[HEADS] = 4
    assert stream.make_room() == 0
    stream.grow()
    assert stream.make_room() == 4
    assert stream.unread(slow, 0) == [5, 6, 7, 8]
    slow[HEADS] = 3
    stream.grow()
    assert stream.make_room() == 15
    assert (stream.unread(slow, 0), stream.unread(fast, 0)) == ([8], [])


def test_warm_compiles_every_kernel() -> None:
    assert warm() >= 0
    for module in (
        accumulate,
        accumulate_pairs,
        alu,
        array,
        join,
        join_many,
        lazy_intersect,
        lazy_union,
        locate,
        record_accumulate,
        record_columns,
        record_expand,
        record_map,
        record_pool,
        record_reduce,
        record_repeat,
        record_scan,
        record_write,
        reduce,
        repeat,
        scan,
        source,
        write,
    ):
        for name, function in vars(module).items():
            if hasattr(function, "signatures") and function.py_func.__module__ == module.__name__:
                assert function.signatures, f"{module.__name__}.{name}"
                assert len(function.signatures) == 1 or name == "join_many", f"{name}: {function.signatures}"
    for entry in (run.run, run.wake, run.refill):
        assert entry.signatures
