"""What a caller without a type checker may give: every fault is one of ours and names the place and the value."""

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fuseflow.dataflow import DONE, Graph, Output, StreamKind
from fuseflow.dataflow.blocks import (
    BinaryALU,
    Block,
    CrdWriter,
    Generator,
    LevelScanner,
    Locate,
    Root,
    Sink,
    SparseAccumulator,
    Tile,
    UnaryALU,
    ValWriter,
)
from fuseflow.einsum.operators import UnaryOp
from fuseflow.errors import DataError, FuseflowError, SimulationError, VerifyError
from fuseflow.formats import FiberTree, Format
from fuseflow.sim import Machine, Memory, Observation, Trace, TraceOptions, interpret, simulate
from fuseflow.sim.engine_limits import MOST_SUMS, needs_tokens
from fuseflow.sim.machine import BlockTiming, ScannerTiming, TurnTiming
from fuseflow.sim.replay import replay
from tests.dataflow.graphs import change, node
from tests.sim.test_bad_input import MATRIX, VECTOR, graph, source

CRD, REF, VAL = StreamKind.CRD, StreamKind.REF, StreamKind.VAL
PLAIN = Graph("plain", VECTOR, (Output("Y", (), (), ()),))


def refuses(error: type[FuseflowError], match: str, made: Any, tensors: Any = None, machine: Any = Machine()) -> None:
    for run in (interpret, simulate):
        with pytest.raises(error, match=match):
            run(made, {} if tensors is None else tensors, machine)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (None, r"graph must be of type Graph, not None \(NoneType\); the classes of fuseflow.dataflow say"),
        (Graph("g", None, ()), r"graph.nodes must be a tuple of Node, not None"),  # type: ignore[arg-type]  # the fault
        (replace(PLAIN, outputs=(Output("Y", None, (), ()),)), r"graph.outputs\[0\].shape must be a tuple of int, not None"),  # type: ignore[arg-type]  # the fault
        (change(PLAIN, "write", inputs=("one.out",)), r"graph.nodes\[1\].inputs\[0\] must be of type Port, not 'one.out' \(str\)"),
        (change(PLAIN, "write", inputs=None), r"graph.nodes\[1\].inputs must be a tuple of Port, not None"),
        (change(PLAIN, "write", block=None), r"graph.nodes\[1\].block must be of type Root or .*, not None"),
        (change(PLAIN, "one", block=Generator(VAL, None)), r"graph.nodes\[0\].block.tokens must be a tuple of .*, not None"),  # type: ignore[arg-type]  # the fault
        (
            graph(*(source(name, VAL, "1 S0 D") for name in "ab"), node("x", BinaryALU("MUL"), "a.out", "b.out")),  # type: ignore[arg-type]  # the fault
            r"graph.nodes\[2\].block.op must be of type BinaryOp, not 'MUL'",
        ),
    ],
)  # fmt: skip
def test_types_of_the_graph(made: Any, match: str) -> None:
    refuses(VerifyError, match, made)


@pytest.mark.parametrize(
    ("block", "match"),
    [
        (Generator(CRD, (2**70, DONE)), r"node 'bad': token 0 of its crd stream is \d+, but the largest coordinate is 2147"),
        (Generator(REF, (2**70, DONE)), r"node 'bad': token 0 of its ref stream is \d+, but the largest reference is 46116"),
        (Generator(VAL, (10**400, DONE)), r"token 0 of its val stream is an integer of 1329 bits, beyond float32"),
        (Generator(VAL, (1e300, DONE)), r"token 0 of its val stream is 1e\+300, beyond float32"),
    ],
)  # fmt: skip
def test_sizes_of_tokens(block: Block, match: str) -> None:
    refuses(VerifyError, match, graph(node("bad", block), node("sink", Sink(), "bad.out")))


def test_scalars_extents_and_tiles() -> None:
    values = source("a", VAL, "1 S0 D")
    refuses(
        VerifyError,
        "its scalar is .* beyond float32",
        graph(values, node("u", UnaryALU(UnaryOp.ADD_SCALAR, 10**400), "a.out")),
    )
    refuses(
        VerifyError,
        "the extent of a dense level must be at most",
        graph(node("r", Root("A")), node("s", LevelScanner("A", 0, "i", 10**15), "r.ref")),
    )
    one_tile = UnaryALU(UnaryOp.NEG, tiles=(Tile(),))
    refuses(
        VerifyError, "names 2 of them, its inputs' and its output's, not 1", graph(values, node("u", one_tile, "a.out"))
    )
    big = Output("Y", (2**40,), (0,), ("i",))
    refuses(VerifyError, r"output 'Y' has shape \(1099511627776,\)", replace(PLAIN, outputs=(big,)))  # fmt: skip


def accumulating(*extents: int) -> Graph:
    indices = tuple("abc"[: len(extents)])
    inputs = [f"c{number}.out" for number in range(len(extents) + 1)]
    crds = [source(f"c{number}", CRD, f"0 S{len(extents) - number} D") for number in range(len(extents) + 1)]
    values = source("v", VAL, f"1 S{len(extents)} D")
    return graph(*crds, values, node("sum", SparseAccumulator("k", indices, extents), *inputs, "v.out"))


def test_accumulators_of_any_extent() -> None:
    """A petabyte is not asked for: too large is refused by name, large is run where memory follows the data."""
    refuses(
        VerifyError,
        r"node 'sum': the extent of 'a' must be at most 2147483647.* not 1000000000000000",
        accumulating(10**15),
    )
    refuses(
        VerifyError,
        r"node 'sum': accumulates over .* whose product must be below 2\*\*62",
        accumulating(2**31 - 1, 2**31 - 1, 4),
    )
    made = accumulating(2**31 - 1)
    assert interpret(made, {}).cycles == simulate(made, {}).cycles
    alone = replace(made, nodes=made.nodes[3:4])
    assert needs_tokens(alone, Machine()) == f"node 'sum' accumulates over {2**31 - 1} coordinates"
    assert MOST_SUMS < 2**31  # fmt: skip


MATRIX_GRAPH = graph(node("r", Root("A")), node("i", LevelScanner("A", 0, "i"), "r.ref"), node("s", Sink(), "i.crd"))


def test_tensors_and_machine() -> None:
    refuses(
        SimulationError,
        r"tensor 'A' must be a FiberTree, not array.*make one with FiberTree.from_dense",
        MATRIX_GRAPH,
        {"A": np.ones(3)},
    )
    refuses(SimulationError, r"tensors must be a mapping from names to FiberTree, not \[", MATRIX_GRAPH, [MATRIX])
    refuses(
        SimulationError, r"machine must be of type Machine, not 'comal' \(str\)", MATRIX_GRAPH, {"A": MATRIX}, "comal"
    )
    slow = Machine(scanner=ScannerTiming(initial_delay_cycles="x"))  # type: ignore[arg-type]  # the fault
    refuses(
        SimulationError,
        r"machine.scanner.initial_delay_cycles must be of type int, not 'x'",
        MATRIX_GRAPH,
        {"A": MATRIX},
        slow,
    )
    dense = graph(node("r", Root("A")), node("i", LevelScanner("A", 0, "i", 4), "r.ref"), node("s", Sink(), "i.crd"))
    refuses(
        SimulationError,
        r"i takes level 0 of 'A' for a dense one of size 4, but it is stored as compressed",
        dense,
        {"A": MATRIX},
    )
    vector = FiberTree.from_dense(np.ones(3, np.float32), Format.dense(1))
    refuses(SimulationError, r"of size 4, but it is stored with size 3; bind the tensor", dense, {"A": vector})  # fmt: skip


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"chunk_tokens": 0}, "chunk_tokens must be a whole number from 1 to 16777216, not 0"),
        ({"chunk_tokens": 10**15}, "chunk_tokens must be a whole number from 1 to 16777216, not 1000"),
        ({"threads": "x"}, "threads must be a whole number from 1 to 4096, not 'x'"),
        ({"progress": 3}, r"progress must be a function or None, not 3 \(int\)"),
        ({"core": "token"}, "core must be a Core, not 'token'"),
        ({"observation": 3}, "observation must be of type Observation, not 3"),
        ({"observation": Observation(stop=3)}, "observation.stop must be"),  # type: ignore[arg-type]  # the fault
        ({"depths": [1]}, r"depths must be a mapping from streams to numbers of tokens, not \[1\]"),
        ({"depths": {"one.out": 10**30}}, r"the depth of 'one.out' is at most \d+ tokens"),
    ],
)  # fmt: skip
def test_options(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SimulationError, match=match):
        simulate(PLAIN, {}, **options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"window": ("a", 3)}, r"options of a trace.window must be of type a tuple of 2: int, int or None, not \('a', 3\)|window\[0\]"),
        ({"window": (1,)}, "options of a trace.window must be"),
        ({"window": (0, 10**30)}, "a window is .*; the last may be"),
        ({"intervals": "x"}, "options of a trace.intervals must be of type int, not 'x'"),
        ({"max_tokens": -1}, "a trace keeps 0 tokens or more, not max_tokens=-1"),
    ],
)  # fmt: skip
def test_options_of_traces(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SimulationError, match=match):
        TraceOptions(**options)


def test_a_trace_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot write .*missing.*No such file.*make the folder"):
        Trace(()).to_perfetto(tmp_path / "missing" / "trace.json")
    with pytest.raises(SimulationError, match="clock_hz must be above 0, not 0"):
        Trace(()).to_perfetto(tmp_path / "trace.json", clock_hz=0)


def test_a_full_disk_leaves_the_old_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = Trace(()).to_perfetto(tmp_path / "trace.json")
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match=r"cannot write .*trace.json: No space left on device; check the disk"):
        Trace(()).to_perfetto(path, clock_hz=2e9)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


TIMED_CASE: dict[str, Any] = {
    "name": "one", "channel_capacity": 8, "hbm": None, "elapsed": 2, "metric_sums": {},
    "ops": [
        {"op": "root", "output_ref": "r0", "final_clock": [2]},
        {"op": "sink", "input": "r0", "final_clock": [3]},
    ],
    "streams": {"r0": [[0, 1], ["D", 2]]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change_case", "match"),
    [
        ({"streams": {}}, r"'streams' leaves out r0 \(1 of 1 streams\)"),
        ({"streams": None}, "field 'streams' must be of type dict"),
        ({"ops": [{**TIMED_CASE["ops"][0], "final_clock": None}, TIMED_CASE["ops"][1]]}, r"ops\[0\] \(root\) has no list 'final_clock'"),
    ],
)  # fmt: skip
def test_a_timed_case_without_what_is_compared_is_malformed(
    change_case: dict[str, Any], match: str, tmp_path: Path
) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{**TIMED_CASE, **change_case}]}), encoding="utf-8")
    with pytest.raises(DataError, match=match):
        replay([path])


def test_a_result_that_does_not_fit_names_its_writers() -> None:
    crd, val = source("c", CRD, "0 5 S0 D"), source("v", VAL, "1 2 S0 D")
    writers = node("wc", CrdWriter("Y", 0, "i"), "c.out"), node("wv", ValWriter("Y"), "v.out")
    made = Graph("bad", (crd, val, *writers), (Output("Y", (4,), (0,), ("i",)),))
    place = (
        r"coordinate 5 at position 1 is not below 4 \(written by wc, which read c.out until cycle \d+; wv, which read"
    )
    refuses(SimulationError, place, made)


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: BlockTiming(-5, 1), r"latency_cycles of a block must be from 0 to 2147483648, not -5"),
        (lambda: BlockTiming(1, -1), r"interval_cycles of a block must be from 0 to 2147483648, not -1"),
        (lambda: BlockTiming(2**62, 2**62), r"latency_cycles of a block must be from 0 to 2147483648, not 46116860"),
        (lambda: BlockTiming(np.int64(-1)), r"latency_cycles of a block must be from 0 to"),  # type: ignore[arg-type]  # NumPy's numbers pass
        (lambda: ScannerTiming(startup_delay_cycles=-9), r"startup_delay_cycles of a scanner must be from 0 to .*, not -9"),
        (lambda: ScannerTiming(sequential_interval_cycles=-1), r"sequential_interval_cycles of a scanner must be"),
        (lambda: ScannerTiming(data_load_factor=float("nan")), r"data_load_factor of a scanner must be .*, not nan"),
        (lambda: ScannerTiming(data_load_factor=float("inf")), r"data_load_factor of a scanner must be .*, not inf"),
        (lambda: ScannerTiming(row_size=0), r"row_size of a scanner must be from 1 to 2147483648, not 0"),
        (lambda: TurnTiming(skip_cycles=2**70), r"skip_cycles of a machine must be from 0 to 2147483648, not 118"),
        (lambda: Memory.hbm(latency_cycles=2**70), r"latency_cycles of a memory must be from 0 to 2147483648, not 118"),
        (lambda: Machine(value_bytes=-1), r"value_bytes of a machine must be from 1 to 2147483648, not -1"),
        (lambda: Machine(coordinate_bytes=0), r"coordinate_bytes of a machine must be from 1"),
        (lambda: Machine(clock_hz=0), r"clock_hz of a machine must be above 0 and finite, not 0"),
        (lambda: Machine(clock_hz=float("nan")), r"clock_hz of a machine must be above 0 and finite, not nan"),
        (lambda: Machine(channel_capacity=True), r"channel_capacity is a number of tokens, 1 or more, not True"),
    ],
)  # fmt: skip
def test_a_machine_that_cannot_be(made: Callable[[], object], match: str) -> None:
    with pytest.raises(SimulationError, match=match):
        made()


def test_a_locate_reads_no_values() -> None:
    made = graph(
        source("v", VAL, "3.5 S0 D"), source("c", CRD, "3 S0 D"), node("at", Locate("D", 1, "i", 4), "v.out", "c.out")
    )
    refuses(VerifyError, r"node 'at': input 'ref' .* val", made)


def test_the_end_beside_a_stop_at_a_locate() -> None:
    made = graph(
        source("r", REF, "S0 S0 D"),
        source("c", CRD, "S0 D"),
        node("at", Locate("D", 0, "i", 4), "r.out", "c.out"),
        *(node(name, Sink(), f"at.{name}") for name in ("located", "ref", "crd")),
    )
    refuses(SimulationError, r"at, cycle 2: ref and crd do not go together: S0 at at.ref, D at at.crd", made)
